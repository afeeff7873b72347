//! Trust roots as values. Where a root was read from is decided before; here
//! it is parsed, its profile fixed, and its verifier made.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::TrustedService;
use crate::check::Failure;
use crate::code::Code;
use crate::sigstore::{self, Artifact, Bundle, ParsedRoot, Proven, PublicKey};
use crate::time::Timestamp;

/// One or more Sigstore instances that evidence may come from.
///
/// A bundle has to hold under *one* of them; checks are never combined.
/// Cloning is cheap.
#[derive(Clone)]
pub struct TrustRoot {
    instances: Arc<[Trusted]>,
    source: String,
    date: Option<String>,
    warnings: Vec<String>,
    /// What the same repository says about signing.
    signing_config: Option<Arc<[u8]>>,
}

struct Trusted {
    name: String,
    profile: Profile,
    verifier: sigstore::Verifier,
}

/// The Sigstore instances whose trust roots are compiled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instance {
    /// The public-good instance, `sigstore.dev`.
    PublicGood,
    /// The public staging instance, `sigstage.dev`.
    Staging,
    /// GitHub's instance for the attestations of private repositories.
    GitHub,
}

/// What evidence of an instance consists of; fixed when the root is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Profile {
    /// Certificates with a timestamp of a certificate transparency log, entries
    /// in a transparency log, and a verified time.
    Logged,
    /// Certificates and signed timestamps, no log: GitHub's own instance.
    Timestamped,
}

/// Why a trust root cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the trust root {source_name} cannot be used: {detail}")]
pub struct TrustError {
    source_name: String,
    detail: String,
    code: Code,
}

impl TrustError {
    #[cfg(feature = "client")]
    pub(super) fn new(code: Code, source_name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { source_name: source_name.into(), detail: detail.into(), code }
    }

    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

impl Profile {
    /// The kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::Timestamped => "timestamped",
        }
    }
}

impl TrustRoot {
    /// The root of an instance as it was when this crate was published.
    ///
    /// # Errors
    /// When no cryptography is available (`no-crypto-provider`).
    pub fn embedded(instance: Instance) -> Result<Self, TrustError> {
        let [public_good, staging, github] = sigstore::embedded_json();
        let (text, source) = match instance {
            Instance::PublicGood => (public_good, "embedded"),
            Instance::Staging => (staging, "embedded staging"),
            Instance::GitHub => (github, "embedded github"),
        };
        let root = Self::parse(text.as_bytes(), source)?;
        Ok(Self { date: Some(sigstore::EMBEDDED_DATE.to_owned()), ..root })
    }

    /// Reads `trusted_root.json`, or several of them one per line as
    /// `gh attestation trusted-root` prints them. `source` is what the report calls it.
    ///
    /// # Errors
    /// When a root is malformed, names no authority and no log, or cannot be
    /// verified with; and when no cryptography is available.
    pub fn parse(text: &[u8], source: &str) -> Result<Self, TrustError> {
        let wrong = |code, detail: String| TrustError { source_name: source.to_owned(), detail, code };
        let mut instances = Vec::new();
        let mut warnings = Vec::new();
        for document in documents(text) {
            let root = ParsedRoot::parse(document).map_err(|e| wrong(Code::TrustRoot, e.0))?;
            let profile = if root.is_github() { Profile::Timestamped } else { Profile::Logged };
            warnings.extend(root.warnings.iter().cloned());
            let name = root.name();
            let logged = profile == Profile::Logged;
            let verifier =
                sigstore::Verifier::new(root, logged, logged).map_err(|f: Failure| wrong(f.code, f.detail))?;
            instances.push(Trusted { name, profile, verifier });
        }
        if instances.is_empty() {
            return Err(wrong(Code::TrustRoot, "it is empty".to_owned()));
        }
        Ok(Self { instances: instances.into(), source: source.to_owned(), date: None, warnings, signing_config: None })
    }

    /// Where the root comes from: `embedded`, a file's name, `tuf URL`, `cache URL`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// When the root was published or, if it came by TUF, when its repository last confirmed it; where that is known.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Names and profiles of the instances.
    pub fn instances(&self) -> impl Iterator<Item = (&str, Profile)> {
        self.instances.iter().map(|trusted| (trusted.name.as_str(), trusted.profile))
    }

    /// Everything that the root trusts, instance by instance.
    #[must_use]
    pub fn services(&self) -> Vec<TrustedService> {
        let of = |trusted: &Trusted| {
            let contents = trusted.verifier.root().contents().into_iter();
            contents.map(|contents| TrustedService::new(&trusted.name, contents)).collect::<Vec<_>>()
        };
        self.instances.iter().flat_map(of).collect()
    }

    /// The signing config of the same TUF repository, where the root came from one
    /// that was asked for it; signed as the root is.
    #[must_use]
    pub fn signing_config(&self) -> Option<&[u8]> {
        self.signing_config.as_deref()
    }

    /// What had to be left out of the root, and other notes for people.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The same root beside what its repository says about signing.
    #[cfg(feature = "client")]
    pub(super) fn beside(self, signing_config: Option<Vec<u8>>) -> Self {
        Self { signing_config: signing_config.map(Into::into), ..self }
    }

    /// The same root with the time at which its repository confirmed it.
    #[cfg(feature = "client")]
    pub(super) fn confirmed(self, time: Timestamp) -> Self {
        Self { date: Some(time.to_string()), ..self }
    }

    /// The same root with more notes for people.
    #[cfg(feature = "client")]
    pub(super) fn noted(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(notes);
        self
    }

