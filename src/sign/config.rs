//! Which services sign: a signing config (`signingconfig.v0.2`), and the choice among its services.

use std::fmt;

use serde::Deserialize;
use url::Url;

use crate::code::Code;
use crate::json;
use crate::net::is_loopback;
use crate::sigstore::embedded_signing_config;
use crate::time::Timestamp;
use crate::trust::Instance;

/// Services of one kind in one config; the public ones have a handful.
const MAX_SERVICES: usize = 64;

/// The services of one or more instances, with the times in which they may be used.
#[derive(Debug, Clone)]
pub struct SigningConfig {
    source: String,
    authorities: Vec<Endpoint>,
    issuers: Vec<Endpoint>,
    logs: Vec<Endpoint>,
    timestamps: Vec<Endpoint>,
    log_choice: Choice,
    timestamp_choice: Choice,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    version: u32,
    operator: String,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// How many services of a kind take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// One.
    Any,
    /// One of each operator.
    All,
    /// As many, each of another operator.
    Exact(usize),
}

/// The services that take part in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    pub(super) authority: Option<Endpoint>,
    pub(super) issuer: Option<Endpoint>,
    pub(super) logs: Vec<Endpoint>,
    pub(super) timestamps: Vec<Endpoint>,
}

/// Why a signing config cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signing config {source_name} cannot be used: {detail}")]
pub struct ConfigError {
    source_name: String,
    detail: String,
}

impl ConfigError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::SigningConfig
    }
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

    pub(super) fn address(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for Choice {
    /// As a signing config writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("ANY"),
            Self::All => f.write_str("ALL"),
            Self::Exact(count) => write!(f, "EXACT {count}"),
        }
    }
}

impl SigningConfig {
    /// The config of an instance as it was when this crate was published; none of GitHub's, which signs for itself.
    ///
    /// # Errors
    /// When the instance has none.
    pub fn embedded(instance: Instance) -> Result<Self, ConfigError> {
        let (text, source) = match instance {
            Instance::PublicGood => (embedded_signing_config()[0], "embedded"),
            Instance::Staging => (embedded_signing_config()[1], "embedded staging"),
            Instance::GitHub => {
                let detail = "only GitHub signs with this instance".to_owned();
                return Err(ConfigError { source_name: "embedded github".to_owned(), detail });
            }
        };
        Self::parse(text.as_bytes(), source)
    }

    /// Reads a config; `source` is what messages call it.
    ///
    /// # Errors
    /// When it is malformed, of another version, or has addresses that no service has.
    pub fn parse(text: &[u8], source: &str) -> Result<Self, ConfigError> {
        let wrong = |detail: String| ConfigError { source_name: source.to_owned(), detail };
        let wire: WireConfig = json::parse(text).map_err(|error| wrong(error.to_string()))?;
        if wire.media_type != "application/vnd.dev.sigstore.signingconfig.v0.2+json" {
            return Err(wrong(format!("the media type {:?} is not that of a signing config v0.2", wire.media_type)));
        }
        let endpoints = |wire: Vec<WireService>, secret: bool| {
            if wire.len() > MAX_SERVICES {
                return Err(wrong(format!("{} services of one kind, the limit is {MAX_SERVICES}", wire.len())));
            }
            wire.into_iter().map(|service| service.checked(secret).map_err(wrong)).collect::<Result<Vec<_>, _>>()
        };
        let choice = |config: Option<WireChoice>, there: bool| match config {
            Some(config) => config.checked().map_err(wrong),
            None if there => Err(wrong("it does not say how many of its services take part".to_owned())),
            None => Ok(Choice::Any),
        };
        Ok(Self {
            source: source.to_owned(),
            log_choice: choice(wire.rekor_tlog_config, !wire.rekor_tlog_urls.is_empty())?,
            timestamp_choice: choice(wire.tsa_config, !wire.tsa_urls.is_empty())?,
            authorities: endpoints(wire.ca_urls, true)?,
            issuers: endpoints(wire.oidc_urls, true)?,
            logs: endpoints(wire.rekor_tlog_urls, false)?,
            timestamps: endpoints(wire.tsa_urls, false)?,
        })
    }

    /// The same with another certificate authority.
    ///
    /// # Errors
    /// When the token would be sent there in the clear.
    pub fn with_authority(self, authority: Endpoint) -> Result<Self, ConfigError> {
        self.private(&authority)?;
        Ok(Self { authorities: vec![authority], ..self })
    }

