//! Writing what a plan says, in an order in which nothing is ever listed that
//! is not there, and reading it back.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all, try_join_all};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::error::Part;
use super::fallback::Listing;
use super::referrer::empty_config;
use super::{Action, AttachError, Attacher, Plan, PlannedTarget, Step};
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::TargetName;
use crate::image::{Descriptor, ImageName, media};
use crate::registry::{BoxFuture, Context, Deleted, Pushed, RegistryError, fallback_tag};

/// What a run wrote, every piece of it read back and verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attached {
    /// The manifests that were written, with their targets.
    pub written: Vec<(TargetName, Digest)>,
    /// The manifests that were there already.
    pub skipped: Vec<(TargetName, Digest)>,
    /// The legacy tags that were written.
    pub tags: Vec<(TargetName, String)>,
    /// What was replaced.
    pub replaced: Vec<Replaced>,
    /// Whether the referrers are listed by an index at a tag, because the registry does not list them.
    pub listed_by_tag: bool,
}

/// A manifest that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Replaced {
    /// The subject.
    pub target: TargetName,
    /// The manifest.
    pub manifest: Digest,
    /// What became of it.
    pub outcome: Superseded,
}

/// What became of something that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Superseded {
    /// It is gone.
    Deleted,
    /// It is no longer listed; the registry keeps the manifest.
    Unlisted,
    /// The registry does not delete: it is still there, beside the newer one.
    Kept,
}

/// A target on its way.
struct Progress<'a> {
    target: &'a PlannedTarget,
    written: Vec<&'a Step>,
    listing: Option<Listing>,
    last_write: Option<Instant>,
    failure: Option<AttachError>,
}

