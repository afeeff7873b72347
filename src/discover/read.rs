//! The content of one listed layer.

use super::Pending;
use super::list::unread;
use crate::code::Code;
use crate::evidence::{Candidate, Content, OriginKind, Unread};
use crate::image::Repository;
use crate::registry::{Context, Pull};

/// Reads one layer. What cannot be read is a candidate that says so.
pub async fn read(pull: &dyn Pull, context: &Context, repository: &Repository, pending: &Pending) -> Candidate {
    let limits = context.limits();
    let limit = match pending.kind {
        OriginKind::LegacySignature | OriginKind::SignatureReferrer => limits.payload_bytes,
        _ => limits.attestation_bytes,
    };
    let content = match pull.blob_bytes(context, repository, &pending.layer, limit).await {
        Ok(Some(blob)) => {
            let annotations = pending.layer.annotations.clone();
            match pending.kind {
                OriginKind::LegacySignature | OriginKind::SignatureReferrer => {
                    Content::SimpleSigning { payload: blob, annotations }
                }
                OriginKind::LegacyAttestation => Content::Envelope { envelope: blob, annotations },
                _ => Content::Bundle(blob),
            }
        }
        Ok(None) => {
            let detail =
                format!("{} is listed at {} and not there", pending.layer.digest, pending.candidate.origin.location);
            Content::Failed(Unread::new(Code::EvidenceAbsent, detail))
        }
        Err(error) => Content::Failed(unread(&error)),
    };
    Candidate { content, ..pending.candidate.clone() }
}
