//! What became of one candidate: its rows, and what they prove.

use crate::check::{Check, CheckName, Failure, Outcome};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{Candidate, Content, Origin, Unread};
use crate::policy::ProvenanceRow;
use crate::sigstore::Proven;
use crate::verify::State;
use crate::verify::verified::{VerifiedAttestation, VerifiedBundle, VerifiedSignature};

/// What became of one candidate: every check, and what it proved.
#[derive(Debug, Clone)]
pub struct Assessed {
    pub(super) target: usize,
    pub(super) origin: Origin,
    pub(super) also_at: Vec<Origin>,
    pub(super) digest: Option<Digest>,
    pub(super) manifest_digest: Option<Digest>,
    pub(super) size: u64,
    pub(super) subject: Option<Digest>,
    pub(super) predicate_type: Option<String>,
    pub(super) checks: Vec<Check>,
    pub(super) unread: Option<Unread>,
    pub(super) skipped: bool,
    pub(super) unsigned: bool,
    pub(super) verified: Option<VerifiedBundle>,
    pub(super) accepted: Option<Accepted>,
    pub(super) content: Option<Content>,
    /// What makes two candidates the same piece of evidence in two formats.
    pub(super) signature: Option<Digest>,
}

/// What the policy accepts of a candidate whose every row passed, age aside.
#[derive(Debug, Clone)]
pub(super) enum Accepted {
    Signature(VerifiedSignature),
    /// Without what nobody wants kept ([`Keep::Verdict`](super::Keep)).
    Attestation(Option<Box<VerifiedAttestation>>),
}

impl Assessed {
    pub(super) fn blank(candidate: &Candidate) -> Self {
        let unread = match &candidate.content {
            Content::Failed(unread) => Some(unread.clone()),
            _ => None,
        };
        Self {
            target: candidate.target,
            origin: candidate.origin.clone(),
            also_at: Vec::new(),
            digest: candidate.digest.clone(),
            manifest_digest: candidate.manifest_digest.clone(),
            size: candidate.size,
            subject: None,
            predicate_type: candidate.hint.clone(),
            checks: CheckName::ALL.iter().map(|name| Check::not_run(*name)).collect(),
            unread,
            skipped: matches!(candidate.content, Content::Skipped),
            unsigned: matches!(candidate.content, Content::Unsigned),
            verified: None,
            accepted: None,
            content: None,
            signature: None,
        }
    }

    /// One row of the verifier's failed; it stopped there, so its other rows are not known.
    pub(super) fn verifier_failed(&mut self, failure: Failure) {
        // Over a limit is not read to the end: undecided, never refused.
        if failure.code == Code::Limit {
            self.unread = Some(Unread::new(failure.code, failure.detail.clone()));
        }
        let name = failure.check;
        self.set(name, Check::fail(failure));
    }

    pub(super) fn verifier_passed(&mut self, proven: &Proven) {
        for &name in CheckName::ALL.iter().filter(|name| name.is_verifiers()) {
            let undated = name == CheckName::Time && proven.times.is_empty();
            let unlogged = matches!(name, CheckName::Log | CheckName::LogEntry) && proven.logs.is_empty();
            let row = if proven.waived.contains(&name) {
                Check::waived(name, "the trust root's profile has none".to_owned())
            } else if undated || unlogged {
                Check::waived(name, "there is none, and none is needed here".to_owned())
            } else {
                Check::pass(name, None)
            };
            self.set(name, row);
        }
    }

    /// The rows of what the provenance has to say. Over a limit it is not read, as any other evidence.
    pub(super) fn provenance(&mut self, rows: Vec<ProvenanceRow>) {
        for (name, result) in rows {
            match result {
                Some(Err(failure)) if failure.code == Code::Limit => self.verifier_failed(failure),
                Some(result) => self.row(result, name),
                None => self.not_run(&[name]),
            }
        }
    }

    pub(super) fn row(&mut self, result: Result<String, Failure>, name: CheckName) {
        let row = match result {
            Ok(detail) => Check::pass(name, Some(detail)),
            Err(failure) => Check::fail(failure),
        };
        self.set(name, row);
    }

    pub(super) fn not_run(&mut self, names: &[CheckName]) {
        for &name in names {
            self.set(name, Check::not_run(name));
        }
    }

    pub(super) fn set(&mut self, name: CheckName, row: Check) {
        if let Some(slot) = self.checks.iter_mut().find(|check| check.name == name) {
            *slot = row;
        }
    }

    /// The rows, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The first row that failed, the rows of the type and the age left aside.
    pub(super) fn failure(&self) -> Option<&Check> {
        let of_requirement = |check: &&Check| matches!(check.name, CheckName::Predicate | CheckName::Age);
        self.checks.iter().filter(|check| !of_requirement(check)).find(|check| check.outcome == Outcome::Fail)
    }

    /// How the candidate stands on its own, whatever is required.
    #[must_use]
    pub fn standing(&self) -> State {
        match (self.failure(), &self.accepted) {
            _ if self.unread.is_some() || self.skipped => State::Undecided,
            _ if self.unsigned => State::Unsigned,
            (Some(check), _) => State::of_row(check),
            (None, Some(_)) => State::Ok,
            (None, None) => State::Invalid,
        }
    }

    /// Where it was found; other places of the same evidence are in [`Assessed::also_at`].
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Other places where the same signature was found and verified.
    #[must_use]
    pub fn also_at(&self) -> &[Origin] {
        &self.also_at
    }

    /// The target it is listed for, by its place in the list of targets.
    #[must_use]
    pub fn target(&self) -> usize {
        self.target
    }

    /// The digest of the bundle or layer.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The digest of the manifest that carries it.
    #[must_use]
    pub fn manifest_digest(&self) -> Option<&Digest> {
        self.manifest_digest.as_ref()
    }

    /// The size of the bundle or layer, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest that it is about: verified only where the rows say so.
    #[must_use]
    pub fn subject(&self) -> Option<&Digest> {
        self.subject.as_ref()
    }

    /// The predicate type that it claims: verified only where the rows say so.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.predicate_type.as_deref()
    }

    /// What the verifier proved; none if it refused.
    #[must_use]
    pub fn verified(&self) -> Option<&VerifiedBundle> {
        self.verified.as_ref()
    }

    /// Why it was not read.
    #[must_use]
    pub fn unread(&self) -> Option<&Unread> {
        self.unread.as_ref()
    }

    /// Whether it was left unread because nothing asks for it.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.skipped
    }

    /// Whether it is an unsigned attestation, which satisfies nothing.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// The signature, if it is one and every row passed but type and age,
    /// which are judged for each requirement.
    #[must_use]
    pub fn signature(&self) -> Option<&VerifiedSignature> {
        match &self.accepted {
            Some(Accepted::Signature(signature)) => Some(signature),
            _ => None,
        }
    }

    /// Whether it is an attestation of which every row passed but type and age,
    /// which are judged for each requirement.
    #[must_use]
    pub fn is_attestation(&self) -> bool {
        matches!(self.accepted, Some(Accepted::Attestation(_)))
    }

    /// The attestation, if [it is one](Self::is_attestation) and statements are
    /// kept ([`Keep`](super::Keep)).
    #[must_use]
    pub fn attestation(&self) -> Option<&VerifiedAttestation> {
        match &self.accepted {
            Some(Accepted::Attestation(attestation)) => attestation.as_deref(),
            _ => None,
        }
    }

    /// The bytes that were verified, in the form in which they were found:
    /// only of what the policy accepts, and only where they were asked for.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }
}