impl Attacher {
    /// Writes what the plan says. Dropping the future leaves what was written
    /// so far, of which nothing is listed that is not there.
    ///
    /// # Errors
    /// When something cannot be written, or cannot be read back; with
    /// [`AttachError::Partial`] where a part of it is attached. The same again
    /// completes it.
    pub async fn apply(&self, context: &Context, plan: &Plan) -> Result<Attached, AttachError> {
        let layers = plan.targets.iter().map(|target| self.apply_layers(context, &target.subject, &target.layers));
        let (bundles, layers) = join(self.apply_bundles(context, plan), join_all(layers)).await;
        let (mut attached, mut failure) = bundles;
        for layers in layers {
            match layers {
                Ok(tags) => attached.tags.extend(tags),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let done = attached.written.len() + attached.tags.len();
        match failure {
            None => Ok(attached),
            Some(source) if done == 0 => Err(source),
            Some(source) => {
                let tags = plan.targets.iter().flat_map(|target| &target.layers);
                let tags: BTreeSet<_> =
                    tags.filter(|step| step.action == Action::Write).map(|step| step.layer.tag()).collect();
                let wanted = plan.writes().count() + tags.len();
                Err(AttachError::Partial { done, wanted, source: Box::new(source) })
            }
        }
    }

    async fn apply_bundles(&self, context: &Context, plan: &Plan) -> (Attached, Option<AttachError>) {
        if plan.writes().next().is_some()
            && let Err(error) = self.push_blobs(context, plan).await
        {
            return (Attached::default(), Some(error));
        }
        let mut all = join_all(plan.targets.iter().map(|target| self.write(context, target))).await;
        let lists = all.iter_mut().map(|progress| self.list(context, progress));
        join_all(lists).await;
        let checks = all.iter_mut().map(|progress| self.check_target(context, progress));
        join_all(checks).await;
        // Only what has its successor, verified in its place, is deleted.
        let replacements = all.iter_mut().map(|progress| self.replace(context, progress));
        let replaced: Vec<Replaced> = join_all(replacements).await.into_iter().flatten().collect();
        let settling = all.iter_mut().map(|progress| self.settle(context, progress));
        join_all(settling).await;

        let mut attached = Attached { replaced, ..Attached::default() };
        let mut failure = None;
        for progress in all {
            let name = &progress.target.subject.name;
            attached.listed_by_tag |= progress.listing.is_some();
            attached.written.extend(progress.written.iter().map(|step| (name.clone(), step.manifest.clone())));
            let skipped = progress.target.steps.iter().filter(|step| step.action == Action::Skip);
            attached.skipped.extend(skipped.map(|step| (name.clone(), step.manifest.clone())));
            failure = failure.or(progress.failure);
        }
        (attached, failure)
    }

    /// The empty configuration and every bundle, at once.
    async fn push_blobs(&self, context: &Context, plan: &Plan) -> Result<(), AttachError> {
        let empty = empty_config();
        let bundles: BTreeMap<&Digest, &VerifiedBlob> =
            plan.writes().map(|(_, step)| (step.bundle.digest(), step.bundle.blob())).collect();
        let place = self.place();
        let pushed = |blob| self.again(context, move || self.push.push_new_blob(context, place, blob));
        let config = self.again(context, || self.push.push_blob(context, place, &empty));
        let config: BoxFuture<'_, Result<(), RegistryError>> = Box::pin(config);
        let bundles = bundles.into_values().map(|blob| -> BoxFuture<'_, _> { Box::pin(pushed(blob)) });
        let done = try_join_all(std::iter::once(config).chain(bundles)).await;
        done.map(drop).map_err(|error| AttachError::write(error, Part::Blob))
    }

    /// Every manifest of a target, at once.
    async fn write<'a>(&self, context: &Context, target: &'a PlannedTarget) -> Progress<'a> {
        let steps: Vec<&Step> = target.steps.iter().filter(|step| step.action == Action::Write).collect();
        let pushed = steps.iter().map(|step| self.put(context, step));
        let mut progress = Progress { target, written: Vec::new(), listing: None, last_write: None, failure: None };
        let mut unlisted = Vec::new();
        for (step, pushed) in steps.iter().zip(join_all(pushed).await) {
            match pushed {
                Ok(pushed) => {
                    progress.written.push(step);
                    unlisted.extend((!pushed.subject_listed).then(|| step.entry.clone()));
                }
                Err(error) => progress.failure = progress.failure.or(Some(error)),
            }
        }
        if target.by_tag || !unlisted.is_empty() {
            progress.listing = Some(Listing::of(target.subject.descriptor.digest.clone(), unlisted));
        }
        progress
    }

    /// The manifest of one bundle.
    async fn put(&self, context: &Context, step: &Step) -> Result<Pushed, AttachError> {
        let name = ImageName::Digest(step.manifest.clone());
        let put = || self.push.push_manifest(context, self.place(), &name, media::MANIFEST, &step.content);
        self.again(context, put).await.map_err(|error| AttachError::write(error, Part::Artifact))
    }

    /// The index at the fallback tag, where the registry keeps no list.
    async fn list(&self, context: &Context, progress: &mut Progress<'_>) {
        let Some(listing) = progress.listing.clone().filter(|_| !progress.written.is_empty()) else { return };
        match self.assert(context, progress, &listing).await {
            Ok(written) => progress.last_write = written.or(progress.last_write),
            Err(error) => {
                progress.written.clear();
                progress.failure = Some(error);
            }
        }
    }

    /// What was written is listed, is there, and holds (promise 9).
    async fn check_target(&self, context: &Context, progress: &mut Progress<'_>) {
        if progress.written.is_empty() {
            return;
        }
        // A list at a tag may be undone while others write; `settle` sees to it.
        let listing = match &progress.listing {
            Some(_) => Ok(progress.written.iter().map(|step| step.entry.clone()).collect()),
            None => self.relist(context, progress.target, &progress.written).await,
        };
        let checked = match listing {
            Ok(listing) => self.check(context, progress.target, &progress.written, &listing).await,
            Err(error) => Err(error),
        };
        if let Err(error) = checked {
            progress.written.clear();
            progress.failure = Some(error);
        }
    }

    /// What the registry lists for a target, once everything that was written is among it.
    async fn relist(
        &self,
        context: &Context,
        target: &PlannedTarget,
        written: &[&Step],
    ) -> Result<Vec<Descriptor>, AttachError> {
        let subject = &target.subject;
        let mut pause = self.timing.pause;
        let mut attempts = context.limits().attempts;
        loop {
            let listing = self.push.referrers(context, self.place(), &subject.descriptor.digest).await?.descriptors;
            let is_missing = |step: &&&Step| !listing.iter().any(|listed| listed.digest == step.manifest);
            let missing: Vec<&Step> = written.iter().filter(is_missing).copied().collect();
            let Some(first) = missing.first() else { return Ok(listing) };
            attempts -= 1;
            if attempts == 0 || context.remaining().is_none_or(|left| pause >= left) {
                let (manifest, subject) = (first.manifest.clone(), subject.descriptor.digest.clone());
                return Err(AttachError::NotListed { manifest, subject });
            }
            // Some registries need a moment.
            sleep(pause).await;
            pause *= 2;
            // Others forget one of two that came at once (olareg 0.1.2), so now one after the other.
            for step in missing {
                self.put(context, step).await?;
            }
        }
    }

    /// Reads everything back, as those who verify the image will, and verifies it.
    async fn check(
        &self,
        context: &Context,
        target: &PlannedTarget,
        written: &[&Step],
        listing: &[Descriptor],
    ) -> Result<(), AttachError> {
        let read = written.iter().map(|step| async {
            let found = listing.iter().find(|listed| listed.digest == step.manifest).unwrap_or(&step.entry);
            let read = self.read(context, &target.subject, found).await?;
            match read.filter(|read| read.bundle.digest() == step.bundle.digest()) {
                Some(_) => Ok(()),
                None => Err(AttachError::NotReadBack { manifest: step.manifest.clone() }),
            }
        });
        join_all(read).await.into_iter().collect()
    }

    /// Deletes what was replaced, where everything that replaces it is in place.
    async fn replace(&self, context: &Context, progress: &mut Progress<'_>) -> Vec<Replaced> {
        let older: Vec<Digest> = progress.target.steps.iter().flat_map(|step| step.replaces.clone()).collect();
        if older.is_empty() || progress.failure.is_some() {
            return Vec::new();
        }
        // First off the list, so that nothing is listed that is not there.
        let mut unlisted = false;
        if let Some(listing) = progress.listing.take() {
            let listing = listing.without(older.clone());
            match self.assert(context, progress, &listing).await {
                Ok(written) => {
                    progress.last_write = written.or(progress.last_write);
                    unlisted = true;
                }
                Err(error) => progress.failure = Some(error),
            }
            progress.listing = Some(listing);
        }
        if progress.failure.is_some() {
            return Vec::new();
        }
        let deleted = older.iter().map(|manifest| async {
            let gone = self.again(context, || self.push.delete_manifest(context, self.place(), manifest)).await;
            let outcome = match gone {
                Ok(Deleted::Done | Deleted::Absent) => Superseded::Deleted,
                // Who may write may not always delete; the newer one is there all the same.
                Ok(Deleted::Unsupported) | Err(_) if unlisted => Superseded::Unlisted,
                Ok(Deleted::Unsupported) | Err(_) => Superseded::Kept,
            };
            Replaced { target: progress.target.subject.name.clone(), manifest: manifest.clone(), outcome }
        });
        join_all(deleted).await
    }

    /// Waits until no other writer can undo what was written.
    async fn settle(&self, context: &Context, progress: &mut Progress<'_>) {
        let (Some(listing), Some(written)) = (&progress.listing, progress.last_write) else { return };
        let tagged = self.tagged(context, fallback_tag(&progress.target.subject.descriptor.digest));
        if let Err(error) = tagged.settle(listing, written).await {
            progress.written.clear();
            progress.failure = Some(error);
        }
    }

    async fn assert(
        &self,
        context: &Context,
        progress: &Progress<'_>,
        listing: &Listing,
    ) -> Result<Option<Instant>, AttachError> {
        self.tagged(context, fallback_tag(&progress.target.subject.descriptor.digest)).assert(listing).await
    }
}
