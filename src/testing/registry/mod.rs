//! A registry over loopback HTTP that answers as told: well, badly, or not at all.

mod auth;
mod blobs;
mod fault;
mod record;
mod routes;
mod server;

pub use auth::{Auth, TokenService};
pub use fault::{Answer, Fault};
pub use record::RecordedRequest;
pub use routes::ReferrersApi;
pub use server::Registry;
