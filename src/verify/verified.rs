//! Values that exist only because every check before them ran and passed.
//!
//! `VerifiedBundle` → `VerifiedStatement` or `VerifiedSimpleSigning` →
//! `VerifiedAttestation` or `VerifiedSignature`: each is made by one function
//! of this room, has private fields, no constructor and no `Deserialize`.

use serde::Serialize;

use crate::digest::Digest;
use crate::signer::Signer;
use crate::sigstore::Proven;
use crate::statement::{SimpleSigning, Statement};
use crate::time::Timestamp;

/// A bundle whose signature, certificate, log entries and times were verified.
/// Who the signer is, and what was signed, is not judged yet.
///
/// ```compile_fail
/// let forged = cg_attest::verify::VerifiedBundle::default();
/// ```
/// ```compile_fail
/// let forged: Result<cg_attest::verify::VerifiedBundle, _> = serde_json::from_str("{}");
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedBundle {
    signer: Signer,
    times: Vec<VerifiedTime>,
    logs: Vec<LogRecord>,
    instance: String,
}

/// A time at which the signature existed, and what vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct VerifiedTime {
    /// The time.
    pub time: Timestamp,
    /// What vouches for it.
    pub source: TimeSource,
}

/// What vouches for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeSource {
    /// The promise of a transparency log (Rekor v1).
    TransparencyLog,
    /// A signed timestamp (RFC 3161).
    TimestampAuthority,
}

/// A log entry whose proof or promise was verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct LogRecord {
    /// The log's key ID, lower-case hex.
    pub id: String,
    /// The index in the log, decimal.
    pub index: String,
    /// `proof` where inclusion was proven, `promise` where the log only promised it.
    pub evidence: &'static str,
}

impl VerifiedBundle {
    /// Made only from what the verifier proved, by `assess`.
    pub(super) fn new(signer: Signer, proven: &Proven, instance: &str) -> Self {
        let times = proven.times.iter().map(|t| VerifiedTime {
            time: t.time,
            source: if t.from_log { TimeSource::TransparencyLog } else { TimeSource::TimestampAuthority },
        });
        let logs = proven.logs.iter().map(|log| LogRecord {
            id: log.id.clone(),
            index: log.index.to_string(),
            evidence: if log.proof { "proof" } else { "promise" },
        });
        let mut times: Vec<_> = times.collect();
        times.sort();
        Self { signer, times, logs: logs.collect(), instance: instance.to_owned() }
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The verified times, earliest first; at least one unless a managed key signed.
    #[must_use]
    pub fn times(&self) -> &[VerifiedTime] {
        &self.times
    }

    /// The log entries.
    #[must_use]
    pub fn logs(&self) -> &[LogRecord] {
        &self.logs
    }

    /// The Sigstore instance that vouches for all of it.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Whether inclusion is proven for every log entry.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        !self.logs.is_empty() && self.logs.iter().all(|log| log.evidence == "proof")
    }
}

/// A verified bundle whose statement is about the digest asked for.
///
/// ```compile_fail
/// let forged = cg_attest::verify::VerifiedStatement::default();
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    bundle: VerifiedBundle,
    statement: Statement,
    subject: Digest,
}

impl VerifiedStatement {
    /// `None` if the statement is not about `subject`.
    pub(super) fn bind(bundle: VerifiedBundle, statement: Statement, subject: &Digest) -> Option<Self> {
        statement.is_about(subject).then(|| Self { bundle, statement, subject: subject.clone() })
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &VerifiedBundle {
        &self.bundle
    }

    /// The statement, parsed from exactly the bytes that were signed.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.statement.payload().as_bytes()
    }

    /// The digest that was asked for, and that the statement is about.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        &self.subject
    }
}

/// A verified signature over a simple-signing document, or over a manifest
/// itself, that names the digest asked for.
///
/// ```compile_fail
/// let forged = cg_attest::verify::VerifiedSimpleSigning::default();
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedSimpleSigning {
    bundle: VerifiedBundle,
    document: Option<SimpleSigning>,
    subject: Digest,
}

impl VerifiedSimpleSigning {
    /// `None` if the document names another digest.
    pub(super) fn bind(bundle: VerifiedBundle, document: SimpleSigning, subject: &Digest) -> Option<Self> {
        (document.digest == *subject).then(|| Self { bundle, document: Some(document), subject: subject.clone() })
    }

    /// `None` if the message signed is another manifest.
    pub(super) fn bind_message(bundle: VerifiedBundle, message: &Digest, subject: &Digest) -> Option<Self> {
        (message == subject).then(|| Self { bundle, document: None, subject: subject.clone() })
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &VerifiedBundle {
        &self.bundle
    }

    /// The simple-signing document; none where the manifest itself is signed.
    #[must_use]
    pub fn document(&self) -> Option<&SimpleSigning> {
        self.document.as_ref()
    }

    /// The digest that was asked for, and that is signed.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        &self.subject
    }
}

/// An attestation that the policy accepts for a requirement.
///
/// ```compile_fail
/// let forged = cg_attest::verify::VerifiedAttestation::default();
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedAttestation {
    statement: VerifiedStatement,
}

impl VerifiedAttestation {
    /// Made by `assess` once every row that the policy asks for has passed.
    pub(super) fn accept(statement: VerifiedStatement) -> Self {
        Self { statement }
    }

    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &VerifiedStatement {
        &self.statement
    }
}

/// A signature that the policy accepts.
///
/// ```compile_fail
/// let forged = cg_attest::verify::VerifiedSignature::default();
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedSignature {
    form: SignatureForm,
}

#[derive(Debug, Clone)]
enum SignatureForm {
    Simple(Box<VerifiedSimpleSigning>),
    Statement(Box<VerifiedStatement>),
}

impl VerifiedSignature {
    pub(super) fn of_document(simple: VerifiedSimpleSigning) -> Self {
        Self { form: SignatureForm::Simple(Box::new(simple)) }
    }

    pub(super) fn of_statement(statement: VerifiedStatement) -> Self {
        Self { form: SignatureForm::Statement(Box::new(statement)) }
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &VerifiedBundle {
        match &self.form {
            SignatureForm::Simple(simple) => simple.bundle(),
            SignatureForm::Statement(statement) => statement.bundle(),
        }
    }

    /// The simple-signing document, where that is what was signed.
    #[must_use]
    pub fn document(&self) -> Option<&SimpleSigning> {
        match &self.form {
            SignatureForm::Simple(simple) => simple.document(),
            SignatureForm::Statement(_) => None,
        }
    }

    /// The statement, where that is what was signed.
    #[must_use]
    pub fn statement(&self) -> Option<&VerifiedStatement> {
        match &self.form {
            SignatureForm::Simple(_) => None,
            SignatureForm::Statement(statement) => Some(statement),
        }
    }

    /// The digest that is signed.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        match &self.form {
            SignatureForm::Simple(simple) => simple.subject(),
            SignatureForm::Statement(statement) => statement.subject(),
        }
    }
}
