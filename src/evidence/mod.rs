//! What was found for an image, as values. All of it is untrusted: reading it
//! says where it came from and whether it could be read, nothing more.

mod annotations;
mod candidate;
mod classify;
mod target;

pub use candidate::{Candidate, Content, Origin, OriginKind, Unread};
pub use classify::{Attached, classify_manifest, is_evidence};
pub use target::{Listing, ListingKind, Target, TargetName};

#[cfg(feature = "client")]
pub(crate) use classify::hint;
