//! P-256 keys that sign: made for one run, or a person's own.

use std::fmt;

use aws_lc_rs::digest::SHA256;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::der::pem::{LineEnding, encode_string as pem_text};
use zeroize::Zeroize as _;

use super::encrypted;
use crate::code::Code;
use crate::digest::Digest;

/// A P-256 key. It does not print, is never written, and its memory is wiped when it is dropped.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    /// `SubjectPublicKeyInfo`, DER.
    spki: Vec<u8>,
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key that cosign encrypted; it takes a password.
    #[error("the key is encrypted, and there is no password")]
    Encrypted,
    /// The password does not open the key.
    #[error("the key is not opened by this password, or its file is damaged")]
    Password,
    /// A key that is encrypted in another way, or whose file is malformed.
    #[error("the key is encrypted, and not as cosign does it: {0}")]
    EncryptedForm(&'static str),
    /// No private key, or one of another kind.
    #[error("not a private key of the kind P-256 (PKCS#8 or SEC1, PEM)")]
    Kind,
    /// Something else than a SHA-256 digest is to be signed.
    #[error("only SHA-256 digests can be signed with a P-256 key")]
    Digest,
    /// The system gave no randomness.
    #[error("the system gives no randomness")]
    Random,
}

impl KeyError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Digest => Code::UnsupportedEvidence,
            _ => Code::KeyUnusable,
        }
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| KeyError::Random).and_then(Self::new)
    }

    /// Reads a private key: PEM, PKCS#8 or SEC1, not encrypted.
    ///
    /// # Errors
    /// When it is encrypted ([`KeyError::Encrypted`] if
    /// [`SigningKey::from_encrypted_pem`] reads it), of another kind, or no key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if encrypted::is_cosigns(pem) {
            return Err(KeyError::Encrypted);
        }
        // PKCS#8's own encryption, and that of OpenSSL's older files.
        if String::from_utf8_lossy(pem).contains("ENCRYPTED") {
            return Err(KeyError::EncryptedForm("`openssl pkey -in FILE -out PLAIN` decrypts it"));
        }
        let mut key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::Kind)?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(key) => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.secret_pkcs8_der())
            }
            PrivateKeyDer::Sec1(key) => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, key.secret_sec1_der())
            }
            _ => return Err(KeyError::Kind),
        };
        key.zeroize();
        pair.map_err(|_| KeyError::Kind).and_then(Self::new)
    }

    /// Reads a private key that cosign encrypted with a password
    /// (`cosign generate-key-pair`). It takes a moment and some memory: that
    /// is what makes guessing dear.
    ///
    /// # Errors
    /// When the password is another one, or the file is not of cosign's form.
    pub fn from_encrypted_pem(pem: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        let document = encrypted::open(pem, password)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &document);
        pair.map_err(|_| KeyError::Kind).and_then(Self::new)
    }

    fn new(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Kind)?;
        let spki = spki.as_ref().to_vec();
        Ok(Self { pair, spki })
    }

    /// The public key, DER (`SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.spki
    }

    /// The public key, PEM; what a verifier's `--key` reads.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki)
    }

    /// What a bundle calls the key by: the digest of its public half, which no
    /// verifier takes for anything but a hint.
    pub(super) fn hint(&self) -> String {
        Digest::sha256(&self.spki).hex().to_owned()
    }

    /// An ECDSA signature over the SHA-256 digest of `message`, DER.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Random)?;
        Ok(signature.as_ref().to_vec())
    }

    /// The same over a SHA-256 digest that is at hand.
    pub(super) fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        let digest =
            aws_lc_rs::digest::Digest::import_less_safe(&digest.to_bytes(), &SHA256).map_err(|_| KeyError::Digest)?;
        let signature = self.pair.sign_digest(&digest).map_err(|_| KeyError::Random)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.hint()).finish_non_exhaustive()
    }
}

/// PEM (RFC 7468) with lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    pem_text(label, LineEnding::LF, der).expect("labels written here are labels, and lengths are in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;
    use aws_lc_rs::encoding::EcPrivateKeyRfc5915Der;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    /// The same key in both forms.
    fn files() -> (String, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let pkcs8 = pair.to_pkcs8v1().expect("PKCS#8");
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().expect("SEC1");
        (pem("PRIVATE KEY", pkcs8.as_ref()), pem("EC PRIVATE KEY", sec1.as_ref()))
    }

    #[test]
    fn a_key_signs_and_does_not_print() {
        let key = SigningKey::generate().expect("a key");
        let signature = key.sign(b"message").expect("a signature");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.pair.public_key().as_ref());
        assert!(public.verify(b"message", &signature).is_ok() && public.verify(b"massage", &signature).is_err());
        let signature = key.sign_digest(&Digest::sha256(b"message")).expect("a signature");
        assert!(public.verify(b"message", &signature).is_ok() && public.verify(b"massage", &signature).is_err());
        let longer = Digest::compute(Algorithm::Sha512, b"message");
        assert_eq!(key.sign_digest(&longer).expect_err("another hash").code(), Code::UnsupportedEvidence);
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ public: {:?}, .. }}", key.hint()));
        assert!(key.public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----\nMFkwEwYH"));
    }

    #[test]
    fn both_forms_of_a_file_are_the_same_key_and_nothing_else_is_one() {
        let (text, sec1) = files();
        let read = |text: &str| SigningKey::from_pem(text.as_bytes());
        let (pkcs8, sec1) = (read(&text).expect("PKCS#8"), read(&sec1).expect("SEC1"));
        assert_eq!(pkcs8.public_key_der(), sec1.public_key_der());
        let encrypted = text.replace("PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY");
        assert_eq!(read(&encrypted).map(drop), Err(KeyError::Encrypted));
        let encrypted = text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert!(read(&encrypted).is_err_and(|error| error.to_string().contains("openssl pkey")));
        let public = pkcs8.public_key_pem();
        for bad in ["", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", public.as_str()] {
            assert_eq!(read(bad).map(drop), Err(KeyError::Kind), "{bad}");
        }
    }
}
