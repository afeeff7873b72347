//! A Sigstore bundle, parsed and not yet believed.

use serde::Deserialize;
use sigstore_verify::types::bundle::{
    InclusionPromise, LogId, MessageSignature, PublicKeyIdentifier, Rfc3161Timestamp, TimestampVerificationData,
    VerificationMaterial, VerificationMaterialContent, X509Certificate,
};
use sigstore_verify::types::{
    Bundle as Inner, CanonicalizedBody, DerCertificate, HashAlgorithm, KindVersion, LogIndex, LogKeyId, MediaType,
    SignatureBytes, SignatureContent, SignedTimestamp, TimestampToken, TransparencyLogEntry,
};

#[cfg(feature = "sign")]
use super::logged_envelope::logged_envelope;
use super::wire::{WireBundle, WireEnvelope};
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::{Digest, hex};
use crate::json::{self, Object};
use crate::limits::Limits;
use crate::time::Timestamp;

/// A well-formed bundle of a version and with entries that can be verified.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(super) inner: Inner,
}

/// What a log entry says, for showing it.
pub(crate) struct EntryFacts {
    /// Lower-case hex.
    pub(crate) log_id: String,
    pub(crate) index: u64,
    /// Kind and version.
    pub(crate) kind: String,
    pub(crate) integrated_time: Option<Timestamp>,
    pub(crate) proof: bool,
    pub(crate) promise: bool,
}

/// What the bundle's signature is over.
pub(crate) enum SignedContent<'a> {
    /// A DSSE envelope.
    Dsse { payload_type: &'a str, payload: &'a [u8] },
    /// A message that is not in the bundle; its SHA-256 digest if the bundle names it.
    Message { digest: Option<Digest> },
}

/// What cosign's legacy layout keeps in annotations beside the signed bytes.
#[derive(Debug, Clone)]
pub(crate) struct LegacyParts {
    /// Leaf first; empty for a managed key.
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) entry: Option<LegacyEntry>,
    /// A DER TimeStampResp.
    pub(crate) timestamp: Option<Vec<u8>>,
    pub(crate) signed: LegacySigned,
}

/// The signed part of a legacy layer.
#[derive(Debug, Clone)]
pub(crate) enum LegacySigned {
    /// A signature over the layer's bytes.
    Payload { signature: Vec<u8> },
    /// The layer's bytes, a DSSE envelope.
    Envelope { json: Vec<u8> },
}

/// The annotation `dev.sigstore.cosign/bundle`, decoded.
#[derive(Debug, Clone)]
pub(crate) struct LegacyEntry {
    pub(crate) signed_entry_timestamp: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) integrated_time: i64,
    pub(crate) log_index: u64,
    pub(crate) log_id: Vec<u8>,
}

/// The fields of a bundle of which there is one (protobuf-specs, `sigstore_bundle.proto`).
const ONE_OF: json::Groups =
    &[&["dsseEnvelope", "messageSignature"], &["certificate", "publicKey", "x509CertificateChain"]];

fn structure(code: Code, detail: impl Into<String>) -> Failure {
    Failure::new(CheckName::Structure, code, detail)
}

