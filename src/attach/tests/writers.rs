//! Several writers on a registry without the referrers API (scenario P-06).
//! The time is tokio's, paused: nobody waits, and the waits are the real ones.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;

use super::super::fallback::Listing;
use super::scene::*;
use crate::registry::{
    BlobStream, BoxFuture, Fetched, Pushed, Referrers, ReferrersSource, RegistryError, fallback_tag,
};

/// Memory that takes its time, and lists referrers only by the fallback tag.
struct Slow {
    memory: Memory,
    state: AtomicU64,
}

impl Slow {
    /// Up to 0.7 s, drawn so that every run of the test draws the same.
    async fn wait(&self) {
        let next = |x: u64| x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(next(x))).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis((drawn >> 33) % 700)).await;
    }
}

impl Pull for Slow {
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(async move {
            self.wait().await;
            let found = self.memory.manifest(context, repository, name).await;
            self.wait().await;
            found
        })
    }

    fn blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        self.memory.blob(context, repository, descriptor)
    }

    fn referrers<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>> {
        Box::pin(async move {
            let fetched = self.memory.manifest(context, repository, &fallback_tag(digest)).await?;
            let index = fetched.map(|f| ImageDocument::parse(f.blob, f.media_type.as_deref()).expect("an index"));
            let descriptors = match index {
                Some(ImageDocument::Index(index)) => index.manifests().to_vec(),
                _ => Vec::new(),
            };
            Ok(Referrers::new(descriptors, ReferrersSource::FallbackTag))
        })
    }
}

impl Push for Slow {
    fn push_blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        self.memory.push_blob(context, repository, blob)
    }

    fn push_manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
        media_type: &'a str,
        manifest: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<Pushed, RegistryError>> {
        Box::pin(async move {
            self.wait().await;
            self.memory.push_manifest(context, repository, name, media_type, manifest).await?;
            self.wait().await;
            Ok(Pushed::new(false))
        })
    }
}

/// So many writers at once, each with so many runs of so many bundles; how many are listed afterwards.
async fn listed_after(writers: usize, runs: usize, bundles: usize, timing: Timing) -> usize {
    // The requests of eight writers are not what is counted here.
    let limits = Limits { requests: u64::MAX, ..Limits::default() };
    let slow = Arc::new(Slow { memory: Memory::new(), state: AtomicU64::new(7) });
    let repository: Repository = "registry.example/a".parse().expect("a repository");
    let place = Place::with(Arc::new(World::new()), slow, repository.clone()).await;
    let subjects = place.subjects().await;
    let subject = place.index().clone();
    let made: Vec<Vec<Vec<SignedBundle>>> = (0..writers)
        .map(|writer| {
            let me = Identity::email(&format!("writer{writer}@example.org"), "https://issuer.example");
            let statement =
                |n: usize| Statement::about(&subject).predicate("https://example.org/p", &format!("{{\"n\":{n}}}"));
            (0..runs)
                .map(|run| {
                    (0..bundles).map(|n| place.world.signed(&me, &statement(run * bundles + n), &subject)).collect()
                })
                .collect()
        })
        .collect();
    let write = |runs: Vec<Vec<SignedBundle>>| {
        let attacher = Attacher::builder(
            Arc::clone(&place.push),
            repository.clone(),
            place.world.trust.clone(),
            place.world.sigstore.now(),
        );
        let attacher = attacher.timing(timing).conflict(Conflict::Append).build();
        let (subjects, limits) = (&subjects, limits.clone());
        async move {
            for bundles in runs {
                let context = Context::new(limits.clone());
                let plan = attacher.plan(&context, subjects, &bundles, &[]).await.expect("a plan");
                attacher.apply(&context, &plan).await.expect("attached");
            }
        }
    };
    join_all(made.into_iter().map(write)).await;
    place.listed(&subject).await.len()
}

#[tokio::test(start_paused = true)]
async fn two_writers_of_fifty_lose_nothing() {
    assert_eq!(listed_after(2, 1, 50, Timing::default()).await, 100);
}

#[tokio::test(start_paused = true)]
async fn many_writers_with_many_runs_lose_nothing() {
    assert_eq!(listed_after(8, 3, 2, Timing::default()).await, 48);
}

/// Its twin: whoever writes once and goes loses entries, so the tests above would notice.
#[tokio::test(start_paused = true)]
async fn without_the_second_look_entries_are_lost() {
    let slow = Arc::new(Slow { memory: Memory::new(), state: AtomicU64::new(7) });
    let repository: Repository = "registry.example/a".parse().expect("a repository");
    let (world, context, subject) = (World::new(), Context::new(Limits::default()), Digest::sha256(b"image"));
    let push: Arc<dyn Push> = Arc::<Slow>::clone(&slow);
    let attacher = Attacher::builder(push, repository.clone(), world.trust.clone(), world.sigstore.now()).build();
    let write = |n: u8| {
        let entry = Descriptor::of(media::MANIFEST, &VerifiedBlob::of(vec![n]));
        let listing = Listing::of(subject.clone(), vec![entry]);
        let tagged = attacher.tagged(&context, fallback_tag(&subject));
        async move { tagged.assert(&listing).await.map(drop) }
    };
    let written = join_all((0..8).map(write)).await;
    assert!(written.iter().all(Result::is_ok));
    let left = slow.referrers(&context, &repository, &subject).await.expect("a listing").descriptors.len();
    assert!((1..8).contains(&left), "{left}");
}
