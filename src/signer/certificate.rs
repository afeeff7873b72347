//! Reads the signer from a leaf certificate, strictly: exactly one name, no
//! extension twice, no two issuers (Fulcio certificate specification).

use std::fmt;

use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Claim, Claims};
use crate::code::Code;
use crate::digest::Digest;
use crate::time::Timestamp;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");
const FULCIO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");

/// Fulcio writes about thirty.
const MAX_EXTENSIONS: usize = 128;

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    #[serde(flatten)]
    identity: Identity,
    issuer: Option<String>,
    certificate_sha256: Option<String>,
    claims: Claims,
}

/// A name and what kind of name it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// The name itself; a key's is its SHA-256 fingerprint.
    #[serde(rename = "identity")]
    pub value: String,
    /// The kind.
    #[serde(rename = "identityKind")]
    pub kind: IdentityKind,
}

/// The kinds of names that Fulcio certifies, and a managed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IdentityKind {
    /// A URI, of workflows and machines.
    Uri,
    /// An e-mail address.
    Email,
    /// A user name of an issuer that has no e-mail addresses (otherName 1.3.6.1.4.1.57264.1.7).
    Username,
    /// No certificate: a public key that the policy names.
    Key,
}

/// Why a certificate names no signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignerError {
    #[error("the certificate cannot be parsed: {0}")]
    Malformed(String),
    #[error("the certificate has {0} names, wanted exactly one")]
    Names(usize),
    #[error("the certificate's name is of a kind that no issuer gives out: {0}")]
    Kind(&'static str),
    #[error("the certificate has {0} extensions, the limit is {MAX_EXTENSIONS}")]
    Extensions(usize),
    #[error("the certificate has the extension {0} twice")]
    Twice(String),
    #[error("the extension {0} is not a text")]
    NotText(String),
    #[error("the certificate names two issuers: {0:?} (1.8) and {1:?} (1.1)")]
    Issuers(String, String),
}

impl SignerError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Extensions(_) => Code::Limit,
            _ => Code::SignerInvalid,
        }
    }
}

/// A signer that nothing was verified for: what `inspect` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unverified {
    pub(crate) signer: Signer,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl Signer {
    /// The signer that a managed key stands for.
    pub(crate) fn of_key(spki: &[u8]) -> Self {
        let value = Digest::sha256(spki).to_string();
        let identity = Identity { value, kind: IdentityKind::Key };
        Self { identity, issuer: None, certificate_sha256: None, claims: Claims::default() }
    }

    /// The signer that a leaf certificate (DER) names. Whether to believe the
    /// certificate is not asked here.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self, SignerError> {
        Unverified::read(der).map(|read| read.signer)
    }

    /// The name.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The OIDC issuer that vouched for the name; none for a key.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Every other claim of the certificate.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The SHA-256 digest of the certificate, lower-case hex; none for a key.
    #[must_use]
    pub fn certificate_sha256(&self) -> Option<&str> {
        self.certificate_sha256.as_deref()
    }
}

