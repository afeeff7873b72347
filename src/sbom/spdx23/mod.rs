//! SPDX 2.3 in JSON.

mod model;
mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
