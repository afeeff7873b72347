//! Log entries: what is logged about a signature, for each kind of entry.

use serde_json::{Value, json};

use super::form::Log;
use super::key::{Key, base64, pem, sha256};
use super::log::{Proof, TransparencyLog};
use crate::digest::hex;
use crate::time::Timestamp;

/// What is signed.
#[derive(Clone)]
pub(in crate::testing) enum Content {
    /// A payload with its type, inside a DSSE envelope.
    Envelope { payload_type: &'static str, payload: Vec<u8> },
    /// Bytes, signed as they are.
    Blob(Vec<u8>),
}

/// What checks a signature.
#[derive(Clone)]
pub(in crate::testing) enum Verifier {
    /// A certificate, DER, and the certificates that issued it, nearest first.
    Certificate { leaf: Vec<u8>, chain: Vec<Vec<u8>> },
    /// A public key, DER.
    Key(Vec<u8>),
}

/// A log entry as a bundle carries it.
#[derive(Clone)]
pub(in crate::testing) struct Entry {
    pub(in crate::testing) kind: &'static str,
    pub(in crate::testing) version: &'static str,
    pub(in crate::testing) body: Vec<u8>,
    pub(in crate::testing) log: [u8; 32],
    pub(in crate::testing) index: u64,
    /// Rekor v1 only.
    pub(in crate::testing) integrated: Option<Timestamp>,
    pub(in crate::testing) promise: Option<Vec<u8>>,
    pub(in crate::testing) proof: Option<Proof>,
}

impl Content {
    /// The same, one byte longer: another artifact.
    pub(in crate::testing) fn other(&self) -> Self {
        match self {
            Self::Envelope { payload_type, payload } => {
                Self::Envelope { payload_type, payload: [payload, &b" "[..]].concat() }
            }
            Self::Blob(bytes) => Self::Blob([bytes, &b" "[..]].concat()),
        }
    }

