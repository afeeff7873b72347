//! Who signed, read from the certificate that the signature was verified with.

mod build;
mod certificate;
mod claims;

pub use build::BuildClaims;
pub use certificate::{Identity, IdentityKind, Signer};
pub use claims::{Claim, Claims};

pub(crate) use certificate::Unverified;
