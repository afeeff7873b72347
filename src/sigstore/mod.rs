//! The only room that names the `sigstore-*` crates: their API still moves, and
//! nothing of it shows outside.

mod bundle;
mod failure;
mod root;
mod verifier;

pub(crate) use bundle::{Bundle, LegacyEntry, LegacyParts, LegacySigned, SignedContent};
pub(crate) use root::{EMBEDDED_DATE, ParsedRoot, embedded_json};
pub(crate) use verifier::{Artifact, Proven, PublicKey, Verifier};