    /// The same with another issuer of identity tokens.
    ///
    /// # Errors
    /// When a login there would be in the clear.
    pub fn with_issuer(self, issuer: Endpoint) -> Result<Self, ConfigError> {
        self.private(&issuer)?;
        Ok(Self { issuers: vec![issuer], ..self })
    }

    /// The same with other logs, all of which take part.
    #[must_use]
    pub fn with_logs(self, logs: Vec<Endpoint>) -> Self {
        Self { log_choice: Choice::Exact(logs.len()), logs, ..self }
    }

    /// The same with other timestamp authorities, all of which take part.
    #[must_use]
    pub fn with_timestamps(self, timestamps: Vec<Endpoint>) -> Self {
        Self { timestamp_choice: Choice::Exact(timestamps.len()), timestamps, ..self }
    }

    fn private(&self, endpoint: &Endpoint) -> Result<(), ConfigError> {
        check_private(&endpoint.url).map_err(|detail| ConfigError { source_name: self.source.clone(), detail })
    }

    /// The same with only its logs of this version, if it has any.
    #[must_use]
    pub fn prefer_log_version(mut self, version: u32) -> Self {
        if self.logs.iter().any(|log| log.version == version) {
            self.logs.retain(|log| log.version == version);
        }
        self
    }

    /// Where the config comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The certificate authorities.
    #[must_use]
    pub fn authorities(&self) -> &[Endpoint] {
        &self.authorities
    }

    /// The issuers of identity tokens that people log in to.
    #[must_use]
    pub fn issuers(&self) -> &[Endpoint] {
        &self.issuers
    }

    /// The logs, and how many take part.
    #[must_use]
    pub fn logs(&self) -> (&[Endpoint], Choice) {
        (&self.logs, self.log_choice)
    }

    /// The timestamp authorities, and how many take part.
    #[must_use]
    pub fn timestamps(&self) -> (&[Endpoint], Choice) {
        (&self.timestamps, self.timestamp_choice)
    }

    /// The services that take part at a time: of those that are valid then and
    /// of which an API is spoken here, the newest of each operator, the highest
    /// version before others.
    ///
    /// # Errors
    /// When a kind has fewer than the config asks for, when there is no log, or
    /// when nothing would say when the signature was made.
    pub fn select(&self, now: Timestamp) -> Result<Services, ConfigError> {
        let wrong = |detail: String| ConfigError { source_name: self.source.clone(), detail };
        let one = |of: &[Endpoint]| best(of, &[1], now).into_iter().next();
        let logs = choose(&self.logs, &[2, 1], self.log_choice, now, "log").map_err(wrong)?;
        let mut timestamps = Vec::new();
        if !self.timestamps.is_empty() {
            timestamps =
                choose(&self.timestamps, &[1], self.timestamp_choice, now, "timestamp authority").map_err(wrong)?;
        }
        if logs.is_empty() {
            return Err(wrong("it names no log, and every signature has to be in one".to_owned()));
        }
        // A log of version 2 does not say when it took an entry.
        if timestamps.is_empty() && logs.iter().all(|log| log.version >= 2) {
            return Err(wrong("it names no timestamp authority, and its log does not vouch for the time".to_owned()));
        }
        Ok(Services { authority: one(&self.authorities), issuer: one(&self.issuers), logs, timestamps })
    }
}

impl Services {
    /// The certificate authority.
    #[must_use]
    pub fn authority(&self) -> Option<&Endpoint> {
        self.authority.as_ref()
    }

    /// The issuer that people log in to.
    #[must_use]
    pub fn issuer(&self) -> Option<&Endpoint> {
        self.issuer.as_ref()
    }

    /// The logs; at least one.
    #[must_use]
    pub fn logs(&self) -> &[Endpoint] {
        &self.logs
    }

    /// The timestamp authorities.
    #[must_use]
    pub fn timestamps(&self) -> &[Endpoint] {
        &self.timestamps
    }
}

pub(super) fn no_authority() -> ConfigError {
    let detail = "it names no certificate authority that can be used now".to_owned();
    ConfigError { source_name: "of this run".to_owned(), detail }
}

pub(super) fn no_promising_log() -> ConfigError {
    let detail = "the legacy format needs a log of version 1, and none takes part".to_owned();
    ConfigError { source_name: "of this run".to_owned(), detail }
}

