//! What is written into a log, and the entry that comes back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::key::pem;
use crate::digest::Digest;

/// What a log is asked to take.
#[derive(Clone, Copy)]
pub(super) struct Submission<'a> {
    pub(super) content: Content<'a>,
    pub(super) signature: &'a [u8],
    pub(super) verifier: Verifier<'a>,
}

/// What the signature is over.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// A DSSE envelope with this payload; `pae` is what was signed.
    Statement { payload: &'a [u8], pae: &'a [u8] },
    /// Bytes with this digest.
    Message { digest: &'a Digest },
}

/// What the signature is verified with.
#[derive(Clone, Copy)]
pub(super) enum Verifier<'a> {
    /// A certificate, DER.
    Certificate(&'a [u8]),
    /// A public key, DER.
    Key(&'a [u8]),
}

impl Content<'_> {
    /// The SHA-256 digest of what the signature is over.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Statement { pae, .. } => Digest::sha256(pae),
            Self::Message { digest } => (*digest).clone(),
        }
    }
}

impl Verifier<'_> {
    pub(super) fn pem(&self) -> String {
        match self {
            Self::Certificate(der) => pem("CERTIFICATE", der),
            Self::Key(der) => pem("PUBLIC KEY", der),
        }
    }
}

/// A log entry as a bundle carries it (protobuf-specs, `TransparencyLogEntry`).
/// Zeros and empty lists are written out: one of the three clients that read
/// bundles wants them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(serialize_with = "as_text")]
    pub(super) log_index: u64,
    pub(super) log_id: LogId,
    pub(super) kind_version: KindVersion,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    pub(super) integrated_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inclusion_promise: Option<Promise>,
    pub(super) inclusion_proof: Proof,
    #[serde(serialize_with = "as_base64")]
    pub(super) canonicalized_body: Vec<u8>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogId {
    #[serde(serialize_with = "as_base64")]
    pub(super) key_id: Vec<u8>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct KindVersion {
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Promise {
    #[serde(serialize_with = "as_base64")]
    pub(super) signed_entry_timestamp: Vec<u8>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof {
    #[serde(serialize_with = "as_text")]
    pub(super) log_index: u64,
    #[serde(serialize_with = "as_base64")]
    pub(super) root_hash: Vec<u8>,
    #[serde(serialize_with = "as_text")]
    pub(super) tree_size: u64,
    #[serde(serialize_with = "as_base64_list")]
    pub(super) hashes: Vec<Vec<u8>>,
    pub(super) checkpoint: Checkpoint,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) envelope: String,
}

fn as_text<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn as_optional_text<S: serde::Serializer>(number: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

fn as_base64<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn as_base64_list<S: serde::Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(|bytes| BASE64_STANDARD.encode(bytes)))
}

/// Base64 as a service writes it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_empty_lists_are_written_out_and_absent_fields_are_not() {
        let entry = Entry {
            log_index: 0,
            log_id: LogId { key_id: vec![1] },
            kind_version: KindVersion { kind: "hashedrekord", version: "0.0.2" },
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Proof {
                log_index: 0,
                root_hash: vec![2],
                tree_size: 1,
                hashes: Vec::new(),
                checkpoint: Checkpoint { envelope: "c".to_owned() },
            },
            canonicalized_body: b"{}".to_vec(),
        };
        let wanted = r#"{"logIndex":"0","logId":{"keyId":"AQ=="},"kindVersion":{"kind":"hashedrekord","version":"0.0.2"},"inclusionProof":{"logIndex":"0","rootHash":"Ag==","treeSize":"1","hashes":[],"checkpoint":{"envelope":"c"}},"canonicalizedBody":"e30="}"#;
        assert_eq!(serde_json::to_string(&entry).expect("JSON"), wanted);
    }
}
