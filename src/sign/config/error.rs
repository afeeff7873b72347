//! Why no services can be chosen.

use crate::code::Code;

/// Why a signing config cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signing config {source_name} cannot be used: {detail}")]
pub struct ConfigError {
    pub(super) source_name: String,
    pub(super) detail: String,
}

impl ConfigError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::SigningConfig
    }
}

pub(in crate::sign) fn no_promising_log() -> ConfigError {
    let detail = "the legacy format needs a log of version 1, and none takes part".to_owned();
    ConfigError { source_name: "of this run".to_owned(), detail }
}
