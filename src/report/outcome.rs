//! The report as a value.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{BASE, BaseRecord, Document, NotAccepted, VerifiedImage};
use crate::code::Code;
use crate::digest::Digest;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::trust::TrustRoot;
use crate::verify::{Assessed, Assessor, Cell, ImageFacts, State};

/// May the image run?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Every requirement is satisfied.
    Accept,
    /// All the evidence was read, and a requirement is not satisfied.
    Refuse,
    /// Something could not be read that could have satisfied a requirement.
    Undecided,
}

impl Verdict {
    /// The exit code of the command: 0, 1 or 3.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Accept => 0,
            Self::Refuse => 1,
            Self::Undecided => 3,
        }
    }
}

/// Something that people should know and that does not change the verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The reason.
    pub code: Code,
    /// The reason in words.
    pub message: String,
}

/// Why there is no image to speak of: the reference could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unresolved {
    /// The reason.
    pub code: Code,
    /// The reason in words.
    pub message: String,
}

impl Unresolved {
    /// A reason.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What the verification cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Requests sent, retries and tokens included.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// Milliseconds by phase.
    pub phases: BTreeMap<&'static str, f64>,
}

/// Everything that was found and decided about one image.
///
/// A refusal is not an error: it is a report whose verdict says so, and
/// [`Report::into_verified`] is the only way to a [`VerifiedImage`].
#[derive(Debug, Clone)]
#[must_use = "a report that nobody looks at has accepted nothing"]
pub struct Report {
    pub(super) facts: Result<ImageFacts, (String, Unresolved)>,
    pub(super) policy: Option<Policy>,
    pub(super) trust_source: String,
    pub(super) trust_date: Option<String>,
    pub(super) time: Timestamp,
    pub(super) cells: Vec<Cell>,
    pub(super) candidates: Vec<Assessed>,
    pub(super) warnings: Vec<Warning>,
    pub(super) stats: Option<Stats>,
    pub(super) bases: Vec<BaseRecord>,
}

impl Report {
    pub(crate) fn new(
        assessor: &Assessor<'_>,
        facts: &ImageFacts,
        cells: Vec<Cell>,
        candidates: Vec<Assessed>,
        warnings: Vec<(Code, String)>,
    ) -> Self {
        let warnings = warnings.into_iter().map(|(code, message)| Warning { code, message });
        Self {
            facts: Ok(facts.clone()),
            policy: Some(assessor.policy().clone()),
            trust_source: assessor.trust().source().to_owned(),
            trust_date: assessor.trust().date().map(str::to_owned),
            time: assessor.now(),
            cells,
            candidates,
            warnings: trust_warnings(assessor.trust()).chain(warnings).collect(),
            stats: None,
            bases: Vec::new(),
        }
    }

    /// The report on an image that could not even be resolved: undecided.
    /// There may be no policy, when it is the name that cannot be read.
    pub fn unresolved(
        reference: &str,
        why: Unresolved,
        policy: Option<&Policy>,
        trust: &TrustRoot,
        time: Timestamp,
    ) -> Self {
        Self {
            facts: Err((reference.to_owned(), why)),
            policy: policy.cloned(),
            trust_source: trust.source().to_owned(),
            trust_date: trust.date().map(str::to_owned),
            time,
            cells: Vec::new(),
            candidates: Vec::new(),
            warnings: trust_warnings(trust).collect(),
            stats: None,
            bases: Vec::new(),
        }
    }

    /// The same with what it cost.
    pub fn with_stats(self, stats: Stats) -> Self {
        Self { stats: Some(stats), ..self }
    }

    /// The same without what it cost, so that equal evidence gives equal documents.
    pub fn without_stats(self) -> Self {
        Self { stats: None, ..self }
    }

    /// The same with cells for what the image is built on. More cells never accept what fewer refused.
    #[cfg(feature = "client")]
    pub(crate) fn with_bases(mut self, cells: Vec<Cell>, bases: Vec<BaseRecord>, spent: (u64, u64)) -> Self {
        self.cells.extend(cells);
        if let Some(stats) = &mut self.stats {
            stats.requests += spent.0;
            stats.bytes += spent.1;
        }
        self.bases = bases;
        self
    }

    /// The same with cells in the place of those of the same target and
    /// requirement. What was decided by evidence keeps its cell.
    #[cfg(feature = "scan")]
    pub(crate) fn with_layers(mut self, judged: Vec<Cell>, spent: (u64, u64)) -> Self {
        for cell in &mut self.cells {
            let is_it = |judged: &&Cell| (&judged.target, &judged.requirement) == (&cell.target, &cell.requirement);
            if cell.code == Some(Code::LayersNotRead)
                && let Some(judged) = judged.iter().find(is_it)
            {
                *cell = judged.clone();
            }
        }
        if let Some(stats) = &mut self.stats {
            stats.requests += spent.0;
            stats.bytes += spent.1;
        }
        self
    }

