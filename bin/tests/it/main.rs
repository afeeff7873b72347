//! The one integration test binary. `house` holds that every file is named here.

mod conformance;
mod house;
mod layout;
mod liveness;
mod postgres;
mod schema;
mod support;
mod trust;
mod usage;
mod verify_blob;
mod wire;
