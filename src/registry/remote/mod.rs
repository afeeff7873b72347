//! Registries over HTTP (OCI distribution specification 1.1).
//!
//! A request goes through these, from the outside in: `retry` (attempts and
//! deadline), `gate` (how many at once), `auth` (who we are), `exchange`
//! (redirects), `transport` (one request, one answer).

mod address;
mod answer;
mod auth;
mod blob;
mod call;
mod challenge;
mod client;
mod credentials;
mod error;
mod exchange;
mod gate;
mod grant;
mod link;
mod options;
mod push;
mod referrers;
mod retry;
mod session;
mod target;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod token;
mod transport;

pub use client::Remote;
pub use credentials::{CredentialFiles, Login};
pub use error::OptionsError;
pub use options::RemoteOptions;
