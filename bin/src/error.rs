//! Errors of the command: what, where, and what to do.

use std::fmt;

use cg_attest::code::Code;
use cg_attest::discover::ResolveError;

use crate::exit::ExitStatus;

/// An error that ends the command.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) status: ExitStatus,
    pub(crate) code: Code,
    pub(crate) message: String,
    /// What to do, if that is more than the code's own remedy.
    pub(crate) hint: Option<String>,
}

impl CliError {
    /// A wrong command line, policy or file (exit 2).
    pub(crate) fn usage(code: Code, message: impl fmt::Display) -> Self {
        Self { status: ExitStatus::Usage, code, message: message.to_string(), hint: None }
    }

    /// Something could not be read (exit 3).
    pub(crate) fn undecided(code: Code, message: impl fmt::Display) -> Self {
        Self { status: ExitStatus::Undecided, code, message: message.to_string(), hint: None }
    }

    /// The evidence was read and does not satisfy what was asked (exit 1).
    pub(crate) fn refused(code: Code, message: impl fmt::Display) -> Self {
        Self { status: ExitStatus::Refused, code, message: message.to_string(), hint: None }
    }

    /// The image that was named cannot be looked at (exit 3, as in a report).
    pub(crate) fn unresolved(error: &ResolveError) -> Self {
        Self::undecided(error.code(), error)
    }

    /// A file that was named cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, problem: impl fmt::Display) -> Self {
        Self::usage(Code::FileUnreadable, format!("{}: {problem}", path.display()))
    }

    /// A bug (exit 4).
    pub(crate) fn internal(message: impl fmt::Display) -> Self {
        Self { status: ExitStatus::Internal, code: Code::Internal, message: message.to_string(), hint: None }
    }

    /// The same with what to do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
