//! How many pieces of evidence each target has.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::pending::{Listed, Next};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{Candidate, Listing, ListingKind, Unread};

/// Counts pieces of evidence, so that one is read once, however often it is
/// listed, and a target that lists too many is not read any further.
#[derive(Debug)]
pub(super) struct Tally {
    limit: usize,
    seen: HashSet<Key>,
    counts: BTreeMap<usize, usize>,
}

/// Target, manifest, layer, and the layer's annotations: two signers of one
/// image sign the same document, and what differs is beside it.
type Key = (usize, Option<Digest>, Option<Digest>, Option<BTreeMap<String, String>>);

impl Tally {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, seen: HashSet::new(), counts: BTreeMap::new() }
    }

    /// A referrer is opened: what is in it counts instead.
    pub(super) fn opened(&mut self, referrer: &Candidate) {
        if let Some(count) = self.counts.get_mut(&referrer.target) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a piece; `false` if it was listed before.
    pub(super) fn count(&mut self, listed: &Listed) -> bool {
        let new = self.seen.insert(key(listed));
        if new {
            *self.counts.entry(listed.candidate().target).or_default() += 1;
        }
        new
    }

    /// Leaves out every piece of a target that has more than the limit: a flood
    /// must not hide the genuine piece and pass for an absence (scenario I-04),
    /// so for each such target there is a listing that failed.
    pub(super) fn bound(&self, listed: &mut Vec<Listed>) -> Vec<Listing> {
        let flooded = |target: usize| self.counts.get(&target).filter(|count| **count > self.limit);
        let targets: BTreeSet<usize> = listed.iter().map(|listed| listed.candidate().target).collect();
        listed.retain(|listed| flooded(listed.candidate().target).is_none());
        let failed = |target: usize| {
            let count = flooded(target)?;
            let detail = format!("{count} pieces of evidence are listed, the limit is {}", self.limit);
            Some(Listing::new(target, ListingKind::Referrers, Some(Unread::new(Code::Limit, detail))))
        };
        targets.into_iter().filter_map(failed).collect()
    }
}

fn key(listed: &Listed) -> Key {
    let candidate = listed.candidate();
    let annotations = match listed {
        Listed::Pending(pending) => match &pending.next {
            Next::Layer(layer, _) => Some(layer.annotations.clone()),
            Next::Manifest(_) => None,
        },
        // What came of a referrer that was opened must differ from the referrer.
        Listed::Done(_) => Some(BTreeMap::new()),
    };
    (candidate.target, candidate.manifest_digest.clone(), candidate.digest.clone(), annotations)
}
