//! The certificate transparency log: a promise inside each certificate (RFC 6962).

use super::der;
use super::key::{Key, sha256};
use crate::time::Timestamp;

/// A log that signs certificate timestamps.
pub(super) struct CtLog {
    pub(super) key: Key,
    pub(super) id: [u8; 32],
}

impl CtLog {
    pub(super) fn new() -> Self {
        let key = Key::p256();
        Self { id: sha256(&key.spki), key }
    }

    /// A log with the same id and another key: what a forger has.
    pub(super) fn impostor(&self) -> Self {
        Self { key: Key::p256(), id: self.id }
    }

    /// The value of the extension that embeds one timestamp over the
    /// precertificate `tbs` (the `TBSCertificate` without this extension).
    pub(super) fn timestamp_list(&self, issuer_spki: &[u8], tbs: &[u8], time: Timestamp) -> Vec<u8> {
        // The leaf index that tiled logs add is part of what is signed.
        const EXTENSIONS: &[u8] = &[0, 0, 5, 0, 0, 0, 0, 42];
        let millis = u64::try_from(time.unix()).unwrap_or(0).saturating_mul(1000).to_be_bytes();
        let issuer = sha256(issuer_spki);
        let length = (tbs.len() as u32).to_be_bytes();
        // Version 1, certificate_timestamp; precert_entry.
        let signed = [&[0, 0], &millis[..], &[0, 1], &issuer, &length[1..], tbs, &sized(EXTENSIONS)].concat();
        let signature = self.key.sign(&signed);
        // SHA-256 with ECDSA.
        let sct = [&[0], &self.id[..], &millis, &sized(EXTENSIONS), &[4, 3], &sized(&signature)].concat();
        der::octets(&sized(&sized(&sct)))
    }
}

/// A TLS vector with a length of two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}
