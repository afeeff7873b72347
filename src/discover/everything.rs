//! All the evidence of an image, read without a policy: for showing it.

use futures_util::future::join_all;

use super::list::list;
use super::pending::{Listed, Pending};
use super::{ImageRequest, ResolveError, read, resolve, within};
use crate::evidence::{Candidate, Listing};
use crate::image::Repository;
use crate::registry::{Context, Pull};
use crate::verify::ImageFacts;

/// What is attached to an image, as far as it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Everything<T> {
    /// What is known of the image.
    pub facts: ImageFacts,
    /// How each place of each target was read.
    pub listings: Vec<Listing>,
    /// What was made of each candidate, in the order of targets and places.
    pub found: Vec<T>,
}

/// Reads the evidence whose predicate type, as an annotation claims it, is
/// `wanted`, and gives each piece to `each` as it arrives, so that only what
/// `each` keeps stays in memory. `evidence` is the repository where it is looked for.
///
/// # Errors
/// When the reference is absent, cannot be read or is not an image, or when
/// time runs out before the evidence is listed. What cannot be read after that
/// is a listing or a candidate that says so.
pub async fn everything<T>(
    pull: &dyn Pull,
    context: &Context,
    evidence: &Repository,
    request: &ImageRequest,
    wanted: impl Fn(Option<&str>) -> bool,
    each: impl Fn(&Candidate) -> T,
) -> Result<Everything<T>, ResolveError> {
    let (facts, index) = within(context, "resolving", resolve(pull, context, request)).await??;
    let all: Vec<usize> = (0..facts.targets.len()).collect();
    let listing = list(pull, context, evidence, &facts.targets, &all, index.as_ref());
    let mut discovered = within(context, "listing evidence", listing).await?;
    let listed = std::mem::take(&mut discovered.listed);
    let listed = discovered.open(pull, context, evidence, &facts.targets, listed).await;
    let reading = async |pending: &Pending| {
        if !wanted(pending.candidate.hint.as_deref()) {
            return each(&pending.skip());
        }
        match within(context, "reading evidence", read(pull, context, evidence, pending)).await {
            Ok(candidate) => each(&candidate),
            Err(error) => each(&pending.failed(&error)),
        }
    };
    let found = listed.iter().map(async |listed| match listed {
        Listed::Done(candidate) => each(candidate),
        Listed::Pending(pending) => reading(pending).await,
    });
    let found = join_all(found).await;
    Ok(Everything { facts, listings: discovered.listings, found })
}
