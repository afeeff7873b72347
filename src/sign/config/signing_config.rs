//! The services of an instance, and when each may be used.

use super::choice::{best, choose, unusable};
use super::endpoint::check_private;
use super::wire::{WireChoice, WireConfig, WireService};
use super::{Choice, ConfigError, Endpoint, Services};
use crate::json;
use crate::sigstore::embedded_signing_config;
use crate::time::Timestamp;
use crate::trust::Instance;

/// Services of one kind in one config; the public ones have a handful.
const MAX_SERVICES: usize = 64;

/// The services of one or more instances, with the times in which they may be used.
#[derive(Debug, Clone)]
pub struct SigningConfig {
    source: String,
    embedded: bool,
    authorities: Vec<Endpoint>,
    issuers: Vec<Endpoint>,
    logs: Vec<Endpoint>,
    timestamps: Vec<Endpoint>,
    log_choice: Choice,
    timestamp_choice: Choice,
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
        Ok(Self { embedded: true, ..Self::parse(text.as_bytes(), source)? })
    }

    /// Reads a config; `source` is what messages call it.
    ///
    /// # Errors
    /// When it is malformed, of another version, or has addresses that no service has.
    pub fn parse(text: &[u8], source: &str) -> Result<Self, ConfigError> {
        let wrong = |detail: String| ConfigError { source_name: source.to_owned(), detail };
        let wire: WireConfig = json::object(text).map_err(|error| wrong(error.to_string()))?;
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
            embedded: false,
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

    /// Whether it came with this crate, and grows old with it.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedded
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
        let why =
            || format!("no certificate authority of it can be used at {now}{}", unusable(&self.authorities, &[1], now));
        let authority = one(&self.authorities).ok_or_else(|| wrong(why()));
        Ok(Services { authority, issuer: one(&self.issuers), logs, timestamps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

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
    fn what_cannot_be_used_is_named_with_its_end() {
        let error =
            chosen(&config(LOGS, r#"{"selector":"ANY"}"#), "2091-01-01T00:00:00Z").expect_err("over").to_string();
        assert!(error.contains("https://a-2-2025.test ended at 2026-01-01T00:00:00Z"), "{error}");
        assert!(error.contains("https://c-3-2020.test has version 3 of its API"), "{error}");
        let error =
            chosen(&config(LOGS, r#"{"selector":"ANY"}"#), "2020-06-01T00:00:00Z").expect_err("not yet").to_string();
        assert!(error.contains("https://b-2-2025.test begins at 2025-01-01T00:00:00Z"), "{error}");
        // Who signs with a key needs no authority, and everybody else is told why there is none.
        let services = config(LOGS, r#"{"selector":"ANY"}"#).select(time(NOW)).expect("services");
        assert!(services.authority().is_none());
        assert_eq!(services.require_authority().map(drop).map_err(|error| error.code()), Err(Code::SigningConfig));
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
            assert!(SigningConfig::embedded(instance).is_ok_and(|config| config.is_embedded()));
            assert!(services.authority.is_ok() && services.issuer.is_some() && !services.timestamps.is_empty());
        }
        assert!(SigningConfig::embedded(Instance::GitHub).is_err());
    }
}
