//! What is attached to a subject already, read and verified.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{AttachError, Attacher, Subject};
use crate::code::Code;
use crate::digest::Digest;
use crate::discover::{NoManifest, listed, refers_to};
use crate::evidence::{Attached, OriginKind, Unread, classify_manifest, hint, is_evidence};
use crate::image::{Descriptor, ImageDocument};
use crate::registry::{Context, ReferrersSource};
use crate::sign::SignedBundle;

/// A bundle that is attached and holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Existing {
    /// The manifest that attaches it.
    pub manifest: Digest,
    /// The bundle.
    pub bundle: SignedBundle,
}

/// What is attached to one subject.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The bundles of the types that were asked for.
    pub(super) bundles: Vec<Existing>,
    /// The predicate types that were asked for.
    pub(super) read: BTreeSet<Option<String>>,
    /// Every manifest that is listed, of whatever kind.
    pub(super) listed: BTreeSet<Digest>,
    pub(super) source: ReferrersSource,
}

impl Attacher {
    /// The bundles that are attached to a subject and of one of the predicate
    /// types `wanted` (`None` stands for a signature of the manifest itself);
    /// at most two requests for each besides the listing. What does not hold
    /// under the trust root is left out: it is nobody's evidence.
    ///
    /// What is not known is not taken for absent (promise 5): a listing, or
    /// something that it lists, that cannot be read is an error.
    pub(super) async fn found(
        &self,
        context: &Context,
        subject: &Subject,
        wanted: BTreeSet<Option<String>>,
    ) -> Result<Found, AttachError> {
        let listing = self.push.referrers(context, self.place(), &subject.descriptor.digest).await?;
        let listed = listing.descriptors.iter().map(|descriptor| descriptor.digest.clone()).collect();
        // An annotation that names another type saves two requests; no annotation says nothing.
        let may_be = |descriptor: &&Descriptor| {
            !wanted.is_empty()
                && is_evidence(descriptor)
                && hint(&descriptor.annotations).is_none_or(|claimed| wanted.contains(&Some(claimed)))
        };
        let read = listing.descriptors.iter().filter(may_be).map(|descriptor| self.read(context, subject, descriptor));
        let mut bundles = Vec::new();
        for read in join_all(read).await {
            let Some(existing) = read? else { continue };
            if wanted.contains(&existing.bundle.predicate_type().map(str::to_owned)) {
                bundles.push(existing);
            }
        }
        Ok(Found { bundles, read: wanted, listed, source: listing.source })
    }

    /// One referrer; `None` if it is no bundle that holds.
    pub(super) async fn read(
        &self,
        context: &Context,
        subject: &Subject,
        descriptor: &Descriptor,
    ) -> Result<Option<Existing>, AttachError> {
        let repository = self.place();
        let manifest = match listed(&*self.push, context, repository, descriptor).await {
            Ok(ImageDocument::Manifest(manifest)) => manifest,
            Ok(ImageDocument::Index(_)) | Err(NoManifest::Rejected(_)) => return Ok(None),
            Err(NoManifest::Unread(unread)) => return absent_or(unread),
        };
        if refers_to(manifest.subject(), &descriptor.digest, &subject.descriptor.digest).is_err() {
            return Ok(None);
        }
        let attached = classify_manifest(&manifest);
        let [Attached { kind: OriginKind::BundleReferrer, layer, .. }] = attached.as_slice() else { return Ok(None) };
        let limit = context.limits().attestation_bytes;
        let Some(blob) = self.push.blob_bytes(context, repository, layer, limit).await? else { return Ok(None) };
        let held = self.verify(blob.bytes().to_vec(), &subject.descriptor.digest);
        Ok(held.ok().map(|bundle| Existing { manifest: descriptor.digest.clone(), bundle }))
    }
}

/// A manifest that is listed and was deleted attaches nothing.
fn absent_or(unread: Unread) -> Result<Option<Existing>, AttachError> {
    if unread.code == Code::EvidenceAbsent { Ok(None) } else { Err(AttachError::Unread(unread)) }
}
