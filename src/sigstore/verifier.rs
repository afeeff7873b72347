//! One bundle against one trusted root, by the audited verifier of `sigstore-verify`.

use sigstore_verify::crypto::{Checkpoint, VerificationKey, try_default_provider};
use sigstore_verify::trust_root::TransparencyLog;
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

    /// The root that it verifies with.
    pub(crate) fn root(&self) -> &ParsedRoot {
        &self.root
    }

    /// Runs every check of the verifier; the identity is left to the policy.
    /// `now` is the time of evidence that nothing dates.
    pub(crate) fn verify(
        &self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        key: Option<&PublicKey>,
        now: Timestamp,
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
        .map_err(|error| self.told(from_verifier(&error)))?;
        self.prove(bundle, &result, key.is_some(), now)
    }

    /// A timestamp that nobody here vouches for is the usual sign of another
    /// instance's trust root: says whom this one has.
    fn told(&self, failure: Failure) -> Failure {
        if failure.code != Code::TimeUntrusted {
            return failure;
        }
        let authorities = self.root.inner.timestamp_authorities.iter();
        let known: Vec<&str> = authorities.map(|a| a.uri.as_deref().unwrap_or("one without an address")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("{}; the timestamp authorities of the trust root: {known}", failure.detail);
        Failure { detail, ..failure }
    }

    /// Turns a success into values, and fails closed if one of the verifier's
    /// own statements about what it checked is missing.
    fn prove(
        &self,
        bundle: &Bundle,
        result: &VerificationResult,
        keyed: bool,
        now: Timestamp,
    ) -> Result<Proven, Failure> {
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
            let log = self.log_of(entry)?;
            trusted_then(log, result.verified_timestamps(), now)?;
            if let Some(proof) = &entry.inclusion_proof {
                self.signed_by(log, proof)?;
            } else if entry.inclusion_promise.is_none() {
                return unproven(CheckName::Log, Code::LogProof, "a log entry has neither a proof nor a promise");
            }
            logs.push(ProvenLog {
                id: hex(entry.log_id.key_id.as_bytes()),
                index: entry.log_index.get(),
                proof: entry.inclusion_proof.is_some(),
            });
        }
        // Without a promise nobody signed the time that an entry has.
        let promised = |entry: &&TransparencyLogEntry| entry.inclusion_promise.is_some();
        let from_log = |time| entries.iter().filter(promised).any(|entry| entry.integrated_time == Some(time));
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

    /// The log that an entry names.
    fn log_of(&self, entry: &TransparencyLogEntry) -> Result<&TransparencyLog, Failure> {
        let named = |log: &&TransparencyLog| log.log_id.key_id.as_bytes() == entry.log_id.key_id.as_bytes();
        let unknown = || Failure::new(CheckName::Log, Code::LogKey, "the log that the entry names is not trusted");
        self.root.inner.tlogs.iter().find(named).ok_or_else(unknown)
    }

    /// The checkpoint has to be signed by the log that the entry names, not by
    /// another log of the same root (scenario C-02). The verifier accepts any
    /// of its keys; where only the own log's key can have matched, nothing more
    /// is computed.
    fn signed_by(&self, log: &TransparencyLog, proof: &InclusionProof) -> Result<(), Failure> {
        let foreign = || {
            Failure::new(CheckName::Log, Code::LogKey, "the checkpoint is not signed by the log that the entry names")
        };
        let checkpoint = Checkpoint::from_text(proof.checkpoint.envelope()).map_err(|_| foreign())?;
        let id = log.log_id.key_id.as_bytes();
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
        let key = VerificationKey::from_spki(&log.public_key.raw_bytes).map_err(|_| foreign())?;
        if signatures.any(|s| key.verify(checkpoint.signed_data(), &s.signature).is_ok()) {
            Ok(())
        } else {
            Err(foreign())
        }
    }
}

/// The log's key has to be trusted at every verified time. The verifier looks
/// at its window only where the log's promise has a time, and a checkpoint has
/// none: whoever holds a retired key could sign one today. What nothing dates
/// is judged as if it were made now.
fn trusted_then(log: &TransparencyLog, times: &[jiff::Timestamp], now: Timestamp) -> Result<(), Failure> {
    let Some(window) = log.public_key.valid_for else { return Ok(()) };
    let now = [now.to_jiff()];
    let times = if times.is_empty() { &now } else { times };
    match times.iter().find(|time| !window.contains(**time)) {
        None => Ok(()),
        Some(time) => {
            let detail = format!("the key of the log {} is not trusted at {time}", log.base_url);
            Err(Failure::new(CheckName::Log, Code::LogKey, detail))
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

#[cfg(test)]
mod tests {
    use super::*;
    use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_log_vouches_only_while_its_key_is_trusted_both_ends_included() {
        let root = TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT).expect("the embedded root");
        let mut log = root.tlogs.into_iter().next().expect("a log");
        let window = log.public_key.valid_for.as_mut().expect("a window");
        window.start = time("2026-01-01T00:00:00Z").to_jiff();
        window.end = Some(time("2026-02-01T00:00:00Z").to_jiff());
        let check = |times: &[&str], now: &str| {
            let times: Vec<_> = times.iter().map(|text| time(text).to_jiff()).collect();
            trusted_then(&log, &times, time(now)).map_err(|failure| (failure.check, failure.code))
        };
        let (inside, later) = ("2026-01-15T00:00:00Z", "2026-06-01T00:00:00Z");
        let refused = Err((CheckName::Log, Code::LogKey));
        for good in [inside, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"] {
            assert_eq!(check(&[good], later), Ok(()), "{good}");
        }
        for bad in ["2025-12-31T23:59:59Z", "2026-02-01T00:00:00.000000001Z", later] {
            assert_eq!(check(&[bad], later), refused, "{bad}");
            assert_eq!(check(&[inside, bad], later), refused, "every time counts, {bad} too");
        }
        // Without a time, a signature by whoever holds the retired key cannot be told from an old one.
        assert_eq!(check(&[], inside), Ok(()));
        assert_eq!(check(&[], later), refused);
        log.public_key.valid_for = None;
        assert_eq!(trusted_then(&log, &[], time(later)), Ok(()));
    }
}
