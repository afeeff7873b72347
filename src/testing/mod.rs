//! What tests and demonstrations need instead of the network, feature
//! `testing`: a virtual Sigstore that mints any artifact, right or wrong,
//! builders of small images to attach it to, and a registry that serves them.
//!
//! Nothing here can make a verified value, skip a check or speak for a
//! production instance: what is minted is trusted only by who chooses the
//! virtual instance's own trust root.

mod image;
mod registry;
mod sigstore;
mod statement;
mod tuf;
mod upload;

pub use image::{BuildKit, Image, ImageBuilder};
pub use registry::{Answer, Auth, Fault as RegistryFault, RecordedRequest, ReferrersApi, Registry, TokenService};
pub use sigstore::{BundleVersion, Fault, Identity, Layer, Log, ManagedKey, Mint, SubjectName, VirtualSigstore};
pub use statement::{Statement, simple_signing};
pub use tuf::{TufRepository, TufServer};
pub use upload::Upload;
