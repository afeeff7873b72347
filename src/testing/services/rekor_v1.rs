//! Rekor v1: `hashedrekord` and `dsse` 0.0.1, answered with promise and proof.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::fault::ServiceFault;
use super::public_key::PublicKey;
use super::rekor_v2::spoil_proof;
use super::server::Services;
use crate::digest::{hex, unhex};
use crate::testing::http::{Answer, RecordedRequest, lock};
use crate::testing::sigstore::{Entry, Key, TransparencyLog, VirtualSigstore, base64, dsse_message, pem, sha256};

const ENTRIES: &str = "/api/v1/log/entries";

/// The entries that were made, each under its name.
#[derive(Default)]
pub(super) struct Entries(Mutex<BTreeMap<String, Entry>>);

impl Entries {
    /// `POST /api/v1/log/entries`.
    pub(super) fn create(&self, services: &Services, now: &VirtualSigstore, request: &RecordedRequest) -> Answer {
        let (kind, spec) = match checked(&request.body) {
            Ok(checked) => checked,
            Err(problem) => return error(400, &format!("error processing entry: {problem}")),
        };
        let log = now.rekor_v1();
        let name = name(kind, &spec);
        let mut entries = lock(&self.0);
        if entries.contains_key(&name) {
            let message = format!("an equivalent entry already exists in the transparency log with UUID {name}");
            return error(409, &message).header("location", &format!("{ENTRIES}/{name}"));
        }
        let logged = lied_about(services, kind, &spec);
        let mut entry = Entry::append_spec(log, kind, "0.0.1", &logged);
        let key = services.lies(ServiceFault::PromiseByAnotherKey).then(Key::p256);
        entry.promise(log, key.as_ref().unwrap_or(&log.key), now.now());
        spoil_proof(services, log, &mut entry);
        let location = format!("{ENTRIES}/{name}");
        let answer = Answer::json(201, &wire(&name, &entry)).header("location", &location).header("etag", &name);
        entries.insert(name, entry);
        answer
    }

    /// `GET /api/v1/log/entries/{uuid}` and `GET /api/v1/log/entries?logIndex=…`.
    pub(super) fn get(&self, request: &RecordedRequest) -> Answer {
        let entries = lock(&self.0);
        let wanted = request.path.strip_prefix(ENTRIES).unwrap_or_default().trim_start_matches('/');
        let index = request.parameter("logIndex").and_then(|text| text.parse::<u64>().ok());
        // The part after the number of the tree is a name of its own.
        let found = entries.iter().find(|(name, entry)| match wanted {
            "" => Some(entry.index) == index,
            _ => *name == wanted || name.get(16..) == Some(wanted),
        });
        match found {
            Some((name, entry)) => Answer::json(200, &wire(name, entry)),
            None => error(404, "no such entry"),
        }
    }
}

/// `GET /api/v1/log`.
pub(super) fn log_info(now: &VirtualSigstore) -> Answer {
    let log = now.rekor_v1();
    let (size, root) = log.head_now();
    let body = json!({
        "inactiveShards": [], "rootHash": hex(&root), "treeSize": size, "treeID": TransparencyLog::TREE.to_string(),
        "signedTreeHead": log.checkpoint(size, &root),
    });
    Answer::json(200, &body)
}

/// `GET /api/v1/log/publicKey`.
pub(super) fn public_key(now: &VirtualSigstore) -> Answer {
    let text = pem("PUBLIC KEY", &now.rekor_v1().key.spki);
    Answer::status(200).header("content-type", "application/x-pem-file").body(text)
}

