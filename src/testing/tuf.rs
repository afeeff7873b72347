//! A TUF repository that is minted in memory, and a server for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::http::{Answer, Answering, Handler, RecordedRequest, Server, lock};
use crate::digest::{Digest, hex};
use crate::time::Timestamp;

/// A TUF 1.0 repository with consistent snapshots that has one target,
/// `trusted_root.json`, and a second one where it [is given](Self::signing_config),
/// `signing_config.v0.2.json`. One key signs roots, another one all other roles.
///
/// A clone is the repository as it was: serve it later to go back.
#[derive(Clone)]
pub struct TufRepository {
    root_key: Key,
    online_key: Key,
    /// `1.root.json` and those that follow.
    roots: Vec<Vec<u8>>,
    version: u64,
    trusted_root: Vec<u8>,
    signing_config: Option<Vec<u8>>,
    expires: Timestamp,
}

impl TufRepository {
    /// A repository whose `trusted_root.json` is this, and whose metadata (but not its root) expires then.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn new(trusted_root: impl Into<Vec<u8>>, expires: Timestamp) -> Self {
        let (root_key, online_key) = (Key::new(), Key::new());
        let first = root(1, &root_key, &online_key);
        let roots = vec![envelope(&first, &[&root_key])];
        Self {
            root_key,
            online_key,
            roots,
            version: 1,
            trusted_root: trusted_root.into(),
            signing_config: None,
            expires,
        }
    }

    /// The same with the services that sign.
    #[must_use]
    pub fn signing_config(self, config: impl Into<Vec<u8>>) -> Self {
        Self { signing_config: Some(config.into()), ..self }
    }

    /// `1.root.json`: what a client begins with.
    #[must_use]
    pub fn first_root(&self) -> &[u8] {
        &self.roots[0]
    }

    /// The next version of everything but the root.
    #[must_use]
    pub fn publish(self, trusted_root: impl Into<Vec<u8>>, expires: Timestamp) -> Self {
        Self { version: self.version + 1, trusted_root: trusted_root.into(), expires, ..self }
    }

    /// The next root, signed by the old key and a new one; the other roles have a new key too.
    #[must_use]
    pub fn rotate(mut self) -> Self {
        let (root_key, online_key) = (Key::new(), Key::new());
        let next = root(self.roots.len() + 1, &root_key, &online_key);
        self.roots.push(envelope(&next, &[&self.root_key, &root_key]));
        Self { root_key, online_key, ..self }
    }

    /// Every file by its path.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let Self { version, expires, .. } = self;
        let held = [
            ("trusted_root.json", Some(&self.trusted_root)),
            ("signing_config.v0.2.json", self.signing_config.as_ref()),
        ];
        let held: Vec<_> = held.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))).collect();
        let role = |kind: &str, content: (&str, Value)| {
            let mut signed = json!({ "_type": kind, "spec_version": "1.0.31", "version": version, "expires": expires });
            signed[content.0] = content.1;
            envelope(&signed, &[&self.online_key])
        };
        let pin = |bytes: &[u8]| json!({ "length": bytes.len(), "hashes": { "sha256": sha256(bytes) } });
        let versioned = |bytes: &[u8]| {
            let mut pin = pin(bytes);
            pin["version"] = json!(version);
            pin
        };
        let pins: serde_json::Map<String, Value> =
            held.iter().map(|(name, bytes)| ((*name).to_owned(), pin(bytes))).collect();
        let targets = role("targets", ("targets", Value::Object(pins)));
        let snapshot = role("snapshot", ("meta", json!({ "targets.json": versioned(&targets) })));
        let timestamp = role("timestamp", ("meta", json!({ "snapshot.json": versioned(&snapshot) })));
        let mut files = BTreeMap::from([
            (format!("{version}.targets.json"), targets),
            (format!("{version}.snapshot.json"), snapshot),
            ("timestamp.json".to_owned(), timestamp),
        ]);
        files.extend(held.iter().map(|(name, bytes)| (format!("targets/{}.{name}", sha256(bytes)), (*bytes).clone())));
        files.extend(self.roots.iter().zip(1..).map(|(root, n)| (format!("{n}.root.json"), root.clone())));
        files
    }
}

