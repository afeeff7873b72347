//! What goes wrong between us and a registry.

use std::time::Duration;

use crate::code::Code;
use crate::digest::BlobError;

/// The kind of a registry failure; it decides the reason code and whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No connection, a broken one, or a 5xx answer.
    Unavailable,
    /// The run's time is over.
    Timeout,
    /// 401 or 403.
    Denied,
    /// 429, or a server that says when to come back.
    RateLimited,
    /// An answer outside the distribution specification.
    Protocol,
    /// The bytes are not the ones that were asked for.
    Digest,
    /// A bound of [`Limits`](crate::limits::Limits) was reached.
    Limit,
    /// Credentials would leave the place that they are for.
    CredentialScope,
    /// The registry lacks something that it listed.
    Absent,
    /// The local folder or file cannot be read or written.
    File,
    /// The registry refuses what was pushed.
    Rejected,
    /// There is no cryptography to speak TLS with.
    NoCrypto,
}

/// A failure of one operation on a registry. It never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {detail}")]
pub struct RegistryError {
    problem: Problem,
    /// What was done, and to what: `GET cgr.dev/v2/chainguard/nginx/manifests/latest`.
    operation: String,
    detail: String,
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl RegistryError {
    /// A failure of `operation`, with what was found and what to do as `detail`.
    #[must_use]
    pub fn new(problem: Problem, operation: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { problem, operation: operation.into(), detail: detail.into(), status: None, retry_after: None }
    }

    /// The same with the HTTP status that was answered.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same with the wait that the server asked for.
    #[must_use]
    pub fn with_retry_after(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait, ..self }
    }

    /// The same with more to tell, appended to the detail as it is.
    #[must_use]
    pub fn and(self, more: &str) -> Self {
        Self { detail: self.detail + more, ..self }
    }

    /// Bytes of `operation` that are not what was asked for.
    #[must_use]
    pub fn mismatch(operation: impl Into<String>, error: &BlobError) -> Self {
        Self::new(Problem::Digest, operation, error.to_string())
    }

    /// The kind of failure.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// What was done.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// What was found.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status, if one was answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the server asks to wait, if it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.problem {
            Problem::Unavailable | Problem::Timeout => Code::RegistryUnavailable,
            Problem::Denied => Code::RegistryDenied,
            Problem::RateLimited => Code::RegistryRateLimited,
            Problem::Protocol | Problem::Rejected => Code::RegistryProtocol,
            Problem::Digest => Code::DigestMismatch,
            Problem::Limit => Code::Limit,
            Problem::CredentialScope => Code::CredentialScope,
            Problem::Absent => Code::EvidenceAbsent,
            Problem::File => Code::FileUnreadable,
            Problem::NoCrypto => Code::NoCryptoProvider,
        }
    }
}