/// Kind and canonical `spec` of the proposed entry, if its signatures are right.
fn checked(body: &[u8]) -> Result<(&'static str, Value), &'static str> {
    let proposed: Value = serde_json::from_slice(body).map_err(|_| "not JSON")?;
    if proposed["apiVersion"] != "0.0.1" {
        return Err("unknown version");
    }
    match proposed["kind"].as_str() {
        Some("hashedrekord") => Ok(("hashedrekord", hashed_rekord(&proposed["spec"])?)),
        Some("dsse") => Ok(("dsse", dsse(&proposed["spec"]["proposedContent"])?)),
        _ => Err("unknown kind"),
    }
}

fn hashed_rekord(spec: &Value) -> Result<Value, &'static str> {
    let (hash, signature) = (&spec["data"]["hash"], &spec["signature"]);
    let verifier = decoded(&signature["publicKey"]["content"]).ok_or("no public key")?;
    let key = PublicKey::from_pem(&verifier).ok_or("the public key cannot be read")?;
    let digest = hash["value"].as_str().and_then(unhex).ok_or("no hash")?;
    let signed = decoded(&signature["content"]).ok_or("no signature")?;
    if hash["algorithm"] != key.hash().1 || !key.signed_digest(&digest, &signed) {
        return Err("verifying signature: invalid signature");
    }
    Ok(json!({
        "data": { "hash": { "algorithm": hash["algorithm"], "value": hex(&digest) } },
        "signature": { "content": base64(signed), "publicKey": { "content": base64(verifier) } },
    }))
}

fn dsse(proposed: &Value) -> Result<Value, &'static str> {
    let text = proposed["envelope"].as_str().ok_or("no envelope")?;
    let envelope: Value = serde_json::from_str(text).map_err(|_| "the envelope is not JSON")?;
    let payload = decoded(&envelope["payload"]).ok_or("no payload")?;
    let kind = envelope["payloadType"].as_str().ok_or("no payload type")?;
    let message = dsse_message(kind, &payload);
    let signatures = envelope["signatures"].as_array().filter(|list| !list.is_empty()).ok_or("no signature")?;
    let verifiers = proposed["verifiers"].as_array().ok_or("no verifiers")?;
    let verifiers: Vec<Vec<u8>> = verifiers.iter().filter_map(decoded).collect();
    let checked = signatures.iter().map(|signature| {
        let signed = decoded(&signature["sig"])?;
        let by = |pem: &&Vec<u8>| PublicKey::from_pem(pem).is_some_and(|key| key.signed(&message, &signed));
        let verifier = verifiers.iter().find(by)?;
        Some(json!({ "signature": base64(signed), "verifier": base64(verifier) }))
    });
    let checked: Option<Vec<Value>> = checked.collect();
    let checked = checked.ok_or("could not verify envelope")?;
    let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) });
    Ok(json!({ "envelopeHash": hash(text.as_bytes()), "payloadHash": hash(&payload), "signatures": checked }))
}

/// The `spec` that goes into the log: another one on request.
fn lied_about(services: &Services, kind: &str, spec: &Value) -> Value {
    let mut logged = spec.clone();
    if services.lies(ServiceFault::EntryForAnotherPayload) {
        let field = if kind == "dsse" { &mut logged["payloadHash"] } else { &mut logged["data"]["hash"] };
        field["value"] = json!(hex(&sha256(b"another payload")));
    }
    if services.lies(ServiceFault::EntryForAnotherSignature) {
        let other = json!(base64(Key::p256().sign(b"another payload")));
        let field = if kind == "dsse" {
            &mut logged["signatures"][0]["signature"]
        } else {
            &mut logged["signature"]["content"]
        };
        *field = other;
    }
    logged
}

/// The number of the tree and the hash of the leaf. What is meant is the entry
/// as it was proposed, also where a lie was logged.
fn name(kind: &str, spec: &Value) -> String {
    let body = json!({ "apiVersion": "0.0.1", "kind": kind, "spec": spec }).to_string();
    format!("{:016x}{}", TransparencyLog::TREE, hex(&sha256(&[&[0], body.as_bytes()].concat())))
}

fn wire(name: &str, entry: &Entry) -> Value {
    let mut out = json!({
        "body": base64(&entry.body),
        "integratedTime": entry.integrated.map(crate::time::Timestamp::unix),
        "logID": hex(&entry.log),
        "logIndex": entry.index,
        "verification": { "signedEntryTimestamp": base64(entry.promise.as_deref().unwrap_or_default()) },
    });
    if let Some(proof) = &entry.proof {
        let hashes: Vec<String> = proof.hashes.iter().map(|hash| hex(hash)).collect();
        out["verification"]["inclusionProof"] = json!({
            "checkpoint": proof.checkpoint, "hashes": hashes, "logIndex": proof.leaf,
            "rootHash": hex(&proof.root), "treeSize": proof.size,
        });
    }
    json!({ name: out })
}

fn decoded(value: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(value.as_str()?).ok()
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": status, "message": message }))
}
