//! What is signed: in-toto statements, simple-signing documents, and the types of predicates.

mod document;
mod predicate_type;
mod simple_signing;

pub use document::{PAYLOAD_TYPE, Statement, StatementError, Subject};
pub use predicate_type::{COSIGN_SIGN, Family, PredicateType, PredicateTypeError};
pub use simple_signing::SimpleSigning;
