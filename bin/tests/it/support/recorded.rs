//! Recorded evidence, assessed. Every trust root is parsed once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cg_attest::check::{Check, Outcome};
use cg_attest::code::Code;
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::{Assessed, Assessor, BlobInput};
use serde_json::Value;

pub(crate) const PRODUCTION: &str = "sigstore-trust/prod/targets/trusted_root.json";
pub(crate) const STAGING: &str = "sigstore-trust/staging/targets/trusted_root.json";
pub(crate) const GITHUB: &str = "sigstore-trust/github/trusted_root.json";

/// The recordings, with what is needed to judge them.
pub(crate) struct Recorded {
    pub(crate) folder: PathBuf,
    now: Timestamp,
    limits: Limits,
    roots: Mutex<BTreeMap<String, Result<Arc<TrustRoot>, Code>>>,
}

/// Who is trusted.
pub(crate) enum Trusted {
    Signer { identity: String, issuer: String },
    Key { pem: String },
}

impl Trusted {
    pub(crate) fn signer(identity: &str, issuer: &str) -> Self {
        Self::Signer { identity: identity.to_owned(), issuer: issuer.to_owned() }
    }

    pub(crate) fn policy(&self) -> Policy {
        let builder = Policy::builder().require(Requirement::signature());
        let exact = |text: &str| Pattern::exact(text).expect("a pattern");
        let builder = match self {
            Self::Signer { identity, issuer } => builder.identity(exact(identity)).issuer(exact(issuer)),
            Self::Key { pem } => builder.key(pem),
        };
        builder.build().expect("a policy")
    }
}

/// The reason of a refusal; `Ok` where the evidence is accepted, whatever its type.
pub(crate) fn outcome(assessed: &Assessed) -> Result<(), Code> {
    if assessed.signature().is_some() || assessed.attestation().is_some() {
        return Ok(());
    }
    let failed = |check: &&Check| check.outcome == Outcome::Fail;
    Err(assessed.checks().iter().find(failed).and_then(|check| check.code).expect("a refusal has a reason"))
}

impl Recorded {
    pub(crate) fn new(folder: PathBuf) -> Self {
        let now = "2026-11-20T00:00:00Z".parse().expect("a time");
        Self { folder, now, limits: Limits::default(), roots: Mutex::default() }
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        super::corpus::json(&self.folder.join(path))
    }

    /// One JSON document per line.
    pub(crate) fn lines(&self, path: &str) -> Vec<Value> {
        let text = String::from_utf8(self.read(path)).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{path}: {e}"))).collect()
    }

    pub(crate) fn root(&self, path: &str) -> Result<Arc<TrustRoot>, Code> {
        let mut roots = self.roots.lock().expect("no test panicked with it");
        let parse = || TrustRoot::parse(&self.read(path), path).map(Arc::new).map_err(|e| e.code());
        roots.entry(path.to_owned()).or_insert_with(parse).clone()
    }

    /// A bundle for a file, of which the digest is known; the error is that of an unusable root.
    pub(crate) fn bundle(
        &self,
        bundle: &[u8],
        root: &str,
        trusted: &Trusted,
        digest: &Digest,
    ) -> Result<Assessed, Code> {
        let bundle = Candidate::bundle(VerifiedBlob::of(bundle.to_vec()), Origin::new(OriginKind::File, "recorded"));
        let (policy, root) = (trusted.policy(), self.root(root)?);
        Ok(Assessor::new(&policy, &root, self.now, &self.limits).assess_blob(&bundle, &BlobInput::Digest(digest)))
    }

    /// A layer of a `.sig` image, as it would be found for the image `digest`.
    pub(crate) fn layer(
        &self,
        payload: &str,
        annotations: BTreeMap<String, String>,
        trusted: &Trusted,
        digest: &Digest,
    ) -> Assessed {
        let payload = VerifiedBlob::of(payload.as_bytes().to_vec());
        let origin = Origin::new(OriginKind::LegacySignature, "recorded");
        let candidate = Candidate::simple_signing(payload, annotations, origin);
        let (policy, root) = (trusted.policy(), self.root(PRODUCTION).expect("a root"));
        Assessor::new(&policy, &root, self.now, &self.limits).assess(&candidate, digest)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }
}

/// A public key as PEM, from its DER form in base64.
pub(crate) fn pem(der: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}

pub(crate) fn decoded(base64: &Value) -> Vec<u8> {
    STANDARD.decode(base64.as_str().expect("a text")).expect("base64")
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The files of a folder whose names end so, sorted.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}
