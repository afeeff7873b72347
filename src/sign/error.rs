//! Why something was not signed, or not accepted as signed.

use super::config::ConfigError;
use super::key::KeyError;
use super::oidc::{LoginError, NoIdentity, ProviderError, TokenError};
use super::service::ServiceError;
use crate::check::Failure;
use crate::code::Code;

/// Why a bundle was not made, or was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A bundle of the versions 0.1 or 0.2.
    #[error("the bundle is of the type {media_type}; only bundles of the version 0.3 are attached")]
    OldBundle {
        /// Its media type.
        media_type: &'static str,
    },
    /// A bundle that our own verifier refuses.
    #[error("the bundle does not hold: {0}")]
    Unverified(Failure),
    /// There is nobody to sign as.
    #[error(transparent)]
    NoIdentity(#[from] NoIdentity),
    /// A platform that should have given a token.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A login that did not end in a token.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A token that is not sent.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A signing config that has no services for this.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A service that did not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SignError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::OldBundle { .. } => Code::BundleVersion,
            Self::Unverified(failure) => failure.code,
            Self::NoIdentity(error) => error.code(),
            Self::Provider(error) => error.code(),
            Self::Login(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Config(error) => error.code(),
            Self::Service(error) => error.code(),
            Self::Key(error) => error.code(),
        }
    }
}
