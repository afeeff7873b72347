//! Candidates and requirements, put together to cells and a verdict.

use super::assess::age_row;
use super::merge::merge;
use super::signed::is_met_by;
use super::{Assessed, Assessor, Cell, State};
use crate::check::{Check, CheckName};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{Listing, ListingKind, OriginKind, Target, TargetName, Unread};
use crate::image::Platform;
use crate::policy::{Level, Policy, Requirement, Wanted};
use crate::report::Report;
use crate::statement::{COSIGN_SIGN, Family};
use crate::time::Timestamp;

/// What is known of the image that is asked about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImageFacts {
    /// The reference as the user wrote it.
    pub reference: String,
    /// Where its bytes came from, if that is another name.
    pub source: Option<String>,
    /// Where the evidence was looked for, if that is another repository than the image's.
    pub evidence_repository: Option<String>,
    /// The digest that the reference resolved to.
    pub digest: Digest,
    /// The media type of what the digest names.
    pub media_type: String,
    /// Every platform that the index lists.
    pub platforms: Vec<Platform>,
    /// The index and the platforms asked about, or the one image.
    pub targets: Vec<Target>,
    /// Platforms that were asked for and are not in the index.
    pub absent: Vec<Platform>,
    /// Entries of the index that a runtime may pick and that are not among its
    /// platforms: without a platform, or with one that cannot be read.
    pub unnamed: Vec<Digest>,
    /// Whether the user picked platforms, so that the index itself is not what will run.
    pub narrowed: bool,
}

impl ImageFacts {
    /// The facts of an image with nothing picked and nothing absent.
    #[must_use]
    pub fn new(
        reference: impl Into<String>,
        digest: Digest,
        media_type: impl Into<String>,
        targets: Vec<Target>,
    ) -> Self {
        Self {
            reference: reference.into(),
            source: None,
            evidence_repository: None,
            digest,
            media_type: media_type.into(),
            platforms: Vec::new(),
            targets,
            absent: Vec::new(),
            unnamed: Vec::new(),
            narrowed: false,
        }
    }

    /// The images among the targets, those that have layers: of each platform, or the one that was named.
    pub fn images(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.name != TargetName::Index)
    }
}

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

