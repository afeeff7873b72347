//! What is trusted: the trust roots of Sigstore instances, each with the profile of its evidence.

mod root;

pub use root::{Instance, Profile, TrustError, TrustRoot};
