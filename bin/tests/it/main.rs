//! The one integration test binary. `house` holds that every file is named here.

mod chainguard;
mod conformance;
mod corpus;
mod demo;
mod get;
mod house;
mod inspect;
mod layout;
mod liveness;
mod postgres;
mod scenarios;
mod schema;
mod support;
mod tree;
mod trust;
mod unsigned_index;
mod usage;
mod verify_blob;
mod wire;
