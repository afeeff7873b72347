//! OCI image layouts (OCI image specification, image layout), as a folder or,
//! read-only, as an uncompressed tar.

mod archive;
mod catalog;
mod files;
mod names;
mod pull;
mod push;
#[cfg(test)]
mod tests;

pub use catalog::LayoutImage;
pub use pull::Layout;
