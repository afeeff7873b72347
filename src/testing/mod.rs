//! What tests and demonstrations need instead of the network, feature
//! `testing`: a virtual Sigstore that mints any artifact, right or wrong,
//! builders of small images to attach it to, and a registry that serves them.
//!
//! Nothing here can make a verified value, skip a check or speak for a
//! production instance: what is minted is trusted only by who chooses the
//! virtual instance's own trust root.

mod http;
mod image;
mod layer;
mod registry;
mod services;
mod sigstore;
mod statement;
mod tuf;
mod upload;

pub use http::{Answer, Fault as RegistryFault, RecordedRequest, Waves};
pub use image::{BuildKit, Image, ImageBuilder};
pub use layer::LayerBuilder;
pub use registry::{Auth, ReferrersApi, Registry, TokenService};
pub use services::{ServiceFault, SigstoreServer};
pub use sigstore::{BundleVersion, Fault, Identity, Layer, Log, ManagedKey, Mint, SubjectName, VirtualSigstore};
pub use statement::{Statement, simple_signing};
pub use tuf::{TufRepository, TufServer};
pub use upload::Upload;
