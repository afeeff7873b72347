//! The paved path: a reference goes in, a report comes out.
//!
//! ```no_run
//! use std::{sync::Arc, time::SystemTime};
//! use cg_attest::client::{Client, VerifyRequest};
//! use cg_attest::policy::{Pattern, Policy, Requirement};
//! use cg_attest::registry::RemoteOptions;
//! use cg_attest::trust::{Instance, TrustRoot};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Policy::builder()
//!     .identity(Pattern::glob("https://github.com/org/app/.github/workflows/*@refs/heads/main")?)
//!     .issuer(Pattern::exact("https://token.actions.githubusercontent.com")?)
//!     .require(Requirement::signature())
//!     .require("spdx".parse::<Requirement>()?)
//!     .build()?;
//! let registry = Arc::new(RemoteOptions::new().build()?);
//! let client = Client::builder(registry, TrustRoot::embedded(Instance::PublicGood)?).build();
//! let request = VerifyRequest::new("ghcr.io/org/app:1.2".parse()?, &policy, SystemTime::now().try_into()?);
//! match client.verify(&request).await.into_verified() {
//!     Ok(image) => println!("run {:?}", image.runnable()),
//!     Err(refused) => println!("{refused} (explain {})", refused.code()),
//! }
//! # Ok(())
//! # }
//! ```

mod base;
mod cores;
mod verify;

pub use base::BaseRequest;
pub use verify::{Client, ClientBuilder, VerifyRequest};
