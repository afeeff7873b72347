//! The one integration test binary. `house` holds that every file is named here.

mod corpus;
mod house;
mod layout;
