//! Providers that gave no token: none at all, or one that should have.

use super::{Provider, Skipped};
use crate::code::Code;
use crate::sign::SignError;

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

/// A provider that is there and gave no token. Nobody else is asked after it:
/// signing as somebody else would be no help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider} gives no identity token: {source}{}", before(.skipped))]
pub struct ProviderError {
    pub(super) provider: Provider,
    pub(super) skipped: Vec<Skipped>,
    pub(super) source: Box<SignError>,
}

impl ProviderError {
    /// Which one.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Who was looked for before.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.source.code()
    }
}

fn before(skipped: &[Skipped]) -> String {
    let skipped: Vec<String> = skipped.iter().map(Skipped::to_string).collect();
    if skipped.is_empty() { String::new() } else { format!(" (not used: {})", skipped.join("; ")) }
}
