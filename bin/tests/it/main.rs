//! The one integration test binary. `house` holds that every file is named here.

mod conformance;
mod demo;
mod house;
mod layout;
mod liveness;
mod postgres;
mod scenarios;
mod schema;
mod support;
mod tree;
mod usage;
mod verify_blob;
mod wire;
