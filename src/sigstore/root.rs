//! Trusted roots: the embedded ones and those read from files.

use sigstore_verify::crypto::{SigningScheme, VerificationKey};
use sigstore_verify::trust_root::trusted_root::{CertChain, PublicKey};
use sigstore_verify::trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, TrustedRoot,
};
use sigstore_verify::types::{DerPublicKey, TimeRange};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::json;

/// When the embedded roots were published: the release date of the pinned
/// `sigstore-trust-root` crate that carries them.
pub(crate) const EMBEDDED_DATE: &str = "2026-10-23";

/// The embedded trusted roots: public good, staging, GitHub.
pub(crate) fn embedded_json() -> [&'static str; 3] {
    [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, SIGSTORE_GITHUB_TRUSTED_ROOT]
}

/// The embedded signing configs: public good, staging.
#[cfg(feature = "sign")]
pub(crate) fn embedded_signing_config() -> [&'static str; 2] {
    use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_STAGING_SIGNING_CONFIG};
    [SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_STAGING_SIGNING_CONFIG]
}

/// A trusted root whose unusable log keys were taken out.
#[derive(Debug, Clone)]
pub(crate) struct ParsedRoot {
    pub(super) inner: TrustedRoot,
    /// What was taken out, for people.
    pub(crate) warnings: Vec<String>,
    /// Whether it names a log, be it one that cannot be used.
    has_logs: bool,
}

/// Why a trusted root cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RootError(pub(crate) String);

impl ParsedRoot {
    /// Reads a trusted root, `application/vnd.dev.sigstore.trustedroot+json;version=0.1` or `v0.2`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, RootError> {
        let wrong = |e: &dyn std::fmt::Display| RootError(e.to_string());
        // What `SIGSTORE_ROOT_FILE` names for older clients.
        if text.trim_ascii_start().starts_with(b"-----BEGIN") {
            let detail =
                "it is PEM; wanted is the JSON of a trusted root, which names logs and timestamp authorities too";
            return Err(RootError(detail.to_owned()));
        }
        let mut inner: TrustedRoot = json::object(text).map_err(|e| wrong(&e))?;
        if !inner.media_type.starts_with("application/vnd.dev.sigstore.trustedroot") {
            return Err(RootError(format!("the media type {:?} is not a trusted root's", inner.media_type)));
        }
        let mut warnings = Vec::new();
        let has_logs = !(inner.tlogs.is_empty() && inner.ctlogs.is_empty());
        let mut usable = |url: &str, why: Option<&str>| {
            warnings
                .extend(why.map(|why| format!("the key of the log {url} {why}; nothing that it signed will verify")));
            why.is_none()
        };
        inner.tlogs.retain(|log| {
            let why = unusable(&log.public_key, log.log_id.key_id.as_bytes(), |_| false);
            usable(&log.base_url, why)
        });
        inner.ctlogs.retain(|log| {
            // RFC 6962, 2.1.4: these logs may have RSA keys, which some roots hold as PKCS#1.
            let rsa = |key: &DerPublicKey| VerificationKey::from_der(key, SigningScheme::RsaPkcs1Sha256).is_ok();
            usable(&log.base_url, unusable(&log.public_key, log.log_id.key_id.as_bytes(), rsa))
        });
        let mut unreadable = None;
        let mut is_trusted = |window: &mut Option<TimeRange>, chain: &CertChain, name: &str| {
            match trusted_while(*window, chain) {
                Ok(narrowed) if is_empty(narrowed) && !is_empty(*window) => {
                    warnings.push(format!("no certificate of {name} is valid while it is trusted; it is left out"));
                    return false;
                }
                Ok(narrowed) => *window = narrowed,
                Err(error) => unreadable = Some(error),
            }
            true
        };
        inner.certificate_authorities.retain_mut(|a| is_trusted(&mut a.valid_for, &a.cert_chain, &a.uri));
        inner.timestamp_authorities.retain_mut(|a| {
            is_trusted(&mut a.valid_for, &a.cert_chain, a.uri.as_deref().unwrap_or("a timestamp authority"))
        });
        if let Some(error) = unreadable {
            return Err(error);
        }
        if inner.certificate_authorities.is_empty() && inner.tlogs.is_empty() {
            return Err(RootError("it names no certificate authority and no log".to_owned()));
        }
        Ok(Self { inner, warnings, has_logs })
    }

    /// Whether this is GitHub's own instance, which has timestamps and neither a log nor SCTs.
    pub(crate) fn is_github(&self) -> bool {
        let github = |uri: &str| uri == "fulcio.githubapp.com" || uri == "https://fulcio.githubapp.com";
        !self.has_logs
            && !self.inner.timestamp_authorities.is_empty()
            && !self.inner.certificate_authorities.is_empty()
            && self.inner.certificate_authorities.iter().all(|ca| github(&ca.uri))
    }

    /// The hosts of the certificate authorities, to name the instance.
    pub(crate) fn name(&self) -> String {
        let uris = self.inner.certificate_authorities.iter().map(|ca| ca.uri.as_str());
        let mut uris: Vec<&str> = uris.filter(|uri| !uri.is_empty()).collect();
        uris.dedup();
        if uris.is_empty() { "unnamed instance".to_owned() } else { uris.join(", ") }
    }
}

/// Why the key of a log cannot be used. The verifier refuses a whole root for
/// one such log, which only makes that log useless.
fn unusable(key: &PublicKey, id: &[u8], other_form: impl Fn(&DerPublicKey) -> bool) -> Option<&'static str> {
    if id.len() != 32 {
        Some("has an ID that is no SHA-256 digest")
    } else if is_empty(key.valid_for) {
        Some("is trusted at no time")
    } else if VerificationKey::from_spki(&key.raw_bytes).is_err() && !other_form(&key.raw_bytes) {
        Some("is of an unknown kind")
    } else {
        None
    }
}

/// The part of an authority's window in which its own certificates are valid.
/// The verifier takes them for anchors and looks at nothing but the window:
/// without this, a certificate that an expired authority made passes (scenario
/// D-01, CVE-2026-24122).
fn trusted_while(window: Option<TimeRange>, chain: &CertChain) -> Result<Option<TimeRange>, RootError> {
    let mut narrowed = window;
    for entry in &chain.certificates {
        let wrong = |e: &dyn std::fmt::Display| RootError(format!("a certificate of an authority: {e}"));
        let certificate = Certificate::from_der(entry.raw_bytes.as_bytes()).map_err(|e| wrong(&e))?;
        let validity = certificate.tbs_certificate().validity();
        let time = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            jiff::Timestamp::from_second(seconds).map_err(|e| wrong(&e))
        };
        let (begin, end) = (time(validity.not_before)?, time(validity.not_after)?);
        narrowed = Some(match narrowed {
            None => TimeRange::new(begin, Some(end)),
            Some(window) => TimeRange::new(window.start.max(begin), Some(window.end.map_or(end, |e| e.min(end)))),
        });
    }
    Ok(narrowed)
}

fn is_empty(window: Option<TimeRange>) -> bool {
    window.is_some_and(|window| window.end.is_some_and(|end| end < window.start))
}
