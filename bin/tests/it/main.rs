//! The one integration test binary. `house` holds that every file is named here.

mod chainguard;
mod conformance;
mod corpus;
mod house;
mod layout;
mod postgres;
mod support;
mod verify_blob;
