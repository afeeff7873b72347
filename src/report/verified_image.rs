//! The value that says: this image may run.

use std::collections::BTreeSet;

use super::{Report, Verdict};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::TargetName;
use crate::image::Platform;
use crate::statement::PredicateType;
use crate::verify::{Assessed, Cell, State, VerifiedAttestation, VerifiedSignature};

/// An image that satisfies its policy, and the evidence for it.
///
/// ```compile_fail
/// let forged = cg_attest::report::VerifiedImage::default();
/// ```
/// ```compile_fail
/// fn forge(report: cg_attest::report::Report) -> cg_attest::report::VerifiedImage {
///     cg_attest::report::VerifiedImage { report }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedImage {
    report: Report,
    digest: Digest,
}

/// A report that accepts nothing. As a text it has the first reasons, with their codes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", reasons(.0))]
pub struct NotAccepted(pub Box<Report>);

impl NotAccepted {
    /// The code of the first reason.
    #[must_use]
    pub fn code(&self) -> Code {
        let first = || decisive(&self.0).find_map(|cell| cell.code);
        self.0.facts().map_or_else(|why| why.code, |_| first().unwrap_or(Code::Internal))
    }
}

/// The cells that the verdict is for: what is undecided does not make a refusal.
fn decisive(report: &Report) -> impl Iterator<Item = &Cell> {
    let is_refused = report.verdict() == Verdict::Refuse;
    let open = report.cells().iter().filter(|cell| !cell.state.is_satisfied());
    open.filter(move |cell| (cell.state == State::Undecided) != is_refused)
}

/// `NAME was refused: linux/amd64 × spdx: missing (no-attestation), …`
fn reasons(report: &Report) -> String {
    let verdict = if report.verdict() == Verdict::Refuse { "was refused" } else { "could not be decided" };
    let name = report.reference();
    if let Err(why) = report.facts() {
        return format!("{name} {verdict}: {} ({})", why.message, why.code);
    }
    let reason = |cell: &Cell| {
        let code = cell.code.map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{} × {}: {}{code}", cell.target, cell.requirement, cell.state.as_str())
    };
    let shown: Vec<String> = decisive(report).take(SHOWN).map(reason).collect();
    let more = match decisive(report).count().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{name} {verdict}: {}{more}", shown.join(", "))
}

/// Reasons in one line.
const SHOWN: usize = 3;

impl VerifiedImage {
    pub(super) fn of(report: Report) -> Result<Self, NotAccepted> {
        let digest = report.facts().ok().map(|facts| facts.digest.clone());
        match (report.verdict(), digest) {
            (Verdict::Accept, Some(digest)) => Ok(Self { report, digest }),
            _ => Err(NotAccepted(Box::new(report))),
        }
    }

    /// The digest that the reference resolved to. What may be run is
    /// [`VerifiedImage::runnable`]: if platforms were picked, only
    /// [`VerifiedImage::platforms`] were looked at.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The platforms that were verified, with their digests.
    pub fn platforms(&self) -> impl Iterator<Item = (&Platform, &Digest)> {
        let targets = self.report.facts().map(|facts| facts.targets.as_slice()).unwrap_or_default();
        targets.iter().filter_map(|target| match &target.name {
            TargetName::Platform(platform) => Some((platform, &target.digest)),
            _ => None,
        })
    }

    /// The digests that may be run: the one that was named, if evidence vouches
    /// for it, else those of the platforms. An index that nobody vouches for
    /// may list more than was looked at.
    #[must_use]
    pub fn runnable(&self) -> Vec<&Digest> {
        let narrowed = self.report.facts().is_ok_and(|facts| facts.narrowed);
        if !narrowed && self.report.vouches_for(&self.digest) {
            return vec![&self.digest];
        }
        self.platforms().map(|(_, digest)| digest).collect()
    }

    /// The candidates that satisfy a requirement: not those that are genuine and too old.
    fn satisfying(&self) -> impl Iterator<Item = &Assessed> {
        let satisfied = self.report.cells().iter().filter(|cell| cell.state.is_satisfied());
        let numbers: BTreeSet<usize> = satisfied.flat_map(|cell| cell.candidates.iter().copied()).collect();
        let all = self.report.candidates().iter().enumerate();
        all.filter(move |(n, _)| numbers.contains(n)).map(|(_, candidate)| candidate)
    }

    /// The attestations of a type that satisfy a requirement and are about a digest;
    /// none where the request keeps no statements ([`Keep`](crate::verify::Keep)).
    pub fn attestations<'a>(
        &'a self,
        subject: &'a Digest,
        predicate: &'a PredicateType,
    ) -> impl Iterator<Item = &'a VerifiedAttestation> {
        let accepted = self.satisfying().filter_map(|candidate| candidate.attestation());
        accepted.filter(move |attestation| {
            let statement = attestation.statement();
            statement.subject() == subject && predicate.matches(statement.statement().predicate_type())
        })
    }

    /// The signatures of a digest that satisfy a requirement.
    pub fn signatures<'a>(&'a self, subject: &'a Digest) -> impl Iterator<Item = &'a VerifiedSignature> {
        let accepted = self.satisfying().filter_map(|candidate| candidate.signature());
        accepted.filter(move |signature| signature.subject() == subject)
    }

    /// The whole report.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
