//! Keys that live as long as the instance that made them.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use x509_cert::der::pem::{LineEnding, encode_string as pem_text};

use super::der;

/// A P-256 key whose public half the verifier is given: what `cosign sign --key` uses.
pub struct ManagedKey(pub(super) Key);

impl ManagedKey {
    /// A new key.
    #[must_use]
    pub fn new() -> Self {
        Self(Key::p256())
    }

    /// The public key as PEM, what `--key` reads.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        pem("PUBLIC KEY", &self.0.spki)
    }

    /// The public key as DER (`SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.0.spki
    }
}

impl Default for ManagedKey {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManagedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManagedKey(..)")
    }
}

/// A signing key with its public half.
pub(in crate::testing) struct Key {
    pair: Pair,
    /// `SubjectPublicKeyInfo`, DER.
    pub(in crate::testing) spki: Vec<u8>,
}

enum Pair {
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Key {
    pub(in crate::testing) fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("the system has randomness");
        let algorithm = der::sequence(&[&der::oid(&[1, 2, 840, 10045, 2, 1]), &der::oid(&[1, 2, 840, 10045, 3, 1, 7])]);
        let spki = der::sequence(&[&algorithm, &der::bits(pair.public_key().as_ref())]);
        Self { pair: Pair::P256(Box::new(pair)), spki }
    }

    pub(in crate::testing) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().expect("the system has randomness");
        let algorithm = der::sequence(&[&der::oid(&[1, 3, 101, 112])]);
        let spki = der::sequence(&[&algorithm, &der::bits(pair.public_key().as_ref())]);
        Self { pair: Pair::Ed25519(Box::new(pair)), spki }
    }

    /// A signature over `message`: ECDSA over its SHA-256 as DER, or Ed25519.
    pub(in crate::testing) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).expect("the system has randomness");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A P-256 signature as JSON web signatures have it: `r` and `s`, 32 bytes each (RFC 7518, 3.4).
    pub(in crate::testing) fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.sign(message);
        // SEQUENCE, length, then two INTEGERs of less than 128 bytes each.
        let (r, s) = signature[2..].split_at(2 + usize::from(signature[3]));
        let fixed = |integer: &[u8]| {
            let digits: Vec<u8> = integer[2..].iter().copied().skip_while(|&byte| byte == 0).collect();
            [vec![0; 32 - digits.len()], digits].concat()
        };
        [fixed(r), fixed(s)].concat()
    }

    /// The name of the key's algorithm in a trust root and in a Rekor v2 entry (protobuf-specs `PublicKeyDetails`).
    pub(in crate::testing) fn details(&self) -> &'static str {
        match self.pair {
            Pair::P256(_) => "PKIX_ECDSA_P256_SHA_256",
            Pair::Ed25519(_) => "PKIX_ED25519",
        }
    }

    /// The public key without its algorithm: a point, or the 32 bytes of Ed25519.
    pub(in crate::testing) fn raw_public(&self) -> &[u8] {
        match &self.pair {
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }
}

/// The other signature that a P-256 signature (DER) can be turned into by
/// anybody: `n - s` in the place of `s`, where `n` is the order of the group.
pub(in crate::testing) fn mirrored(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    // SEQUENCE, length, then two INTEGERs of less than 128 bytes each.
    let (r, s) = signature[2..].split_at(2 + usize::from(signature[3]));
    let s = &s[2..];
    let mut out = ORDER;
    let mut borrow = false;
    // From the last byte on; a sign byte of `s` is zero and beyond the 32.
    for (digit, &taken) in out.iter_mut().rev().zip(s.iter().rev().chain(std::iter::repeat(&0))) {
        let (once, first) = digit.overflowing_sub(taken);
        let (twice, second) = once.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (twice, first || second);
    }
    der::sequence(&[r, &der::integer(&out)])
}

pub(in crate::testing) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // Not the crate's hasher: an unoptimised build would spend most of a test in it.
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub(in crate::testing) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// PEM (RFC 7468) with lines of 64 characters.
pub(in crate::testing) fn pem(label: &str, der: &[u8]) -> String {
    pem_text(label, LineEnding::LF, der).expect("labels written here are labels, and lengths are in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    #[test]
    fn a_signature_and_its_mirror_image_both_verify() {
        let key = Key::p256();
        for number in 0..50_u8 {
            let signature = key.sign(&[number]);
            let mirror = mirrored(&signature);
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.raw_public());
            assert!(public.verify(&[number], &signature).is_ok() && public.verify(&[number], &mirror).is_ok());
            assert_ne!(signature, mirror);
            assert_eq!(signature, mirrored(&mirror));
            assert!(public.verify(&[number + 1], &mirror).is_err());
        }
    }

    #[test]
    fn keys_do_not_print() {
        assert_eq!(format!("{:?}", ManagedKey::new()), "ManagedKey(..)");
        assert!(ManagedKey::new().public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----\nMFkwEwYH"));
    }
}
