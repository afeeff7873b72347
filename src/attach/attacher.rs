//! Who attaches, where to, and how conflicts end.

use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use super::{AttachError, Subjects, Timing};
use crate::digest::Digest;
use crate::image::Repository;
use crate::limits::Limits;
use crate::registry::Push;
use crate::sign::{SignError, SignedBundle};
use crate::time::Timestamp;
use crate::trust::TrustRoot;

/// What happens where the same is attached already: the same predicate type,
/// the same predicate bytes, the same signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Conflict {
    /// It is not attached again.
    #[default]
    SkipSame,
    /// It is attached beside the other.
    Append,
    /// As `SkipSame`, and whatever else is attached of this type by this
    /// signer is deleted afterwards, where the registry deletes.
    Replace,
}

/// A text that is no way to treat what is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not known: wanted skip-same, append or replace")]
pub struct ConflictError(String);

impl FromStr for Conflict {
    type Err = ConflictError;

    fn from_str(text: &str) -> Result<Self, ConflictError> {
        match text {
            "skip-same" => Ok(Self::SkipSame),
            "append" => Ok(Self::Append),
            "replace" => Ok(Self::Replace),
            other => Err(ConflictError(other.chars().take(40).collect())),
        }
    }
}

/// Attaches bundles to images of one registry, layout or memory. Cloning is cheap.
#[derive(Clone)]
pub struct Attacher {
    pub(super) push: Arc<dyn Push>,
    pub(super) trust: TrustRoot,
    pub(super) now: Timestamp,
    pub(super) limits: Limits,
    pub(super) key: Option<String>,
    pub(super) conflict: Conflict,
    pub(super) timing: Timing,
    evidence_repository: Option<Repository>,
    repository: Repository,
}

/// Collects the parts of an [`Attacher`].
#[must_use]
pub struct AttacherBuilder {
    attacher: Attacher,
}

impl AttacherBuilder {
    /// Other bounds than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.attacher.limits = limits;
        self
    }

    /// Evidence goes to this repository and not beside the image (cosign's `COSIGN_REPOSITORY`).
    pub fn evidence_repository(mut self, repository: Option<Repository>) -> Self {
        self.attacher.evidence_repository = repository;
        self
    }

    /// What happens where the same is attached already.
    pub fn conflict(mut self, conflict: Conflict) -> Self {
        self.attacher.conflict = conflict;
        self
    }

    /// The public key, PEM, of bundles that a managed key signed.
    pub fn key(mut self, key: Option<String>) -> Self {
        self.attacher.key = key;
        self
    }

    /// Other waits than the default ones.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.attacher.timing = timing;
        self
    }

    /// The attacher.
    #[must_use]
    pub fn build(self) -> Attacher {
        self.attacher
    }
}

impl Attacher {
    /// Begins an attacher that writes beside the images of `repository`.
    /// Everything that it attaches, and what is there already, is verified
    /// under `trust` at the time `now`.
    pub fn builder(push: Arc<dyn Push>, repository: Repository, trust: TrustRoot, now: Timestamp) -> AttacherBuilder {
        let (limits, conflict, timing) = (Limits::default(), Conflict::default(), Timing::default());
        let attacher =
            Self { push, trust, now, limits, key: None, conflict, timing, evidence_repository: None, repository };
        AttacherBuilder { attacher }
    }

    /// Where evidence is written.
    #[must_use]
    pub fn place(&self) -> &Repository {
        self.evidence_repository.as_ref().unwrap_or(&self.repository)
    }

    /// Verifies a bundle, called `name` in errors, for each digest of the image that it is about.
    ///
    /// # Errors
    /// When it does not hold, or is about none of them (`subject-mismatch`).
    pub fn bundles(&self, name: &str, bytes: Vec<u8>, subjects: &Subjects) -> Result<Vec<SignedBundle>, AttachError> {
        let digests = subjects.all().iter().map(|subject| &subject.descriptor.digest);
        let claimed = SignedBundle::claimed_subjects(&bytes, digests, &self.limits)?;
        if claimed.is_empty() {
            return Err(AttachError::Foreign { what: name.to_owned() });
        }
        let held: Result<Vec<_>, _> = claimed.iter().map(|digest| self.verify(bytes.clone(), digest)).collect();
        Ok(held?)
    }

    /// Verifies a bundle as everything that is attached is verified.
    ///
    /// # Errors
    /// As [`SignedBundle::verify`].
    pub fn verify(&self, bytes: Vec<u8>, subject: &Digest) -> Result<SignedBundle, SignError> {
        let limits = &self.limits;
        match &self.key {
            // A key verifies what keys signed; what certificates signed needs none.
            Some(key) if SignedBundle::is_key_signed(&bytes, limits) => {
                SignedBundle::verify_with_key(bytes, subject, key, &self.trust, self.now, limits)
            }
            _ => SignedBundle::verify(bytes, subject, &self.trust, self.now, limits),
        }
    }
}
