//! Candidates and requirements, put together to cells and a verdict. Why a cell is
//! refused is said in `refusal`.

use super::assess::age_row;
use super::merge::merge;
use super::signed::is_met_by;
use super::{Assessed, Assessor, Cell, ImageFacts, State};
use crate::code::Code;
use crate::evidence::{Listing, ListingKind, OriginKind, Target, TargetName, Unread};
use crate::image::Platform;
use crate::policy::{Level, Requirement, Wanted};
use crate::report::Report;
use crate::time::Timestamp;

/// Decides every cell and so the verdict.
///
/// A cell is `ok` if one candidate satisfies it alone. Without one it is
/// undecided if something unread could have, else refused. The order in which
/// candidates were found changes nothing (scenario O-07).
pub fn decide(assessor: &Assessor<'_>, facts: &ImageFacts, listings: &[Listing], candidates: Vec<Assessed>) -> Report {
    let mut candidates = candidates;
    candidates.sort_by(|a, b| {
        (a.target, &a.origin, &a.manifest_digest, &a.digest).cmp(&(b.target, &b.origin, &b.manifest_digest, &b.digest))
    });
    let candidates = merge(candidates);
    let matrix = Matrix { assessor, facts, listings, candidates: &candidates };
    let mut cells = Vec::new();
    for requirement in assessor.policy().requirements() {
        cells.extend(matrix.row_of(requirement));
    }
    cells.extend(matrix.absent_platforms());
    let unnamed = matrix.unnamed_entries(&cells);
    cells.extend(unnamed);
    let warnings = matrix.warnings(&cells);
    Report::new(assessor, facts, cells, candidates, warnings)
}

/// Everything that a cell is decided from.
pub(super) struct Matrix<'a> {
    pub(super) assessor: &'a Assessor<'a>,
    pub(super) facts: &'a ImageFacts,
    listings: &'a [Listing],
    pub(super) candidates: &'a [Assessed],
}

