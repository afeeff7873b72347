//! The one integration test binary. `house` holds that every file is named here.

mod get;
mod house;
mod inspect;
mod layout;
mod postgres;
mod support;
mod tree;
