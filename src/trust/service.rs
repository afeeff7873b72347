//! What a trust root trusts, one authority or log at a time.

use serde::Serialize;

use crate::sigstore::{Contents, Kind};
use crate::time::Timestamp;

/// An authority or a log, and when it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TrustedService {
    /// The instance that it belongs to, as reports call it.
    pub instance: String,
    /// What it does.
    pub kind: ServiceKind,
    /// Its address; it names it and is never asked for a verification.
    pub url: String,
    /// A log's key ID, or the SHA-256 digest of an authority's certificate; lower-case hex.
    pub id: String,
    /// The kind of a log's key, or the subject of an authority's certificate.
    pub name: String,
    /// The first time at which it is trusted.
    pub start: Option<Timestamp>,
    /// The last one, where there is one.
    pub end: Option<Timestamp>,
}

/// What a trusted service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ServiceKind {
    /// It gives out certificates.
    CertificateAuthority,
    /// It logs signatures.
    Log,
    /// It logs certificates.
    CertificateLog,
    /// It signs times.
    TimestampAuthority,
}

impl ServiceKind {
    /// The words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CertificateAuthority => "certificate authority",
            Self::Log => "log",
            Self::CertificateLog => "certificate log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }
}

impl TrustedService {
    pub(super) fn new(instance: &str, contents: Contents) -> Self {
        let Contents { kind, url, id, name, start, end } = contents;
        let kind = match kind {
            Kind::CertificateAuthority => ServiceKind::CertificateAuthority,
            Kind::Log => ServiceKind::Log,
            Kind::CertificateLog => ServiceKind::CertificateLog,
            Kind::TimestampAuthority => ServiceKind::TimestampAuthority,
        };
        Self { instance: instance.to_owned(), kind, url, id, name, start, end }
    }

    /// Whether what it vouches for at a time is trusted. Both ends are inside.
    #[must_use]
    pub fn is_trusted_at(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}
