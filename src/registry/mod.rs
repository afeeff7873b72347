//! Where images and evidence are read from and written to: traits [`Pull`] and
//! [`Push`] over memory, OCI layouts and HTTP registries.

mod blocking;
mod context;
mod error;
mod fallback;
#[cfg(feature = "layout")]
mod layout;
mod memory;
mod mirrors;
mod remote;
mod traits;

pub(crate) use blocking::blocking;
pub use context::Context;
pub use error::{Problem, RegistryError};
pub(crate) use fallback::fallback_tag;
#[cfg(feature = "layout")]
pub use layout::{Layout, LayoutImage};
pub use memory::Memory;
pub use mirrors::{MirrorError, Mirrors};
pub use remote::{CredentialFiles, Login, OptionsError, Remote, RemoteOptions};
pub use traits::{BlobStream, BoxFuture, Deleted, Fetched, Pull, Push, Pushed, Referrers, ReferrersSource};
