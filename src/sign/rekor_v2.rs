//! Rekor v2: one kind of entry, `hashedrekord` 0.0.2, answered once a checkpoint covers it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::SignError;
use super::entry::{Checkpoint, Entry, KindVersion, LogId, Promise, Proof, Submission, Verifier, decode};
use super::service::{ANSWER_BYTES, Desk};
use crate::code::Code;
use crate::net::Ask;

/// The name of P-256 keys in requests (protobuf-specs, `PublicKeyDetails`).
const KEY_DETAILS: &str = "PKIX_ECDSA_P256_SHA_256";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest {
    hashed_rekord_request_v002: WireSubmission,
}

#[derive(Serialize)]
struct WireSubmission {
    digest: String,
    signature: WireSignature,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct WireSignature {
    content: String,
    verifier: WireVerifier,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct WireVerifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate: Option<WireBytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<WireBytes>,
    key_details: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct WireBytes {
    raw_bytes: String,
}

/// What the log has written down.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBody {
    kind: String,
    api_version: String,
    spec: WireSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSpec {
    hashed_rekord_v002: WireRecord,
}

#[derive(Deserialize)]
struct WireRecord {
    data: WireData,
    signature: WireSignature,
}

#[derive(Deserialize)]
struct WireData {
    algorithm: String,
    digest: String,
}

/// The entry as it comes: proto3 JSON leaves zeros out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    #[serde(default)]
    log_index: Number,
    log_id: WireLogId,
    inclusion_promise: Option<WirePromise>,
    inclusion_proof: WireProof,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLogId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePromise {
    #[serde(default)]
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    #[serde(default)]
    log_index: Number,
    root_hash: String,
    #[serde(default)]
    tree_size: Number,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Checkpoint,
}

/// An int64 of proto3 JSON: a string, or a number.
#[derive(Default, Deserialize)]
#[serde(try_from = "WireNumber")]
struct Number(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum WireNumber {
    Text(String),
    Number(u64),
}

impl TryFrom<WireNumber> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(wire: WireNumber) -> Result<Self, Self::Error> {
        Ok(Self(match wire {
            WireNumber::Text(text) => text.parse()?,
            WireNumber::Number(number) => number,
        }))
    }
}

impl WireSubmission {
    fn new(submission: &Submission<'_>) -> Self {
        let raw = |der: &[u8]| Some(WireBytes { raw_bytes: BASE64_STANDARD.encode(der) });
        let (x509_certificate, public_key) = match submission.verifier {
            Verifier::Certificate(der) => (raw(der), None),
            Verifier::Key(der) => (None, raw(der)),
        };
        let verifier = WireVerifier { x509_certificate, public_key, key_details: KEY_DETAILS.to_owned() };
        let content = BASE64_STANDARD.encode(submission.signature);
        let digest = BASE64_STANDARD.encode(submission.content.digest().to_bytes());
        Self { digest, signature: WireSignature { content, verifier } }
    }
}

/// Writes into the log and checks what it has written (scenario P-02). `None`
/// if the log has this very entry already: another signature is another entry.
pub(super) async fn record(desk: Desk<'_>, submission: &Submission<'_>) -> Result<Option<Entry>, SignError> {
    let request = WireRequest { hashed_rekord_request_v002: WireSubmission::new(submission) };
    let body = serde_json::to_vec(&request).map_err(|error| desk.protocol(error.to_string()))?;
    let ask = Ask::post(desk.url("api/v2/log/entries"), "application/json", body, ANSWER_BYTES);
    let reply = desk.ask(&ask).await?;
    match reply.status {
        200 | 201 => {}
        409 => return Ok(None),
        _ => return Err(desk.refused(&reply, None).into()),
    }
    let entry = crate::json::object::<WireEntry>(&reply.body).ok().and_then(WireEntry::checked);
    let entry = entry.ok_or_else(|| desk.protocol("its answer is no log entry"))?;
    let sent = &request.hashed_rekord_request_v002;
    let about = |body: &WireBody| {
        let record = &body.spec.hashed_rekord_v002;
        (body.kind.as_str(), body.api_version.as_str()) == ("hashedrekord", "0.0.2")
            && record.data.algorithm == "SHA2_256"
            && record.data.digest == sent.digest
            && record.signature == sent.signature
    };
    match crate::json::object::<WireBody>(&entry.canonicalized_body) {
        Ok(body) if about(&body) => Ok(Some(entry)),
        _ => Err(desk.error(Code::EntryForeign, "its entry is about something else than was sent").into()),
    }
}

impl WireEntry {
    fn checked(self) -> Option<Entry> {
        let hashes: Option<Vec<_>> = self.inclusion_proof.hashes.iter().map(|hash| decode(hash)).collect();
        let promise = self.inclusion_promise.filter(|promise| !promise.signed_entry_timestamp.is_empty());
        let promise = match promise {
            Some(promise) => Some(Promise { signed_entry_timestamp: decode(&promise.signed_entry_timestamp)? }),
            None => None,
        };
        Some(Entry {
            log_index: self.log_index.0,
            log_id: LogId { key_id: decode(&self.log_id.key_id)? },
            kind_version: KindVersion { kind: "hashedrekord", version: "0.0.2" },
            // It has no meaning here and readers have to ignore it (rekor-tiles, CLIENTS.md).
            integrated_time: None,
            inclusion_promise: promise,
            inclusion_proof: Proof {
                log_index: self.inclusion_proof.log_index.0,
                root_hash: decode(&self.inclusion_proof.root_hash)?,
                tree_size: self.inclusion_proof.tree_size.0,
                hashes: hashes?,
                checkpoint: self.inclusion_proof.checkpoint,
            },
            canonicalized_body: decode(&self.canonicalized_body)?,
        })
    }
}