impl fmt::Debug for TufRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = self.roots.len();
        f.debug_struct("TufRepository").field("version", &self.version).field("roots", &roots).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Key {
    pair: Arc<Ed25519KeyPair>,
    /// What metadata calls the key. It means nothing.
    id: String,
}

impl Key {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate().expect("the system has randomness");
        let id = sha256(pair.public_key().as_ref());
        Self { pair: Arc::new(pair), id }
    }
}

fn root(version: usize, root_key: &Key, online_key: &Key) -> Value {
    let public = |key: &Key| json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex(key.pair.public_key().as_ref()) } });
    let role = |key: &Key| json!({ "keyids": [key.id], "threshold": 1 });
    json!({
        "_type": "root", "spec_version": "1.0.31", "version": version, "expires": "2100-01-01T00:00:00Z",
        "consistent_snapshot": true,
        "keys": { root_key.id.as_str(): public(root_key), online_key.id.as_str(): public(online_key) },
        "roles": {
            "root": role(root_key), "timestamp": role(online_key),
            "snapshot": role(online_key), "targets": role(online_key),
        },
    })
}

fn envelope(signed: &Value, keys: &[&Key]) -> Vec<u8> {
    let message = canonical(signed);
    let sign = |key: &&Key| json!({ "keyid": key.id, "sig": hex(key.pair.sign(message.as_bytes()).as_ref()) });
    let signatures: Vec<Value> = keys.iter().map(sign).collect();
    json!({ "signed": signed, "signatures": signatures }).to_string().into_bytes()
}

/// The bytes that signatures are over (OLPC canonical JSON): keys in order, no
/// space, nothing escaped but `"` and `\`, which metadata made here does not have.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            let members: Vec<String> =
                sorted.iter().map(|(key, value)| format!("\"{key}\":{}", canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Digest::sha256(bytes).hex().to_owned()
}

/// A repository on `127.0.0.1`, over HTTP. Dropping it stops it.
#[derive(Debug)]
pub struct TufServer {
    server: Server<Files>,
}

/// What is served, by its path.
#[derive(Default)]
struct Files(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    answers: BTreeMap<String, Answer>,
    /// How many of the next requests fail.
    failing: BTreeMap<String, usize>,
}

impl Handler for Files {
    fn answer<'a>(&'a self, request: &'a RecordedRequest) -> Answering<'a> {
        let path = request.path.trim_start_matches('/');
        let mut shelf = lock(&self.0);
        let answer = match shelf.failing.get_mut(path).filter(|times| **times > 0) {
            Some(times) => {
                *times -= 1;
                Answer::status(503)
            }
            None => shelf.answers.get(path).cloned().unwrap_or_else(|| Answer::status(404)),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl TufServer {
    /// Serves a repository.
    ///
    /// # Panics
    /// When the machine has no loopback address or starts no thread.
    #[must_use]
    pub fn start(repository: &TufRepository) -> Self {
        let server = Server::start(0, |_| Files::default()).expect("a port on 127.0.0.1");
        let this = Self { server };
        this.serve(repository);
        this
    }

    /// Serves this repository from now on, and nothing else.
    pub fn serve(&self, repository: &TufRepository) {
        let files = repository.files().into_iter();
        lock(&self.server.handler().0).answers =
            files.map(|(path, bytes)| (path, Answer::status(200).body(bytes))).collect();
    }

    /// Gives this answer at `path` (`timestamp.json`) from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        lock(&self.server.handler().0).answers.insert(path.to_owned(), answer);
    }

    /// Answers the next `times` requests for `path` with 503.
    pub fn fail(&self, path: &str, times: usize) {
        lock(&self.server.handler().0).failing.insert(path.to_owned(), times);
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// `GET /path` of every request since this was called last.
    pub fn take_requests(&self) -> Vec<String> {
        let lines = self.server.lines();
        self.server.clear_log();
        lines
    }
}
