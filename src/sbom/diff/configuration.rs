//! How an image runs, setting by setting.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::image::Process;

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

/// What a container begins with, by the names of [`SettingChange`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(super) fn of(process: &Process) -> Self {
        let mut settings = BTreeMap::new();
        let mut put = |name: String, value: Option<String>| settings.extend(value.map(|value| (name, value)));
        // A list as JSON: where a word ends is a difference.
        let list = |words: &[String]| (!words.is_empty()).then(|| serde_json::json!(words).to_string());
        put("user".to_owned(), process.user.clone());
        put("entrypoint".to_owned(), list(&process.entrypoint));
        put("cmd".to_owned(), list(&process.cmd));
        put("workdir".to_owned(), process.working_dir.clone());
        for variable in &process.env {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            put(format!("env.{name}"), Some(format!("{name}={value}")));
        }
        for port in &process.exposed_ports {
            put(format!("port.{port}"), Some("exposed".to_owned()));
        }
        Self(settings)
    }

    /// What differs, by name.
    pub(super) fn changes(&self, to: &Self) -> Vec<SettingChange> {
        let names = self.0.keys().chain(to.0.keys().filter(|name| !self.0.contains_key(*name)));
        let change = |name: &String| SettingChange {
            name: name.clone(),
            from: self.0.get(name).cloned(),
            to: to.0.get(name).cloned(),
        };
        let mut changes: Vec<_> = names.map(change).filter(|change| change.from != change.to).collect();
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::VerifiedBlob;
    use crate::image::Configuration;

    #[test]
    fn settings_that_differ_are_named() {
        let from =
            br#"{"config":{"User":"65532","Env":["A=1","B=2"],"Entrypoint":["/a b"],"ExposedPorts":{"80/tcp":{}}}}"#;
        let to = br#"{"config":{"User":"","Env":["A=1","B=3"],"Entrypoint":["/a","b"]}}"#;
        let [from, to] = [&from[..], to].map(|bytes| {
            let configuration = Configuration::parse(&VerifiedBlob::of(bytes.to_vec())).expect("a configuration");
            Settings::of(&configuration.process)
        });
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
        assert_eq!(Settings::of(&Process::default()), Settings::default());
    }
}
