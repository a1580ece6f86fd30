//! Which of OpenTelemetry's signals are exported, and how, by its standard variables. The exporters
//! read these and the others by themselves, and would pass over a protocol, a compression or a timeout
//! that they cannot use: here it is a mistake.

use std::fmt;

use url::Url;
use uuid::Uuid;

use super::reader::Reader;

/// Switches everything off.
const ENV_DISABLED: &str = "OTEL_SDK_DISABLED";
const ENV_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// How a signal is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`, which the specification gives where nothing is said.
    HttpProtobuf,
    /// `grpc`.
    Grpc {
        /// Whether the endpoint is asked over TLS.
        tls: bool,
    },
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc { tls: false } => "grpc",
            Self::Grpc { tls: true } => "grpc with TLS",
        })
    }
}

/// What is exported over OTLP, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otel {
    /// How spans are; none where they are not.
    pub traces: Option<Protocol>,
    /// How metrics are. Prometheus has them in any case.
    pub metrics: Option<Protocol>,
    /// How log records are. Standard error has them in any case.
    pub logs: Option<Protocol>,
    /// `service.name`, where it was given.
    pub service_name: Option<String>,
    /// `service.instance.id`, new for each process.
    pub instance_id: Uuid,
}

impl Default for Otel {
    fn default() -> Self {
        Self {
            traces: None,
            metrics: None,
            logs: None,
            service_name: None,
            instance_id: Uuid::new_v4(),
        }
    }
}

impl Otel {
    /// A signal is exported if it is given an exporter or an endpoint: without either, nothing
    /// listens on the specification's defaults of `localhost:4318` and `localhost:4317`.
    pub(super) fn read(read: &mut Reader) -> Self {
        let disabled = read
            .text(None, ENV_DISABLED)
            .is_some_and(|disabled| disabled.trim().eq_ignore_ascii_case("true"));
        let mut export = |signal: &str| {
            let has_endpoint = written(read, signal, "ENDPOINT").is_some();
            let is_on = exporter(read, signal).unwrap_or(has_endpoint) && !disabled;
            is_on.then(|| protocol(read, signal))
        };
        Self {
            traces: export("TRACES"),
            metrics: export("METRICS"),
            logs: export("LOGS"),
            service_name: read.text(None, ENV_SERVICE_NAME),
            ..Self::default()
        }
    }
}

/// Whether `OTEL_{signal}_EXPORTER` says OTLP; nothing where it says nothing.
fn exporter(read: &mut Reader, signal: &str) -> Option<bool> {
    let name = format!("OTEL_{signal}_EXPORTER");
    let given = read.text(None, &name)?;
    let mut otlp = false;
    for word in given.split(',').map(str::trim) {
        match word {
            "otlp" => otlp = true,
            // Prometheus is served in any case.
            "none" | "prometheus" => {}
            _ => {
                read.warn(format!("{name} has {word:?}, which is ignored: there is otlp and none"));
            }
        }
    }
    Some(otlp)
}

/// How a signal that is exported is.
fn protocol(read: &mut Reader, signal: &str) -> Protocol {
    let is_grpc = setting(read, signal, "PROTOCOL", "http/protobuf or grpc", |text| {
        either(text, "grpc", "http/protobuf")
    });
    setting(read, signal, "COMPRESSION", "gzip or none", |text| either(text, "gzip", "none"));
    setting(read, signal, "TIMEOUT", "milliseconds", |text| text.parse::<u64>().ok());
    if !is_grpc.unwrap_or(false) {
        setting(read, signal, "ENDPOINT", "an http:// or https:// URL", is_https);
        return Protocol::HttpProtobuf;
    }
    let is_insecure =
        setting(read, signal, "INSECURE", "true or false", |text| either(text, "true", "false"));
    let expected = "an http:// or https:// URL, or a host and a port";
    let tls = setting(read, signal, "ENDPOINT", expected, |text| {
        if text.contains("://") {
            return is_https(text);
        }
        is_https(&format!("https://{text}")).map(|_| !is_insecure.unwrap_or(false))
    });
    Protocol::Grpc { tls: tls.unwrap_or(false) }
}

/// A setting of a signal, or of all of them, as `parse` reads it; what it cannot read is a mistake.
fn setting<T>(
    read: &mut Reader,
    signal: &str,
    name: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let (env, text) = written(read, signal, name)?;
    let parsed = parse(&text);
    if parsed.is_none() {
        read.wrong(&env, &text, expected);
    }
    parsed
}

/// The variable of a signal, else that of all signals, and what is written there.
fn written(read: &Reader, signal: &str, name: &str) -> Option<(String, String)> {
    [format!("OTEL_EXPORTER_OTLP_{signal}_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")]
        .into_iter()
        .find_map(|env| read.text(None, &env).map(|text| (env, text)))
}

/// Whether the text is the first of two words; nothing where it is neither.
fn either(text: &str, yes: &str, no: &str) -> Option<bool> {
    let is_yes = text.eq_ignore_ascii_case(yes);
    (is_yes || text.eq_ignore_ascii_case(no)).then_some(is_yes)
}

