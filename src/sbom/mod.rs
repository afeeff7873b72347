//! Documents about what is in an image.

pub mod check;
pub mod diff;
mod ids;
mod license;
mod options;
mod purl;
pub mod spdx23;
mod validate;

pub use options::Options;
pub use validate::{Finding, NotJson, Severity, validate};
