//! An image, the virtual Sigstore that signs it, and the way from there to a report.

use std::sync::Arc;
use std::time::Duration;

use cg_attest::check::{CheckName, Outcome};
use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover::ImageRequest;
use cg_attest::image::{Descriptor, Reference, Repository};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, PolicyBuilder, Requirement};
use cg_attest::registry::{Context, Memory, Pull, Remote, RemoteOptions};
use cg_attest::report::{Report, Verdict};
use cg_attest::testing::{
    Identity, Image, ImageBuilder, ManagedKey, Mint, Registry, Statement, Upload, VirtualSigstore,
};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::{Assessed, Keep, State};

/// Where an image and its evidence are.
pub(crate) enum Store {
    Memory(Arc<Memory>),
    /// In a registry over HTTP, read with the real client.
    Http(Registry, Arc<Remote>),
}

/// An image in a store, trusted signers, and the time an hour after signing.
pub(crate) struct Bench {
    pub(crate) sigstore: VirtualSigstore,
    pub(crate) trust: TrustRoot,
    pub(crate) signer: Identity,
    pub(crate) key: ManagedKey,
    pub(crate) image: Image,
    pub(crate) repository: Repository,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
}

impl Store {
    fn memory() -> Self {
        Self::Memory(Arc::new(Memory::new()))
    }

    fn http() -> Self {
        let moment = Duration::from_millis(1);
        let remote = RemoteOptions::new().backoff(moment, moment).build().expect("a client");
        Self::Http(Registry::start(), Arc::new(remote))
    }
}

impl Bench {
    /// An image of `linux/amd64` and `linux/arm64` in memory, without any evidence.
    pub(crate) async fn new() -> Self {
        Self::of(ImageBuilder::new(), Store::memory()).await
    }

    /// The same in a registry over HTTP.
    pub(crate) async fn served() -> Self {
        Self::serving(ImageBuilder::new()).await
    }

    /// Any image in a registry over HTTP, without any evidence.
    pub(crate) async fn serving(image: ImageBuilder) -> Self {
        Self::of(image, Store::http()).await
    }

    async fn of(image: ImageBuilder, store: Store) -> Self {
        let sigstore = VirtualSigstore::new();
        let repository = match &store {
            Store::Memory(_) => "registry.example.com/hello".parse().expect("a repository"),
            Store::Http(registry, _) => registry.repository("hello"),
        };
        let trust = TrustRoot::parse(sigstore.trusted_root_json().as_bytes(), "virtual").expect("a trust root");
        let bench = Self {
            sigstore,
            trust,
            signer: Identity::chainguard_images(),
            key: ManagedKey::new(),
            image: image.build(),
            repository,
            store,
            limits: Limits::default(),
        };
        bench.push(&bench.image.upload).await;
        bench
    }

    /// The same instance and image in memory, with nothing attached.
    pub(crate) async fn fresh(&self) -> Self {
        let bench = Self {
            sigstore: self.sigstore.clone(),
            trust: self.trust.clone(),
            signer: self.signer.clone(),
            key: ManagedKey::new(),
            image: self.image.clone(),
            repository: self.repository.clone(),
            store: Store::memory(),
            limits: self.limits.clone(),
        };
        bench.push(&bench.image.upload).await;
        bench
    }

    pub(crate) async fn push(&self, upload: &Upload) {
        let context = Context::new(Limits::default());
        upload.push(self.content(), &context, &self.repository).await.expect("memory takes everything");
    }

    /// Attaches the same to the index as was signed for it, a bundle.
    pub(crate) async fn push_bundle(&self, bundle: &str) {
        self.push(&Upload::bundle(self.index(), bundle)).await;
    }

    /// What the store holds.
    pub(crate) fn content(&self) -> &Memory {
        match &self.store {
            Store::Memory(memory) => memory,
            Store::Http(registry, _) => registry.content(),
        }
    }

    /// The registry, to make it err and to see what it was asked.
    pub(crate) fn registry(&self) -> &Registry {
        match &self.store {
            Store::Memory(_) => panic!("this image is not served over HTTP"),
            Store::Http(registry, _) => registry,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.sigstore.now().unix() + 3600).expect("a time")
    }

    pub(crate) fn index(&self) -> &Descriptor {
        &self.image.index
    }

    /// The image of a platform, `linux/arm64` for example.
    pub(crate) fn platform(&self, platform: &str) -> &Descriptor {
        self.image.platform(&platform.parse().expect("a platform")).expect("a platform of the image")
    }

