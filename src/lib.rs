#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set their scenes up with files and threads"))]

// The vocabulary.
pub mod check;
pub mod code;
pub mod digest;
mod json;
pub mod limits;
pub mod time;

// What edges of any room make HTTP clients from.
#[cfg(feature = "client")]
mod net;

// The pure core, in the order in which a reader and the data go.
pub mod image;
pub mod statement;
mod sigstore;
pub mod signer;
pub mod trust;
pub mod policy;
pub mod evidence;
pub mod verify;
pub mod report;
pub mod provenance;

// The edges.
#[cfg(feature = "client")]
pub mod registry;
#[cfg(feature = "client")]
pub mod discover;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "sign")]
pub mod sign;
#[cfg(feature = "scan")]
pub mod scan;
#[cfg(feature = "scan")]
pub mod sbom;
#[cfg(feature = "scan")]
pub mod audit;
#[cfg(feature = "sign")]
pub mod attach;

// What tests need instead of the network.
#[cfg(feature = "testing")]
pub mod testing;
