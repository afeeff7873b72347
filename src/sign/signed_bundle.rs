//! A bundle that may leave: our own verifier accepted these bytes (promise 9).

use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::{Candidate, Origin, OriginKind};
use crate::image::media;
use crate::limits::Limits;
use crate::signer::Signer;
use crate::sigstore::{Bundle, SignedContent};
use crate::statement::{COSIGN_SIGN, Statement};
use crate::time::Timestamp;
use crate::trust::TrustRoot;
use crate::verify::VerifiedBundle;

use super::held::Held;
use super::{Draft, SignError};

/// The version that is attached; both of its spellings.
const V0_3: [&str; 2] = [media::BUNDLE, "application/vnd.dev.sigstore.bundle+json;version=0.3"];

/// A v0.3 bundle that holds, for a digest, under a trust root; whoever signed it.
///
/// It says that the evidence is genuine and what it is about, not that its
/// signer is one to trust: it is what may be attached, never what may be run.
/// Cloning is cheap.
///
/// ```compile_fail
/// let forged = cg_attest::sign::SignedBundle::default();
/// ```
/// ```compile_fail
/// let forged: Result<cg_attest::sign::SignedBundle, _> = serde_json::from_str("{}");
/// ```
#[derive(Debug, Clone)]
pub struct SignedBundle {
    blob: VerifiedBlob,
    held: Held,
}

/// What a bundle has signed; the values of the annotation `dev.sigstore.bundle.content`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// An in-toto statement in a DSSE envelope.
    DsseEnvelope,
    /// The subject's manifest itself.
    MessageSignature,
}

impl ContentKind {
    /// The value of the annotation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DsseEnvelope => "dsse-envelope",
            Self::MessageSignature => "message-signature",
        }
    }
}

impl SignedBundle {
    /// Verifies a bundle that a certificate's key signed: every check that a
    /// bundle in a registry has to pass, with the signer whom the certificate names.
    ///
    /// # Errors
    /// When the bundle is older than v0.3 (`bundle-version`), or any check fails.
    pub fn verify(
        bytes: Vec<u8>,
        subject: &Digest,
        trust: &TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, SignError> {
        Self::check(bytes, subject, None, trust, now, limits)
    }

    /// Verifies a bundle that a managed key signed; `key` is the public key, PEM.
    ///
    /// # Errors
    /// As [`SignedBundle::verify`], and when the key cannot be used.
    pub fn verify_with_key(
        bytes: Vec<u8>,
        subject: &Digest,
        key: &str,
        trust: &TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, SignError> {
        Self::check(bytes, subject, Some(key), trust, now, limits)
    }

    fn check(
        bytes: Vec<u8>,
        subject: &Digest,
        key: Option<&str>,
        trust: &TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, SignError> {
        let unverified = SignError::Unverified;
        if bytes.len() as u64 > limits.attestation_bytes {
            let detail = format!("{} bytes, the limit is {}", bytes.len(), limits.attestation_bytes);
            return Err(unverified(Failure::new(CheckName::Structure, Code::Limit, detail)));
        }
        let media_type = Bundle::parse(&bytes, limits).map_err(unverified)?.media_type();
        if !V0_3.contains(&media_type) {
            return Err(SignError::OldBundle { media_type });
        }
        let blob = VerifiedBlob::of(bytes);
        let origin = Origin::new(OriginKind::BundleReferrer, blob.digest().to_string());
        let candidate = Candidate::bundle(blob.clone(), origin);
        let held = Held::check(&candidate, subject, key, trust, now, limits)?;
        Ok(Self { blob, held })
    }

    /// Which of these digests a bundle says that it is about. Nothing is
    /// verified: the answer only tells what to verify it for.
    ///
    /// # Errors
    /// When the bundle is malformed, or is about something without a digest.
    pub fn claimed_subjects<'a>(
        bytes: &[u8],
        among: impl IntoIterator<Item = &'a Digest>,
        limits: &Limits,
    ) -> Result<Vec<&'a Digest>, SignError> {
        let parsed = Bundle::parse(bytes, limits).map_err(SignError::Unverified)?;
        let structure = |code, detail| SignError::Unverified(Failure::new(CheckName::Structure, code, detail));
        let claims: Box<dyn Fn(&Digest) -> bool> = match parsed.signed_content().map_err(SignError::Unverified)? {
            SignedContent::Dsse { payload, .. } => {
                let statement = Statement::parse(payload, limits).map_err(|e| structure(e.code(), e.to_string()))?;
                Box::new(move |digest| statement.is_about(digest))
            }
            SignedContent::Message { digest } => Box::new(move |wanted| digest.as_ref() == Some(wanted)),
        };
        Ok(among.into_iter().filter(|digest| claims(digest)).collect())
    }

    /// Whether a bundle says that a managed key signed it, and no certificate.
    pub(crate) fn is_key_signed(bytes: &[u8], limits: &Limits) -> bool {
        Bundle::parse(bytes, limits).is_ok_and(|bundle| bundle.leaf().is_none())
    }

    /// The bundle, JSON, byte for byte as it was verified.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.blob.bytes()
    }

