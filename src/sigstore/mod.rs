//! The only room that names the `sigstore-*` crates: their API still moves, and
//! nothing of it shows outside.

mod bundle;
mod contents;
mod failure;
#[cfg(feature = "sign")]
mod issuance;
#[cfg(feature = "sign")]
mod logged_envelope;
mod root;
#[cfg(feature = "client")]
mod tuf;
mod verifier;
mod wire;

pub(crate) use bundle::{Bundle, LegacyEntry, LegacyParts, LegacySigned, SignedContent};
pub(crate) use contents::{Contents, Kind};
#[cfg(feature = "sign")]
pub(crate) use root::embedded_signing_config;
pub(crate) use root::{EMBEDDED_DATE, ParsedRoot, embedded_json};
#[cfg(feature = "client")]
pub(crate) use tuf::{
    Fetch, Fetching, Files, Proved, TufError, Wanted, check_first_root, first_roots, prove_kept, refresh,
};
pub(crate) use verifier::{Artifact, Proven, PublicKey, Verifier};