impl Unverified {
    /// Reads a leaf certificate.
    pub(crate) fn read(der: &[u8]) -> Result<Self, SignerError> {
        let malformed = |e: &dyn fmt::Display| SignerError::Malformed(e.to_string());
        let certificate = Certificate::from_der(der).map_err(|e| malformed(&e))?;
        let tbs = certificate.tbs_certificate();
        let mut names = None;
        let mut claims = Claims::default();
        let mut seen: Vec<ObjectIdentifier> = Vec::new();
        let extensions = tbs.extensions().map_or(&[][..], |extensions| extensions);
        // Counted first: comparing each with all others is what a flood would cost (scenario K-05).
        if extensions.len() > MAX_EXTENSIONS {
            return Err(SignerError::Extensions(extensions.len()));
        }
        for extension in extensions {
            // The first of two would count for one reader and the last for another (scenario E-10).
            if seen.contains(&extension.extn_id) {
                return Err(SignerError::Twice(extension.extn_id.to_string()));
            }
            seen.push(extension.extn_id);
            let value = extension.extn_value.as_bytes();
            if extension.extn_id == SUBJECT_ALT_NAME {
                names = Some(SubjectAltName::from_der(value).map_err(|e| malformed(&e))?);
            } else if let Some(claim) = claim_of(&extension.extn_id) {
                let text = text_of(claim, value).ok_or_else(|| SignerError::NotText(claim.oid()))?;
                claims.insert(claim, text);
            }
        }
        let identity = only_name(names.map_or_else(Vec::new, |names| names.0))?;
        let issuer = match (claims.get(Claim::ISSUER), claims.get(Claim::ISSUER_V1)) {
            (Some(new), Some(old)) if new != old => {
                return Err(SignerError::Issuers(new.to_owned(), old.to_owned()));
            }
            (new, old) => new.or(old).map(str::to_owned),
        };
        let time = |at: x509_cert::time::Time| {
            let seconds = at.to_unix_duration().as_secs();
            Timestamp::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX)).map_err(|e| malformed(&e))
        };
        let signer =
            Signer { identity, issuer, certificate_sha256: Some(Digest::sha256(der).hex().to_owned()), claims };
        let validity = tbs.validity();
        Ok(Self { signer, not_before: time(validity.not_before)?, not_after: time(validity.not_after)? })
    }
}

fn claim_of(oid: &ObjectIdentifier) -> Option<Claim> {
    let parent = oid.parent()?;
    let number = oid.arcs().last()?;
    (parent == FULCIO).then(|| Claim::of_extension(number)).flatten()
}

/// 1 to 6 are bare text, the others a DER UTF8String.
fn text_of(claim: Claim, value: &[u8]) -> Option<String> {
    if claim.is_raw() {
        return std::str::from_utf8(value).ok().map(str::to_owned);
    }
    Utf8StringRef::from_der(value).ok().map(|text| text.as_str().to_owned())
}

fn only_name(names: Vec<GeneralName>) -> Result<Identity, SignerError> {
    let [name] = <[GeneralName; 1]>::try_from(names).map_err(|names| SignerError::Names(names.len()))?;
    let (value, kind) = match name {
        GeneralName::UniformResourceIdentifier(uri) => (uri.as_str().to_owned(), IdentityKind::Uri),
        GeneralName::Rfc822Name(email) => (email.as_str().to_owned(), IdentityKind::Email),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
            let der = other.value.to_der().map_err(|e| SignerError::Malformed(e.to_string()))?;
            let text = Utf8StringRef::from_der(&der).map(|text| text.as_str().to_owned());
            (text.map_err(|_| SignerError::NotText(OTHER_NAME.to_string()))?, IdentityKind::Username)
        }
        GeneralName::OtherName(_) => return Err(SignerError::Kind("a foreign otherName")),
        GeneralName::DnsName(_) => return Err(SignerError::Kind("a DNS name")),
        _ => return Err(SignerError::Kind("neither URI, e-mail nor user name")),
    };
    if value.is_empty() {
        return Err(SignerError::Names(0));
    }
    Ok(Identity { value, kind })
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    /// A certificate for an e-mail address with so many extensions.
    fn certificate(extensions: usize) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::default();
        params.subject_alt_names = vec![rcgen::SanType::Rfc822Name("a@example.com".try_into().expect("ASCII"))];
        let extension =
            |n: usize| rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, n as u64], vec![5, 0]);
        params.custom_extensions = (1..extensions).map(extension).collect();
        let key = rcgen::KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn extensions_are_read_up_to_a_limit() {
        let read = |extensions| Signer::of_certificate(&certificate(extensions)).map(|signer| signer.identity.value);
        assert_eq!(read(MAX_EXTENSIONS), Ok("a@example.com".to_owned()));
        let over = read(MAX_EXTENSIONS + 1);
        assert_eq!(over, Err(SignerError::Extensions(MAX_EXTENSIONS + 1)));
        assert_eq!(over.map_err(|error| error.code()), Err(Code::Limit));
    }
}
