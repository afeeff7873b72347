//! Why there is no client.

use crate::code::Code;

/// Why a client cannot be set up so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The certificates are not PEM.
    #[error("the certificates cannot be used: {detail}")]
    Certificates {
        /// What the parser says.
        detail: String,
    },
    /// A registry's name is not a host with an optional port.
    #[error("{name:?} is not a registry: wanted a host, or HOST:PORT")]
    Registry {
        /// The name.
        name: String,
    },
    /// The user agent cannot stand in a header.
    #[error("the user agent has letters that a header cannot have")]
    UserAgent,
}

impl OptionsError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Certificates { .. } => Code::FileUnreadable,
            Self::Registry { .. } => Code::ReferenceInvalid,
            Self::UserAgent => Code::Usage,
        }
    }
}
