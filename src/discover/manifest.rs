//! The manifests that carry evidence: at the legacy tags, and of referrers.

use super::failure::unread;
use super::within;
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{ListingKind, Unread};
use crate::image::{Descriptor, ImageDocument, ImageName, Manifest, Repository};
use crate::registry::{Context, Pull};

/// Why there is no manifest to look into.
pub(crate) enum NoManifest {
    /// It could not be read.
    Unread(Unread),
    /// It was read, and is not what the listing says.
    Rejected(Unread),
}

/// The longest tag that a registry takes (distribution specification).
const MAX_TAG: usize = 128;

/// The tag of a target in the legacy layout; none for the referrers, and none
/// for a SHA-512 digest, whose tag no registry would take.
pub(super) fn legacy_tag(target: &Digest, kind: ListingKind) -> Option<String> {
    let tag = match kind {
        ListingKind::SignatureTag => target.tag(".sig"),
        ListingKind::AttestationTag => target.tag(".att"),
        ListingKind::Referrers => return None,
    };
    (tag.len() <= MAX_TAG).then_some(tag)
}

/// The manifest at a legacy tag, `None` if the tag is not there.
pub(super) async fn at_legacy_tag(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    tag: &str,
) -> Result<Option<Manifest>, Unread> {
    let name = ImageName::Tag(tag.to_owned());
    let Some(fetched) = pull.manifest(context, repository, &name).await.map_err(|e| unread(&e))? else {
        return Ok(None);
    };
    let manifest = match ImageDocument::parse(fetched.blob, fetched.media_type.as_deref()) {
        Ok(ImageDocument::Manifest(manifest)) => manifest,
        Ok(ImageDocument::Index(_)) => return Err(Unread::new(Code::ManifestInvalid, format!("{tag} is an index"))),
        Err(error) => return Err(Unread::new(error.code(), format!("{tag}: {error}"))),
    };
    let (layers, limit) = (manifest.layers().len(), context.limits().legacy_layers);
    if layers > limit {
        return Err(Unread::new(Code::Limit, format!("{tag} has {layers} layers, the limit is {limit}")));
    }
    Ok(Some(manifest))
}

/// What a listing names: a manifest, or an index.
pub(crate) async fn listed(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    descriptor: &Descriptor,
) -> Result<ImageDocument, NoManifest> {
    let failed = |code, detail| NoManifest::Unread(Unread::new(code, detail));
    let limit = context.limits().manifest_bytes;
    if descriptor.size > limit {
        let detail = format!("the manifest {} has {} bytes, the limit is {limit}", descriptor.digest, descriptor.size);
        return Err(failed(Code::Limit, detail));
    }
    let (blob, media_type) = match descriptor.embedded() {
        Some(blob) => (blob.clone(), Some(descriptor.media_type.clone())),
        None => {
            let name = ImageName::Digest(descriptor.digest.clone());
            match pull.manifest(context, repository, &name).await {
                Ok(Some(fetched)) => (fetched.blob, fetched.media_type),
                Ok(None) => {
                    let detail = format!("the manifest {} is listed and not there", descriptor.digest);
                    return Err(failed(Code::EvidenceAbsent, detail));
                }
                Err(error) => return Err(NoManifest::Unread(unread(&error))),
            }
        }
    };
    ImageDocument::parse(blob.clone(), media_type.as_deref()).map_err(|error| {
        let why = Unread::new(error.code(), error.to_string());
        // The header, or the descriptor where the bytes are in it, is the
        // registry's word and under no digest. Where the document is a whole one
        // without it, nothing is known against the evidence (scenario H-05).
        match ImageDocument::parse(blob, None) {
            Ok(_) => NoManifest::Unread(why),
            Err(_) => NoManifest::Rejected(why),
        }
    })
}

/// The manifest of one image, by the digest that an index or a reference gave.
///
/// # Errors
/// When it cannot be read in time, is not there, or is no manifest of an image.
pub async fn image_manifest(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    digest: &Digest,
) -> Result<Manifest, Unread> {
    let name = ImageName::Digest(digest.clone());
    let asking = pull.manifest(context, repository, &name);
    let fetched = within(context, "reading a manifest", asking).await.and_then(|fetched| fetched);
    let fetched = fetched.map_err(|error| unread(&error))?.ok_or_else(|| {
        Unread::new(Code::EvidenceAbsent, format!("the manifest {digest} of {repository} is listed and not there"))
    })?;
    match ImageDocument::parse(fetched.blob, fetched.media_type.as_deref()) {
        Ok(ImageDocument::Manifest(manifest)) => Ok(manifest),
        Ok(ImageDocument::Index(_)) => {
            let detail = format!("{digest} of {repository} is an index, and the manifest of an image is asked for");
            Err(Unread::new(Code::ManifestInvalid, detail))
        }
        Err(error) => Err(Unread::new(error.code(), error.to_string())),
    }
}

/// The manifest itself says what it refers to; the listing is the registry's
/// word (scenarios H-06, H-17).
pub(crate) fn refers_to(found: Option<&Descriptor>, referrer: &Digest, subject: &Digest) -> Result<(), Unread> {
    if found.is_some_and(|found| found.digest == *subject) {
        return Ok(());
    }
    let found = found.map_or_else(|| "nothing".to_owned(), |found| found.digest.to_string());
    let detail = format!("the manifest {referrer} is listed as referring to {subject} and refers to {found}");
    Err(Unread::new(Code::ReferrerMismatch, detail))
}
