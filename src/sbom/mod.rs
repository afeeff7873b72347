//! Documents about what is in an image.

pub mod check;
pub mod diff;
mod document;
mod each;
mod findings;
mod graph;
mod ids;
mod license;
mod options;
mod purl;
mod read;
mod spdx23;
mod spdx3;
#[cfg(test)]
mod tests;
mod validate;
mod write;

pub use document::DocumentError;
pub use findings::{Finding, Severity};
pub use options::Options;
pub use validate::{NotJson, validate};
pub use write::{Format, UnknownFormat, write, write_index};
