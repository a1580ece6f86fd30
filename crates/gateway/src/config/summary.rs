//! What the settings come to, in an operator's words: what `--check-config` prints.

use std::collections::BTreeSet;

use super::{Config, Transport};

impl Config {
    /// What a gateway with these settings would do, a line each.
    pub fn summary(&self) -> String {
        let mut lines = Vec::new();
        if self.transport != Transport::Stdio {
            lines.push(format!("listen on {}", self.addr));
            lines.push(format!("show clients the endpoint {}", self.endpoint_url(self.addr)));
            let hosts = self.allowed_hosts.as_ref().map_or_else(|| "any".to_owned(), listed);
            lines.push(format!("answer requests whose Host is: {hosts}"));
            lines.push(format!(
                "let in browser pages beside its own: {}",
                listed(&self.allowed_origins)
            ));
            lines.push(format!(
                "serve {} requests at the same time on {} connections, with bodies up to {} bytes",
                self.max_in_flight, self.max_connections, self.max_body_bytes
            ));
            if let Some(limit) = self.requests_per_minute {
                lines.push(format!("serve {limit} requests of one key in a minute"));
            }
            lines.push(match self.admin_addr {
                Some(addr) => format!("show operators metrics and health on {addr}"),
                None => "show operators nothing".to_owned(),
            });
        }
        if self.transport != Transport::Http {
            lines.push("speak on standard input and output, with the key from FAL_KEY".to_owned());
        }
        let fal = &self.hosts;
        lines.push(format!(
            "ask fal at {}, {}, {}, {} and {}",
            fal.queue, fal.api, fal.rest, fal.web, fal.docs
        ));
        lines.push(format!("send files to {}", fal.cdn.join(", ")));
        if self.allow_private_urls {
            lines.push("fetch callers' URLs also from loopback and private addresses".to_owned());
        }
        lines.push(format!("log at level {}", self.log_level));
        let otel = &self.otel;
        let signals = [("traces", otel.traces), ("metrics", otel.metrics), ("logs", otel.logs)];
        let exported = signals.into_iter().filter_map(|(signal, protocol)| {
            protocol.map(|protocol| format!("{signal} ({protocol})"))
        });
        lines.push(format!("export over OTLP: {}", listed(&exported.collect())));
        format!("With these settings the gateway would\n  {}", lines.join("\n  "))
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
