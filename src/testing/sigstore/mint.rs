//! Making one piece of evidence: certificate, signature, timestamp, log entry, container, in this order.

use serde_json::{Value, json};

use super::authority::{Authority, Window};
use super::entry::{Content, Entry, Verifier, envelope};
use super::fault::Fault;
use super::form::{BundleVersion, Form, Log};
use super::identity::Identity;
use super::instance::{VirtualSigstore, authority_window, shifted};
use super::key::{Key, ManagedKey, base64, mirrored, sha256};
use super::legacy::Layer;
use super::log::{TransparencyLog, cosigned};
use super::tsa::TimestampAuthority;
use crate::image::media;

const HOUR: i64 = 3600;
const FIFTY_YEARS: i64 = 50 * 365 * 24 * HOUR;

/// A signature in the making: first its form, then, as the last call, what is signed.
///
/// Without further calls it is a v0.3 bundle with an entry in Rekor v1 that has
/// promise and proof, and no timestamp. The certificate was made five seconds
/// before the instance's time, everything else at that time.
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is made before the last call says what is signed"]
pub struct Mint<'a> {
    sigstore: &'a VirtualSigstore,
    signer: Signer<'a>,
    version: BundleVersion,
    log: Log,
    promise: bool,
    proof: bool,
    cosigned: bool,
    alone: bool,
    /// As asked for; by default only where the log has no time.
    timestamp: Option<bool>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum Signer<'a> {
    Keyless(&'a Identity),
    Key(&'a ManagedKey),
}

/// The parts of a piece of evidence.
pub(super) struct Signed {
    pub(super) content: Content,
    pub(super) verifier: Verifier,
    pub(super) signature: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    pub(super) timestamp: Option<Vec<u8>>,
    /// A second signature by the same key, where the fault asks for one.
    second: Option<Vec<u8>>,
}

impl<'a> Mint<'a> {
    pub(super) fn keyless(sigstore: &'a VirtualSigstore, identity: &'a Identity) -> Self {
        Self::new(sigstore, Signer::Keyless(identity))
    }

    pub(super) fn with_key(sigstore: &'a VirtualSigstore, key: &'a ManagedKey) -> Self {
        Self::new(sigstore, Signer::Key(key))
    }

    fn new(sigstore: &'a VirtualSigstore, signer: Signer<'a>) -> Self {
        let (version, log) = (BundleVersion::V03, Log::RekorV1);
        Self {
            sigstore,
            signer,
            version,
            log,
            promise: true,
            proof: true,
            cosigned: false,
            alone: false,
            timestamp: None,
            fault: None,
        }
    }

    /// The version of the bundle.
    pub fn version(self, version: BundleVersion) -> Self {
        Self { version, ..self }
    }

    /// The log and the kind of its entry.
    pub fn log(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// With a timestamp of an RFC 3161 authority, or without.
    pub fn timestamp(self, timestamp: bool) -> Self {
        Self { timestamp: Some(timestamp), ..self }
    }

    /// Without the log's promise (Rekor v1), hence without an authenticated time of the log.
    pub fn without_promise(self) -> Self {
        Self { promise: false, ..self }
    }

    /// Without the proof of inclusion.
    pub fn without_proof(self) -> Self {
        Self { proof: false, ..self }
    }

    /// With a checkpoint that two witnesses have signed as well, one before the log and one after it.
    pub fn cosigned(self) -> Self {
        Self { cosigned: true, ..self }
    }

    /// As the first and only entry of its log: the index in the tree is zero, the
    /// proof has no hashes, and the bundle has neither, as proto3 leaves defaults out.
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Wrong in this one way.
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// Whether a statement in this form can be wrong in this way.
    #[must_use]
    pub fn statement_can_have(self, fault: Fault) -> bool {
        self.form(true, false).can_have(fault)
    }

    /// Whether a signed blob in this form can be wrong in this way.
    #[must_use]
    pub fn blob_can_have(self, fault: Fault) -> bool {
        self.form(false, false).can_have(fault)
    }

    /// Whether a `.sig` layer can be wrong in this way.
    #[must_use]
    pub fn legacy_signature_can_have(self, fault: Fault) -> bool {
        self.form(false, true).can_have(fault)
    }

    /// Whether an `.att` layer can be wrong in this way.
    #[must_use]
    pub fn legacy_attestation_can_have(self, fault: Fault) -> bool {
        self.form(true, true).can_have(fault)
    }

    /// A bundle (JSON) with an in-toto statement in a DSSE envelope.
    ///
    /// # Panics
    /// When this form cannot be wrong in the way that was asked for:
    /// [`Mint::statement_can_have`] tells.
    #[must_use]
    pub fn statement(self, statement: &[u8]) -> String {
        let form = self.checked_form(true, false);
        self.bundle(&self.make(form, in_toto(statement))).to_string()
    }

    /// A bundle (JSON) with a signature over bytes that stay outside.
    ///
    /// # Panics
    /// When this form cannot be wrong in the way that was asked for:
    /// [`Mint::blob_can_have`] tells.
    #[must_use]
    pub fn blob(self, bytes: &[u8]) -> String {
        let form = self.checked_form(false, false);
        self.bundle(&self.make(form, Content::Blob(bytes.to_vec()))).to_string()
    }

    /// A layer of a `.sig` image over a simple-signing document.
    ///
    /// # Panics
    /// As [`Mint::blob`]; [`Mint::legacy_signature_can_have`] tells.
    #[must_use]
    pub fn legacy_signature(self, payload: &[u8]) -> Layer {
        let form = self.checked_form(false, true);
        Layer::signature(payload, &self.make(form, Content::Blob(payload.to_vec())))
    }

    /// A layer of an `.att` image with an in-toto statement.
    ///
    /// # Panics
    /// As [`Mint::statement`]; [`Mint::legacy_attestation_can_have`] tells.
    #[must_use]
    pub fn legacy_attestation(self, statement: &[u8]) -> Layer {
        let form = self.checked_form(true, true);
        let signed = self.make(form, in_toto(statement));
        let known: Option<Value> = serde_json::from_slice(statement).ok();
        let predicate_type = known.and_then(|json| json["predicateType"].as_str().map(str::to_owned));
        Layer::attestation(&self.envelope(&signed), predicate_type, &signed)
    }

    fn form(self, statement: bool, legacy: bool) -> Form {
        let keyless = matches!(self.signer, Signer::Keyless(_));
        let logged = self.log != Log::None;
        Form {
            keyless,
            statement,
            legacy,
            version: self.version,
            log: self.log,
            promise: self.log.is_v1() && self.promise,
            // A layer's annotations have no place for a proof.
            proof: logged && self.proof && !legacy,
            alone: self.alone,
            timestamp: self.timestamp.unwrap_or(self.log == Log::RekorV2),
        }
    }

    fn checked_form(self, statement: bool, legacy: bool) -> Form {
        let form = self.form(statement, legacy);
        if let Some(fault) = self.fault {
            // Evidence that is right after all would make a negative test pass for nothing.
            assert!(form.can_have(fault), "{fault:?} cannot happen to {form:?}");
        }
        form
    }

    fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn make(self, form: Form, content: Content) -> Signed {
        let content = self.spoiled(content);
        let fresh;
        let (key, verifier) = match self.signer {
            Signer::Keyless(identity) => {
                fresh = Key::p256();
                (&fresh, self.certificate(identity, &fresh))
            }
            Signer::Key(key) => (&key.0, Verifier::Key(key.0.spki.clone())),
        };
        let message = match (&content, self.fault) {
            (_, Some(Fault::SignatureBad)) => content.other().message(),
            (Content::Envelope { payload, .. }, Some(Fault::SignatureOverPayload)) => payload.clone(),
            _ => content.message(),
        };
        let signature = key.sign(&message);
        let second = self.has(Fault::TwoSignatures).then(|| key.sign(&message));
        let stamped = form.timestamp && !self.has(Fault::TimeMissing);
        let timestamp = stamped.then(|| self.stamp(&signature));
        let mut signed = Signed { content, verifier, signature, entries: Vec::new(), timestamp, second };
        if form.log != Log::None {
            signed.entries = self.entries(form, &signed, key, &message);
        }
        signed
    }

    /// The faults of what is signed; whatever follows is made for the spoiled content.
    fn spoiled(self, content: Content) -> Content {
        let Content::Envelope { payload_type, payload } = content else { return content };
        if self.has(Fault::PayloadTypeForeign) {
            return Content::Envelope { payload_type: "application/vnd.example+json", payload };
        }
        let edited = |edit: fn(&mut Value)| {
            let mut statement: Value = serde_json::from_slice(&payload).unwrap_or_default();
            edit(&mut statement);
            statement.to_string().into_bytes()
        };
        let payload = match self.fault {
            Some(Fault::StatementNotJson) => payload[..payload.len().saturating_sub(1)].to_vec(),
            Some(Fault::StatementTypeUnknown) => edited(|s| s["_type"] = json!("https://in-toto.io/Statement/v2")),
            Some(Fault::SubjectsEmpty) => edited(|s| s["subject"] = json!([])),
            Some(Fault::PredicateTypeTwice) => {
                let text = edited(|_| ());
                [br#"{"predicateType":"https://example.com/another","#, text.get(1..).unwrap_or_default()].concat()
            }
            _ => payload,
        };
        Content::Envelope { payload_type, payload }
    }

    fn certificate(self, identity: &Identity, key: &Key) -> Verifier {
        let services = &self.sigstore.services;
        let (now, ten_minutes) = (self.sigstore.now(), 600);
        let begin = shifted(now, if self.has(Fault::CertificateExpired) { -HOUR } else { -5 });
        let future = matches!(self.fault, Some(Fault::IntegratedTimeInFuture | Fault::TimestampInFuture));
        let end = shifted(if future { shifted(now, FIFTY_YEARS) } else { begin }, ten_minutes);
        let impostor;
        let authority = match self.fault {
            Some(Fault::CertificateOfAnotherAuthority) => {
                impostor = Authority::fulcio(authority_window());
                &impostor
            }
            Some(Fault::CertificateOfRetiredAuthority) => &services.retired.fulcio,
            Some(Fault::CertificateOfLapsedAuthority) => &services.retired.lapsed,
            _ => &services.fulcio,
        };
        let ct = if self.has(Fault::SctByRetiredLog) { &services.retired.ct } else { &services.ct };
        let leaf = authority.certify(identity, &key.spki, Window(begin, end), ct, self.fault);
        let chain = vec![authority.issuer.certificate.clone(), authority.root.certificate.clone()];
        Verifier::Certificate { leaf, chain }
    }

    fn stamp(self, signature: &[u8]) -> Vec<u8> {
        let (services, now) = (&self.sigstore.services, self.sigstore.now());
        match self.fault {
            Some(Fault::TimestampOfAnotherSignature) => services.tsa.stamp(&[signature, b" "].concat(), now),
            Some(Fault::TimestampByUntrustedAuthority) => {
                TimestampAuthority::new("virtual-tsa", authority_window()).stamp(signature, now)
            }
            Some(Fault::TimestampByAnotherKey) => services.tsa.stamp_with(&Key::p256(), signature, now),
            Some(Fault::TimestampByForeignCertificate) => services.tsa.stamp_as_another(signature, now),
            Some(Fault::TimestampOutsideAuthority) => services.retired.tsa.stamp(signature, now),
            Some(Fault::TimestampOutsideCertificate) => services.tsa.stamp(signature, shifted(now, -HOUR)),
            Some(Fault::TimestampInFuture) => services.tsa.stamp(signature, shifted(now, FIFTY_YEARS)),
            _ => services.tsa.stamp(signature, now),
        }
    }

    fn entries(self, form: Form, signed: &Signed, key: &Key, message: &[u8]) -> Vec<Entry> {
        let services = &self.sigstore.services;
        let unknown;
        let log = match (form.log.is_v1(), self.fault) {
            (true, Some(Fault::EntryByUnknownLog)) => {
                unknown = TransparencyLog::rekor_v1(services.rekor_v1.name);
                &unknown
            }
            (false, Some(Fault::EntryByUnknownLog)) => {
                unknown = TransparencyLog::rekor_v2(services.rekor_v2.name);
                &unknown
            }
            (true, Some(Fault::EntryByRetiredLog)) => &services.retired.rekor_v1,
            (true, _) => &services.rekor_v1,
            (false, _) => &services.rekor_v2,
        };
        let fresh;
        let log = if self.alone {
            fresh = log.before_the_first();
            &fresh
        } else {
            log
        };
        let Signed { content, verifier, signature, .. } = signed;
        // Another artifact of the same signer, in the same form, right in every way.
        let twin = || Mint { fault: None, ..self }.make(form, content.other()).entries;
        let append = |content, signature, verifier| Entry::append(log, form.log, content, signature, verifier);
        let mut entry = match self.fault {
            Some(Fault::EntryOfAnotherArtifact) => return twin(),
            Some(Fault::EntryWithAnotherSignature) => append(content, &key.sign(message), verifier),
            Some(Fault::EntryWithMirroredSignature) => append(content, &mirrored(signature), verifier),
            Some(Fault::EntryWithAnotherCertificate) => append(content, signature, &self.another_verifier()),
            Some(Fault::EntryWithAnotherHash) => append(&content.other(), signature, verifier),
            _ => append(content, signature, verifier),
        };
        self.add_promise(form, log, &mut entry, twin);
        self.add_proof(form, log, &mut entry, twin);
        match self.fault {
            // A kind that exists in Rekor v1, where the one of Rekor v2 would ask for other evidence.
            Some(Fault::KindVersionDisagrees) => {
                (entry.kind, entry.version) = match (entry.kind, entry.version) {
                    ("dsse", _) | ("hashedrekord", "0.0.2") => ("intoto", "0.0.2"),
                    _ => ("dsse", "0.0.1"),
                };
            }
            Some(Fault::KindVersionUnknown) => entry.kind = "helm",
            Some(Fault::EntryTwice) => return vec![entry.clone(), entry],
            Some(Fault::SecondEntryOfAnotherArtifact) => return [vec![entry], twin()].concat(),
            _ => {}
        }
        vec![entry]
    }

    fn another_verifier(self) -> Verifier {
        let key = Key::p256();
        match self.signer {
            Signer::Keyless(identity) => self.certificate(identity, &key),
            Signer::Key(_) => Verifier::Key(key.spki),
        }
    }

    /// The log's time stands in every entry of Rekor v1; only the promise makes it worth something.
    fn add_promise(self, form: Form, log: &TransparencyLog, entry: &mut Entry, twin: impl Fn() -> Vec<Entry>) {
        if !form.log.is_v1() {
            return;
        }
        let now = self.sigstore.now();
        let time = match self.fault {
            Some(Fault::IntegratedTimeOutsideCertificate) => shifted(now, -HOUR),
            Some(Fault::IntegratedTimeInFuture) => shifted(now, FIFTY_YEARS),
            _ => now,
        };
        let impostor;
        let key = if self.has(Fault::PromiseByUnknownKey) {
            impostor = Key::p256();
            &impostor
        } else {
            &log.key
        };
        entry.promise(log, key, time);
        match self.fault {
            Some(Fault::PromiseOfAnotherEntry) => entry.promise = twin().pop().and_then(|other| other.promise),
            Some(Fault::PromiseForAnotherTime) => entry.integrated = Some(shifted(time, -1)),
            _ if !form.promise || self.has(Fault::TimeMissing) => entry.promise = None,
            _ => {}
        }
    }

    fn add_proof(self, form: Form, log: &TransparencyLog, entry: &mut Entry, twin: impl Fn() -> Vec<Entry>) {
        let services = &self.sigstore.services;
        if !form.proof || self.has(Fault::ProofMissing) {
            entry.proof = None;
        }
        self.spoil_proof(form, log, entry, twin);
        if let Some(proof) = entry.proof.as_mut().filter(|_| self.cosigned) {
            proof.checkpoint = cosigned(&proof.checkpoint, &services.witnesses, self.sigstore.now());
        }
    }

    fn spoil_proof(self, form: Form, log: &TransparencyLog, entry: &mut Entry, twin: impl Fn() -> Vec<Entry>) {
        let services = &self.sigstore.services;
        let Some(proof) = &mut entry.proof else { return };
        let (size, root) = (proof.size, proof.root);
        match self.fault {
            Some(Fault::ProofOfAnotherEntry) => entry.proof = twin().pop().and_then(|other| other.proof),
            Some(Fault::ProofHashCorrupted) => {
                if let Some(byte) = proof.hashes.first_mut().and_then(|hash| hash.first_mut()) {
                    *byte ^= 1;
                }
            }
            Some(Fault::CheckpointMissing) => proof.checkpoint.clear(),
            Some(Fault::CheckpointByUnknownKey) => {
                proof.checkpoint = log.note(size, &root, log.name, &Key::p256(), &log.id);
            }
            Some(Fault::CheckpointByAnotherLog) => {
                let other = if form.log.is_v1() { &services.rekor_v2 } else { &services.rekor_v1 };
                proof.checkpoint = log.note(size, &root, other.name, &other.key, &other.id);
            }
            Some(Fault::CheckpointOfAnotherTree) => {
                proof.checkpoint = log.checkpoint(size, &sha256(&root));
            }
            Some(Fault::CheckpointOverRootHash) => proof.checkpoint = log.note_over_root(size, &root),
            Some(Fault::CheckpointKeyHintWrong) => {
                proof.checkpoint = log.note(size, &root, log.name, &log.key, &sha256(&log.id));
            }
            _ => {}
        }
    }

    fn envelope(self, signed: &Signed) -> Value {
        let Content::Envelope { payload_type, payload } = &signed.content else { return Value::Null };
        let one = signed.signature.clone();
        let signatures = match &signed.second {
            _ if self.has(Fault::NoSignatures) => vec![],
            Some(second) => vec![one, second.clone()],
            None => vec![one],
        };
        envelope(payload_type, payload, &signatures)
    }

    fn bundle(self, signed: &Signed) -> Value {
        let raw = |der: &[u8]| json!({ "rawBytes": base64(der) });
        let (name, material) = match &signed.verifier {
            Verifier::Key(spki) => ("publicKey", json!({ "hint": base64(sha256(spki)) })),
            Verifier::Certificate { leaf, .. } if !self.version.has_chain() => ("certificate", raw(leaf)),
            Verifier::Certificate { leaf, chain } => {
                // Only a forger has a reason to bring a chain.
                let brought: &[Vec<u8>] =
                    if self.has(Fault::CertificateOfAnotherAuthority) { chain } else { Default::default() };
                let certificates: Vec<_> = std::iter::once(leaf).chain(brought).map(|der| raw(der)).collect();
                ("x509CertificateChain", json!({ "certificates": certificates }))
            }
        };
        let entries: Vec<_> = signed.entries.iter().map(Entry::json).collect();
        let mut bundle = json!({
            "mediaType": self.version.media_type(),
            "verificationMaterial": { name: material, "tlogEntries": entries },
        });
        if let Some(token) = &signed.timestamp {
            bundle["verificationMaterial"]["timestampVerificationData"] =
                json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64(token) }] });
        }
        match &signed.content {
            Content::Envelope { .. } => bundle["dsseEnvelope"] = self.envelope(signed),
            Content::Blob(bytes) => {
                let other = [bytes, &b" "[..]].concat();
                let named = if self.has(Fault::MessageDigestOfAnotherArtifact) { &other } else { bytes };
                bundle["messageSignature"] = json!({
                    "messageDigest": { "algorithm": "SHA2_256", "digest": base64(sha256(named)) },
                    "signature": base64(&signed.signature),
                });
            }
        }
        bundle
    }
}

fn in_toto(statement: &[u8]) -> Content {
    Content::Envelope { payload_type: media::IN_TOTO, payload: statement.to_vec() }
}
