//! From a reference to the evidence of its image: which requests, in which flight.
//!
//! 1. [`resolve`]: one request for the manifest or index that a reference names.
//! 2. [`list`]: for every target, in one flight, the referrers and both legacy
//!    tags; then the manifests of the referrers, in one flight.
//! 3. [`read`]: the bundles and layers, in one flight.
//!
//! [`tree`] looks at everything that is attached, evidence or not, and reads none of it.
//!
//! A place that cannot be read is a value that says so. Only a definite
//! absence is one.

mod deadline;
mod grow;
mod list;
mod manifest;
mod read;
mod resolve;
mod tree;

pub use list::{Discovered, Listed, Pending, list};
pub use read::read;
pub use resolve::{ImageRequest, ResolveError, resolve};
pub use tree::{Below, FailedListing, Layer, Node, NodeKind, Tree, tree};

pub(crate) use deadline::within;
