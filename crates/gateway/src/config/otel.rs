//! Which of OpenTelemetry's signals are exported, by its standard variables. The exporters read the
//! rest of them (endpoint, headers, protocol, intervals) by themselves.

use uuid::Uuid;

use super::reader::Reader;

/// Switches everything off.
const ENV_DISABLED: &str = "OTEL_SDK_DISABLED";
const ENV_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// Where all signals go. That it is set is what switches them on.
const ENV_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What is exported over OTLP, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otel {
    /// Whether spans are.
    pub traces: bool,
    /// Whether metrics are. Prometheus has them in any case.
    pub metrics: bool,
    /// Whether log records are. Standard error has them in any case.
    pub logs: bool,
    /// `service.name`, where it was given.
    pub service_name: Option<String>,
    /// `service.instance.id`, new for each process.
    pub instance_id: Uuid,
}

impl Default for Otel {
    fn default() -> Self {
        Self {
            traces: false,
            metrics: false,
            logs: false,
            service_name: None,
            instance_id: Uuid::new_v4(),
        }
    }
}

impl Otel {
    /// A signal is exported if it is given an exporter or an endpoint: without either, nothing
    /// listens on the specification's default of `localhost:4318`.
    pub(super) fn read(read: &mut Reader) -> Self {
        let disabled = read
            .text(None, ENV_DISABLED)
            .is_some_and(|disabled| disabled.trim().eq_ignore_ascii_case("true"));
        let mut is_on = |signal: &str| {
            let endpoint = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
            let has_endpoint =
                read.text(None, ENV_ENDPOINT).or_else(|| read.text(None, &endpoint)).is_some();
            exporter(read, signal).unwrap_or(has_endpoint) && !disabled
        };
        Self {
            traces: is_on("TRACES"),
            metrics: is_on("METRICS"),
            logs: is_on("LOGS"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> [bool; 3] {
        let environment =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let Otel { traces, metrics, logs, .. } = Otel::read(&mut Reader::new(environment));
        [traces, metrics, logs]
    }

    #[test]
    fn nothing_is_exported_unless_a_variable_says_so() {
        let endpoint = (ENV_ENDPOINT, "http://collector:4318");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces");
        assert_eq!(read(&[]), [false; 3]);
        assert_eq!(read(&[endpoint]), [true; 3]);
        assert_eq!(read(&[endpoint, (ENV_DISABLED, "TRUE")]), [false; 3]);
        assert_eq!(read(&[traces]), [true, false, false]);
        assert_eq!(read(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")]), [true, false, true]);
        let both = ("OTEL_METRICS_EXPORTER", "prometheus,otlp");
        assert_eq!(read(&[endpoint, both]), [true; 3]);
        assert_eq!(read(&[("OTEL_LOGS_EXPORTER", "otlp")]), [false, false, true]);
    }
}
