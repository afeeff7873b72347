//! A Sigstore instance in memory: certificate authority, certificate
//! transparency log, Rekor v1 and v2 and a timestamp authority, with keys of its own.
//!
//! ```
//! use cg_attest::testing::{Fault, Identity, VirtualSigstore};
//!
//! let sigstore = VirtualSigstore::new();
//! let signer = Identity::email("alice@example.com", "https://accounts.example.com");
//! let bundle = sigstore.sign(&signer).blob(b"hello");
//! let forged = sigstore.sign(&signer).fault(Fault::SctMissing).blob(b"hello");
//! # assert!(bundle.contains("v0.3") && forged.contains("v0.3"));
//! # assert!(sigstore.trusted_root_json().contains("certificateAuthorities"));
//! ```

mod authority;
mod ct;
mod der;
mod entry;
mod fault;
mod form;
mod identity;
mod instance;
mod key;
mod legacy;
mod log;
mod mint;
mod tree;
mod tsa;

#[cfg(test)]
mod liveness;

pub(super) use entry::{Entry, dsse_message};
pub(super) use key::{Key, base64, pem, sha256};
pub(super) use log::TransparencyLog;
pub(super) use tsa::{Query, TimestampAuthority};

pub use fault::Fault;
pub use form::{BundleVersion, Log};
pub use identity::{Identity, SubjectName};
pub use instance::VirtualSigstore;
pub use key::ManagedKey;
pub use legacy::Layer;
pub use mint::Mint;
