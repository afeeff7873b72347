//! Whether a trust root can be used now, and for how long.

use std::time::Duration;

use super::{Profile, ServiceKind, TrustRoot, TrustedService};
use crate::time::{Timestamp, human};

/// How long before its end a service is worth a word: the time that it takes to roll a root out.
const SOON: Duration = Duration::from_secs(30 * 86_400);

/// One thing that ends, or is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustFinding {
    /// Whether nothing can be verified or signed because of it.
    pub grave: bool,
    /// What it is, in words. Parts of it may be what a file says.
    pub text: String,
}

impl TrustFinding {
    /// Something because of which nothing can be verified or signed.
    #[must_use]
    pub fn grave(text: impl Into<String>) -> Self {
        Self { grave: true, text: text.into() }
    }

    /// Something to know.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self { grave: false, text: text.into() }
    }
}

impl TrustRoot {
    /// What cannot be used now, and what ends within a month.
    #[must_use]
    pub fn findings(&self, now: Timestamp) -> Vec<TrustFinding> {
        let mut findings: Vec<TrustFinding> = self.warnings().iter().map(TrustFinding::note).collect();
        let services = self.services();
        for (instance, profile) in self.instances() {
            let needed: &[ServiceKind] = match profile {
                Profile::Timestamped => &[ServiceKind::CertificateAuthority, ServiceKind::TimestampAuthority],
                _ => &[ServiceKind::CertificateAuthority, ServiceKind::Log, ServiceKind::CertificateLog],
            };
            for kind in needed {
                let of = services.iter().filter(|s| s.instance == instance && s.kind == *kind);
                findings.extend(judge(of, now, &format!("{} of {instance}", kind.as_str())));
            }
        }
        findings
    }
}

/// One kind of service of one instance: is one trusted now, and for how long?
fn judge<'a>(services: impl Iterator<Item = &'a TrustedService>, now: Timestamp, what: &str) -> Option<TrustFinding> {
    let trusted: Vec<_> = services.filter(|service| service.is_trusted_at(now)).collect();
    if trusted.is_empty() {
        return Some(TrustFinding::grave(format!("no {what} is trusted now: what is signed today will not verify")));
    }
    // The last of them to end ends the kind.
    let ends: Option<Vec<Timestamp>> = trusted.iter().map(|service| service.end).collect();
    let end = ends.and_then(|ends| ends.into_iter().max()).filter(|end| end.since(now) < SOON)?;
    Some(TrustFinding::note(format!("the {what} is trusted until {end}, for {} more", human(end.since(now)))))
}
