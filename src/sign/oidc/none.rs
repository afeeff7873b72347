//! No identity anywhere.

use crate::code::Code;

/// No provider gave a token; what each of them was missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no identity to sign with: {}", .0.join("; "))]
pub struct NoIdentity(pub(super) Vec<String>);

impl NoIdentity {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::NoIdentity
    }
}