impl Bundle {
    /// Reads bundle JSON, versions 0.1 to 0.3, both spellings of the media type.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Failure> {
        let text = json::reject_ambiguity(bytes, ONE_OF).map_err(|e| structure(Code::BundleInvalid, e.to_string()))?;
        let Object(wire): Object<WireBundle> = serde_json::from_str(text).map_err(|error| {
            let code = if Versions::unsupported(text) { Code::UnsupportedEvidence } else { Code::BundleInvalid };
            structure(code, error.to_string())
        })?;
        let inner = wire.into_inner().map_err(|problem| structure(Code::BundleInvalid, problem))?;
        let bundle = Self { inner }.within(limits)?;
        // Nobody signed it: it must not pass for one that a key signed (scenario A-02).
        let content = &bundle.inner.verification_material.content;
        if bundle.leaf().is_none() && !matches!(content, VerificationMaterialContent::PublicKey(_)) {
            return Err(structure(Code::BundleInvalid, "the bundle names neither a certificate nor a key"));
        }
        bundle.inner.verification_material.tlog_entries.iter().try_for_each(EntryKind::agrees)?;
        Ok(bundle)
    }

    /// Puts the parts of a legacy layer together as a v0.1 bundle, the version
    /// whose log evidence is a promise. What is signed stays byte for byte.
    pub(crate) fn from_legacy(parts: LegacyParts, limits: &Limits) -> Result<Self, Failure> {
        let invalid = |detail: String| structure(Code::BundleInvalid, detail);
        let content = if parts.certificates.is_empty() {
            VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(""))
        } else {
            let chain = parts.certificates.into_iter().map(|der| X509Certificate::new(DerCertificate::new(der)));
            VerificationMaterialContent::X509CertificateChain { certificates: chain.collect() }
        };
        let mut material = VerificationMaterial::new(content);
        if let Some(entry) = parts.entry {
            material.tlog_entries.push(entry.into_entry()?);
        }
        if let Some(token) = parts.timestamp {
            let token = Rfc3161Timestamp::new(TimestampToken::new(token));
            material = material.with_timestamp_verification_data(TimestampVerificationData::new(vec![token]));
        }
        let content = match parts.signed {
            LegacySigned::Payload { signature } => {
                SignatureContent::MessageSignature(MessageSignature::new(SignatureBytes::new(signature)))
            }
            LegacySigned::Envelope { json } => {
                let envelope: WireEnvelope = json::object(&json).map_err(|e| invalid(e.to_string()))?;
                SignatureContent::DsseEnvelope(envelope.into_inner().map_err(|problem| invalid(problem.to_owned()))?)
            }
        };
        Self { inner: Inner::new(MediaType::Bundle0_1, material, content) }.within(limits)
    }

    fn within(mut self, limits: &Limits) -> Result<Self, Failure> {
        let material = &mut self.inner.verification_material;
        if let VerificationMaterialContent::X509CertificateChain { certificates } = &material.content {
            // Otherwise the bundle would be taken for one that a managed key signed.
            if certificates.is_empty() {
                return Err(structure(Code::BundleInvalid, "the certificate chain is empty"));
            }
            // Before a path is looked for among them, which costs more with each (scenario K-04).
            let above = certificates.len() - 1;
            if above > limits.chain {
                let detail = format!("{above} certificates above the signer's, the limit is {}", limits.chain);
                return Err(structure(Code::Limit, detail));
            }
        }
        let entries = material.tlog_entries.len();
        let timestamps = material.timestamp_verification_data.rfc3161_timestamps.len();
        if entries > limits.log_entries || timestamps > limits.log_entries {
            let found = entries.max(timestamps);
            let detail = format!("{found} log entries or timestamps, the limit is {}", limits.log_entries);
            return Err(structure(Code::Limit, detail));
        }
        // The verifier tries every signature of a checkpoint until one holds (scenario C-10).
        for proof in material.tlog_entries.iter().filter_map(|entry| entry.inclusion_proof.as_ref()) {
            if proof.checkpoint.envelope().lines().nth(limits.checkpoint_lines).is_some() {
                let detail = format!("a checkpoint has more than {} lines", limits.checkpoint_lines);
                return Err(structure(Code::Limit, detail));
            }
        }
        // One entry twice would be counted as two witnesses (scenario B-11).
        for (n, entry) in material.tlog_entries.iter().enumerate() {
            let same =
                |other: &TransparencyLogEntry| other.log_id == entry.log_id && other.log_index == entry.log_index;
            if material.tlog_entries[..n].iter().any(same) {
                return Err(structure(Code::BundleInvalid, "the same log entry stands twice in the bundle"));
            }
        }
        // Early v0.1 bundles have a proof without a checkpoint. It proves
        // nothing, so it is dropped and the promise counts, as a promise.
        if self.inner.media_type == MediaType::Bundle0_1 {
            for entry in &mut material.tlog_entries {
                if entry.inclusion_proof.as_ref().is_some_and(|proof| proof.checkpoint.is_empty()) {
                    entry.inclusion_proof = None;
                }
            }
        }
        Ok(self)
    }

    /// What cosign's legacy layout keeps of a bundle with an envelope; the
    /// reason why not, where it has no place for something.
    #[cfg(feature = "sign")]
    pub(crate) fn to_legacy(&self) -> Result<LegacyParts, &'static str> {
        let SignatureContent::DsseEnvelope(envelope) = &self.inner.content else {
            return Err("the manifest itself is signed, and that format signs a document about it");
        };
        let material = &self.inner.verification_material;
        let [entry] = material.tlog_entries.as_slice() else {
            return Err("it has place for exactly one log entry");
        };
        if matches!(entry.kind_version, KindVersion::HashedRekordV001) {
            return Err("its readers do not take a log entry of the kind hashedrekord for an attestation");
        }
        let (Some(promise), Some(time)) = (&entry.inclusion_promise, entry.integrated_time) else {
            return Err("its log evidence is a promise, which only Rekor v1 makes");
        };
        let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
        if timestamps.len() > 1 {
            return Err("it has place for one timestamp");
        }
        let body = entry.canonicalized_body.as_bytes();
        let json = logged_envelope(envelope, body)
            .ok_or("its readers compare the envelope with the log's hash of it, and this is not as it was logged")?;
        Ok(LegacyParts {
            certificates: self.leaf().map(<[u8]>::to_vec).into_iter().collect(),
            entry: Some(LegacyEntry {
                signed_entry_timestamp: promise.signed_entry_timestamp.as_bytes().to_vec(),
                body: entry.canonicalized_body.as_bytes().to_vec(),
                integrated_time: time.as_second(),
                log_index: entry.log_index.get(),
                log_id: entry.log_id.key_id.as_bytes().to_vec(),
            }),
            timestamp: timestamps.first().map(|token| token.signed_timestamp.as_bytes().to_vec()),
            signed: LegacySigned::Envelope { json },
        })
    }

    /// What the signature is over.
    pub(crate) fn signed_content(&self) -> Result<SignedContent<'_>, Failure> {
        match &self.inner.content {
            SignatureContent::DsseEnvelope(envelope) => {
                Ok(SignedContent::Dsse { payload_type: &envelope.payload_type, payload: envelope.payload.as_bytes() })
            }
            SignatureContent::MessageSignature(message) => {
                let digest = message.message_digest.as_ref().filter(|d| d.algorithm == HashAlgorithm::Sha2256);
                let digest = digest.and_then(|d| format!("sha256:{}", hex(d.digest.as_bytes())).parse().ok());
                Ok(SignedContent::Message { digest })
            }
            _ => Err(structure(Code::UnsupportedEvidence, "the bundle's content is of an unknown kind")),
        }
    }

    /// The signing certificate, DER; none for a managed key.
    pub(crate) fn leaf(&self) -> Option<&[u8]> {
        self.inner.signing_certificate().map(DerCertificate::as_bytes)
    }

    /// What the bundle says about which managed key; none where it has a certificate or says nothing.
    pub(crate) fn key_hint(&self) -> Option<&str> {
        match &self.inner.verification_material.content {
            VerificationMaterialContent::PublicKey(key) => Some(key.hint.as_str()).filter(|hint| !hint.is_empty()),
            _ => None,
        }
    }

    /// The log entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryFacts> {
        self.inner.verification_material.tlog_entries.iter().map(|entry| EntryFacts {
            log_id: hex(entry.log_id.key_id.as_bytes()),
            index: entry.log_index.get(),
            kind: format!("{} {}", entry.kind_version.kind(), entry.kind_version.version()),
            integrated_time: entry.integrated_time.map(Timestamp::from_jiff),
            proof: entry.inclusion_proof.is_some(),
            promise: entry.inclusion_promise.is_some(),
        })
    }

    /// The signed timestamps, DER.
    pub(crate) fn timestamps(&self) -> impl Iterator<Item = &[u8]> {
        let tokens = &self.inner.verification_material.timestamp_verification_data.rfc3161_timestamps;
        tokens.iter().map(|token| token.signed_timestamp.as_bytes())
    }

    /// The media type, which names the version.
    pub(crate) fn media_type(&self) -> &'static str {
        self.inner.media_type.as_str()
    }

    /// The digest of the signature and its certificate: equal for the same
    /// signature in two formats.
    pub(crate) fn signature_digest(&self) -> Digest {
        let signature = match &self.inner.content {
            SignatureContent::DsseEnvelope(envelope) => envelope.signature.sig.as_bytes(),
            SignatureContent::MessageSignature(message) => message.signature.as_bytes(),
            _ => &[],
        };
        let leaf = self.leaf().unwrap_or_default();
        Digest::sha256(&[signature, &[0], leaf].concat())
    }

    /// Whether the bundle is of the version whose log evidence may be a promise.
    pub(crate) fn is_v01(&self) -> bool {
        self.inner.media_type == MediaType::Bundle0_1
    }

    /// The bundle as JSON, for a bundle that was put together from a legacy layer.
    pub(crate) fn to_json(&self) -> Option<String> {
        self.inner.to_json().ok()
    }
}

