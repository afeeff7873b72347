//! The content of one listed layer.

use super::failure::unread;
use super::pending::{Next, Pending, with};
use crate::code::Code;
use crate::evidence::{Candidate, Content, OriginKind, Unread};
use crate::image::Repository;
use crate::registry::{Context, Pull};

/// Reads one layer. What cannot be read is a candidate that says so; a
/// referrer that was not opened has no layer, and is as unread as before.
pub async fn read(pull: &dyn Pull, context: &Context, repository: &Repository, pending: &Pending) -> Candidate {
    let Next::Layer(layer, kind) = &pending.next else { return pending.skip() };
    let limits = context.limits();
    let limit = match kind {
        OriginKind::LegacySignature | OriginKind::SignatureReferrer => limits.payload_bytes,
        _ => limits.attestation_bytes,
    };
    let content = match pull.blob_bytes(context, repository, layer, limit).await {
        Ok(Some(blob)) => {
            let annotations = layer.annotations.clone();
            match kind {
                OriginKind::LegacySignature | OriginKind::SignatureReferrer => {
                    Content::SimpleSigning { payload: blob, annotations }
                }
                OriginKind::LegacyAttestation => Content::Envelope { envelope: blob, annotations },
                _ => Content::Bundle(blob),
            }
        }
        Ok(None) => {
            let detail = format!("{} is listed at {} and not there", layer.digest, pending.candidate.origin.location);
            Content::Failed(Unread::new(Code::EvidenceAbsent, detail))
        }
        Err(error) => Content::Failed(unread(&error)),
    };
    with(&pending.candidate, content)
}