/// Whether a URL is one of TLS; nothing where it is none.
fn is_https(text: &str) -> Option<bool> {
    let url = Url::parse(text).ok().filter(Url::has_host)?;
    either(url.scheme(), "https", "http")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigError, Flags};

    const GRPC: Protocol = Protocol::Grpc { tls: false };
    const GRPC_WITH_TLS: Protocol = Protocol::Grpc { tls: true };
    const HTTP: Protocol = Protocol::HttpProtobuf;

    fn resolved(variables: &[(&str, &str)]) -> Result<Otel, ConfigError> {
        let environment = variables
            .iter()
            .map(|&(name, value)| (name.replace("OTLP", "OTEL_EXPORTER_OTLP"), value.to_owned()));
        Config::resolve(&Flags::default(), environment).map(|(config, _)| config.otel)
    }

    /// Traces, metrics, logs. `OTLP` is short for `OTEL_EXPORTER_OTLP` in names.
    fn read(variables: &[(&str, &str)]) -> [Option<Protocol>; 3] {
        let Otel { traces, metrics, logs, .. } = resolved(variables).unwrap();
        [traces, metrics, logs]
    }

    #[test]
    fn nothing_is_exported_unless_a_variable_says_so() {
        let endpoint = ("OTLP_ENDPOINT", "http://collector:4318");
        let traces = ("OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces");
        assert_eq!(read(&[]), [None; 3]);
        assert_eq!(read(&[endpoint]), [Some(HTTP); 3]);
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), [None; 3]);
        assert_eq!(read(&[traces]), [Some(HTTP), None, None]);
        assert_eq!(
            read(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")]),
            [Some(HTTP), None, Some(HTTP)]
        );
        let both = ("OTEL_METRICS_EXPORTER", "prometheus,otlp");
        assert_eq!(read(&[endpoint, both]), [Some(HTTP); 3]);
        assert_eq!(read(&[("OTEL_LOGS_EXPORTER", "otlp")]), [None, None, Some(HTTP)]);
    }

    #[test]
    fn a_signal_s_own_protocol_wins_over_that_of_all() {
        let endpoint = ("OTLP_ENDPOINT", "http://collector:4317");
        let grpc = ("OTLP_PROTOCOL", "grpc");
        assert_eq!(read(&[endpoint, grpc]), [Some(GRPC); 3]);
        assert_eq!(
            read(&[endpoint, grpc, ("OTLP_LOGS_PROTOCOL", "http/protobuf")]),
            [Some(GRPC), Some(GRPC), Some(HTTP)]
        );
        assert_eq!(
            read(&[endpoint, ("OTLP_TRACES_PROTOCOL", "grpc")]),
            [Some(GRPC), Some(HTTP), Some(HTTP)]
        );
    }

    #[test]
    fn grpc_is_over_tls_by_the_endpoint_s_scheme_and_without_one_unless_it_is_said_to_be_insecure()
    {
        let insecure = ("OTLP_INSECURE", "true");
        for (variables, expected) in [
            (vec![("OTEL_TRACES_EXPORTER", "otlp")], GRPC),
            (vec![("OTLP_TRACES_ENDPOINT", "https://collector:4317")], GRPC_WITH_TLS),
            (vec![("OTLP_TRACES_ENDPOINT", "https://collector:4317"), insecure], GRPC_WITH_TLS),
            (vec![("OTLP_TRACES_ENDPOINT", "collector:4317")], GRPC_WITH_TLS),
            (vec![("OTLP_TRACES_ENDPOINT", "collector:4317"), insecure], GRPC),
            (vec![("OTLP_TRACES_ENDPOINT", "[::1]:4317"), insecure], GRPC),
        ] {
            let all = [variables.as_slice(), &[("OTLP_PROTOCOL", "grpc")]].concat();
            assert_eq!(read(&all)[0], Some(expected), "{variables:?}");
        }
    }

    #[test]
    fn what_an_exporter_would_ignore_is_a_mistake_and_told_once() {
        let mistakes = |variables: &[(&str, &str)]| resolved(variables).unwrap_err().0;
        assert_eq!(
            mistakes(&[
                ("OTLP_ENDPOINT", "collector:4318"),
                ("OTLP_PROTOCOL", "http/json"),
                ("OTLP_COMPRESSION", "zstd"),
                ("OTLP_LOGS_TIMEOUT", "10s"),
            ]),
            [
                r#"OTEL_EXPORTER_OTLP_PROTOCOL is "http/json": expected http/protobuf or grpc"#,
                r#"OTEL_EXPORTER_OTLP_COMPRESSION is "zstd": expected gzip or none"#,
                r#"OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318": expected an http:// or https:// URL"#,
                r#"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT is "10s": expected milliseconds"#,
            ]
        );
        assert_eq!(
            mistakes(&[
                ("OTLP_TRACES_PROTOCOL", "grpc"),
                ("OTLP_TRACES_ENDPOINT", "tcp://collector:4317"),
                ("OTLP_INSECURE", "1"),
            ]),
            [
                r#"OTEL_EXPORTER_OTLP_INSECURE is "1": expected true or false"#,
                r#"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "tcp://collector:4317": expected an http:// or https:// URL, or a host and a port"#,
            ]
        );
        assert_eq!(read(&[("OTLP_PROTOCOL", "http/json")]), [None; 3], "nobody asks for it");
    }
}