    /// Whether an authority of one of the instances gave out the certificate `leaf` (DER), valid at `now`.
    #[cfg(feature = "sign")]
    pub(crate) fn gave_out(&self, leaf: &[u8], now: Timestamp) -> Result<(), String> {
        let mut why = String::new();
        for trusted in self.instances.iter() {
            match trusted.verifier.root().gave_out(leaf, now) {
                Ok(()) => return Ok(()),
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    /// Verifies one bundle under each instance until one holds. If none does,
    /// the failure of the instance under which the bundle got furthest.
    pub(crate) fn verify(
        &self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        key: Option<&PublicKey>,
        now: Timestamp,
    ) -> Result<(Proven, &str), Failure> {
        let mut furthest: Option<Failure> = None;
        for trusted in self.instances.iter() {
            match trusted.verifier.verify(bundle, artifact, key, now) {
                Ok(proven) => return Ok((proven, &trusted.name)),
                Err(failure) if furthest.as_ref().is_none_or(|f| progress(f) < progress(&failure)) => {
                    furthest = Some(failure);
                }
                Err(_) => {}
            }
        }
        Err(furthest.unwrap_or_else(|| {
            Failure::new(crate::check::CheckName::Structure, Code::TrustRoot, "the trust root is empty")
        }))
    }
}

/// How many of the verifier's steps a bundle passed before it failed there;
/// its order is not that of the rows (the log is read after the certificate).
fn progress(failure: &Failure) -> u8 {
    use crate::check::CheckName;
    match failure.check {
        CheckName::Structure => 0,
        CheckName::Time => 1,
        CheckName::Certificate => 2,
        CheckName::Sct => 3,
        CheckName::Log => 4,
        CheckName::Signature => 5,
        _ => 6,
    }
}

/// One document, or one per line.
fn documents(text: &[u8]) -> Vec<&[u8]> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
        return vec![text];
    }
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let each_is_json = lines.iter().all(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
    // Broken JSON over several lines is one broken document, not many.
    if each_is_json { lines } else { vec![text] }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.instances().collect();
        f.debug_struct("TrustRoot").field("source", &self.source).field("instances", &names).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_have_their_profiles() {
        for (instance, profile) in [
            (Instance::PublicGood, Profile::Logged),
            (Instance::Staging, Profile::Logged),
            (Instance::GitHub, Profile::Timestamped),
        ] {
            let root = TrustRoot::embedded(instance).expect("an embedded root");
            assert!(root.instances().all(|(_, found)| found == profile), "{root:?}");
            assert!(root.date().is_some() && root.warnings().is_empty(), "{root:?}");
        }
    }

    #[test]
    fn one_log_that_cannot_be_used_disables_nothing_else() {
        let [public_good, _, github] = sigstore::embedded_json();
        let parsed = |text: &str, edit: &dyn Fn(&mut serde_json::Value)| {
            let mut root: serde_json::Value = serde_json::from_str(text).expect("JSON");
            edit(&mut root);
            TrustRoot::parse(root.to_string().as_bytes(), "edited")
        };
        let good = parsed(public_good, &|_| {}).expect("a root");
        // A kind of key that there is not yet, one that nobody will ever use, and one without a time.
        let edits: [fn(&mut serde_json::Value); 4] = [
            |log| log["publicKey"] = serde_json::json!({ "rawBytes": "MAA=", "keyDetails": "PKIX_OF_TOMORROW" }),
            |log| log["publicKey"]["rawBytes"] = "".into(),
            |log| log["logId"]["keyId"] = "AAEC".into(),
            |log| {
                log["publicKey"]["validFor"] =
                    serde_json::json!({ "start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z" })
            },
        ];
        for list in ["tlogs", "ctlogs"] {
            for edit in edits {
                let root = parsed(public_good, &|root| {
                    let mut log = root[list][0].clone();
                    log["logId"]["keyId"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into();
                    edit(&mut log);
                    root[list].as_array_mut().expect("logs").push(log);
                });
                let root = root.expect("a root with one useless log");
                assert_eq!(root.warnings().len(), 1, "{:?}", root.warnings());
                assert_eq!(root.services(), good.services());
            }
        }
        // A root that names a log is of an instance that has one, whether or not it can be used.
        let unusable = parsed(github, &|root| {
            root["tlogs"] = serde_json::json!([{
                "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256", "logId": { "keyId": "AAEC" },
                "publicKey": { "rawBytes": "MAA=", "keyDetails": "PKIX_OF_TOMORROW" },
            }]);
        });
        let profiles = |root: TrustRoot| root.instances().map(|(_, profile)| profile).collect::<Vec<_>>();
        assert_eq!(unusable.map(profiles), Ok(vec![Profile::Logged]));
        assert_eq!(parsed(github, &|_| {}).map(profiles), Ok(vec![Profile::Timestamped]));
    }

    #[test]
    fn an_empty_or_broken_root_is_refused_and_several_lines_are_several_instances() {
        let [public_good, _, github] = sigstore::embedded_json();
        let line = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("json").to_string();
        let both = format!("{}\n{}\n", line(public_good), line(github));
        assert_eq!(TrustRoot::parse(both.as_bytes(), "both").expect("two roots").instances().count(), 2);
        let empty = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
        for bad in ["", "{", "[]", "{}", empty, "{\n\"a\":1,\n"] {
            let error = TrustRoot::parse(bad.as_bytes(), "bad").expect_err(bad);
            assert_eq!(error.code(), Code::TrustRoot, "{bad}");
        }
    }
}
