//! Where images and evidence are read from and written to: traits [`Pull`] and
//! [`Push`] over memory, OCI layouts and HTTP registries.

mod context;
mod error;
#[cfg(feature = "layout")]
mod layout;
mod memory;
mod traits;

pub use context::Context;
pub use error::{Problem, RegistryError};
#[cfg(feature = "layout")]
pub use layout::{Layout, LayoutImage};
pub use memory::Memory;
pub use traits::{BlobStream, BoxFuture, Fetched, Pull, Push, Pushed, Referrers, ReferrersSource};
