//! Errors of the command: what, where, and what to do.

use std::fmt;

use cg_attest::attach::AttachError;
use cg_attest::code::Code;
use cg_attest::discover::ResolveError;
use cg_attest::evidence::Unread;
use cg_attest::image::Platform;
use cg_attest::sign::SignError;

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

    /// Something that the image names cannot be read (exit 3).
    pub(crate) fn unread(why: &Unread) -> Self {
        Self::undecided(why.code, &why.detail)
    }

    /// The image is not for this platform, but for these (exit 1).
    pub(crate) fn no_platform(image: &str, wanted: &Platform, has: &[Platform]) -> Self {
        let error = Self::refused(Code::PlatformAbsent, format!("{image}: the image has no {wanted}"));
        let has: Vec<String> = has.iter().map(ToString::to_string).collect();
        if has.is_empty() { error } else { error.hint(format!("it has {}", has.join(", "))) }
    }

    /// A file that was named, `-` for stdin, cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, problem: impl fmt::Display) -> Self {
        let path = if path.as_os_str() == "-" { "stdin".as_ref() } else { path };
        Self::usage(Code::FileUnreadable, format!("{}: {problem}", path.display()))
    }

    /// What a failed signature ends with: what the flags or files are to blame for
    /// is 2, what may pass is 3, what was refused is 1.
    pub(crate) fn signing(error: SignError) -> Self {
        let code = error.code();
        let status = match code {
            Code::NoIdentity
            | Code::TokenInvalid
            | Code::TokenExpired
            | Code::TokenAudience
            | Code::SigningConfig
            | Code::KeyUnusable => ExitStatus::Usage,
            Code::ServiceUnavailable | Code::ServiceRateLimited | Code::Limit | Code::NoCryptoProvider => {
                ExitStatus::Undecided
            }
            Code::Internal => ExitStatus::Internal,
            _ => ExitStatus::Refused,
        };
        Self { status, code, message: error.to_string(), hint: None }
    }

    /// What a failed attachment ends with: what may pass, or could not be read, is
    /// 3; what was refused is 1.
    pub(crate) fn attaching(error: AttachError) -> Self {
        let code = error.code();
        let status = match code {
            Code::Internal => ExitStatus::Internal,
            Code::RegistryUnavailable
            | Code::RegistryRateLimited
            | Code::RegistryDenied
            | Code::RegistryProtocol
            | Code::CredentialScope
            | Code::ImageNotFound
            | Code::ManifestInvalid
            | Code::MediaAmbiguous
            | Code::IndexContended
            | Code::NotListed
            | Code::NotReadBack
            | Code::DigestMismatch
            | Code::FileUnreadable
            | Code::Limit => ExitStatus::Undecided,
            _ => ExitStatus::Refused,
        };
        Self { status, code, message: error.to_string(), hint: None }
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
