//! A certificate that Fulcio gave for one of our keys, and what it is checked for at once.

use x509_cert::Certificate as X509;
use x509_cert::der::{Decode as _, Encode as _};

use super::oidc::{Token, is_name};
use crate::code::Code;
use crate::signer::Unverified;
use crate::time::Timestamp;
use crate::trust::TrustRoot;

/// Time that has to be left of a certificate for another signature with it: the
/// log and the timestamp authority have to answer in it (scenario P-08).
const MARGIN_SECONDS: i64 = 60;

/// A certificate for our key, leaf first in its chain.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) leaf: Vec<u8>,
    /// What stands above the leaf, as the authority gave it.
    pub(super) chain: Vec<Vec<u8>>,
    not_after: Timestamp,
}

/// Why a certificate is not used: a code and what is wrong.
pub(super) type Wrong = (Code, String);

impl Certificate {
    /// Takes what the authority gave, if it is what was asked for: for the key
    /// with this `SubjectPublicKeyInfo`, naming whom the token names, valid
    /// now, and of a trusted authority (scenario P-01).
    pub(super) fn check(
        mut chain: Vec<Vec<u8>>,
        spki: &[u8],
        token: &Token,
        trust: &TrustRoot,
        now: Timestamp,
    ) -> Result<Self, Wrong> {
        if chain.is_empty() {
            return Err((Code::ServiceProtocol, "there is no certificate in it".to_owned()));
        }
        let leaf = chain.remove(0);
        let foreign = |detail: String| (Code::CertificateForeign, detail);
        let profile = |detail: String| (Code::CertProfile, detail);
        let key = X509::from_der(&leaf).and_then(|c| c.tbs_certificate().subject_public_key_info().to_der());
        if key.map_err(|e| profile(e.to_string()))? != spki {
            return Err(foreign("the certificate is for another key than ours".to_owned()));
        }
        let read = Unverified::read(&leaf).map_err(|e| profile(e.to_string()))?;
        let (name, issuer) = (&read.signer.identity().value, read.signer.issuer().unwrap_or_default());
        if let Some(wanted) = token.expected_name().filter(|wanted| !is_name(wanted, name)) {
            return Err(foreign(format!("the certificate names {name}, and the token {wanted}")));
        }
        if issuer != token.expected_issuer() {
            return Err(foreign(format!("the certificate names the issuer {issuer}, not {}", token.expected_issuer())));
        }
        // Clocks differ: what began within the minute has begun.
        let begins = read.not_before.unix() - MARGIN_SECONDS;
        if now.unix() < begins || now > read.not_after {
            let detail = format!("the certificate is valid from {} to {}", read.not_before, read.not_after);
            return Err((Code::TimeWindow, detail));
        }
        let then = if now < read.not_before { read.not_before } else { now };
        trust.gave_out(&leaf, then).map_err(|why| {
            let detail = format!("the certificate is not of an authority of the trust root {}: {why}", trust.source());
            (Code::CertChain, detail)
        })?;
        Ok(Self { leaf, chain, not_after: read.not_after })
    }

    /// Whether enough of its time is left for another signature.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        self.not_after.unix() - now.unix() > MARGIN_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_given_up_a_minute_before_its_end() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let certificate = Certificate { leaf: Vec::new(), chain: Vec::new(), not_after: time("2026-11-21T00:10:00Z") };
        assert!(certificate.lasts(time("2026-11-21T00:08:59Z")));
        for late in ["2026-11-21T00:09:00Z", "2026-11-21T00:09:59Z", "2026-11-21T01:00:00Z"] {
            assert!(!certificate.lasts(time(late)), "{late}");
        }
    }
}