    /// The bundle as bytes under their digest.
    #[must_use]
    pub fn blob(&self) -> &VerifiedBlob {
        &self.blob
    }

    /// The digest of the bundle's bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.blob.digest()
    }

    /// The digest that it is about.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        self.held.subject()
    }

    /// What is signed.
    #[must_use]
    pub fn content_kind(&self) -> ContentKind {
        if self.statement().is_some() { ContentKind::DsseEnvelope } else { ContentKind::MessageSignature }
    }

    /// The statement; none where the manifest itself is signed.
    #[must_use]
    pub fn statement(&self) -> Option<&Statement> {
        self.held.statement()
    }

    /// The predicate type; none where the manifest itself is signed.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.statement().map(Statement::predicate_type)
    }

    /// The digest of the predicate, exactly as it was signed.
    #[must_use]
    pub fn predicate_digest(&self) -> Option<Digest> {
        self.statement().map(|statement| Digest::sha256(statement.predicate().as_bytes()))
    }

    /// Whether it is a signature of the image, and no attestation.
    #[must_use]
    pub fn is_signature(&self) -> bool {
        self.predicate_type().is_none_or(|predicate_type| predicate_type == COSIGN_SIGN)
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.held.bundle().signer()
    }

    /// What was verified about it: times, log entries, instance.
    #[must_use]
    pub fn verified(&self) -> &VerifiedBundle {
        self.held.bundle()
    }

    /// The earliest verified time; none where a key signed and nothing says when.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.held.bundle().times().first().map(|verified| verified.time)
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// Whether it says what `draft` would say, had `signer` signed it.
    #[must_use]
    pub fn says_what(&self, draft: &Draft, signer: &Signer) -> bool {
        self.held.says_what(draft, signer)
    }

    /// Whether the other one is of the same kind by the same signer: what
    /// `replace` replaces. The certificate may be another one, because each
    /// run has its own; name and issuer may not.
    #[must_use]
    pub fn is_same_kind(&self, other: &Self) -> bool {
        self.held.is_same_kind(&other.held)
    }

    /// Whether the other one says the same: the same kind, by the same signer,
    /// with the same predicate bytes. What `skip-same` leaves out.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.held.says_the_same(&other.held)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::{BundleVersion, Fault, Identity, Log, ManagedKey, Statement as About, VirtualSigstore};

    struct Scene {
        sigstore: VirtualSigstore,
        identity: Identity,
        trust: TrustRoot,
        subject: Digest,
    }

    impl Scene {
        fn new() -> Self {
            let sigstore = VirtualSigstore::new();
            let trust = TrustRoot::parse(sigstore.trusted_root_json().as_bytes(), "virtual").expect("a root");
            let identity = Identity::email("me@example.org", "https://issuer.example");
            Self { sigstore, identity, trust, subject: Digest::sha256(b"image") }
        }

        fn statement(&self) -> Vec<u8> {
            About::about(&self.subject).spdx()
        }

        fn verify(&self, bundle: String) -> Result<SignedBundle, SignError> {
            let (now, limits) = (self.sigstore.now(), Limits::default());
            SignedBundle::verify(bundle.into_bytes(), &self.subject, &self.trust, now, &limits)
        }
    }

    #[test]
    fn what_holds_is_taken_byte_for_byte_whoever_signed_it() {
        let scene = Scene::new();
        for log in [Log::RekorV1, Log::RekorV2] {
            let bundle = scene.sigstore.sign(&scene.identity).log(log).statement(&scene.statement());
            let signed = scene.verify(bundle.clone()).expect("a good bundle");
            assert_eq!(signed.bytes(), bundle.as_bytes());
            assert_eq!(signed.subject(), &scene.subject);
            assert_eq!(signed.predicate_type(), Some("https://spdx.dev/Document"));
            assert_eq!(signed.content_kind(), ContentKind::DsseEnvelope);
            assert_eq!(signed.signer().identity().value, "me@example.org");
            assert!(signed.time().is_some_and(|time| time <= scene.sigstore.now()) && !signed.is_signature());
        }
        let code = |fault| {
            let mint = scene.sigstore.sign(&scene.identity).fault(fault);
            scene.verify(mint.statement(&scene.statement())).map(drop).map_err(|e| e.code())
        };
        assert_eq!(code(Fault::SignatureBad), Err(Code::SigInvalid));
        assert_eq!(code(Fault::CertificateOfAnotherAuthority), Err(Code::CertChain));
        assert_eq!(code(Fault::EntryOfAnotherArtifact), Err(Code::LogMismatch));
    }

    #[test]
    fn a_statement_about_another_digest_is_refused() {
        let scene = Scene::new();
        let of = |digest: &Digest| scene.sigstore.sign(&scene.identity).statement(&About::about(digest).spdx());
        assert!(scene.verify(of(&scene.subject)).is_ok());
        let error = scene.verify(of(&Digest::sha256(b"another"))).expect_err("another image");
        assert_eq!(error.code(), Code::SubjectMismatch);
    }

    #[test]
    fn older_bundles_are_refused_with_their_own_reason() {
        let scene = Scene::new();
        let of =
            |version| scene.verify(scene.sigstore.sign(&scene.identity).version(version).statement(&scene.statement()));
        assert!(of(BundleVersion::V03).is_ok());
        for old in [BundleVersion::V01, BundleVersion::V02] {
            assert_eq!(of(old).expect_err("an old one").code(), Code::BundleVersion);
        }
    }

    #[test]
    fn a_key_signed_bundle_needs_its_key() {
        let scene = Scene::new();
        let (key, other) = (ManagedKey::new(), ManagedKey::new());
        let bundle = scene.sigstore.sign_with_key(&key).statement(&scene.statement());
        let with = |key: &ManagedKey| {
            let (now, limits, pem) = (scene.sigstore.now(), Limits::default(), key.public_key_pem());
            let bytes = bundle.clone().into_bytes();
            SignedBundle::verify_with_key(bytes, &scene.subject, &pem, &scene.trust, now, &limits)
        };
        assert!(with(&key).is_ok());
        assert!(with(&other).is_err());
        assert_eq!(scene.verify(bundle.clone()).expect_err("no key").code(), Code::KeyMismatch);
    }

    #[test]
    fn what_says_the_same_is_told_from_what_is_of_the_same_kind() {
        let scene = Scene::new();
        let statement = |packages| About::about(&scene.subject).spdx_of(packages);
        let by = |identity: &Identity, packages| {
            scene.verify(scene.sigstore.sign(identity).statement(&statement(packages))).expect("a good bundle")
        };
        let (one, again, more) = (by(&scene.identity, 1), by(&scene.identity, 1), by(&scene.identity, 2));
        assert!(one.digest() != again.digest() && one.says_the_same(&again));
        assert!(one.is_same_kind(&more) && !one.says_the_same(&more));
        let other = by(&Identity::email("you@example.org", "https://issuer.example"), 1);
        assert!(!one.is_same_kind(&other) && !one.says_the_same(&other));
    }
}