impl LegacyEntry {
    fn into_entry(self) -> Result<TransparencyLogEntry, Failure> {
        let invalid = |detail: String| structure(Code::BundleInvalid, detail);
        let kind = EntryKind::of(&self.body)?;
        let index = LogIndex::new(self.log_index).map_err(|e| invalid(e.to_string()))?;
        let time = jiff::Timestamp::from_second(self.integrated_time).map_err(|e| invalid(e.to_string()))?;
        let log = LogId::new(LogKeyId::new(self.log_id));
        let promise = InclusionPromise::new(SignedTimestamp::new(self.signed_entry_timestamp));
        Ok(TransparencyLogEntry::new(index, log, kind, CanonicalizedBody::new(self.body))
            .with_integrated_time(time)
            .with_inclusion_promise(promise))
    }
}

/// The two fields that every Rekor entry body begins with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryKind {
    kind: String,
    api_version: String,
}

impl EntryKind {
    fn parse(body: &[u8]) -> Result<Self, Failure> {
        json::object(body)
            .map_err(|e| Failure::new(CheckName::LogEntry, Code::BundleInvalid, format!("the log entry: {e}")))
    }

    /// The kind that the bundle gives is what chooses the comparisons that are
    /// made; it has to be the one that the log signed (scenario B-07).
    fn agrees(entry: &TransparencyLogEntry) -> Result<(), Failure> {
        let parsed = Self::parse(entry.canonicalized_body.as_bytes())?;
        let claimed = (entry.kind_version.kind(), entry.kind_version.version());
        if claimed == (parsed.kind.as_str(), parsed.api_version.as_str()) {
            return Ok(());
        }
        let (kind, version) = claimed;
        let detail = format!(
            "the bundle says that the log entry is {kind} {version}, and it is {} {}",
            parsed.kind, parsed.api_version
        );
        Err(Failure::new(CheckName::LogEntry, Code::LogMismatch, detail))
    }

