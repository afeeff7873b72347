//! What is trusted: the trust roots of Sigstore instances, each with the profile of its evidence.
//!
//! A root is compiled in ([`TrustRoot::embedded`]), given as a file
//! ([`TrustRoot::parse`]), or kept up to date from the instance's TUF
//! repository (`Refresh`, feature `client`).

#[cfg(feature = "client")]
mod cache;
mod findings;
#[cfg(feature = "client")]
mod mirror;
#[cfg(feature = "client")]
mod refresh;
mod root;
mod service;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub use findings::TrustFinding;
#[cfg(feature = "client")]
pub use refresh::Refresh;
pub use root::{Instance, Profile, TrustError, TrustRoot};
pub use service::{ServiceKind, TrustedService};
