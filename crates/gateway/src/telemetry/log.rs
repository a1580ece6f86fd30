//! Log lines: to standard error, as text for people or JSON for programs. `docs/request-log.md` says
//! what they say.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::SetUpError;
use crate::config::{Config, LogFormat};

/// Writes the lines that `config` asks for. Spans are no lines and do not show in them, so that
/// nobody pays for one who does not export it.
pub(super) fn lines(config: &Config) -> Result<Box<dyn Layer<Registry> + Send + Sync>, SetUpError> {
    let format = config.log_format.unwrap_or(if std::io::stderr().is_terminal() {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let events = filter_fn(|metadata| !metadata.is_span()).with_max_level_hint(LevelFilter::TRACE);
    Ok(lines.with_filter(filter(config)?.and(events)).boxed())
}

/// Which lines are written.
pub(super) fn filter(config: &Config) -> Result<EnvFilter, SetUpError> {
    Ok(EnvFilter::try_new(&config.log_level)?)
}

/// The default hook prints a panic's message, which may hold anything; where it happened is enough
/// to find it.
pub(super) fn hide_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
