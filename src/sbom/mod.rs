//! Documents about what is in an image.

pub mod check;
pub mod diff;
mod document;
mod ids;
mod license;
mod options;
mod purl;
mod spdx2;
pub mod spdx23;
mod validate;

pub use document::DocumentError;
pub use options::Options;
pub use validate::{Finding, NotJson, Severity, validate};
