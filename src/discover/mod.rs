//! From a reference to the evidence of its image: which requests, in which flight.
//!
//! 1. [`resolve`]: one request for the manifest or index that a reference names.
//! 2. [`list`]: for every target, in one flight, the referrers and both legacy tags.
//! 3. [`Discovered::open`]: the manifests of the referrers that may matter, in one flight.
//! 4. [`read`]: the bundles and layers, in one flight.
//!
//! [`everything`] goes that way without a policy, for showing what there is, and
//! [`tree`] looks at everything that is attached, evidence or not, and reads none of it.
//!
//! A place that cannot be read is a value that says so. Only a definite
//! absence is one.

mod deadline;
mod discovered;
mod everything;
mod failure;
mod grow;
mod list;
mod manifest;
mod pending;
mod read;
mod resolve;
mod tally;
mod tree;
mod unsigned;

pub use discovered::Discovered;
pub use everything::{Everything, everything};
pub use grow::tree;
pub use list::list;
pub use manifest::image_manifest;
pub use pending::{Listed, Pending};
pub use read::read;
pub use resolve::{ImageRequest, ResolveError, resolve};
pub use tree::{Below, FailedListing, Layer, Node, NodeKind, Tree};
pub use unsigned::{UnsignedStatement, unsigned};

pub(crate) use deadline::within;
#[cfg(feature = "sign")]
pub(crate) use manifest::{NoManifest, listed, refers_to};
