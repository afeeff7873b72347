//! What is attached to each target, before any of it is read.

use futures_util::future::join_all;

use super::discovered::Discovered;
use super::failure::unread;
use super::manifest::{at_legacy_tag, legacy_tag};
use super::pending::Listed;
use crate::evidence::{
    Attached, Candidate, Content, Listing, ListingKind, Origin, OriginKind, Target, Unread, classify_manifest,
    is_evidence,
};
use crate::image::{Descriptor, Index, Repository};
use crate::registry::{Context, Pull};

/// Lists the evidence of some targets, given by their place in the list: all
/// places in one flight. `index` adds BuildKit's entries.
pub async fn list(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    targets: &[Target],
    which: &[usize],
    index: Option<&Index>,
) -> Discovered {
    let places = which.iter().map(|n| (*n, &targets[*n])).flat_map(|(n, target)| {
        [ListingKind::Referrers, ListingKind::SignatureTag, ListingKind::AttestationTag].map(|kind| (n, target, kind))
    });
    let places = join_all(places.map(|(n, target, kind)| place(pull, context, repository, n, target, kind))).await;

    let mut discovered = Discovered::nothing(context);
    for (listing, found) in places {
        discovered.listed.extend(found);
        discovered.listings.push(listing);
    }
    discovered.listed.extend(index.into_iter().flat_map(|index| buildkit(index, targets, which)));
    let Discovered { listings, listed, tally } = &mut discovered;
    listed.retain(|listed| tally.count(listed));
    listings.extend(tally.bound(listed));
    discovered
}

/// How one place was read, and what it lists.
async fn place(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    n: usize,
    target: &Target,
    kind: ListingKind,
) -> (Listing, Vec<Listed>) {
    let found = match kind {
        ListingKind::Referrers => match pull.referrers(context, repository, &target.digest).await {
            Ok(referrers) => {
                let evidence = referrers.descriptors.into_iter().filter(is_evidence);
                Ok(evidence.map(|descriptor| Listed::referrer(n, descriptor)).collect())
            }
            Err(error) => Err(unread(&error)),
        },
        ListingKind::SignatureTag | ListingKind::AttestationTag => {
            legacy(pull, context, repository, n, target, kind).await
        }
    };
    match found {
        Ok(found) => (Listing::new(n, kind, None), found),
        Err(failure) => (Listing::new(n, kind, Some(failure)), Vec::new()),
    }
}

/// The layers at a legacy tag; a tag that is not there lists nothing.
async fn legacy(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    n: usize,
    target: &Target,
    kind: ListingKind,
) -> Result<Vec<Listed>, Unread> {
    let Some(tag) = legacy_tag(&target.digest, kind) else { return Ok(Vec::new()) };
    let Some(manifest) = at_legacy_tag(pull, context, repository, &tag).await? else { return Ok(Vec::new()) };
    let origin_kind = match kind {
        ListingKind::SignatureTag => OriginKind::LegacySignature,
        _ => OriginKind::LegacyAttestation,
    };
    let fitting = |attached: Attached| {
        // At the legacy tags the place says what a layer is; SBOMs and images that happen to be there are passed over.
        let fits = match origin_kind {
            OriginKind::LegacySignature => attached.kind == OriginKind::SignatureReferrer,
            _ => attached.kind == OriginKind::LegacyAttestation,
        };
        fits.then(|| Listed::layer(n, origin_kind, &tag, &manifest, attached))
    };
    Ok(classify_manifest(&manifest).into_iter().filter_map(fitting).collect())
}

/// BuildKit's attestation manifests inside the index: nobody signed them, and
/// the annotation that links one to a platform is not trusted for anything but showing it.
fn buildkit(index: &Index, targets: &[Target], which: &[usize]) -> Vec<Listed> {
    let listed = unsigned_entries(index).filter_map(|(descriptor, subject)| {
        let target = which.iter().copied().find(|n| targets[*n].digest.to_string() == subject)?;
        Some(Listed::Done(Candidate {
            target,
            origin: Origin::new(OriginKind::Buildkit, descriptor.digest.to_string()),
            digest: None,
            manifest_digest: Some(descriptor.digest.clone()),
            size: descriptor.size,
            hint: None,
            content: Content::Unsigned,
        }))
    });
    listed.collect()
}

/// The entries of an index that BuildKit added, each with the digest that it is said to be about.
pub(super) fn unsigned_entries(index: &Index) -> impl Iterator<Item = (&Descriptor, &str)> {
    let entries =
        index.manifests().iter().filter(|d| d.annotation("vnd.docker.reference.type") == Some("attestation-manifest"));
    entries.filter_map(|descriptor| Some((descriptor, descriptor.annotation("vnd.docker.reference.digest")?)))
}