    fn of(body: &[u8]) -> Result<KindVersion, Failure> {
        let parsed = Self::parse(body)?;
        match (parsed.kind.as_str(), parsed.api_version.as_str()) {
            ("hashedrekord", "0.0.1") => Ok(KindVersion::HashedRekordV001),
            ("dsse", "0.0.1") => Ok(KindVersion::DsseV001),
            ("intoto", "0.0.2") => Ok(KindVersion::IntotoV002),
            (kind, version) => {
                let detail = format!("log entries of the kind {kind} {version} cannot be verified");
                Err(structure(Code::UnsupportedEvidence, detail))
            }
        }
    }
}

/// Just enough of a bundle to tell "of a version not known here" from "broken".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    media_type: String,
    #[serde(default)]
    verification_material: Material,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default)]
    tlog_entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    kind_version: WireKind,
}

#[derive(Deserialize)]
struct WireKind {
    kind: String,
    version: String,
}

impl Versions {
    fn unsupported(text: &str) -> bool {
        let Ok(Object(versions)) = serde_json::from_str::<Object<Self>>(text) else { return false };
        let known_kind = |entry: &Entry| {
            let kind = (entry.kind_version.kind.as_str(), entry.kind_version.version.as_str());
            matches!(kind, ("hashedrekord", "0.0.1" | "0.0.2") | ("dsse", "0.0.1") | ("intoto", "0.0.2"))
        };
        versions.media_type.parse::<MediaType>().is_err()
            || !versions.verification_material.tlog_entries.iter().all(known_kind)
    }
}
