//! A registry over loopback HTTP.

mod auth;
mod blobs;
mod routes;
mod server;

pub use auth::{Auth, TokenService};
pub use routes::ReferrersApi;
pub use server::Registry;
