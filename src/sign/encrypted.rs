//! Private keys as `cosign generate-key-pair` writes them: a password becomes a
//! key by scrypt, and that opens a `secretbox` of NaCl with the PKCS#8 document.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::Deserialize;
use x509_cert::der::pem::decode_vec;
use zeroize::Zeroizing;

use super::KeyError;
use crate::json;

/// Labels of such a file: today's, and that of cosign before version 2.
const LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
/// What scrypt may cost: cosign writes N = 2^16 and r = 8, which take 64 MiB, and nothing four times as dear.
const MAX_BYTES: u64 = 256 << 20;
const MAX_PARALLEL: u32 = 4;
/// Bytes of the authenticator before the ciphertext.
const TAG: usize = 16;

#[derive(Deserialize)]
struct WireFile {
    kdf: WireKdf,
    cipher: WireCipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct WireKdf {
    name: String,
    params: WireParams,
    salt: String,
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "as it is written")]
struct WireParams {
    N: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct WireCipher {
    name: String,
    nonce: String,
}

/// Whether a file says that it is such a key.
pub(super) fn is_cosigns(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    LABELS.iter().any(|label| text.contains(&format!("-----BEGIN {label}-----")))
}

/// The PKCS#8 document in such a file.
pub(super) fn open(pem: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let form = KeyError::EncryptedForm;
    let (label, document) = decode_vec(pem.trim_ascii()).map_err(|_| form("it is not PEM"))?;
    if !LABELS.contains(&label) {
        return Err(form("it is not of cosign"));
    }
    let wire: WireFile = json::object(&document).map_err(|_| form("its content is not that of cosign's keys"))?;
    if (wire.kdf.name.as_str(), wire.cipher.name.as_str()) != ("scrypt", "nacl/secretbox") {
        return Err(form("it is not scrypt and nacl/secretbox"));
    }
    let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| form("a part of it is not base64"));
    let (salt, nonce, sealed) = (decode(&wire.kdf.salt)?, decode(&wire.cipher.nonce)?, decode(&wire.ciphertext)?);
    let key = derive(password, &salt, &wire.kdf.params)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| form("its nonce has not 24 bytes"))?;
    unseal(&key, &nonce, &sealed).ok_or(KeyError::Password)
}

fn derive(password: &[u8], salt: &[u8], params: &WireParams) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let WireParams { N: n, r, p } = *params;
    let dear = n.checked_mul(u64::from(r)).and_then(|blocks| blocks.checked_mul(128)).is_none_or(|b| b > MAX_BYTES);
    if dear || p > MAX_PARALLEL || !n.is_power_of_two() || n < 2 {
        return Err(KeyError::EncryptedForm("its scrypt parameters are none, or cost more than any key's"));
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| KeyError::EncryptedForm("its N is none"))?;
    let params =
        scrypt::Params::new(log_n, r, p).map_err(|_| KeyError::EncryptedForm("its scrypt parameters are none"))?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, key.as_mut_slice()).map_err(|_| KeyError::EncryptedForm("scrypt fails"))?;
    Ok(key)
}

/// Opens a `secretbox` (NaCl, "Cryptography in NaCl", section 9): the first 32
/// bytes of XSalsa20 are the key of Poly1305 over the ciphertext, the rest
/// hides the message. `None` if the authenticator is another one.
fn unseal(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, hidden) = sealed.split_at_checked(TAG)?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut authenticator = Zeroizing::new([0; 32]);
    stream.apply_keystream(authenticator.as_mut_slice());
    let found = Poly1305::new((&*authenticator).into()).compute_unpadded(hidden);
    aws_lc_rs::constant_time::verify_slices_are_equal(&found, tag).ok()?;
    let mut message = Zeroizing::new(hidden.to_vec());
    stream.apply_keystream(&mut message);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::key::pem;

    /// A file as cosign writes it, with cheaper parameters.
    fn sealed(document: &[u8], password: &[u8], n: u64) -> String {
        let (salt, nonce) = ([7; 32], [9; 24]);
        let params = WireParams { N: n, r: 8, p: 1 };
        let key = derive(password, &salt, &params).expect("a key");
        let mut stream = XSalsa20::new((&*key).into(), (&nonce).into());
        let mut authenticator = [0; 32];
        stream.apply_keystream(&mut authenticator);
        let mut hidden = document.to_vec();
        stream.apply_keystream(&mut hidden);
        let tag = Poly1305::new((&authenticator).into()).compute_unpadded(&hidden);
        let ciphertext = BASE64_STANDARD.encode([tag.as_slice(), &hidden].concat());
        let (salt, nonce) = (BASE64_STANDARD.encode(salt), BASE64_STANDARD.encode(nonce));
        let text = format!(
            r#"{{"kdf":{{"name":"scrypt","params":{{"N":{n},"r":8,"p":1}},"salt":"{salt}"}},
               "cipher":{{"name":"nacl/secretbox","nonce":"{nonce}"}},"ciphertext":"{ciphertext}"}}"#
        );
        pem(LABELS[0], text.as_bytes())
    }

    #[test]
    fn a_password_opens_the_key_and_another_does_not() {
        let file = sealed(b"document", b"secret", 1 << 10);
        assert!(is_cosigns(file.as_bytes()));
        assert_eq!(open(file.as_bytes(), b"secret").map(|d| d.to_vec()), Ok(b"document".to_vec()));
        assert_eq!(open(file.as_bytes(), b"Secret").map(drop), Err(KeyError::Password));
        assert_eq!(open(file.as_bytes(), b"").map(drop), Err(KeyError::Password));
        let old = file.replace("SIGSTORE", "COSIGN");
        assert_eq!(open(old.as_bytes(), b"secret").map(|d| d.to_vec()), Ok(b"document".to_vec()));
    }

    #[test]
    fn what_is_no_such_file_costs_nothing() {
        let text = |from: &str, to: &str| {
            let file = sealed(b"document", b"secret", 1 << 10);
            let (label, document) = decode_vec(file.as_bytes()).expect("PEM");
            let changed = String::from_utf8(document).expect("text").replacen(from, to, 1);
            assert_eq!(label, LABELS[0]);
            open(pem(LABELS[0], changed.as_bytes()).as_bytes(), b"secret").map(drop)
        };
        assert_eq!(text("", ""), Ok(()));
        for (from, to) in [
            ("\"N\":1024", "\"N\":1000"),
            ("\"N\":1024", "\"N\":0"),
            ("\"N\":1024", "\"N\":1073741824"),
            ("\"N\":1024", "\"N\":18446744073709551615"),
            ("\"r\":8", "\"r\":4294967295"),
            ("\"r\":8", "\"r\":0"),
            ("\"p\":1", "\"p\":1000000"),
            ("scrypt", "bcrypt"),
            ("nacl/secretbox", "aes"),
            ("\"nonce\":\"", "\"nonce\":\"AAAA"),
            ("\"salt\":\"", "\"salt\":\"!"),
            ("{", "["),
        ] {
            let error = text(from, to).expect_err(to);
            assert!(matches!(error, KeyError::EncryptedForm(_)), "{to}: {error}");
        }
        assert!(matches!(text("\"ciphertext\":\"", "\"ciphertext\":\"AAAA"), Err(KeyError::Password)));
        assert!(matches!(open(b"-----BEGIN", b""), Err(KeyError::EncryptedForm(_))));
        assert!(!is_cosigns(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    }
}