    /// Signs as the trusted signer.
    pub(crate) fn sign(&self) -> Mint<'_> {
        self.sigstore.sign(&self.signer)
    }

    /// A good signature of a digest, as cosign 3 makes it.
    pub(crate) fn signature(&self, subject: &Descriptor) -> Upload {
        Upload::bundle(subject, &self.sign().statement(&Statement::about(&subject.digest).signature()))
    }

    /// A good SBOM attestation.
    pub(crate) fn spdx(&self, subject: &Descriptor) -> Upload {
        Upload::bundle(subject, &self.sign().statement(&Statement::about(&subject.digest).spdx()))
    }

    /// Good provenance.
    pub(crate) fn slsa(&self, subject: &Descriptor) -> Upload {
        Upload::bundle(subject, &self.sign().statement(&Statement::about(&subject.digest).slsa()))
    }

    /// The trusted signer, exactly, and these requirements.
    pub(crate) fn policy(&self, requirements: &[&str]) -> Policy {
        requiring(trusting_signer(), requirements).build().expect("a policy")
    }

    pub(crate) fn reference(&self) -> Reference {
        format!("{}:latest", self.repository).parse().expect("a reference")
    }

    pub(crate) async fn verify(&self, policy: &Policy) -> Report {
        self.verify_on(policy, &[]).await
    }

    /// Verifies these platforms only.
    pub(crate) async fn verify_on(&self, policy: &Policy, platforms: &[&str]) -> Report {
        let platforms = platforms.iter().map(|p| p.parse().expect("a platform")).collect();
        self.verify_image(policy, ImageRequest::new(self.reference()).platforms(platforms)).await
    }

    /// Verifies any image of the store.
    pub(crate) async fn verify_image(&self, policy: &Policy, image: ImageRequest) -> Report {
        self.verify_keeping(policy, image, Keep::default()).await
    }

    /// The same, keeping this of what is accepted.
    pub(crate) async fn verify_keeping(&self, policy: &Policy, image: ImageRequest, keep: Keep) -> Report {
        let pull: Arc<dyn Pull> = match &self.store {
            Store::Memory(memory) => Arc::clone(memory) as _,
            Store::Http(_, remote) => Arc::clone(remote) as _,
        };
        let client = Client::builder(pull, self.trust.clone()).limits(self.limits.clone()).build();
        let mut request = VerifyRequest::new(image.reference.clone(), policy, self.now());
        request.image = image;
        request.keep = keep;
        client.verify(&request).await
    }
}

/// Trusts the workflow that [`Identity::chainguard_images`] names.
pub(crate) fn trusting_signer() -> PolicyBuilder {
    trusting(
        "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main",
        "https://token.actions.githubusercontent.com",
    )
}

pub(crate) fn trusting(identity: &str, issuer: &str) -> PolicyBuilder {
    let exact = |text: &str| Pattern::exact(text).expect("a pattern");
    Policy::builder().identity(exact(identity)).issuer(exact(issuer))
}

pub(crate) fn requiring(builder: PolicyBuilder, requirements: &[&str]) -> PolicyBuilder {
    requirements.iter().fold(builder, |builder, text| builder.require(requirement(text)))
}

pub(crate) fn requirement(text: &str) -> Requirement {
    text.parse().expect("a requirement")
}

/// State and reason of a cell.
pub(crate) fn cell(report: &Report, target: &str, requirement: &str) -> (State, Option<Code>) {
    let cell = report.cells().iter().find(|c| c.target == target && c.requirement == requirement);
    let cell = cell.unwrap_or_else(|| panic!("no cell {target} × {requirement}: {}", text(report)));
    (cell.state, cell.code)
}

/// The rows that failed, with their reasons.
pub(crate) fn failed(candidate: &Assessed) -> Vec<(CheckName, Code)> {
    let failed = candidate.checks().iter().filter(|check| check.outcome == Outcome::Fail);
    failed.map(|check| (check.name, check.code.expect("a failure has a reason"))).collect()
}

/// The one candidate that is about, or was listed for, the target with this number.
pub(crate) fn only_candidate(report: &Report) -> &Assessed {
    match report.candidates() {
        [one] => one,
        many => panic!("{} candidates: {}", many.len(), text(report)),
    }
}

pub(crate) fn assert_accepted(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Accept, "{}", text(report));
    assert!(report.clone().into_verified().is_ok());
}

/// Refused, exit 1, and no way to a verified image.
pub(crate) fn assert_refused(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Refuse, "{}", text(report));
    assert_eq!(report.verdict().exit_code(), 1);
    assert!(report.clone().into_verified().is_err());
}

/// Undecided, exit 3, and no way to a verified image.
pub(crate) fn assert_undecided(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Undecided, "{}", text(report));
    assert_eq!(report.verdict().exit_code(), 3);
    assert!(report.clone().into_verified().is_err());
}

/// The report as JSON, for the message of a test that fails.
pub(crate) fn text(report: &Report) -> String {
    serde_json::to_string_pretty(&report.document()).expect("a report is JSON")
}

/// A digest of nothing that exists here.
pub(crate) fn another_digest() -> Digest {
    Digest::sha256(b"another image")
}

/// A bundle with one thing changed after it was signed.
pub(crate) fn edited(bundle: &str, edit: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut json = serde_json::from_str(bundle).expect("a bundle is JSON");
    edit(&mut json);
    json.to_string()
}

/// The one candidate is refused by this row for this reason, and so is the image.
pub(crate) fn assert_refused_by(report: &Report, name: CheckName, code: Code) {
    assert_eq!(failed(only_candidate(report)), [(name, code)], "{}", text(report));
    assert!(report.cells().iter().all(|cell| cell.state.is_satisfied() || cell.code == Some(code)), "{}", text(report));
    assert_refused(report);
}