/// What is usable, best first, one of each operator.
fn best(of: &[Endpoint], versions: &[u32], now: Timestamp) -> Vec<Endpoint> {
    let mut usable: Vec<&Endpoint> =
        of.iter().filter(|e| versions.contains(&e.version) && e.is_valid_at(now)).collect();
    // Stable: what is equal stays in the order of the config.
    usable.sort_by(|a, b| b.version.cmp(&a.version).then(b.start.cmp(&a.start)));
    let mut chosen: Vec<Endpoint> = Vec::new();
    for endpoint in usable {
        if chosen.iter().all(|other| other.operator != endpoint.operator) {
            chosen.push(endpoint.clone());
        }
    }
    chosen
}

fn choose(
    of: &[Endpoint],
    versions: &[u32],
    choice: Choice,
    now: Timestamp,
    kind: &str,
) -> Result<Vec<Endpoint>, String> {
    let mut usable = best(of, versions, now);
    let wanted = match choice {
        Choice::Any => 1,
        Choice::All => usable.len().max(1),
        Choice::Exact(count) => count,
    };
    if usable.len() < wanted && !of.is_empty() {
        return Err(format!(
            "of its {} {kind} entries {} can be used at {now}, each of another operator, and {wanted} take part",
            of.len(),
            usable.len()
        ));
    }
    usable.truncate(wanted);
    Ok(usable)
}

