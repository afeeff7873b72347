//! JSON web tokens (RFC 7519) signed with ES256.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::testing::sigstore::{Key, sha256};

/// A key that signs tokens.
pub(super) struct TokenKey {
    key: Key,
    id: String,
}

impl TokenKey {
    pub(super) fn new() -> Self {
        let key = Key::p256();
        Self { id: base64_url(&sha256(&key.spki)[..12]), key }
    }

    /// The key set (RFC 7517) with the public half.
    pub(super) fn set(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let (x, y) = self.key.raw_public()[1..].split_at(32);
        let key = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": base64_url(x), "y": base64_url(y),
        });
        json!({ "keys": [key] })
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" });
        let signed = format!("{}.{}", base64_url(header.to_string()), base64_url(claims.to_string()));
        format!("{signed}.{}", base64_url(self.key.sign_fixed(signed.as_bytes())))
    }

    /// The claims, if this key signed them.
    pub(super) fn open(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.raw_public());
        key.verify(signed.as_bytes(), &signature).ok()?;
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

pub(super) fn base64_url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_the_key_that_signed_it_and_with_no_other() {
        let key = TokenKey::new();
        for number in 0..40 {
            let token = key.sign(&json!({ "sub": number }));
            assert_eq!(key.open(&token), Some(json!({ "sub": number })));
            assert_eq!(TokenKey::new().open(&token), None);
            assert_eq!(key.open(&token.replacen('.', ".A", 1)), None);
        }
    }
}
