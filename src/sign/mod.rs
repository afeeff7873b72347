//! Making evidence: who signs, with which services, and bundles that were
//! verified before they leave.
//!
//! A [`Session`] takes an identity token ([`oidc`]) or a key, the services that
//! a [`SigningConfig`] chooses, and the trust root that the result has to hold under.
//!
//! ```no_run
//! use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Token};
//! use cg_attest::sign::{Session, SigningConfig};
//! use cg_attest::trust::{Instance, TrustRoot};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let now = std::time::SystemTime::now().try_into()?;
//! let services = SigningConfig::embedded(Instance::PublicGood)?.select(now)?;
//! let token = Token::from_file("token".as_ref())?;
//! let session = Session::keyless(services, token, DEFAULT_AUDIENCE, TrustRoot::embedded(Instance::PublicGood)?)?;
//! let signed = session.sign_file(b"the file").await?;
//! std::fs::write("file.sigstore.json", signed.bytes())?;
//! # Ok(())
//! # }
//! ```
//!
//! # What an answer is checked for, and when
//!
//! | answer | checked at once for | what would pass without it |
//! |---|---|---|
//! | token | audience, end | a token that lets us act elsewhere is sent, or one that is refused later |
//! | certificate | our key, the token's name and issuer, time, an authority of the trust root | an entry in a log with somebody else's certificate |
//! | log entry | our digest, signature and certificate | a bundle with the entry of something else |
//! | timestamp | our signature, our nonce | an old timestamp, played again |
//! | bundle | everything that a verifier checks, under the trust root | evidence that nobody accepts (promise 9) |

mod bundle;
mod certificate;
mod clock;
mod config;
mod draft;
mod encrypted;
mod entry;
mod error;
mod fulcio;
mod held;
mod key;
mod legacy;
pub mod oidc;
mod predicate;
mod rekor_v1;
mod rekor_v2;
mod service;
mod session;
mod signatory;
mod signed_bundle;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod tsa;

pub use config::{Choice, ConfigError, Endpoint, Services, SigningConfig};
pub use draft::{Draft, simple_signing_payload};
pub use error::SignError;
pub(crate) use held::Held;
pub use key::{KeyError, SigningKey};
pub use legacy::LegacySignature;
pub use predicate::{Predicate, PredicateError};
pub use service::{Service, ServiceError};
pub use session::Session;
pub use signatory::Signatory;
pub use signed_bundle::{ContentKind, SignedBundle};
