//! Who signs: identity tokens, and where they come from.

mod circleci;
mod detect;
mod environment;
mod file;
mod login;
mod loopback;
mod none;
mod provider;
mod random;
mod token;

pub use detect::{Detected, detect};
pub use environment::Environment;
pub use login::{Login, LoginError, Prompt};
pub use none::{NoIdentity, ProviderError};
pub use provider::{Provider, Skipped, UnknownProvider};
pub(in crate::sign) use token::is_name;
#[cfg(test)]
pub(in crate::sign) use token::tests::token as token_of_test;
pub use token::{DEFAULT_AUDIENCE, Token, TokenError};
