//! The outcome for a file: one bundle, and whether it satisfies the policy.

use super::outcome::{trust_warnings, verdict_of};
use super::{BlobDocument, Verdict, Warning};
use crate::digest::Digest;
use crate::evidence::Candidate;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::verify::{Assessed, Assessor, BlobInput, Cell, cell_of_blob};

/// What was decided about one file and one bundle for it.
///
/// As for images, a refusal is a report whose verdict says so. The evidence
/// itself is in [`BlobReport::candidate`].
#[derive(Debug, Clone)]
#[must_use = "a report that nobody looks at has accepted nothing"]
pub struct BlobReport {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) policy: Policy,
    pub(super) trust_source: String,
    pub(super) trust_date: Option<String>,
    pub(super) time: Timestamp,
    pub(super) cells: Vec<Cell>,
    pub(super) candidate: Assessed,
    pub(super) warnings: Vec<Warning>,
}

impl BlobReport {
    /// Verifies `bundle` for a file. `name` is what the report calls the file;
    /// it decides nothing. The levels of requirements have no meaning here.
    pub fn verify(assessor: &Assessor<'_>, name: &str, bundle: &Candidate, blob: &BlobInput<'_>) -> Self {
        let (digest, candidate) = (blob.digest(), assessor.assess_blob(bundle, blob));
        let requirements = assessor.policy().requirements().iter();
        let cells = requirements.map(|r| cell_of_blob(assessor, &candidate, &digest, r)).collect();
        Self {
            name: name.to_owned(),
            digest,
            policy: assessor.policy().clone(),
            trust_source: assessor.trust().source().to_owned(),
            trust_date: assessor.trust().date().map(str::to_owned),
            time: assessor.now(),
            cells,
            candidate,
            warnings: trust_warnings(assessor.trust()).collect(),
        }
    }

    /// The verdict, by the rule of [`Report::verdict`](super::Report::verdict).
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict_of(&self.cells)
    }

    /// What the file is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of the file.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// One cell for each requirement, its target `file`.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The bundle: its rows, and what it proves.
    #[must_use]
    pub fn candidate(&self) -> &Assessed {
        &self.candidate
    }

    /// The policy that was applied.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The time that verified times were compared with.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What people should know besides.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The versioned JSON form.
    #[must_use]
    pub fn document(&self) -> BlobDocument<'_> {
        BlobDocument::of(self)
    }
}
