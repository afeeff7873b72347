//! The client against a registry that misbehaves on demand.

mod auth;
mod blobs;
mod files;
mod manifests;
mod push;
mod redirects;
mod referrers;
mod retries;
mod scene;
mod tls;
