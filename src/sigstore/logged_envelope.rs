//! The JSON of an envelope as a log of version 1 was sent it.
//!
//! A log entry has the hash of an envelope's JSON, and cosign compares it with
//! the legacy layer that holds the envelope (`verify.go`, "matching bundle to
//! payload"). A bundle has the same envelope in its own spelling, so the one
//! that was logged is found by its hash, or not at all.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;
use sigstore_verify::types::DsseEnvelope;

use crate::digest::Digest;
use crate::json;

/// The part of an entry's body that names the hash: `dsse` has it in the
/// specification itself, `intoto` in the content.
#[derive(Deserialize)]
struct Body {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "envelopeHash")]
    envelope: Option<Hash>,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Content {
    hash: Option<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

/// The envelope in the spelling that the log has the hash of; `None` if it is in none that clients use.
pub(super) fn logged_envelope(envelope: &DsseEnvelope, body: &[u8]) -> Option<Vec<u8>> {
    let spec = json::object::<Body>(body).ok()?.spec;
    let hash = spec.envelope.or(spec.content.and_then(|content| content.hash))?;
    let logged: Digest = format!("{}:{}", hash.algorithm, hash.value).parse().ok()?;
    spellings(envelope).into_iter().map(String::into_bytes).find(|json| Digest::sha256(json) == logged)
}

/// Sorted members, as we and most write them, or in the order of the specification
/// of DSSE; with and without the empty name of a key that some put in.
fn spellings(envelope: &DsseEnvelope) -> [String; 4] {
    let payload = BASE64_STANDARD.encode(envelope.payload.as_bytes());
    let kind = &envelope.payload_type;
    let sig = BASE64_STANDARD.encode(envelope.signature.sig.as_bytes());
    let signatures = [json!([{ "sig": sig }]), json!([{ "keyid": "", "sig": sig }])];
    let sorted = |n: usize| json!({ "payload": payload, "payloadType": kind, "signatures": signatures[n] }).to_string();
    // Members of a `Value` are sorted, so this order is put together.
    let specified = |n: usize| {
        let (kind, payload) = (json!(kind), json!(payload));
        format!(r#"{{"payloadType":{kind},"payload":{payload},"signatures":{}}}"#, signatures[n])
    };
    [sorted(0), sorted(1), specified(0), specified(1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hex;

    const SORTED: &str = r#"{"payload":"e30=","payloadType":"text/x","signatures":[{"sig":"AAEC"}]}"#;
    const SPECIFIED: &str = r#"{"payloadType":"text/x","payload":"e30=","signatures":[{"keyid":"","sig":"AAEC"}]}"#;
    const SPACED: &str = r#"{"payload": "e30=","payloadType":"text/x","signatures":[{"sig":"AAEC"}]}"#;

    fn logged(json: &str, body: impl FnOnce(serde_json::Value) -> serde_json::Value) -> Option<String> {
        let envelope: DsseEnvelope = serde_json::from_str(json).expect("an envelope");
        let digest = Digest::sha256(json.as_bytes());
        let body = body(json!({ "algorithm": "sha256", "value": digest.hex() })).to_string();
        logged_envelope(&envelope, body.as_bytes()).map(|json| String::from_utf8(json).expect("JSON"))
    }

    #[test]
    fn the_spelling_that_was_logged_is_found_by_its_hash() {
        let dsse = |hash| json!({ "kind": "dsse", "spec": { "envelopeHash": hash } });
        let intoto = |hash| json!({ "kind": "intoto", "spec": { "content": { "hash": hash } } });
        for spelling in [SORTED, SPECIFIED] {
            assert_eq!(logged(spelling, dsse).as_deref(), Some(spelling));
            assert_eq!(logged(spelling, intoto).as_deref(), Some(spelling));
        }
        assert_eq!(logged(SPACED, dsse), None);
    }

    #[test]
    fn without_its_hash_there_is_none() {
        assert_eq!(logged(SORTED, |_| json!({ "kind": "dsse", "spec": {} })), None);
        assert_eq!(logged(SORTED, |_| json!({})), None);
        let other = hex(&[0; 32]);
        let wrong = |_| json!({ "spec": { "envelopeHash": { "algorithm": "sha256", "value": other } } });
        assert_eq!(logged(SORTED, wrong), None);
    }
}
