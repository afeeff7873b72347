//! What the tests share: a signed world, an image, and places to attach it in.

pub(super) use std::sync::Arc;
pub(super) use std::time::Duration;

pub(super) use crate::attach::{AttachError, Attached, Attacher, Conflict, Plan, Subjects, Superseded, Timing, Wanted};
pub(super) use crate::code::Code;
pub(super) use crate::digest::{Digest, VerifiedBlob};
pub(super) use crate::image::{Descriptor, ImageDocument, ImageName, Reference, Repository, media};
pub(super) use crate::limits::Limits;
pub(super) use crate::registry::{Context, Memory, Pull, Push, RemoteOptions};
pub(super) use crate::sign::SignedBundle;
pub(super) use crate::testing::{
    Answer, Identity, Image, ImageBuilder, Log, RecordedRequest, ReferrersApi, Registry, RegistryFault as Fault,
    Statement, VirtualSigstore,
};
pub(super) use crate::trust::TrustRoot;

/// A Sigstore, who signs, and an image of two platforms.
pub(super) struct World {
    pub(super) sigstore: VirtualSigstore,
    pub(super) me: Identity,
    pub(super) trust: TrustRoot,
    pub(super) image: Image,
}

impl World {
    pub(super) fn new() -> Self {
        let sigstore = VirtualSigstore::new();
        let trust = TrustRoot::parse(sigstore.trusted_root_json().as_bytes(), "virtual").expect("a root");
        let me = Identity::email("me@example.org", "https://issuer.example");
        Self { sigstore, me, trust, image: ImageBuilder::new().build() }
    }

    pub(super) fn signed(&self, by: &Identity, statement: &[u8], subject: &Digest) -> SignedBundle {
        let bundle = self.sigstore.sign(by).log(Log::RekorV2).statement(statement);
        let now = self.sigstore.now();
        SignedBundle::verify(bundle.into_bytes(), subject, &self.trust, now, &Limits::default()).expect("a good bundle")
    }

    /// An SBOM with so many packages.
    pub(super) fn sbom(&self, subject: &Digest, packages: usize) -> SignedBundle {
        self.signed(&self.me, &Statement::about(subject).spdx_of(packages), subject)
    }

    /// A signature of the index, and an SBOM and provenance of each platform.
    pub(super) fn everything(&self) -> Vec<SignedBundle> {
        let index = &self.image.index.digest;
        let mut bundles = vec![self.signed(&self.me, &Statement::about(index).signature(), index)];
        for (_, platform) in &self.image.platforms {
            bundles.push(self.sbom(&platform.digest, 2));
            bundles.push(self.signed(&self.me, &Statement::about(&platform.digest).slsa(), &platform.digest));
        }
        bundles
    }

    pub(super) fn attacher(&self, push: Arc<dyn Push>, repository: &Repository, conflict: Conflict) -> Attacher {
        Attacher::builder(push, repository.clone(), self.trust.clone(), self.sigstore.now())
            .timing(Timing::alone())
            .conflict(conflict)
            .build()
    }
}

/// A place to attach to.
pub(super) struct Place {
    pub(super) world: Arc<World>,
    pub(super) push: Arc<dyn Push>,
    pub(super) repository: Repository,
    pub(super) context: Context,
}

impl Place {
    pub(super) async fn with(world: Arc<World>, push: Arc<dyn Push>, repository: Repository) -> Self {
        let context = Context::new(Limits::default());
        world.image.upload.push(&*push, &context, &repository).await.expect("the image");
        Self { world, push, repository, context }
    }

    pub(super) async fn subjects(&self) -> Subjects {
        let reference: Reference = format!("{}:latest", self.repository).parse().expect("a reference");
        Subjects::resolve(&*self.push, &self.context, &reference).await.expect("the image")
    }

    pub(super) async fn plan(&self, conflict: Conflict, bundles: &[SignedBundle]) -> Result<Plan, AttachError> {
        let attacher = self.world.attacher(Arc::clone(&self.push), &self.repository, conflict);
        attacher.plan(&self.context, &self.subjects().await, bundles, &[]).await
    }

    pub(super) async fn attach(&self, conflict: Conflict, bundles: &[SignedBundle]) -> Result<Attached, AttachError> {
        let attacher = self.world.attacher(Arc::clone(&self.push), &self.repository, conflict);
        let subjects = self.subjects().await;
        let plan = attacher.plan(&self.context, &subjects, bundles, &[]).await?;
        attacher.apply(&self.context, &plan).await
    }

    /// What is listed for a digest, sorted.
    pub(super) async fn listed(&self, digest: &Digest) -> Vec<Descriptor> {
        let listing = self.push.referrers(&self.context, &self.repository, digest).await.expect("a listing");
        let mut found = listing.descriptors;
        found.sort_by(|a, b| a.digest.cmp(&b.digest));
        found
    }

    pub(super) fn index(&self) -> &Digest {
        &self.world.image.index.digest
    }
}

/// A registry over HTTP with an image in it.
pub(super) async fn http(api: ReferrersApi) -> (Registry, Place) {
    http_with(Arc::new(World::new()), api).await
}

/// The same for a world that there is already.
pub(super) async fn http_with(world: Arc<World>, api: ReferrersApi) -> (Registry, Place) {
    let registry = Registry::start();
    registry.referrers_api(api);
    let repository = registry.repository("a/b");
    let remote = RemoteOptions::new().backoff(Duration::from_millis(1), Duration::from_millis(2)).build();
    let place = Place::with(world, Arc::new(remote.expect("a client")), repository).await;
    registry.clear_log();
    (registry, place)
}
