//! The paved path: a reference goes in, a report comes out.

mod base;
mod cores;
mod verify;

pub use base::BaseRequest;
pub use verify::{Client, ClientBuilder, VerifyRequest};
