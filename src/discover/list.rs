//! What is attached to each target, before any of it is read.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::join_all;

use super::manifest::{NoManifest, at_legacy_tag, legacy_tag, listed, refers_to};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{
    Attached, Candidate, Content, Listing, ListingKind, Origin, OriginKind, Target, Unread, classify_manifest, hint,
    is_evidence,
};
use crate::image::{Descriptor, ImageDocument, Index, Manifest, Repository};
use crate::registry::{Context, Pull, RegistryError};

/// Everything that is listed for the targets of an image.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Discovered {
    /// How each place of each target was read.
    pub listings: Vec<Listing>,
    /// What they list, in the order of targets and places.
    pub listed: Vec<Listed>,
}

/// One piece of evidence that is listed.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a list of these lives for one flight of requests")]
#[non_exhaustive]
pub enum Listed {
    /// Nothing more has to be read: it is unsigned, contradicted, or could not be read.
    Done(Candidate),
    /// Its content has to be read.
    Pending(Pending),
}

/// A listed layer that is not read yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pending {
    /// What will be the candidate, with nothing read.
    pub candidate: Candidate,
    pub(super) layer: Descriptor,
    pub(super) kind: OriginKind,
}

impl Pending {
    /// The candidate as it stands while nothing asks for it.
    #[must_use]
    pub fn skip(&self) -> Candidate {
        self.candidate.clone()
    }

    /// The candidate, unread because of `error`.
    #[must_use]
    pub fn failed(&self, error: &RegistryError) -> Candidate {
        Candidate { content: Content::Failed(unread(error)), ..self.candidate.clone() }
    }
}

/// A place of a target, with the manifests that it lists.
struct Place {
    listing: Listing,
    found: Vec<Listed>,
    referrers: Vec<Descriptor>,
}

/// Lists the evidence of some targets, given by their place in the list: all
/// places in one flight, then the referrers' manifests in one flight. `index`
/// adds BuildKit's entries.
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

    let manifests = places.iter().flat_map(|p| p.referrers.iter().map(|descriptor| (p.listing.target, descriptor)));
    let read = manifests.map(|(n, descriptor)| referrer(pull, context, repository, n, &targets[n].digest, descriptor));
    let mut read: std::collections::VecDeque<_> = join_all(read).await.into();

    let mut discovered = Discovered::default();
    for place in places {
        let count = place.referrers.len();
        discovered.listed.extend(place.found);
        discovered.listed.extend(read.drain(..count).flatten());
        discovered.listings.push(place.listing);
    }
    discovered.listed.extend(index.into_iter().flat_map(|index| buildkit(index, targets, which)));
    bound(&mut discovered, targets.len(), context);
    discovered
}

async fn place(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    n: usize,
    target: &Target,
    kind: ListingKind,
) -> Place {
    let mut place = Place { listing: Listing::new(n, kind, None), found: Vec::new(), referrers: Vec::new() };
    let failure = match kind {
        ListingKind::Referrers => match pull.referrers(context, repository, &target.digest).await {
            Ok(referrers) => {
                place.referrers = referrers.descriptors.into_iter().filter(is_evidence).collect();
                None
            }
            Err(error) => Some(unread(&error)),
        },
        ListingKind::SignatureTag | ListingKind::AttestationTag => {
            match legacy(pull, context, repository, n, target, kind).await {
                Ok(found) => {
                    place.found = found;
                    None
                }
                Err(unread) => Some(unread),
            }
        }
    };
    place.listing.failure = failure;
    place
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
    let layer = |attached: Attached| {
        // At the legacy tags the place says what a layer is; SBOMs and images that happen to be there are passed over.
        let fits = match origin_kind {
            OriginKind::LegacySignature => attached.kind == OriginKind::SignatureReferrer,
            _ => attached.kind == OriginKind::LegacyAttestation,
        };
        fits.then(|| pending(n, origin_kind, &tag, &manifest, attached))
    };
    Ok(classify_manifest(&manifest).into_iter().filter_map(layer).collect())
}

