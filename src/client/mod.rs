//! The paved path: a reference goes in, a report comes out.

mod verify;

pub use verify::{Client, ClientBuilder, VerifyRequest};
