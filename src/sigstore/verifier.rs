//! One bundle against one trusted root, by the audited verifier of `sigstore-verify`.

use sigstore_verify::crypto::{Checkpoint, VerificationKey, try_default_provider};
use sigstore_verify::types::bundle::InclusionProof;
use sigstore_verify::types::{
    Artifact as InnerArtifact, ArtifactDigest, DerPublicKey, DigestBytes, HashAlgorithm, TransparencyLogEntry,
};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier as Inner};

use super::bundle::Bundle;
use super::failure::from_verifier;
use super::root::{ParsedRoot, RootError};
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::{Algorithm, Digest, hex};
use crate::time::Timestamp;

/// What a bundle is verified against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Artifact<'a> {
    Bytes(&'a [u8]),
    Digest(&'a Digest),
}

/// A managed public key, as `--key` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    inner: DerPublicKey,
}

/// A verifier whose provider, keys and certificates were checked when it was made.
pub(crate) struct Verifier {
    inner: Inner,
    root: ParsedRoot,
    log: bool,
    sct: bool,
}

/// What the verifier vouches for. Only [`Verifier::verify`] makes one.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) times: Vec<ProvenTime>,
    pub(crate) logs: Vec<ProvenLog>,
    pub(crate) waived: Vec<CheckName>,
}

/// A verified time and what vouches for it.
#[derive(Debug, Clone)]
pub(crate) struct ProvenTime {
    pub(crate) time: Timestamp,
    pub(crate) from_log: bool,
}

/// A log entry whose proof or promise was verified.
#[derive(Debug, Clone)]
pub(crate) struct ProvenLog {
    pub(crate) id: String,
    pub(crate) index: u64,
    pub(crate) proof: bool,
}

impl PublicKey {
    /// Reads a PEM public key (`-----BEGIN PUBLIC KEY-----`).
    pub(crate) fn from_pem(pem: &str) -> Result<Self, RootError> {
        let inner = DerPublicKey::from_pem(pem).map_err(|e| RootError(e.to_string()))?;
        VerificationKey::from_spki(&inner).map_err(|e| RootError(e.to_string()))?;
        Ok(Self { inner })
    }

    /// The key, DER SubjectPublicKeyInfo.
    pub(crate) fn der(&self) -> &[u8] {
        self.inner.as_bytes()
    }
}

impl Verifier {
    /// A verifier for one instance. `log` and `sct` say what its profile requires.
    pub(crate) fn new(root: ParsedRoot, log: bool, sct: bool) -> Result<Self, Failure> {
        // The crates keep the provider in a process-wide cell whose getter
        // panics when it is empty: ask first.
        if try_default_provider().is_none() {
            let detail = "no cryptography is compiled in or installed";
            return Err(Failure::new(CheckName::Structure, Code::NoCryptoProvider, detail));
        }
        let inner = Inner::new(&root.inner)
            .map_err(|error| Failure::new(CheckName::Structure, Code::TrustRoot, error.to_string()))?;
        Ok(Self { inner, root, log, sct })
    }

    /// Runs every check of the verifier; the identity is left to the policy.
    pub(crate) fn verify(
        &self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        key: Option<&PublicKey>,
    ) -> Result<Proven, Failure> {
        let artifact = artifact.into_inner()?;
        let result = match key {
            None => {
                let mut policy = VerificationPolicy::any_identity();
                if !self.log {
                    policy = policy.skip_tlog_unsafe();
                }
                if !self.sct {
                    policy = policy.skip_sct();
                }
                self.inner.verify(artifact, &bundle.inner, &policy)
            }
            Some(key) => {
                let policy = PublicKeyVerificationPolicy::new(key.inner.clone());
                self.inner.verify(artifact, &bundle.inner, &policy)
            }
        }
        .map_err(|error| from_verifier(&error))?;
        self.prove(bundle, &result, key.is_some())
    }

