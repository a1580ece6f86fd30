//! Reads settings one by one, flag before environment, and collects every mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::Url;

use super::{Config, ConfigError};

/// The environment, and what was found wrong so far.
pub(super) struct Reader {
    environment: BTreeMap<String, String>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            environment: environment.into_iter().collect(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The setting as written. An empty variable counts as absent: that is what a compose file
    /// leaves of `${VAR}`.
    pub(super) fn text(&self, flag: Option<&str>, env: &str) -> Option<String> {
        let environment = || self.environment.get(env).map(String::as_str);
        flag.or_else(environment).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    pub(super) fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        expected: &str,
        default: T,
    ) -> T {
        let Some(text) = self.text(flag, env) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.mistake(name, env, &text, expected);
            default
        })
    }

    /// An address, or `off` for none.
    pub(super) fn addr_or_off(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        default: Option<SocketAddr>,
    ) -> Option<SocketAddr> {
        let text = match self.text(flag, env) {
            None => return default,
            Some(text) if text == "off" => return None,
            Some(text) => text,
        };
        if let Ok(addr) = text.parse() {
            return Some(addr);
        }
        self.mistake(name, env, &text, "an IP address with a port, or off");
        default
    }

    pub(super) fn at_least(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        (least, default): (usize, usize),
    ) -> usize {
        let Some(text) = self.text(flag, env) else {
            return default;
        };
        match text.parse() {
            Ok(number) if number >= least => number,
            _ => {
                self.mistake(name, env, &text, &format!("a whole number, at least {least}"));
                default
            }
        }
    }

    pub(super) fn seconds(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        (default, most): (Duration, Duration),
    ) -> Duration {
        let Some(text) = self.text(flag, env) else {
            return default;
        };
        match text.parse().map(Duration::from_secs) {
            Ok(duration) if duration <= most => duration,
            _ => {
                self.mistake(name, env, &text, &format!("seconds from 0 to {}", most.as_secs()));
                default
            }
        }
    }

    /// The first choice is the default.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        choices: &[(&str, T); 3],
    ) -> T {
        let [(_, default), ..] = *choices;
        let Some(text) = self.text(flag, env) else {
            return default;
        };
        choices.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                let [(a, _), (b, _), (c, _)] = choices;
                self.mistake(name, env, &text, &format!("{a}, {b} or {c}"));
                default
            },
            |(_, value)| *value,
        )
    }

    pub(super) fn url(&mut self, name: &str, flag: Option<&str>, env: &str) -> Option<Url> {
        let text = self.text(flag, env)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            _ => {
                self.mistake(name, env, &text, "an http:// or https:// URL");
                None
            }
        }
    }

    /// A list separated by commas, in lower case.
    pub(super) fn list(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
    ) -> Option<BTreeSet<String>> {
        let text = self.text(flag, env)?;
        let items: BTreeSet<String> = text
            .split(',')
            .map(|item| item.trim().to_lowercase())
            .filter(|item| !item.is_empty())
            .collect();
        if items.is_empty() {
            self.mistake(name, env, &text, "names separated by commas");
            return None;
        }
        Some(items)
    }

    pub(super) fn filter(
        &mut self,
        name: &str,
        flag: Option<&str>,
        env: &str,
        default: &str,
    ) -> String {
        let text = self.text(flag, env).unwrap_or_else(|| default.to_owned());
        if EnvFilter::try_new(&text).is_err() {
            self.mistake(name, env, &text, "error, warn, info, debug, trace or a tracing filter");
        }
        text
    }

    /// The caller's key, for the transports that have only one caller. No mistake shows it.
    pub(super) fn key(&mut self, env: &str) -> Option<fal::Key> {
        let Some(text) = self.text(None, env) else {
            let missing = "is not set; the stdio transport needs the caller's key there";
            self.mistakes.push(format!("{env} {missing}"));
            return None;
        };
        fal::Key::parse(&text)
            .map_err(|problem| self.mistakes.push(format!("{env}: {problem}")))
            .ok()
    }

    /// The configuration with its warnings, or every mistake.
    pub(super) fn finish(
        self,
        config: Config,
        prefix: &str,
        names: &[&str],
    ) -> Result<(Config, Vec<String>), ConfigError> {
        if !self.mistakes.is_empty() {
            return Err(ConfigError(self.mistakes));
        }
        let unknown = self
            .environment
            .keys()
            .filter(|name| name.starts_with(prefix) && !names.contains(&name.as_str()))
            .map(|unknown| {
                let nearest = names
                    .iter()
                    .min_by_key(|name| strsim::damerau_levenshtein(name, unknown))
                    .copied()
                    .unwrap_or_default();
                format!("{unknown} is set, but no setting has that name; did you mean {nearest}?")
            });
        let warnings = self.warnings.into_iter().chain(unknown).collect();
        Ok((config, warnings))
    }

    /// Something odd that does not stand in the way.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn mistake(&mut self, name: &str, env: &str, text: &str, expected: &str) {
        self.wrong(&format!("{env} (--{name})"), text, expected);
    }

    /// A setting that cannot be read; told once, however many have read it.
    pub(super) fn wrong(&mut self, setting: &str, text: &str, expected: &str) {
        let shown: String = text.chars().take(80).collect();
        let mistake = format!("{setting} is {shown:?}: expected {expected}");
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }
}