struct Matrix<'a> {
    assessor: &'a Assessor<'a>,
    facts: &'a ImageFacts,
    listings: &'a [Listing],
    candidates: &'a [Assessed],
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
    fn index_for(&self, target: usize) -> Option<usize> {
        let targets = &self.facts.targets;
        let is_platform = matches!(targets[target].name, TargetName::Platform(_));
        targets.iter().position(|t| is_platform && t.name == TargetName::Index)
    }

    /// The candidates of a target, each of which satisfies the requirement alone.
    fn satisfying(&self, target: usize, requirement: &Requirement) -> Vec<usize> {
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

    /// Why a cell is refused: the nearest candidate, or what is attached where.
    fn explain(&self, mut cell: Cell, target: usize, requirement: &Requirement) -> Cell {
        let index = self.index_for(target).filter(|_| requirement.level() == Level::Either);
        let nearest = self.nearest(target, requirement).or_else(|| self.nearest(index?, requirement));
        if let Some((n, nearest)) = nearest {
            cell.candidates = vec![n];
            self.refusal_of(&mut cell, nearest, requirement);
            return cell;
        }
        let about = |c: &&Assessed| c.predicate_type().is_some_and(|t| is_met_by(requirement.wanted(), t));
        if self.candidates.iter().filter(|c| c.unsigned && c.target == target).any(|c| about(&c)) {
            cell.state = State::Unsigned;
            cell.code = Some(Code::Unsigned);
            cell.message = Some("only an unsigned attestation of this type is attached".to_owned());
            return cell;
        }
        let elsewhere: Vec<usize> = (0..self.facts.targets.len())
            .filter(|n| *n != target && !self.satisfying(*n, requirement).is_empty())
            .collect();
        let places: Vec<String> = elsewhere.iter().map(|n| format!("on {}", self.place(*n))).collect();
        let signature = *requirement.wanted() == Wanted::Signature;
        let what = if signature { "signature" } else { "attestation of this type" };
        if self.index_for(target).is_some_and(|index| elsewhere.contains(&index)) && !signature {
            cell.state = State::OnIndex;
            cell.code = Some(Code::OnIndex);
            cell.message = Some(format!(
                "an {what} exists {}, not here; `--level {}=either` accepts the index's",
                places.join(" and "),
                cell.requirement
            ));
            return cell;
        }
        cell.code = Some(if signature { Code::NoSignature } else { Code::NoAttestation });
        cell.message = Some(if places.is_empty() {
            format!("no {what} is attached{}", self.types_at(target, requirement))
        } else {
            format!("an {what} exists {}, not here", places.join(" and ")).replace("an signature", "a signature")
        });
        cell
    }

    fn place(&self, target: usize) -> String {
        match &self.facts.targets[target].name {
            TargetName::Index => "the index".to_owned(),
            other => other.to_string(),
        }
    }

    /// What else is attached to a target, for the message of a missing requirement: by the names that requirements
    /// go by, but other versions of what is missing in full.
    fn types_at(&self, target: usize, missing: &Requirement) -> String {
        let wanted = missing.name();
        let family = Family::name_of(&wanted).unwrap_or(&wanted);
        let name = |found| match found {
            COSIGN_SIGN => "signature",
            found => Family::name_of(found).filter(|name| *name != family).unwrap_or(found),
        };
        let here = self.candidates.iter().filter(|c| c.target == target);
        let mut types: Vec<&str> = here.filter_map(Assessed::predicate_type).map(name).collect();
        types.sort_unstable();
        types.dedup();
        if types.is_empty() { String::new() } else { format!("; attached are {}", types.join(", ")) }
    }

    /// The candidate of the wanted type, or of no known type, that got furthest.
    fn nearest(&self, target: usize, requirement: &Requirement) -> Option<(usize, &Assessed)> {
        let relevant = |c: &Assessed| {
            let of_type = c.predicate_type().is_none_or(|claimed| is_met_by(requirement.wanted(), claimed));
            c.target == target
                && of_type
                && may_hold(c.origin.kind, requirement)
                && !c.unsigned
                && !c.skipped
                && c.unread.is_none()
        };
        let distance = |c: &Assessed| c.failure().map_or(CheckName::Age, |check| check.name);
        let here = self.candidates.iter().enumerate().filter(|(_, c)| relevant(c));
        // The first of equals, so that the order of the report decides.
        here.rev().max_by_key(|(_, c)| distance(c))
    }

    fn refusal_of(&self, cell: &mut Cell, nearest: &Assessed, requirement: &Requirement) {
        let Some(check) = nearest.failure() else {
            // It passed every row and did not satisfy: only its age can be why.
            let stale = age_row(requirement, nearest.verified.as_ref(), self.assessor.now()).and_then(Result::err);
            cell.state = if stale.is_some() { State::Stale } else { State::Invalid };
            cell.code = Some(stale.as_ref().map_or(Code::Internal, |failure| failure.code));
            cell.message = stale.map(|failure| failure.detail);
            return;
        };
        cell.code = check.code;
        cell.message = Some(format!("{}: {}", check.name, check.detail.clone().unwrap_or_default()));
        cell.state = State::of_row(check);
        (cell.wanted, cell.found) = compared(check, self.assessor.policy(), nearest, cell.digest.as_ref());
        if check.name == CheckName::Subject {
            let target = self.facts.targets.iter().position(|t| Some(&t.digest) == nearest.subject.as_ref());
            if let Some(target) = target {
                cell.message =
                    Some(format!("it is about {}, which is {}", nearest_subject(nearest), self.place(target)));
            }
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

/// What a failed row wanted and found, where both are one text that can be compared.
pub(super) fn compared(
    row: &Check,
    policy: &Policy,
    candidate: &Assessed,
    digest: Option<&Digest>,
) -> (Vec<String>, Option<String>) {
    let signer = candidate.verified.as_ref().map(|bundle| bundle.signer());
    match row.name {
        CheckName::Identity => (policy.trusted_names(), signer.map(|s| s.identity().value.clone())),
        CheckName::Issuer => (policy.trusted_issuers(), signer.and_then(|s| s.issuer().map(str::to_owned))),
        CheckName::Subject => {
            (digest.iter().map(ToString::to_string).collect(), candidate.subject.as_ref().map(ToString::to_string))
        }
        _ => (row.wanted.iter().cloned().collect(), row.found.clone()),
    }
}

/// Whether a kind of place can hold what a requirement wants: at the `.sig` tag
/// and in simple-signing referrers there are signatures and nothing else, at
/// the `.att` tag attestations and nothing else.
fn may_hold(kind: OriginKind, requirement: &Requirement) -> bool {
    let signature = *requirement.wanted() == Wanted::Signature;
    match kind {
        OriginKind::LegacySignature | OriginKind::SignatureReferrer => signature,
        OriginKind::LegacyAttestation => !signature,
        _ => true,
    }
}

fn nearest_subject(nearest: &Assessed) -> String {
    nearest.subject.as_ref().map(ToString::to_string).unwrap_or_default()
}
