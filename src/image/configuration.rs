//! What an image's configuration says (OCI image specification, configuration).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Platform;
use crate::code::Code;
use crate::digest::{Digest, VerifiedBlob};
use crate::json;
use crate::time::Timestamp;

/// The configuration of an image: what it runs on, what it is made of and how a container begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Configuration {
    /// The digest of the configuration itself; the image id of Docker.
    pub digest: Digest,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// When the builder says that the image was made.
    pub created: Option<Timestamp>,
    /// The digests of the layers' contents, the lowest first; `None` where there is no list.
    pub diff_ids: Option<Vec<Digest>>,
    /// How a container begins.
    pub process: Process,
}

/// What a container of an image begins with. Empty is how a builder writes that there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// The user, as written: `user`, `uid`, `user:group`; none is root.
    pub user: Option<String>,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// The arguments after them, or the program where there is no entrypoint.
    pub cmd: Vec<String>,
    /// The environment, `NAME=VALUE` each.
    pub env: Vec<String>,
    /// The folder that it runs in.
    pub working_dir: Option<String>,
    /// The ports that it listens on, `80/tcp`.
    pub exposed_ports: BTreeSet<String>,
}

/// Why a blob is not a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration {digest} is not valid: {detail}")]
pub struct ConfigurationError {
    digest: Digest,
    detail: String,
}

impl ConfigurationError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::ManifestInvalid
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    created: Option<String>,
    config: Option<WireProcess>,
    rootfs: Option<WireRoot>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct WireProcess {
    user: Option<String>,
    entrypoint: Option<Words>,
    cmd: Option<Words>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    exposed_ports: Option<BTreeMap<String, IgnoredAny>>,
}

/// A list; old builders of Docker wrote one word as a text, and Docker still runs it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Several(Vec<String>),
    One(String),
}

#[derive(Deserialize)]
struct WireRoot {
    diff_ids: Vec<Digest>,
}

impl Configuration {
    /// Reads the configuration of an image.
    ///
    /// # Errors
    /// When it is not JSON of that shape, or has a key twice.
    pub fn parse(blob: &VerifiedBlob) -> Result<Self, ConfigurationError> {
        let wire: Wire = json::object(blob.bytes())
            .map_err(|error| ConfigurationError { digest: blob.digest().clone(), detail: error.to_string() })?;
        let variant = wire.variant.as_deref().filter(|variant| !variant.is_empty());
        Ok(Self {
            digest: blob.digest().clone(),
            platform: Platform::new(&wire.os, &wire.architecture, variant),
            // A date that is none is as good as none: it is the builder's word on nothing that is checked.
            created: wire.created.and_then(|text| text.parse().ok()),
            diff_ids: wire.rootfs.map(|root| root.diff_ids),
            process: wire.config.unwrap_or_default().into(),
        })
    }
}

impl From<WireProcess> for Process {
    fn from(wire: WireProcess) -> Self {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let list = |words: Option<Words>| match words {
            Some(Words::Several(words)) => words,
            Some(Words::One(word)) => vec![word],
            None => Vec::new(),
        };
        Self {
            user: text(wire.user),
            entrypoint: list(wire.entrypoint),
            cmd: list(wire.cmd),
            env: wire.env.unwrap_or_default(),
            working_dir: text(wire.working_dir),
            exposed_ports: wire.exposed_ports.unwrap_or_default().into_keys().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
        Configuration::parse(&VerifiedBlob::of(text.as_bytes().to_vec()))
    }

    #[test]
    fn what_is_not_written_is_not_there() {
        let diff_id = Digest::sha256(b"layer");
        let whole = parse(&format!(
            r#"{{"os":"linux","architecture":"arm64","created":"2026-03-02T11:00:00Z","rootfs":{{"diff_ids":["{diff_id}"]}},
                "config":{{"User":"65532","Entrypoint":["/app"],"Cmd":"serve","Env":["A=1"],"WorkingDir":"/",
                "ExposedPorts":{{"80/tcp":{{}}}}}}}}"#
        ))
        .expect("a configuration");
        assert_eq!(whole.platform.as_ref().map(ToString::to_string).as_deref(), Some("linux/arm64"));
        assert_eq!(whole.diff_ids.as_deref(), Some(&[diff_id][..]));
        assert_eq!(whole.created.map(Timestamp::unix), Some(1_772_449_200));
        let process = &whole.process;
        assert_eq!((process.user.as_deref(), process.working_dir.as_deref()), (Some("65532"), Some("/")));
        assert_eq!([&process.entrypoint, &process.cmd, &process.env], [&["/app"], &["serve"], &["A=1"]]);
        assert_eq!(process.exposed_ports.iter().collect::<Vec<_>>(), ["80/tcp"]);
        let empty = parse(r#"{"created":"then","config":{"User":"","Env":null}}"#).expect("a configuration");
        assert_eq!((empty.platform, empty.created, empty.diff_ids), (None, None, None));
        assert_eq!(empty.process, Process::default());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(parse(r#"{"config":{"User":"0"}}"#).is_ok());
        for wrong in
            [r#"{"config":{"User":"0","User":"1"}}"#, r#"{"rootfs":{}}"#, r#"{"rootfs":{"diff_ids":["x"]}}"#, "[]"]
        {
            assert_eq!(parse(wrong).expect_err(wrong).code(), Code::ManifestInvalid, "{wrong}");
        }
    }
}
