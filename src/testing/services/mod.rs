//! A virtual Sigstore behind loopback HTTP: OpenID Connect issuer, Fulcio,
//! Rekor v1 and v2 and a timestamp authority at one address, for clients that sign.
//! What is where, and how it is broken, stands at [`SigstoreServer`].

mod claims;
mod fault;
mod fulcio;
mod jwt;
mod login;
mod oidc;
mod public_key;
mod rekor_v1;
mod rekor_v2;
mod server;
mod tsa;

#[cfg(test)]
mod tests;

pub use fault::ServiceFault;
pub use server::SigstoreServer;
