//! What is read from an identity token is what it says, it ends when it says,
//! and it is not printed. The input is a token, and what one says.

#![no_main]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Token};
use cg_attest::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
    read(&format!("e30.{}.c2lnbmF0dXJl", BASE64_URL_SAFE_NO_PAD.encode(bytes)));
});

fn read(text: &str) {
    let Ok(token) = Token::parse(text) else { return };
    let payload = text.trim().split('.').nth(1).expect("a token has three parts");
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("the second of them is base64");
    let claims: Value = serde_json::from_slice(&payload).expect("and JSON");
    assert_eq!(claims["iss"], token.issuer());
    assert!(!token.issuer().is_empty() && !token.identity().is_empty());
    let named = if token.is_personal() { &claims["email"] } else { &claims["sub"] };
    assert_eq!(named, token.identity());
    // Over is over, for every audience.
    assert!(token.check(DEFAULT_AUDIENCE, token.expires()).is_err());
    if let Ok(before) = Timestamp::from_unix(token.expires().unix().saturating_sub(1)) {
        let is_for = |audience: &Value| audience == DEFAULT_AUDIENCE;
        let ours = is_for(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_for));
        assert!(ours || token.check(DEFAULT_AUDIENCE, before).is_err());
    }
    // It shows its issuer, and nothing else.
    assert_eq!(format!("{token:?}"), format!("Token {{ issuer: {:?}, .. }}", token.issuer()));
}
