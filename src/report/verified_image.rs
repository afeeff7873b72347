//! The value that says: this image may run.

use super::{Report, Verdict};
use crate::digest::Digest;
use crate::evidence::TargetName;
use crate::image::Platform;
use crate::statement::PredicateType;
use crate::verify::{VerifiedAttestation, VerifiedSignature};

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

/// A report that accepts nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} was not accepted", .0.reference())]
pub struct NotAccepted(pub Box<Report>);

impl VerifiedImage {
    pub(super) fn of(report: Report) -> Result<Self, NotAccepted> {
        let digest = report.facts().ok().map(|facts| facts.digest.clone());
        match (report.verdict(), digest) {
            (Verdict::Accept, Some(digest)) => Ok(Self { report, digest }),
            _ => Err(NotAccepted(Box::new(report))),
        }
    }

    /// The digest that the reference resolved to. If platforms were picked,
    /// only [`VerifiedImage::platforms`] were looked at.
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

    /// The digests that may be run: the one that was named, or those of the
    /// platforms that were picked.
    #[must_use]
    pub fn runnable(&self) -> Vec<&Digest> {
        if self.report.facts().is_ok_and(|facts| facts.narrowed) {
            return self.platforms().map(|(_, digest)| digest).collect();
        }
        vec![&self.digest]
    }

    /// The accepted attestations of a type that are about a digest.
    pub fn attestations<'a>(
        &'a self,
        subject: &'a Digest,
        predicate: &'a PredicateType,
    ) -> impl Iterator<Item = &'a VerifiedAttestation> {
        let accepted = self.report.candidates().iter().filter_map(|candidate| candidate.attestation());
        accepted.filter(move |attestation| {
            let statement = attestation.statement();
            statement.subject() == subject && predicate.matches(statement.statement().predicate_type())
        })
    }

    /// The accepted signatures of a digest.
    pub fn signatures<'a>(&'a self, subject: &'a Digest) -> impl Iterator<Item = &'a VerifiedSignature> {
        let accepted = self.report.candidates().iter().filter_map(|candidate| candidate.signature());
        accepted.filter(move |signature| signature.subject() == subject)
    }

    /// The whole report.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
