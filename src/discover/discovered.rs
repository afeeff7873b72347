//! Everything that is listed for an image, and what is in the manifests of its referrers.

use futures_util::future::join_all;

use super::failure::unread;
use super::manifest::{NoManifest, listed, refers_to};
use super::pending::{Listed, Next, Pending, with};
use super::tally::Tally;
use super::within;
use crate::digest::Digest;
use crate::evidence::{Attached, Candidate, Content, Listing, Target, classify_manifest};
use crate::image::{Descriptor, ImageDocument, Repository};
use crate::registry::{Context, Pull};

/// Everything that is listed for the targets of an image.
#[derive(Debug)]
#[non_exhaustive]
pub struct Discovered {
    /// How each place of each target was read.
    pub listings: Vec<Listing>,
    /// What they list, in the order of targets and places. Of referrers only
    /// the descriptors are known; [`open`](Self::open) reads their manifests.
    pub listed: Vec<Listed>,
    pub(super) tally: Tally,
}

impl Discovered {
    /// Nothing is listed, and nothing has been looked at.
    #[must_use]
    pub fn nothing(context: &Context) -> Self {
        let tally = Tally::new(context.limits().candidates);
        Self { listings: Vec::new(), listed: Vec::new(), tally }
    }

    /// Reads the manifests of the referrers among `listed`, in one flight, and
    /// answers what is in them, in the same order; everything else stays as it
    /// is. A target that turns out to have too much becomes a listing that failed.
    pub async fn open(
        &mut self,
        pull: &dyn Pull,
        context: &Context,
        repository: &Repository,
        targets: &[Target],
        listed: Vec<Listed>,
    ) -> Vec<Listed> {
        let opening = listed.into_iter().map(async |listed| match listed {
            Listed::Pending(Pending { candidate, next: Next::Manifest(descriptor) }) => {
                let subject = &targets[candidate.target].digest;
                let inside = inside(pull, context, repository, subject, &candidate, &descriptor);
                let inside = within(context, "reading a referrer's manifest", inside).await;
                let failed = |error| vec![Listed::Done(with(&candidate, Content::Failed(unread(&error))))];
                (inside.unwrap_or_else(failed), Some(candidate))
            }
            other => (vec![other], None),
        });
        let mut all = Vec::new();
        for (mut inside, referrer) in join_all(opening).await {
            if let Some(referrer) = referrer {
                self.tally.opened(&referrer);
                inside.retain(|listed| self.tally.count(listed));
            }
            all.extend(inside);
        }
        self.listings.extend(self.tally.bound(&mut all));
        all
    }
}

/// The evidence in one referrer's manifest.
async fn inside(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    subject: &Digest,
    referrer: &Candidate,
    descriptor: &Descriptor,
) -> Vec<Listed> {
    let done = |content: Content| vec![Listed::Done(with(referrer, content))];
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
    let (target, location) = (referrer.target, &referrer.origin.location);
    let layer = |attached: Attached| Listed::layer(target, attached.kind, location, &manifest, attached);
    classify_manifest(&manifest).into_iter().map(layer).collect()
}
