//! Transparency logs: Rekor v1 (P-256, promises) and Rekor v2 (Ed25519, none).

use std::sync::{Mutex, PoisonError};

use super::key::{Key, base64, sha256};
use super::tree::{Hash, Tree};
use crate::digest::hex;
use crate::time::Timestamp;

/// A log with its key and everything that was ever put into it.
pub(super) struct TransparencyLog {
    pub(super) key: Key,
    /// What entries and the trust root call the log.
    pub(super) id: [u8; 32],
    /// The host, which is the name in signed notes.
    pub(super) name: &'static str,
    origin: String,
    /// The index of the first leaf: Rekor v1 counts over earlier trees, its proofs do not.
    first: u64,
    tree: Mutex<Tree>,
}

/// Where a leaf is, and the way from there to the root.
#[derive(Clone)]
pub(super) struct Proof {
    /// In the tree.
    pub(super) leaf: u64,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) hashes: Vec<Hash>,
    /// The signed note; empty when it is left out.
    pub(super) checkpoint: String,
}

impl TransparencyLog {
    pub(super) fn rekor_v1(name: &'static str) -> Self {
        let key = Key::p256();
        let origin = format!("{name} - 1193050959916656506");
        Self { id: sha256(&key.spki), key, name, origin, first: 155_000_000, tree: seeded() }
    }

    pub(super) fn rekor_v2() -> Self {
        let (key, name) = (Key::ed25519(), "log2026-1.rekor.virtual.test");
        // The key id of a signed note: name, newline, signature type 1 (Ed25519), key.
        let id = sha256(&[name.as_bytes(), b"\n\x01", key.raw_public()].concat());
        Self { id, key, name, origin: name.to_owned(), first: 0, tree: seeded() }
    }

    /// Puts an entry into the log; answers its index and a proof against the tree that it completes.
    pub(super) fn append(&self, body: &[u8]) -> (u64, Proof) {
        // A writer that panicked left a whole tree: a push has no step that can fail.
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = tree.push(body);
        let (size, root) = (tree.size(), tree.root());
        let proof = Proof { leaf, size, root, hashes: tree.proof(leaf), checkpoint: self.checkpoint(size, &root) };
        (self.first + leaf, proof)
    }

    /// The tree head as a signed note.
    pub(super) fn checkpoint(&self, size: u64, root: &Hash) -> String {
        self.note(size, root, self.name, &self.key, &self.id)
    }

    /// The tree head as a note with one signature line: any name, key and key id.
    pub(super) fn note(&self, size: u64, root: &Hash, name: &str, key: &Key, id: &[u8; 32]) -> String {
        let text = self.head(size, root);
        let signature = key.sign(text.as_bytes());
        signed_note(&text, name, id, &signature)
    }

    /// The tree head as a note whose signature is over the root hash and not over the text.
    pub(super) fn note_over_root(&self, size: u64, root: &Hash) -> String {
        signed_note(&self.head(size, root), self.name, &self.id, &self.key.sign(root))
    }

    fn head(&self, size: u64, root: &Hash) -> String {
        format!("{}\n{size}\n{}\n", self.origin, base64(root))
    }

    /// The promise to include an entry (the signed entry timestamp of Rekor v1), made by `key`.
    pub(super) fn promise(&self, key: &Key, body: &[u8], index: u64, time: Timestamp) -> Vec<u8> {
        let (body, id, time) = (base64(body), hex(&self.id), time.unix());
        let text = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#);
        key.sign(text.as_bytes())
    }
}

fn signed_note(text: &str, name: &str, id: &[u8; 32], signature: &[u8]) -> String {
    let line = base64([&id[..4], signature].concat());
    format!("{text}\n\u{2014} {name} {line}\n")
}

/// A tree with a few entries of other people, so that proofs have hashes.
fn seeded() -> Mutex<Tree> {
    let mut tree = Tree::default();
    for number in 0..5_u8 {
        tree.push(&[b"an entry of somebody else, number ", &[b'0' + number][..]].concat());
    }
    Mutex::new(tree)
}