    /// What the platforms are built on, where that was asked.
    #[must_use]
    pub fn bases(&self) -> &[BaseRecord] {
        &self.bases
    }

    /// The verdict: refuse if any cell is refused, else undecided if any is
    /// undecided, else accept. Without a cell nothing was asked, and nothing is accepted.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.facts.is_err() {
            return Verdict::Undecided;
        }
        verdict_of(&self.cells)
    }

    /// What is known of the image; the error says why it could not be resolved.
    ///
    /// # Errors
    /// When the reference could not be resolved.
    pub fn facts(&self) -> Result<&ImageFacts, &Unresolved> {
        self.facts.as_ref().map_err(|(_, why)| why)
    }

    /// The reference as the user wrote it.
    #[must_use]
    pub fn reference(&self) -> &str {
        match &self.facts {
            Ok(facts) => &facts.reference,
            Err((reference, _)) => reference,
        }
    }

    /// The cells of the matrix, one requirement after the other.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Every candidate, sorted by target, origin and digest.
    #[must_use]
    pub fn candidates(&self) -> &[Assessed] {
        &self.candidates
    }

    /// The newest of the candidates that satisfy a cell, by what vouches for its time: the
    /// one that is meant where one statement is wanted. `None` where none satisfies it.
    #[must_use]
    pub fn newest(&self, cell: &Cell) -> Option<&Assessed> {
        let satisfying = cell.candidates.iter().filter(|_| cell.state.is_satisfied());
        let time =
            |candidate: &&Assessed| candidate.verified().and_then(|bundle| bundle.times().last()).map(|t| t.time);
        satisfying.filter_map(|n| self.candidates.get(*n)).max_by_key(time)
    }

    /// The newest attestation that takes the place of this one: of the same type
    /// about the same digest, by the same signer, at a later verified time. None
    /// for what the policy does not accept, for signatures and for the newest itself.
    /// Both are genuine, and either satisfies a requirement.
    #[must_use]
    pub fn superseded_by(&self, candidate: &Assessed) -> Option<&Assessed> {
        let who = |candidate: &Assessed| {
            let signer = candidate.verified().filter(|_| candidate.is_attestation())?.signer();
            Some((signer.identity().clone(), signer.issuer().map(str::to_owned)))
        };
        let what = |candidate: &Assessed| Some((candidate.subject()?.clone(), candidate.predicate_type()?.to_owned()));
        let when = |candidate: &Assessed| candidate.verified()?.times().first().map(|verified| verified.time);
        let (signer, said, time) = (who(candidate)?, what(candidate)?, when(candidate)?);
        let newer = self.candidates.iter().filter(|other| {
            when(other).is_some_and(|other| other > time)
                && what(other).is_some_and(|other| other == said)
                && who(other).is_some_and(|other| other == signer)
        });
        newer.max_by_key(|other| when(other))
    }

    /// What people should know besides.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Whether a requirement is satisfied by evidence about this very digest. What it is built on is no such evidence.
    pub(crate) fn vouches_for(&self, digest: &Digest) -> bool {
        let vouches = |cell: &&Cell| cell.state == State::Ok && cell.requirement != BASE;
        self.cells.iter().filter(vouches).any(|cell| cell.digest.as_ref() == Some(digest))
    }

    /// The policy that was applied; none where the image's name could not be read.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The time that verified times were compared with.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Where the trust root came from, and its date.
    #[must_use]
    pub fn trust_root(&self) -> (&str, Option<&str>) {
        (&self.trust_source, self.trust_date.as_deref())
    }

    /// What it cost, where that was measured.
    #[must_use]
    pub fn stats(&self) -> Option<&Stats> {
        self.stats.as_ref()
    }

    /// The versioned JSON form.
    #[must_use]
    pub fn document(&self) -> Document<'_> {
        Document::of(self)
    }

    /// The image, if it was accepted.
    ///
    /// # Errors
    /// With the whole report when it was refused or undecided.
    pub fn into_verified(self) -> Result<VerifiedImage, NotAccepted> {
        VerifiedImage::of(self)
    }
}

/// The verdict of cells: none at all is not accepted.
pub(super) fn verdict_of(cells: &[Cell]) -> Verdict {
    let undecided = |cell: &Cell| cell.state == State::Undecided;
    if cells.is_empty() || cells.iter().any(|cell| !cell.state.is_satisfied() && !undecided(cell)) {
        Verdict::Refuse
    } else if cells.iter().any(undecided) {
        Verdict::Undecided
    } else {
        Verdict::Accept
    }
}

pub(super) fn trust_warnings(trust: &TrustRoot) -> impl Iterator<Item = Warning> {
    trust.warnings().iter().map(|text| Warning { code: Code::TrustRoot, message: text.clone() })
}
