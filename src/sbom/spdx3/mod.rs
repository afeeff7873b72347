//! SPDX 3.0.1 in JSON-LD.

mod model;
mod read;
mod validate;
mod write;

pub(super) use read::read;
pub(super) use validate::check as validate;
pub(super) use write::write;
