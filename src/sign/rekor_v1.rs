//! Rekor v1: `dsse` 0.0.1 for statements, `hashedrekord` 0.0.1 for everything else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::json;

use super::SignError;
use super::entry::{Checkpoint, Content, Entry, KindVersion, LogId, Promise, Proof, Submission, decode};
use super::service::{ANSWER_BYTES, Desk};
use crate::code::Code;
use crate::digest::{Digest, unhex};
use crate::net::{Ask, Reply};
use crate::statement::PAYLOAD_TYPE;

/// The bytes that Rekor takes of a proposal unless it is told otherwise; more
/// is refused before it is sent.
const MAX_PROPOSAL: usize = 32 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: Option<WireVerification>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVerification {
    inclusion_proof: Option<WireProof>,
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    checkpoint: String,
    hashes: Vec<String>,
    log_index: u64,
    root_hash: String,
    tree_size: u64,
}

/// What the log has written down.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBody {
    kind: String,
    api_version: String,
    spec: serde_json::Value,
}

/// Writes into the log and checks what it has written (scenario P-02). What is
/// there already, after an answer that was lost, is read instead (scenario P-07).
pub(super) async fn record(desk: Desk<'_>, submission: &Submission<'_>) -> Result<Entry, SignError> {
    let body = proposal(submission).to_string();
    if body.len() > MAX_PROPOSAL {
        let detail = format!("an entry of {} bytes, and it takes {MAX_PROPOSAL}", body.len());
        return Err(desk.error(Code::Limit, detail).into());
    }
    let ask =
        Ask::post(desk.url("api/v1/log/entries"), "application/json", body, ANSWER_BYTES.max(2 * MAX_PROPOSAL as u64));
    let mut reply = desk.ask(&ask).await?;
    if reply.status == 409 {
        let id = existing(&reply).ok_or_else(|| desk.protocol("it has the entry already, and does not say where"))?;
        reply = desk.ask(&Ask::get(desk.url(&format!("api/v1/log/entries/{id}")), ask.limit)).await?;
    }
    if !matches!(reply.status, 200 | 201) {
        return Err(desk.refused(&reply, None).into());
    }
    let wire: BTreeMap<String, WireEntry> =
        crate::json::object(&reply.body).map_err(|_| desk.protocol("its answer is no log entry"))?;
    let mut entries = wire.into_values();
    let (Some(entry), None) = (entries.next(), entries.next()) else {
        return Err(desk.protocol("its answer is not one log entry").into());
    };
    let entry = entry.checked(submission).ok_or_else(|| desk.protocol("its answer is no log entry with a proof"))?;
    let body: Option<WireBody> = crate::json::object(&entry.canonicalized_body).ok();
    if body.is_some_and(|body| is_about(&body, submission)) {
        Ok(entry)
    } else {
        Err(desk.error(Code::EntryForeign, "its entry is about something else than was sent").into())
    }
}

/// The name of an entry that is there already: the last part of the address,
/// whatever host stands before it (scenario J-21).
fn existing(reply: &Reply) -> Option<String> {
    let location = reply.headers.get(LOCATION)?.to_str().ok()?;
    let id = location.rsplit('/').next()?;
    let hex = (64..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| id.to_owned())
}

fn kind(submission: &Submission<'_>) -> &'static str {
    match submission.content {
        Content::Statement { .. } => "dsse",
        Content::Message { .. } => "hashedrekord",
    }
}

/// The request (Rekor, `pkg/types`).
fn proposal(submission: &Submission<'_>) -> serde_json::Value {
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let verifier = base64(submission.verifier.pem().as_bytes());
    let spec = match submission.content {
        Content::Statement { payload, .. } => {
            let envelope = json!({
                "payload": base64(payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "sig": base64(submission.signature) }],
            });
            json!({ "proposedContent": { "envelope": envelope.to_string(), "verifiers": [verifier] } })
        }
        Content::Message { digest } => json!({
            "data": { "hash": { "algorithm": "sha256", "value": digest.hex() } },
            "signature": { "content": base64(submission.signature), "publicKey": { "content": verifier } },
        }),
    };
    json!({ "kind": kind(submission), "apiVersion": "0.0.1", "spec": spec })
}

/// Whether an entry is about exactly what was sent.
fn is_about(body: &WireBody, submission: &Submission<'_>) -> bool {
    if (body.kind.as_str(), body.api_version.as_str()) != (kind(submission), "0.0.1") {
        return false;
    }
    let text = |pointer: &str| body.spec.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
    let signature = BASE64_STANDARD.encode(submission.signature);
    // The log may write the PEM anew; what it says is compared.
    let der =
        |pem: &[u8]| pem.split(|b| *b == b'\n').filter(|line| !line.starts_with(b"-----")).collect::<Vec<_>>().concat();
    let verifier =
        |found: &str| decode(found).is_some_and(|pem| der(&pem) == der(submission.verifier.pem().as_bytes()));
    match submission.content {
        Content::Statement { payload, .. } => {
            let signatures = body.spec.pointer("/signatures").and_then(serde_json::Value::as_array);
            signatures.is_some_and(|all| all.len() == 1)
                && text("/payloadHash/algorithm") == "sha256"
                && text("/payloadHash/value") == Digest::sha256(payload).hex()
                && text("/signatures/0/signature") == signature
                && verifier(text("/signatures/0/verifier"))
        }
        Content::Message { digest } => {
            text("/data/hash/algorithm") == "sha256"
                && text("/data/hash/value") == digest.hex()
                && text("/signature/content") == signature
                && verifier(text("/signature/publicKey/content"))
        }
    }
}

impl WireEntry {
    fn checked(self, submission: &Submission<'_>) -> Option<Entry> {
        let verification = self.verification?;
        let proof = verification.inclusion_proof?;
        let hashes: Option<Vec<_>> = proof.hashes.iter().map(|hash| unhex(hash)).collect();
        Some(Entry {
            log_index: self.log_index,
            log_id: LogId { key_id: unhex(&self.log_id)? },
            kind_version: KindVersion { kind: kind(submission), version: "0.0.1" },
            integrated_time: Some(self.integrated_time),
            inclusion_promise: Some(Promise { signed_entry_timestamp: decode(&verification.signed_entry_timestamp)? }),
            inclusion_proof: Proof {
                log_index: proof.log_index,
                root_hash: unhex(&proof.root_hash)?,
                tree_size: proof.tree_size,
                hashes: hashes?,
                checkpoint: Checkpoint { envelope: proof.checkpoint },
            },
            canonicalized_body: decode(&self.body)?,
        })
    }
}
