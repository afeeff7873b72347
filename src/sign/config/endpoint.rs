//! One service: where it is, and when it may be used.

use url::Url;

use super::ConfigError;
use crate::net::is_loopback;
use crate::time::Timestamp;

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) version: u32,
    pub(super) operator: String,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
}

impl Endpoint {
    /// A service that is used at any time. `version` is the major version of its API.
    ///
    /// # Errors
    /// When `url` is not `https://HOST[/PATH]` (or `http`).
    pub fn new(url: &str, version: u32) -> Result<Self, ConfigError> {
        let wrong = |detail: String| ConfigError { source_name: "of the flags".to_owned(), detail };
        let url = address(url).map_err(wrong)?;
        // Whoever names several wants all of them, also of one host.
        let operator = url.to_string();
        Ok(Self { url, version, operator, start: None, end: None })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str().strip_suffix('/').unwrap_or(self.url.as_str())
    }

    /// The major version of its API.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Who runs it.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The first and the last second in which it may be used, where the config says so.
    #[must_use]
    pub fn window(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.start, self.end)
    }

    /// Whether it may be used then. Both ends are inside (protobuf-specs, `TimeRange`).
    #[must_use]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }

    pub(in crate::sign) fn address(&self) -> &Url {
        &self.url
    }
}

/// Reads a service's address.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let url: Url = text.trim().parse().map_err(|error| format!("the address {text:?}: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("the address {text:?} is not https://HOST[/PATH]"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address has a password, which would be shown in messages".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("the address {text:?} has something after its path"));
    }
    Ok(url)
}

/// Tokens and logins do not travel in the clear (scenario J-03); certificates, entries and timestamps may.
pub(super) fn check_private(url: &Url) -> Result<(), String> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(format!("an identity token would be sent to {url} in the clear"))
}
