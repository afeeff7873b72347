//! How an image runs, as its configuration says (OCI image specification, configuration).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DocumentError;
use crate::image::Platform;
use crate::json;

/// What a container of the image begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunConfiguration {
    /// What it runs on.
    pub platform: Option<Platform>,
    settings: BTreeMap<String, String>,
}

/// A setting that differs; `null` where it is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// `user`, `entrypoint`, `cmd`, `workdir`, `env.NAME`, `port.NUMBER/PROTOCOL`.
    pub name: String,
    /// What A has.
    pub from: Option<String>,
    /// What B has.
    pub to: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    config: Option<WireConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct WireConfig {
    user: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
}

impl RunConfiguration {
    /// Reads the configuration of an image.
    ///
    /// # Errors
    /// When it is not JSON of that shape, or has a key twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let wire: Wire = json::parse(bytes).map_err(|error| DocumentError::Configuration(error.to_string()))?;
        let config = wire.config.unwrap_or_default();
        let mut settings = BTreeMap::new();
        let mut put = |name: String, value: Option<String>| {
            // Empty is how a builder writes that there is none.
            settings.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
        };
        // A list as JSON: where a word ends is a difference.
        let list = |words: Option<Vec<String>>| {
            words.filter(|words| !words.is_empty()).map(|words| serde_json::json!(words).to_string())
        };
        put("user".to_owned(), config.user);
        put("entrypoint".to_owned(), list(config.entrypoint));
        put("cmd".to_owned(), list(config.cmd));
        put("workdir".to_owned(), config.working_dir);
        for variable in config.env.unwrap_or_default() {
            let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
            put(format!("env.{name}"), Some(format!("{name}={value}")));
        }
        for port in config.exposed_ports.unwrap_or_default().into_keys() {
            put(format!("port.{port}"), Some("exposed".to_owned()));
        }
        let variant = wire.variant.as_deref().filter(|variant| !variant.is_empty());
        Ok(Self { platform: Platform::new(&wire.os, &wire.architecture, variant), settings })
    }

    /// What differs, by name.
    pub(super) fn changes(&self, to: &Self) -> Vec<SettingChange> {
        let names = self.settings.keys().chain(to.settings.keys().filter(|name| !self.settings.contains_key(*name)));
        let change = |name: &String| SettingChange {
            name: name.clone(),
            from: self.settings.get(name).cloned(),
            to: to.settings.get(name).cloned(),
        };
        let mut changes: Vec<_> = names.map(change).filter(|change| change.from != change.to).collect();
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_differ_are_named() {
        let from =
            br#"{"config":{"User":"65532","Env":["A=1","B=2"],"Entrypoint":["/a b"],"ExposedPorts":{"80/tcp":{}}}}"#;
        let to = br#"{"config":{"User":"","Env":["A=1","B=3"],"Entrypoint":["/a","b"]}}"#;
        let [from, to] = [&from[..], to].map(|bytes| RunConfiguration::parse(bytes).expect("a configuration"));
        assert_eq!(from.changes(&from), []);
        let found: Vec<_> = from.changes(&to).into_iter().map(|change| (change.name, change.from, change.to)).collect();
        let change = |name: &str, from: Option<&str>, to: Option<&str>| {
            (name.to_owned(), from.map(str::to_owned), to.map(str::to_owned))
        };
        let wanted = [
            change("entrypoint", Some(r#"["/a b"]"#), Some(r#"["/a","b"]"#)),
            change("env.B", Some("B=2"), Some("B=3")),
            change("port.80/tcp", Some("exposed"), None),
            change("user", Some("65532"), None),
        ];
        assert_eq!(found, wanted);
        assert!(RunConfiguration::parse(br#"{"config":{"User":"0","User":"1"}}"#).is_err());
        assert_eq!(RunConfiguration::parse(b"{}"), Ok(RunConfiguration::default()));
    }
}
