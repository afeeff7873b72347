//! SPDX 2.3 in JSON.

mod model;
mod read;
mod schema;
mod validate;
mod write;

pub(super) use read::read;
pub(super) use validate::check as validate;
pub(super) use write::write;
