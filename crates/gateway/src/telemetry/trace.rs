//! The trace that a call belongs to: read from the caller, passed on to fal.
//!
//! Two places may name the caller's span. The header belongs to the HTTP request and is the parent of
//! its span. `_meta` belongs to the message, so it is nearer: where it is there, it is the parent of
//! the operation's span, which then has a link to the HTTP request's (MCP conventions, "Context
//! propagation"). Baggage is neither read nor passed on: it is a stranger's.
//!
//! What is current ([`Context::current`]) is passed on also where no traces are exported: then fal
//! gets the caller's own context, unchanged.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceId};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// What every participant has to pass on (W3C Trace Context, 3.3.1.5, "tracestate Limits"); a longer
/// one is dropped.
const MAX_TRACESTATE_BYTES: usize = 512;

/// The caller's context as the headers of a request have it.
pub(crate) fn of_headers(headers: &HeaderMap) -> Option<Context> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    remote(text(TRACEPARENT)?, text(TRACESTATE))
}

/// The caller's context as the message itself has it.
pub(crate) fn of_meta(meta: &mcp::RequestMeta) -> Option<Context> {
    remote(meta.traceparent.as_deref()?, meta.tracestate.as_deref())
}

fn remote(traceparent: &str, tracestate: Option<&str>) -> Option<Context> {
    let tracestate = tracestate.filter(|state| state.len() <= MAX_TRACESTATE_BYTES);
    let carrier = Carrier { traceparent, tracestate };
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}

/// Adds the headers that carry the current trace on.
pub(super) fn inject(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject(&mut HeaderInjector(headers));
}

/// The current span.
pub(super) fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

/// The current trace's id, if there is one.
pub(crate) fn current_id() -> Option<TraceId> {
    let id = Context::map_current(|context| context.span().span_context().trace_id());
    (id != TraceId::INVALID).then_some(id)
}

/// The two members of a W3C trace context.
struct Carrier<'a> {
    traceparent: &'a str,
    tracestate: Option<&'a str>,
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn passed_on(traceparent: &str, tracestate: Option<&str>) -> Option<HeaderMap> {
        let context = remote(traceparent, tracestate)?;
        let _current = context.attach();
        let mut headers = HeaderMap::new();
        inject(&mut headers);
        Some(headers)
    }

    #[test]
    fn a_caller_s_context_is_passed_on_as_it_came() {
        let headers = passed_on(PARENT, Some("vendor=1")).unwrap();
        assert_eq!(headers[TRACEPARENT], PARENT);
        assert_eq!(headers[TRACESTATE], "vendor=1");
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn what_is_no_context_is_taken_for_none() {
        for broken in
            ["", "00", "00-0-0-00", &PARENT.replace('4', "x"), &PARENT.replace("00-", "ff-")]
        {
            assert!(remote(broken, None).is_none(), "{broken}");
        }
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        assert!(remote(zero, None).is_none());
    }

    #[test]
    fn a_long_or_broken_state_is_dropped_and_the_trace_goes_on() {
        for state in
            ["x".repeat(513), "no equals sign".to_owned(), format!("a={}", "b".repeat(511))]
        {
            let headers = passed_on(PARENT, Some(&state)).unwrap();
            assert_eq!(headers[TRACEPARENT], PARENT);
            assert!(headers.get(TRACESTATE).is_none_or(HeaderValue::is_empty), "{state}");
        }
    }
}
