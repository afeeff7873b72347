//! The one integration test binary. `house` holds that every file is named here.

mod house;
mod layout;
mod liveness;
mod postgres;
mod scenarios;
mod schema;
mod support;
mod usage;
mod wire;
