//! A layer of cosign's legacy `.sig` tag: a simple-signing document, its
//! signature and what vouches for it in annotations.

use std::collections::BTreeMap;

use super::SignError;
use super::entry::Entry;
use super::held::Held;
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::{Candidate, Origin, OriginKind, annotations};
use crate::limits::Limits;
use crate::sigstore::{LegacyEntry, LegacyParts, LegacySigned};
use crate::time::Timestamp;
use crate::trust::TrustRoot;

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
        let parts = LegacyParts {
            certificates: leaf.map(<[u8]>::to_vec).into_iter().chain(chain.iter().cloned()).collect(),
            entry: entry.inclusion_promise.as_ref().map(|promise| LegacyEntry {
                signed_entry_timestamp: promise.signed_entry_timestamp.clone(),
                body: entry.canonicalized_body.clone(),
                integrated_time: entry.integrated_time.unwrap_or_default(),
                log_index: entry.log_index,
                log_id: entry.log_id.key_id.clone(),
            }),
            timestamp: timestamp.map(<[u8]>::to_vec),
            signed: LegacySigned::Payload { signature: signature.to_vec() },
        };
        let annotations = annotations::written(&parts, None);
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