/// Reads a service's address.
fn address(text: &str) -> Result<Url, String> {
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
fn check_private(url: &Url) -> Result<(), String> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(format!("an identity token would be sent to {url} in the clear"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConfig {
    media_type: String,
    #[serde(default)]
    ca_urls: Vec<WireService>,
    #[serde(default)]
    oidc_urls: Vec<WireService>,
    #[serde(default)]
    rekor_tlog_urls: Vec<WireService>,
    rekor_tlog_config: Option<WireChoice>,
    #[serde(default)]
    tsa_urls: Vec<WireService>,
    tsa_config: Option<WireChoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireService {
    url: String,
    #[serde(default)]
    major_api_version: u32,
    valid_for: Option<WireWindow>,
    #[serde(default)]
    operator: String,
}

#[derive(Deserialize)]
struct WireWindow {
    start: Option<String>,
    end: Option<String>,
}

#[derive(Deserialize)]
struct WireChoice {
    selector: Option<String>,
    count: Option<usize>,
}

impl WireService {
    fn checked(self, secret: bool) -> Result<Endpoint, String> {
        let url = address(&self.url)?;
        if secret {
            check_private(&url)?;
        }
        // A service without a start was never valid (protobuf-specs, `Service.valid_for`).
        let window = self.valid_for.filter(|window| window.start.is_some());
        let window = window.ok_or_else(|| format!("{url} has no start of its validity"))?;
        let time = |text: Option<String>| text.map(|text| text.parse()).transpose().map_err(|e| format!("{url}: {e}"));
        let (start, end) = (time(window.start)?, time(window.end)?);
        Ok(Endpoint { url, version: self.major_api_version, operator: self.operator, start, end })
    }
}

impl WireChoice {
    fn checked(self) -> Result<Choice, String> {
        match (self.selector.as_deref(), self.count) {
            (Some("ANY"), _) => Ok(Choice::Any),
            (Some("ALL"), _) => Ok(Choice::All),
            (Some("EXACT"), Some(count)) if count > 0 => Ok(Choice::Exact(count)),
            (Some("EXACT"), _) => Err("the selector EXACT has no count".to_owned()),
            (other, _) => Err(format!("the selector {:?} is not ANY, ALL or EXACT", other.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// A config with these logs: operator, version, start and end years.
    fn config(logs: &[(&str, u32, u32, u32)], selector: &str) -> SigningConfig {
        let logs: Vec<String> = logs
            .iter()
            .map(|(operator, version, from, to)| {
                format!(
                    r#"{{"url":"https://{operator}-{version}-{from}.test","majorApiVersion":{version},"operator":"{operator}",
                        "validFor":{{"start":"{from}-01-01T00:00:00Z","end":"{to}-01-01T00:00:00Z"}}}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{}],
               "rekorTlogConfig":{selector},"tsaConfig":{{"selector":"ANY"}},
               "tsaUrls":[{{"url":"https://tsa.test/t","majorApiVersion":1,"validFor":{{"start":"2020-01-01T00:00:00Z"}}}}]}}"#,
            logs.join(",")
        );
        SigningConfig::parse(text.as_bytes(), "test").expect("a config")
    }

    fn chosen(config: &SigningConfig, now: &str) -> Result<Vec<String>, ConfigError> {
        Ok(config.select(time(now))?.logs.iter().map(|log| log.url().replace("https://", "")).collect())
    }

    const LOGS: &[(&str, u32, u32, u32)] =
        &[("a", 1, 2021, 2090), ("a", 2, 2025, 2026), ("a", 2, 2026, 2090), ("b", 2, 2025, 2090), ("c", 3, 2020, 2090)];
    const NOW: &str = "2026-06-01T00:00:00Z";

    #[test]
    fn the_choice_is_of_valid_services_of_spoken_versions_one_for_each_operator() {
        let any = config(LOGS, r#"{"selector":"ANY"}"#);
        assert_eq!(chosen(&any, NOW), Ok(vec!["a-2-2026.test".to_owned()]));
        assert_eq!(chosen(&any, "2022-01-01T00:00:00Z"), Ok(vec!["a-1-2021.test".to_owned()]));
        // Both ends are inside: of two that are valid in one second, the newer one.
        assert_eq!(chosen(&any, "2026-01-01T00:00:00Z"), Ok(vec!["a-2-2026.test".to_owned()]));
        assert_eq!(chosen(&any, "2025-12-31T23:59:59Z"), Ok(vec!["a-2-2025.test".to_owned()]));
        let both = Ok(vec!["a-2-2026.test".to_owned(), "b-2-2025.test".to_owned()]);
        assert_eq!(chosen(&config(LOGS, r#"{"selector":"ALL"}"#), NOW), both);
        assert_eq!(chosen(&config(LOGS, r#"{"selector":"EXACT","count":2}"#), NOW), both);
        for (selector, now) in [
            (r#"{"selector":"EXACT","count":3}"#, NOW),
            (r#"{"selector":"ANY"}"#, "2019-01-01T00:00:00Z"),
            (r#"{"selector":"ALL"}"#, "2091-01-01T00:00:00Z"),
        ] {
            let error = chosen(&config(LOGS, selector), now).expect_err(selector);
            assert_eq!(error.code(), Code::SigningConfig);
        }
    }

    #[test]
    fn something_has_to_say_when() {
        let config = config(LOGS, r#"{"selector":"ANY"}"#);
        assert!(config.clone().with_timestamps(Vec::new()).select(time(NOW)).is_err());
        assert!(config.clone().with_timestamps(Vec::new()).select(time("2022-01-01T00:00:00Z")).is_ok());
        assert!(config.with_logs(Vec::new()).select(time(NOW)).is_err());
    }

    #[test]
    fn malformed_configs_are_refused() {
        let good = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls":[{"url":"https://ca.test","majorApiVersion":1,"validFor":{"start":"2020-01-01T00:00:00Z"}}],
            "rekorTlogUrls":[{"url":"http://log.test","majorApiVersion":1,"validFor":{"start":"2020-01-01T00:00:00Z"}}],
            "rekorTlogConfig":{"selector":"ANY"}}"#;
        assert!(SigningConfig::parse(good.as_bytes(), "good").is_ok());
        for (from, to) in [
            ("v0.2", "v0.1"),
            ("https://ca", "http://ca"),
            ("https://ca", "ftp://ca"),
            ("https://ca.test", "https://u:p@ca.test"),
            ("https://ca.test", "https://ca.test/?a"),
            (r#""start":"2020-01-01T00:00:00Z""#, ""),
            ("2020-01-01", "yesterday"),
            ("ANY", "EXACT"),
            ("ANY", "SERVICE_SELECTOR_UNDEFINED"),
            (r#","majorApiVersion":1"#, r#","url":"https://other.test""#),
            (",\n            \"rekorTlogConfig\":{\"selector\":\"ANY\"}", ""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(good, bad, "{from}");
            let error = SigningConfig::parse(bad.as_bytes(), "bad").map(drop).expect_err(&bad);
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn the_embedded_configs_can_sign_today() {
        for instance in [Instance::PublicGood, Instance::Staging] {
            let services = SigningConfig::embedded(instance).expect("a config").select(time("2026-11-21T00:00:00Z"));
            let services = services.expect("services");
            assert!(services.authority.is_some() && services.issuer.is_some() && !services.timestamps.is_empty());
        }
        assert!(SigningConfig::embedded(Instance::GitHub).is_err());
    }
}
