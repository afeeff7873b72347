//! The keys of clients, and what they signed.

use aws_lc_rs::digest::{Digest, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _, pem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const RSA: &str = "1.2.840.113549.1.1.1";
const ED25519_KEY: &str = "1.3.101.112";

/// A public key with the one way of signing that Sigstore has for its kind.
pub(super) struct PublicKey {
    /// `SubjectPublicKeyInfo`, DER.
    pub(super) spki: Vec<u8>,
    raw: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Rsa,
    Ed25519,
}

impl PublicKey {
    /// A key from its `SubjectPublicKeyInfo`; `None` for kinds that Sigstore does not know.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoOwned::from_der(der).ok()?;
        let parameters = info.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok()).map(|oid| oid.to_string());
        let kind = match (info.algorithm.oid.to_string().as_str(), curve.as_deref()) {
            (EC, Some(P256)) => Kind::P256,
            (EC, Some(P384)) => Kind::P384,
            (RSA, _) => Kind::Rsa,
            (ED25519_KEY, None) => Kind::Ed25519,
            _ => return None,
        };
        Some(Self { spki: der.to_vec(), raw: info.subject_public_key.raw_bytes().to_vec(), kind })
    }

    /// The key that a certificate (DER) is about.
    pub(super) fn from_certificate(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        Self::from_spki(&certificate.tbs_certificate().subject_public_key_info().to_der().ok()?)
    }

    /// The key in a PEM document: a public key, or a certificate about it.
    pub(super) fn from_pem(text: &[u8]) -> Option<Self> {
        match pem::decode_vec(text).ok()? {
            ("PUBLIC KEY", der) => Self::from_spki(&der),
            ("CERTIFICATE", der) => Self::from_certificate(&der),
            _ => None,
        }
    }

    /// Whether the key signed this.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm(), &self.raw).verify(message, signature).is_ok()
    }

    /// Whether the key signed something with this hash. Ed25519 has none.
    pub(super) fn signed_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        let algorithm = match self.kind {
            Kind::P256 | Kind::Rsa => &SHA256,
            Kind::P384 => &SHA384,
            Kind::Ed25519 => return false,
        };
        let Ok(digest) = Digest::import_less_safe(digest, algorithm) else { return false };
        UnparsedPublicKey::new(self.algorithm(), &self.raw).verify_digest(&digest, signature).is_ok()
    }

    /// The hash that signatures of this key are over, as protobuf-specs and as Rekor v1 call it.
    pub(super) fn hash(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::P384 => ("SHA2_384", "sha384"),
            _ => ("SHA2_256", "sha256"),
        }
    }

    fn algorithm(&self) -> &'static dyn VerificationAlgorithm {
        match self.kind {
            Kind::P256 => &ECDSA_P256_SHA256_ASN1,
            Kind::P384 => &ECDSA_P384_SHA384_ASN1,
            Kind::Rsa => &RSA_PKCS1_2048_8192_SHA256,
            Kind::Ed25519 => &ED25519,
        }
    }
}