    /// Turns a success into values, and fails closed if one of the verifier's
    /// own statements about what it checked is missing.
    fn prove(&self, bundle: &Bundle, result: &VerificationResult, keyed: bool) -> Result<Proven, Failure> {
        let unproven = |check, code, detail: &str| Err(Failure::new(check, code, detail));
        let required = [
            (keyed || result.certificate_verified(), CheckName::Certificate, Code::CertChain),
            (keyed || !self.sct || result.sct_verified(), CheckName::Sct, Code::CertSct),
            (!(keyed || self.log) || result.tlog_verified(), CheckName::Log, Code::LogProof),
        ];
        for (held, check, code) in required {
            if !held {
                return unproven(check, code, "the verifier did not run this check");
            }
        }
        let entries = &bundle.inner.verification_material.tlog_entries;
        if (keyed || self.log) && entries.is_empty() {
            return unproven(CheckName::Log, Code::LogProof, "the bundle has no log entry");
        }
        let mut logs = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(proof) = &entry.inclusion_proof {
                self.own_log(entry, proof)?;
            } else if entry.inclusion_promise.is_none() {
                return unproven(CheckName::Log, Code::LogProof, "a log entry has neither a proof nor a promise");
            }
            logs.push(ProvenLog {
                id: hex(entry.log_id.key_id.as_bytes()),
                index: entry.log_index.get(),
                proof: entry.inclusion_proof.is_some(),
            });
        }
        let from_log = |time| entries.iter().any(|entry| entry.integrated_time == Some(time));
        let mut times: Vec<ProvenTime> = Vec::new();
        for &time in result.verified_timestamps() {
            times.push(ProvenTime { time: Timestamp::from_jiff(time), from_log: from_log(time) });
        }
        if times.is_empty() && !keyed {
            return unproven(CheckName::Time, Code::TimeMissing, "no verified time");
        }
        let mut waived = Vec::new();
        if keyed {
            waived.extend([CheckName::Certificate, CheckName::Sct]);
        } else {
            waived.extend((!self.sct).then_some(CheckName::Sct));
            waived.extend((!self.log).then_some(CheckName::Log));
        }
        Ok(Proven { times, logs, waived })
    }

    /// The checkpoint has to be signed by the log that the entry names, not by
    /// another log of the same root (scenario C-02). The verifier accepts any
    /// of its keys; where only the own log's key can have matched, nothing more
    /// is computed.
    fn own_log(&self, entry: &TransparencyLogEntry, proof: &InclusionProof) -> Result<(), Failure> {
        let foreign = || {
            Failure::new(CheckName::Log, Code::LogKey, "the checkpoint is not signed by the log that the entry names")
        };
        let checkpoint = Checkpoint::from_text(proof.checkpoint.envelope()).map_err(|_| foreign())?;
        let id = entry.log_id.key_id.as_bytes();
        let own = id.get(..4).ok_or_else(foreign)?;
        let mut signatures = checkpoint.signatures().iter().filter(|s| s.key_id.as_slice() == own).peekable();
        if signatures.peek().is_none() {
            return Err(foreign());
        }
        let others = self.root.inner.tlogs.iter().filter(|log| log.log_id.key_id.as_bytes() != id);
        let hints: Vec<&[u8]> = others.filter_map(|log| log.log_id.key_id.as_bytes().get(..4)).collect();
        if !checkpoint.signatures().iter().any(|s| hints.contains(&s.key_id.as_slice())) {
            return Ok(());
        }
        let log = self.root.inner.tlogs.iter().find(|log| log.log_id.key_id.as_bytes() == id).ok_or_else(foreign)?;
        let key = VerificationKey::from_spki(&log.public_key.raw_bytes).map_err(|_| foreign())?;
        if signatures.any(|s| key.verify(checkpoint.signed_data(), &s.signature).is_ok()) {
            Ok(())
        } else {
            Err(foreign())
        }
    }
}

impl<'a> Artifact<'a> {
    fn into_inner(self) -> Result<InnerArtifact<'a>, Failure> {
        match self {
            Self::Bytes(bytes) => Ok(InnerArtifact::from(bytes)),
            Self::Digest(digest) => {
                let algorithm = match digest.algorithm() {
                    Algorithm::Sha256 => HashAlgorithm::Sha2256,
                    Algorithm::Sha512 => HashAlgorithm::Sha2512,
                };
                let unsupported = |e: &dyn std::fmt::Display| {
                    Failure::new(CheckName::Structure, Code::UnsupportedEvidence, e.to_string())
                };
                let bytes = DigestBytes::from_hex(digest.hex()).map_err(|e| unsupported(&e))?;
                let digest = ArtifactDigest::new(algorithm, bytes).map_err(|e| unsupported(&e))?;
                Ok(InnerArtifact::from(digest))
            }
        }
    }
}