/// The evidence in one referrer's manifest.
async fn referrer(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    n: usize,
    subject: &Digest,
    descriptor: &Descriptor,
) -> Vec<Listed> {
    let place = Origin::new(OriginKind::BundleReferrer, descriptor.digest.to_string());
    let done = |content: Content| {
        vec![Listed::Done(Candidate {
            target: n,
            origin: place.clone(),
            digest: None,
            manifest_digest: Some(descriptor.digest.clone()),
            size: descriptor.size,
            hint: hint(&descriptor.annotations),
            content,
        })]
    };
    let manifest = match listed(pull, context, repository, descriptor).await {
        Ok(ImageDocument::Manifest(manifest)) => manifest,
        // An index may refer to an image too; it carries no evidence of its own.
        Ok(ImageDocument::Index(_)) => return Vec::new(),
        Err(NoManifest::Unread(unread)) => return done(Content::Failed(unread)),
        Err(NoManifest::Rejected(why)) => return done(Content::Rejected(why)),
    };
    if let Err(why) = refers_to(manifest.subject(), manifest.blob().digest(), subject) {
        return done(Content::Rejected(why));
    }
    let location = descriptor.digest.to_string();
    classify_manifest(&manifest)
        .into_iter()
        .map(|a| {
            let kind = a.kind;
            pending(n, kind, &location, &manifest, a)
        })
        .collect()
}

fn pending(n: usize, kind: OriginKind, location: &str, manifest: &Manifest, attached: Attached) -> Listed {
    let mut candidate = Candidate {
        target: n,
        origin: Origin::new(kind, location),
        digest: Some(attached.layer.digest.clone()),
        manifest_digest: Some(manifest.blob().digest().clone()),
        size: attached.layer.size,
        hint: attached.hint,
        content: Content::Skipped,
    };
    if kind == OriginKind::Buildkit {
        candidate.content = Content::Unsigned;
        return Listed::Done(candidate);
    }
    Listed::Pending(Pending { candidate, layer: attached.layer, kind })
}

/// BuildKit's attestation manifests inside the index: nobody signed them, and
/// the annotation that links one to a platform is not trusted for anything but showing it.
fn buildkit(index: &Index, targets: &[Target], which: &[usize]) -> Vec<Listed> {
    let entries =
        index.manifests().iter().filter(|d| d.annotation("vnd.docker.reference.type") == Some("attestation-manifest"));
    let listed = entries.filter_map(|descriptor| {
        let subject = descriptor.annotation("vnd.docker.reference.digest")?;
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

/// One piece of evidence is read once, however often it is listed; and a
/// target that lists too many is not read at all, so that a flood cannot hide
/// the genuine one and pass for an absence (scenario I-04).
fn bound(discovered: &mut Discovered, targets: usize, context: &Context) {
    let mut seen = HashSet::new();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let new = |listed: &Listed| {
        // Two signers of one image sign the same document: what differs is beside it, in the annotations.
        let (candidate, annotations) = match listed {
            Listed::Done(candidate) => (candidate, None),
            Listed::Pending(pending) => (&pending.candidate, Some(pending.layer.annotations.clone())),
        };
        let (manifest, content) = (candidate.manifest_digest.clone(), candidate.digest.clone());
        let new = seen.insert((candidate.target, manifest, content, annotations));
        if new {
            *counts.entry(candidate.target).or_default() += 1;
        }
        new
    };
    discovered.listed.retain(new);
    let limit = context.limits().candidates;
    for target in (0..targets).filter(|n| counts.get(n).is_some_and(|count| *count > limit)) {
        let detail = format!("{} pieces of evidence are listed, the limit is {limit}", counts[&target]);
        let failure = Unread::new(Code::Limit, detail);
        discovered.listings.push(Listing::new(target, ListingKind::Referrers, Some(failure)));
        discovered.listed.retain(|listed| match listed {
            Listed::Done(candidate) => candidate.target != target,
            Listed::Pending(pending) => pending.candidate.target != target,
        });
    }
}

pub(super) fn unread(error: &RegistryError) -> Unread {
    Unread::new(error.code(), error.to_string())
}
