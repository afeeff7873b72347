//! SPDX 2.3 in JSON.

mod model;
mod read;
mod schema;
mod write;

pub(super) use read::read;
pub(super) use schema::check as schema;
pub(super) use write::write;
