//! What is signed: in-toto statements, simple-signing documents, and the types of predicates.

mod document;
mod predicate_type;
mod simple_signing;

pub use document::{Statement, StatementError, Subject};
pub use predicate_type::{Family, PredicateType};
pub use simple_signing::SimpleSigning;

/// The DSSE payload type of an in-toto statement (in-toto attestation framework, envelope).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The predicate type of the statement that cosign 3 signs for an image.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
