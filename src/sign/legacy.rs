//! A layer of cosign's legacy `.sig` tag: a simple-signing document, its
//! signature and what vouches for it in annotations.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::SignError;
use super::entry::Entry;
use super::held::Held;
use super::key::pem;
use crate::digest::{Digest, VerifiedBlob, hex};
use crate::evidence::{Candidate, Origin, OriginKind};
use crate::limits::Limits;
use crate::time::Timestamp;
use crate::trust::TrustRoot;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// A signed simple-signing document that our own verifier accepted, ready to be a layer.
#[derive(Debug, Clone)]
pub struct LegacySignature {
    payload: VerifiedBlob,
    annotations: BTreeMap<String, String>,
}

impl LegacySignature {
    pub(super) fn new(
        payload: &[u8],
        signature: &[u8],
        leaf: Option<&[u8]>,
        chain: &[Vec<u8>],
        entry: &Entry,
        timestamp: Option<&[u8]>,
    ) -> Self {
        let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let mut annotations = BTreeMap::from([(SIGNATURE.to_owned(), base64(signature))]);
        let mut annotate = |name: &str, value: String| annotations.insert(name.to_owned(), value);
        if let Some(leaf) = leaf {
            annotate(CERTIFICATE, pem("CERTIFICATE", leaf));
            annotate(CHAIN, chain.iter().map(|der| pem("CERTIFICATE", der)).collect());
        }
        // cosign, `RekorBundle`: the log's promise and what it is over.
        if let Some(promise) = &entry.inclusion_promise {
            let bundle = json!({
                "SignedEntryTimestamp": base64(&promise.signed_entry_timestamp),
                "Payload": {
                    "body": base64(&entry.canonicalized_body),
                    "integratedTime": entry.integrated_time.unwrap_or_default(),
                    "logIndex": entry.log_index,
                    "logID": hex(&entry.log_id.key_id),
                },
            });
            annotate(BUNDLE, bundle.to_string());
        }
        if let Some(timestamp) = timestamp {
            annotate(TIMESTAMP, json!({ "SignedRFC3161Timestamp": base64(timestamp) }).to_string());
        }
        Self { payload: VerifiedBlob::of(payload.to_vec()), annotations }
    }

    /// Refuses what whoever verifies the image later would refuse.
    pub(super) fn verify(
        &self,
        subject: &Digest,
        key: Option<&str>,
        trust: &TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<(), SignError> {
        Held::check(&self.candidate(), subject, key, trust, now, limits).map(drop)
    }

    /// The layer as evidence.
    fn candidate(&self) -> Candidate {
        let origin = Origin::new(OriginKind::LegacySignature, self.payload.digest().to_string());
        Candidate::simple_signing(self.payload.clone(), self.annotations.clone(), origin)
    }

    /// The simple-signing document, byte for byte as it was signed: the layer.
    #[must_use]
    pub fn payload(&self) -> &VerifiedBlob {
        &self.payload
    }

    /// The annotations of the layer.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}
