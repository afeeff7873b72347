//! Transparency logs: Rekor v1 (P-256, promises) and Rekor v2 (Ed25519, none).

use std::sync::{Arc, Mutex, PoisonError};

use super::key::{Key, base64, sha256};
use super::tree::{Hash, Tree};
use crate::digest::hex;
use crate::time::Timestamp;

/// A log with its key and everything that was ever put into it.
pub(in crate::testing) struct TransparencyLog {
    pub(in crate::testing) key: Arc<Key>,
    /// What entries and the trust root call the log.
    pub(in crate::testing) id: [u8; 32],
    /// The host, which is the name in signed notes.
    pub(in crate::testing) name: &'static str,
    origin: String,
    /// The index of the first leaf: Rekor v1 counts over earlier trees, its proofs do not.
    first: u64,
    tree: Mutex<Tree>,
}

/// Where a leaf is, and the way from there to the root.
#[derive(Clone)]
pub(in crate::testing) struct Proof {
    /// In the tree.
    pub(in crate::testing) leaf: u64,
    pub(in crate::testing) size: u64,
    pub(in crate::testing) root: Hash,
    pub(in crate::testing) hashes: Vec<Hash>,
    /// The signed note; empty when it is left out.
    pub(in crate::testing) checkpoint: String,
}

impl TransparencyLog {
    /// The number of Rekor v1's tree, which stands in its checkpoints and the names of its entries.
    pub(in crate::testing) const TREE: u64 = 1_193_050_959_916_656_506;

    pub(in crate::testing) fn rekor_v1(name: &'static str) -> Self {
        let key = Key::p256();
        let origin = format!("{name} - {}", Self::TREE);
        Self { id: sha256(&key.spki), key: Arc::new(key), name, origin, first: 155_000_000, tree: seeded() }
    }

    pub(in crate::testing) fn rekor_v2(name: &'static str) -> Self {
        let key = Key::ed25519();
        // The key id of a signed note: name, newline, signature type 1 (Ed25519), key.
        let id = sha256(&[name.as_bytes(), b"\n\x01", key.raw_public()].concat());
        Self { id, key: Arc::new(key), name, origin: name.to_owned(), first: 0, tree: seeded() }
    }

    /// The same log before its first entry.
    pub(in crate::testing) fn before_the_first(&self) -> Self {
        let Self { key, id, name, origin, first, .. } = self;
        Self { key: Arc::clone(key), id: *id, name, origin: origin.clone(), first: *first, tree: Mutex::default() }
    }

    /// Size and root hash at this moment.
    pub(in crate::testing) fn head_now(&self) -> (u64, Hash) {
        let tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        (tree.size(), tree.root())
    }

    /// Puts an entry into the log; answers its index and a proof against the tree that it completes.
    pub(in crate::testing) fn append(&self, body: &[u8]) -> (u64, Proof) {
        // A writer that panicked left a whole tree: a push has no step that can fail.
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = tree.push(body);
        let (size, root) = (tree.size(), tree.root());
        let proof = Proof { leaf, size, root, hashes: tree.proof(leaf), checkpoint: self.checkpoint(size, &root) };
        (self.first + leaf, proof)
    }

    /// The tree head as a signed note.
    pub(in crate::testing) fn checkpoint(&self, size: u64, root: &Hash) -> String {
        self.note(size, root, self.name, &self.key, &self.id)
    }

    /// The tree head as a note with one signature line: any name, key and key id.
    pub(in crate::testing) fn note(&self, size: u64, root: &Hash, name: &str, key: &Key, id: &[u8; 32]) -> String {
        let text = self.head(size, root);
        let signature = key.sign(text.as_bytes());
        signed_note(&text, name, id, &signature)
    }

    /// The tree head as a note whose signature is over the root hash and not over the text.
    pub(in crate::testing) fn note_over_root(&self, size: u64, root: &Hash) -> String {
        signed_note(&self.head(size, root), self.name, &self.id, &self.key.sign(root))
    }

    fn head(&self, size: u64, root: &Hash) -> String {
        format!("{}\n{size}\n{}\n", self.origin, base64(root))
    }

    /// The promise to include an entry (the signed entry timestamp of Rekor v1), made by `key`.
    pub(in crate::testing) fn promise(&self, key: &Key, body: &[u8], index: u64, time: Timestamp) -> Vec<u8> {
        let (body, id, time) = (base64(body), hex(&self.id), time.unix());
        let text = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#);
        key.sign(text.as_bytes())
    }
}

/// A checkpoint with the signatures of two witnesses, one before the log's own
/// and one after it (C2SP tlog-cosignature, version 1).
pub(in crate::testing) fn cosigned(checkpoint: &str, witnesses: &[Key; 2], time: Timestamp) -> String {
    // A fault may have left nothing to sign.
    let Some((text, own)) = checkpoint.split_once("\n\n") else { return checkpoint.to_owned() };
    let seconds = time.unix();
    let line = |witness: &Key, name: &str| {
        // The key id of signature type 4, a cosignature with its time.
        let id = sha256(&[name.as_bytes(), b"\n\x04", witness.raw_public()].concat());
        let signature = witness.sign(format!("cosignature/v1\ntime {seconds}\n{text}\n").as_bytes());
        let line = base64([&id[..4], &seconds.to_be_bytes(), &signature].concat());
        format!("\u{2014} {name} {line}\n")
    };
    let [before, after] = witnesses;
    let (before, after) = (line(before, "first.witness.test"), line(after, "second.witness.test"));
    format!("{text}\n\n{before}{own}{after}")
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
