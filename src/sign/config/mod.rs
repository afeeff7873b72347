//! Which services sign: a signing config (`signingconfig.v0.2`), and the choice among its services.

mod choice;
mod endpoint;
mod error;
mod signing_config;
mod wire;

pub use choice::{Choice, Services};
pub use endpoint::Endpoint;
pub use error::ConfigError;
pub(super) use error::no_promising_log;
pub use signing_config::SigningConfig;
