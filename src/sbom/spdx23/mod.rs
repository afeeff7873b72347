//! SPDX 2.3 in JSON.

mod document;
mod model;

pub use document::write;