    /// The bytes that the signature is over.
    pub(in crate::testing) fn message(&self) -> Vec<u8> {
        match self {
            Self::Envelope { payload_type, payload } => dsse_message(payload_type, payload),
            Self::Blob(bytes) => bytes.clone(),
        }
    }
}

impl Verifier {
    pub(in crate::testing) fn pem(&self) -> String {
        match self {
            Self::Certificate { leaf, .. } => pem("CERTIFICATE", leaf),
            Self::Key(spki) => pem("PUBLIC KEY", spki),
        }
    }
}

/// The bytes that the signatures of an envelope are over (DSSE's pre-authentication encoding).
pub(in crate::testing) fn dsse_message(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A DSSE envelope with these signatures.
pub(in crate::testing) fn envelope(payload_type: &str, payload: &[u8], signatures: &[Vec<u8>]) -> Value {
    let signatures: Vec<_> = signatures.iter().map(|signature| json!({ "sig": base64(signature) })).collect();
    json!({ "payload": base64(payload), "payloadType": payload_type, "signatures": signatures })
}

impl Entry {
    /// Puts what `kind` of entry says about a signature into `log`.
    pub(in crate::testing) fn append(
        log: &TransparencyLog,
        kind: Log,
        content: &Content,
        signature: &[u8],
        verifier: &Verifier,
    ) -> Self {
        let (kind, version, spec) = spec(kind, content, signature, verifier);
        Self::append_spec(log, kind, version, &spec)
    }

    /// Puts an entry whose `spec` is this into `log`.
    pub(in crate::testing) fn append_spec(
        log: &TransparencyLog,
        kind: &'static str,
        version: &'static str,
        spec: &Value,
    ) -> Self {
        let body = json!({ "apiVersion": version, "kind": kind, "spec": spec }).to_string().into_bytes();
        let (index, proof) = log.append(&body);
        Self { kind, version, body, log: log.id, index, integrated: None, promise: None, proof: Some(proof) }
    }

    /// Adds the log's time and its promise, signed by `key`.
    pub(in crate::testing) fn promise(&mut self, log: &TransparencyLog, key: &Key, time: Timestamp) {
        self.integrated = Some(time);
        self.promise = Some(log.promise(key, &self.body, self.index, time));
    }

    /// As in `verificationMaterial.tlogEntries`; proto3 leaves defaults out.
    pub(in crate::testing) fn json(&self) -> Value {
        let mut out = json!({
            "logId": { "keyId": base64(self.log) },
            "kindVersion": { "kind": self.kind, "version": self.version },
            "canonicalizedBody": base64(&self.body),
        });
        if self.index > 0 {
            out["logIndex"] = json!(self.index.to_string());
        }
        if let Some(time) = self.integrated {
            out["integratedTime"] = json!(time.unix().to_string());
        }
        if let Some(promise) = &self.promise {
            out["inclusionPromise"] = json!({ "signedEntryTimestamp": base64(promise) });
        }
        if let Some(proof) = &self.proof {
            let hashes: Vec<_> = proof.hashes.iter().map(base64).collect();
            out["inclusionProof"] = json!({ "rootHash": base64(proof.root), "treeSize": proof.size.to_string() });
            if proof.leaf > 0 {
                out["inclusionProof"]["logIndex"] = json!(proof.leaf.to_string());
            }
            if !hashes.is_empty() {
                out["inclusionProof"]["hashes"] = json!(hashes);
            }
            if !proof.checkpoint.is_empty() {
                out["inclusionProof"]["checkpoint"] = json!({ "envelope": proof.checkpoint });
            }
        }
        out
    }

    /// As in the annotation `dev.sigstore.cosign/bundle` of a legacy layer.
    pub(in crate::testing) fn annotation(&self) -> String {
        let out = json!({
            "SignedEntryTimestamp": base64(self.promise.as_deref().unwrap_or_default()),
            "Payload": {
                "body": base64(&self.body),
                "integratedTime": self.integrated.map(Timestamp::unix),
                "logIndex": self.index,
                "logID": hex(&self.log),
            },
        });
        out.to_string()
    }
}

/// Kind, version and `spec` of an entry.
fn spec(log: Log, content: &Content, signature: &[u8], verifier: &Verifier) -> (&'static str, &'static str, Value) {
    let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) });
    let pem = base64(verifier.pem());
    match (log, content) {
        (Log::RekorV2, _) => {
            let key = match verifier {
                Verifier::Certificate { leaf, .. } => ("x509Certificate", leaf),
                Verifier::Key(spki) => ("publicKey", spki),
            };
            let mut checks = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256" });
            checks[key.0] = json!({ "rawBytes": base64(key.1) });
            let data = json!({ "algorithm": "SHA2_256", "digest": base64(sha256(&content.message())) });
            let signature = json!({ "content": base64(signature), "verifier": checks });
            ("hashedrekord", "0.0.2", json!({ "hashedRekordV002": { "data": data, "signature": signature } }))
        }
        (Log::RekorV1Intoto, Content::Envelope { payload_type, payload }) => {
            let whole = envelope(payload_type, payload, &[signature.to_vec()]).to_string();
            // The entry's signature has a second base64 around the envelope's.
            let signatures = json!([{ "publicKey": pem, "sig": base64(base64(signature)) }]);
            let logged = json!({ "payloadType": payload_type, "signatures": signatures });
            let content = json!({ "envelope": logged, "hash": hash(whole.as_bytes()), "payloadHash": hash(payload) });
            ("intoto", "0.0.2", json!({ "content": content }))
        }
        (Log::RekorV1FirstIntoto, Content::Envelope { payload_type, payload }) => {
            let whole = envelope(payload_type, payload, &[signature.to_vec()]).to_string();
            let content = json!({ "hash": hash(whole.as_bytes()), "payloadHash": hash(payload) });
            ("intoto", "0.0.1", json!({ "content": content, "publicKey": pem }))
        }
        (_, Content::Envelope { payload_type, payload }) => {
            let whole = envelope(payload_type, payload, &[signature.to_vec()]).to_string();
            let signatures = json!([{ "signature": base64(signature), "verifier": pem }]);
            let spec = json!({
                "envelopeHash": hash(whole.as_bytes()), "payloadHash": hash(payload), "signatures": signatures,
            });
            ("dsse", "0.0.1", spec)
        }
        (_, Content::Blob(bytes)) => {
            let signature = json!({ "content": base64(signature), "publicKey": { "content": pem } });
            ("hashedrekord", "0.0.1", json!({ "data": { "hash": hash(bytes) }, "signature": signature }))
        }
    }
}
