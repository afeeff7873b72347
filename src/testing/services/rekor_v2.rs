//! Rekor v2: `hashedrekord` 0.0.2, answered with its proof.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::fault::ServiceFault;
use super::public_key::PublicKey;
use super::server::Services;
use crate::testing::http::{Answer, RecordedRequest};
use crate::testing::sigstore::{Entry, Key, TransparencyLog, VirtualSigstore, base64, sha256};

/// `POST /api/v2/log/entries`.
pub(super) fn create(services: &Services, now: &VirtualSigstore, request: &RecordedRequest) -> Answer {
    let Some(spec) = checked(&request.body) else {
        // What the real server says of whatever it does not like; 3 is `INVALID_ARGUMENT`.
        let body = json!({ "code": 3, "message": "invalid hashedrekord request", "details": [] });
        return Answer::json(400, &body);
    };
    if let Some(index) = services.logged_v2(&spec) {
        let message = format!("an equivalent entry already exists in the transparency log with index {index}");
        let body = json!({ "code": 6, "message": message, "details": [] });
        return Answer::json(409, &body).header("x-log-index", &index.to_string());
    }
    let mut logged = spec.clone();
    let record = &mut logged["hashedRekordV002"];
    if services.lies(ServiceFault::EntryForAnotherPayload) {
        record["data"]["digest"] = json!(base64(sha256(b"another payload")));
    }
    if services.lies(ServiceFault::EntryForAnotherSignature) {
        record["signature"]["content"] = json!(base64(Key::p256().sign(b"another payload")));
    }
    let log = now.rekor_v2();
    let mut entry = Entry::append_spec(log, "hashedrekord", "0.0.2", &logged);
    services.note_v2(&spec, entry.index);
    spoil_proof(services, log, &mut entry);
    Answer::json(201, &wire(&entry))
}

/// The lies about a proof, which both logs know.
pub(super) fn spoil_proof(services: &Services, log: &TransparencyLog, entry: &mut Entry) {
    let Some(proof) = &mut entry.proof else { return };
    if services.lies(ServiceFault::ProofCorrupted) {
        match proof.hashes.first_mut() {
            Some(hash) => hash[0] ^= 1,
            None => proof.hashes.push([7; 32]),
        }
    }
    if services.lies(ServiceFault::CheckpointByAnotherKey) {
        proof.checkpoint = log.note(proof.size, &proof.root, log.name, &Key::p256(), &log.id);
    }
}

/// The entry's `spec`, if the request is complete and its signature is right.
fn checked(body: &[u8]) -> Option<Value> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let record = &request["hashedRekordRequestV002"];
    let bytes = |value: &Value| BASE64_STANDARD.decode(value.as_str()?).ok();
    let (digest, verifier) = (bytes(&record["digest"])?, &record["signature"]["verifier"]);
    let signature = bytes(&record["signature"]["content"])?;
    let (name, der, key) = match bytes(&verifier["x509Certificate"]["rawBytes"]) {
        Some(der) => ("x509Certificate", der.clone(), PublicKey::from_certificate(&der)?),
        None => {
            let der = bytes(&verifier["publicKey"]["rawBytes"])?;
            ("publicKey", der.clone(), PublicKey::from_spki(&der)?)
        }
    };
    let details = verifier["keyDetails"].as_str()?;
    if !key.signed_digest(&digest, &signature) {
        return None;
    }
    Some(json!({ "hashedRekordV002": {
        "data": { "algorithm": key.hash().0, "digest": base64(digest) },
        "signature": {
            "content": base64(signature),
            "verifier": { "keyDetails": details, name: { "rawBytes": base64(der) } },
        },
    } }))
}

/// The answer on the wire, where the real server writes defaults too.
fn wire(entry: &Entry) -> Value {
    let mut out = entry.json();
    out["logIndex"] = json!(entry.index.to_string());
    out["integratedTime"] = json!("0");
    out["inclusionPromise"] = Value::Null;
    if let Some(proof) = &entry.proof {
        out["inclusionProof"]["logIndex"] = json!(proof.leaf.to_string());
        out["inclusionProof"]["hashes"] = proof.hashes.iter().map(base64).collect();
    }
    out
}