impl Matrix<'_> {
    /// The cells of one requirement: never none, whatever the image is.
    fn row_of(&self, requirement: &Requirement) -> Vec<Cell> {
        if *requirement.wanted() == Wanted::Layers {
            return self.layers(requirement);
        }
        let targets = &self.facts.targets;
        let is_platform = |t: &Target| matches!(t.name, TargetName::Platform(_));
        let has_platforms = targets.iter().any(is_platform);
        let required = |target: &Target| match (&target.name, requirement.level()) {
            (TargetName::Image, _) => true,
            (TargetName::Platform(_), level) => level != Level::Index,
            (TargetName::Index, Level::Index) => true,
            (TargetName::Index, Level::Platform) => !has_platforms,
            // The signature has to cover what the user named: the index, unless platforms were picked.
            (TargetName::Index, Level::Either) => {
                !has_platforms || (*requirement.wanted() == Wanted::Signature && !self.facts.narrowed)
            }
        };
        // Where platforms were picked the index's own signature is not asked for; that it is there is shown.
        let signed_index = |n: usize| {
            targets[n].name == TargetName::Index
                && *requirement.wanted() == Wanted::Signature
                && requirement.level() == Level::Either
                && !self.satisfying(n, requirement).is_empty()
        };
        let shown = (0..targets.len()).filter(|&n| required(&targets[n]) || signed_index(n));
        shown.map(|n| self.cell(n, requirement)).collect()
    }

    /// Evidence says nothing of layers: a cell for each image that has some,
    /// undecided until somebody reads them.
    fn layers(&self, requirement: &Requirement) -> Vec<Cell> {
        let targets = &self.facts.targets;
        let images = (0..targets.len()).filter(|&n| targets[n].name != TargetName::Index);
        let unread = |n: usize| Cell {
            state: State::Undecided,
            code: Some(Code::LayersNotRead),
            message: Some("the layers were not read".to_owned()),
            ..self.blank(n, requirement)
        };
        let cells: Vec<Cell> = images.map(unread).collect();
        // Without an image nothing agrees with anything.
        if cells.is_empty() { (0..targets.len()).map(|n| self.no_platform(n, requirement)).collect() } else { cells }
    }

    fn no_platform(&self, target: usize, requirement: &Requirement) -> Cell {
        Cell {
            code: Some(Code::PlatformAbsent),
            message: Some("the index lists no platform, and the requirement is for each platform".to_owned()),
            ..self.blank(target, requirement)
        }
    }

    fn cell(&self, target: usize, requirement: &Requirement) -> Cell {
        if requirement.level() == Level::Platform && self.facts.targets[target].name == TargetName::Index {
            return self.no_platform(target, requirement);
        }
        let mut cell = self.blank(target, requirement);
        cell.candidates = self.satisfying(target, requirement);
        if !cell.candidates.is_empty() {
            cell.state = State::Ok;
            return cell;
        }
        let via_index = self.index_for(target).filter(|_| requirement.level() == Level::Either);
        if let Some(index) = via_index {
            cell.candidates = self.satisfying(index, requirement);
            if !cell.candidates.is_empty() {
                cell.state = State::ViaIndex;
                return cell;
            }
        }
        let mut places = [target].into_iter().chain(via_index);
        if let Some(unread) = places.find_map(|place| self.unread(place, requirement)) {
            cell.state = State::Undecided;
            cell.code = Some(unread.code);
            cell.message = Some(unread.detail);
            return cell;
        }
        self.explain(cell, target, requirement)
    }

    fn blank(&self, target: usize, requirement: &Requirement) -> Cell {
        let target = &self.facts.targets[target];
        Cell {
            target: target.name.to_string(),
            digest: Some(target.digest.clone()),
            requirement: requirement.name(),
            state: State::Missing,
            code: None,
            message: None,
            wanted: Vec::new(),
            found: None,
            candidates: Vec::new(),
        }
    }

    /// The index that lists a platform.
    pub(super) fn index_for(&self, target: usize) -> Option<usize> {
        let targets = &self.facts.targets;
        let is_platform = matches!(targets[target].name, TargetName::Platform(_));
        targets.iter().position(|t| is_platform && t.name == TargetName::Index)
    }

    /// The candidates of a target, each of which satisfies the requirement alone.
    pub(super) fn satisfying(&self, target: usize, requirement: &Requirement) -> Vec<usize> {
        let here = self.candidates.iter().enumerate().filter(|(_, c)| c.target == target);
        here.filter(|(_, c)| satisfies(c, requirement, self.assessor.now())).map(|(n, _)| n).collect()
    }

    /// Something of a target that was not read and could have satisfied the requirement.
    fn unread(&self, target: usize, requirement: &Requirement) -> Option<Unread> {
        let listing = self.listings.iter().find_map(|listing| {
            let could = match listing.kind {
                ListingKind::Referrers => true,
                ListingKind::SignatureTag => may_hold(OriginKind::LegacySignature, requirement),
                ListingKind::AttestationTag => may_hold(OriginKind::LegacyAttestation, requirement),
            };
            listing.failure.as_ref().filter(|_| could && listing.target == target).map(|failure| {
                Unread::new(failure.code, format!("{} could not be listed: {}", listing.kind, failure.detail))
            })
        });
        let candidate = || {
            self.candidates.iter().find_map(|c| {
                let could = may_hold(c.origin.kind, requirement) && c.target == target;
                let skipped = || Unread::new(Code::EvidenceAbsent, format!("{} was not read", c.origin.location));
                c.unread.clone().or_else(|| c.skipped.then(skipped)).filter(|_| could)
            })
        };
        listing.or_else(candidate)
    }

    pub(super) fn place(&self, target: usize) -> String {
        match &self.facts.targets[target].name {
            TargetName::Index => "the index".to_owned(),
            other => other.to_string(),
        }
    }

    /// A runtime may pick an entry of the index that has no platform. Where the
    /// index itself is vouched for it belongs there; where only its platforms
    /// are, anybody may have added it.
    fn unnamed_entries(&self, cells: &[Cell]) -> Option<Cell> {
        let first = self.facts.unnamed.first()?;
        let vouched = |cell: &Cell| cell.state == State::Ok && cell.digest.as_ref() == Some(&self.facts.digest);
        if self.facts.narrowed || cells.iter().any(vouched) {
            return None;
        }
        let count = self.facts.unnamed.len();
        let message = format!(
            "nothing vouches for the index itself, and {count} of its entries name no platform that can be read ({first}): \
             a runtime may pick what was not verified; require the index to be signed, or pick platforms"
        );
        Some(Cell {
            target: TargetName::Index.to_string(),
            digest: Some(self.facts.digest.clone()),
            requirement: "platform".to_owned(),
            state: State::Invalid,
            code: Some(Code::MediaAmbiguous),
            message: Some(message),
            wanted: Vec::new(),
            found: None,
            candidates: Vec::new(),
        })
    }

    /// Platforms that have to be in the index, or were asked for, and are not.
    fn absent_platforms(&self) -> Vec<Cell> {
        let required = self.assessor.policy().required_platforms().iter();
        let missing = required.filter(|wanted| !self.facts.platforms.iter().any(|p| p.matches(wanted)));
        let mut absent: Vec<&Platform> = missing.chain(&self.facts.absent).collect();
        absent.sort();
        absent.dedup();
        let listed: Vec<String> = self.facts.platforms.iter().map(ToString::to_string).collect();
        let listed = if listed.is_empty() { "no platform".to_owned() } else { listed.join(", ") };
        let cell = |platform: &&Platform| Cell {
            target: platform.to_string(),
            digest: None,
            requirement: "platform".to_owned(),
            state: State::Missing,
            code: Some(Code::PlatformAbsent),
            message: Some(format!("the image has {listed}")),
            wanted: vec![platform.to_string()],
            found: None,
            candidates: Vec::new(),
        };
        absent.iter().map(cell).collect()
    }

    /// Listings that failed although every cell that they could have filled is satisfied.
    fn warnings(&self, cells: &[Cell]) -> Vec<(Code, String)> {
        let mut warnings: Vec<(Code, String)> = Vec::new();
        for listing in self.listings {
            let Some(failure) = &listing.failure else { continue };
            let target = &self.facts.targets[listing.target];
            let hidden = cells.iter().any(|c| c.state == State::Undecided && c.digest.as_ref() == Some(&target.digest));
            if !hidden {
                let text = format!(
                    "{} of {} could not be listed: {}",
                    listing.kind,
                    self.place(listing.target),
                    failure.detail
                );
                warnings.push((Code::ListingIncomplete, text));
            }
        }
        warnings.sort();
        warnings.dedup();
        warnings
    }
}

/// Whether a candidate satisfies a requirement, alone.
pub(super) fn satisfies(candidate: &Assessed, requirement: &Requirement, now: Timestamp) -> bool {
    let of_the_kind = match requirement.wanted() {
        Wanted::Signature => candidate.signature().is_some() && may_hold(candidate.origin.kind, requirement),
        wanted => {
            candidate.is_attestation() && candidate.predicate_type().is_some_and(|found| is_met_by(wanted, found))
        }
    };
    of_the_kind && !matches!(age_row(requirement, candidate.verified.as_ref(), now), Some(Err(_)))
}

/// Whether a kind of place can hold what a requirement wants: at the `.sig` tag
/// and in simple-signing referrers there are signatures and nothing else, at
/// the `.att` tag attestations and nothing else.
pub(super) fn may_hold(kind: OriginKind, requirement: &Requirement) -> bool {
    let signature = *requirement.wanted() == Wanted::Signature;
    match kind {
        OriginKind::LegacySignature | OriginKind::SignatureReferrer => signature,
        OriginKind::LegacyAttestation => !signature,
        _ => true,
    }
}
