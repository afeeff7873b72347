//! What was found for an image, as values. All of it is untrusted: reading it
//! says where it came from and whether it could be read, nothing more.

pub(crate) mod annotations;
mod candidate;
mod classify;
mod decode;
mod export;
mod target;
mod timestamp;

pub use candidate::{Candidate, Content, Origin, OriginKind, Unread};
pub use classify::{Attached, classify_manifest, is_evidence};
pub use decode::{
    Decoded, Reading, UnverifiedBundle, UnverifiedCertificate, UnverifiedContent, UnverifiedLogEntry,
    UnverifiedTimestamp,
};
pub use target::{Listing, ListingKind, Target, TargetName};

#[cfg(feature = "client")]
pub(crate) use classify::{hint, unsigned_predicate};
