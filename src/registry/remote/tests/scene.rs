//! What the tests share: a registry with one image, and a client for it.

pub(super) use std::time::Duration;

pub(super) use futures_util::StreamExt as _;

pub(super) use crate::digest::{Digest, VerifiedBlob};
pub(super) use crate::image::{Descriptor, ImageName, Repository, media};
pub(super) use crate::limits::Limits;
pub(super) use crate::registry::remote::{Remote, RemoteOptions};
pub(super) use crate::registry::{Context, Fetched, Problem, Pull as _, Push as _, RegistryError};
pub(super) use crate::testing::{RecordedRequest, Registry};

/// A registry with one image in `a/b`, a client for it, and the time and bounds of a run.
pub(super) struct Scene {
    pub(super) registry: Registry,
    pub(super) remote: Remote,
    pub(super) context: Context,
    pub(super) repository: Repository,
    pub(super) image: VerifiedBlob,
}

pub(super) fn options() -> RemoteOptions {
    RemoteOptions::new().backoff(Duration::from_millis(1), Duration::from_millis(2))
}

pub(super) fn manifest(subject: Option<&Digest>, mark: &str) -> VerifiedBlob {
    let empty = Descriptor::of(media::EMPTY, &VerifiedBlob::of(b"{}".to_vec()));
    let mut document = serde_json::json!({
        "schemaVersion": 2, "mediaType": media::MANIFEST, "config": empty, "layers": [empty],
        "annotations": { "mark": mark },
    });
    if let Some(subject) = subject {
        document["artifactType"] = media::BUNDLE.into();
        document["subject"] = serde_json::to_value(Descriptor::new(media::MANIFEST, subject.clone(), 1)).expect("JSON");
    }
    VerifiedBlob::of(document.to_string().into_bytes())
}

pub(super) fn tag(name: &str) -> ImageName {
    ImageName::Tag(name.to_owned())
}

impl Scene {
    pub(super) fn new() -> Self {
        let registry = Registry::start();
        let repository = registry.repository("a/b");
        let scene = Self {
            remote: options().build().expect("a client"),
            context: Context::new(Limits::default()),
            image: manifest(None, "image"),
            registry,
            repository,
        };
        scene.put(Some("latest"), &scene.image);
        scene
    }

    pub(super) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        self.context = Context::new(limits);
        self
    }

    /// The same registry, asked by another client.
    pub(super) fn client(mut self, options: RemoteOptions) -> Self {
        self.remote = options.build().expect("a client");
        self
    }

    pub(super) fn put(&self, tag: Option<&str>, manifest: &VerifiedBlob) -> Digest {
        self.registry.put_manifest("a/b", tag, media::MANIFEST, manifest.bytes())
    }

    pub(super) fn put_blob(&self, bytes: &[u8]) -> Descriptor {
        let digest = self.registry.put_blob("a/b", bytes);
        Descriptor::new("application/octet-stream", digest, bytes.len() as u64)
    }

    /// Puts `count` referrers of the image; their digests, sorted.
    pub(super) fn put_referrers(&self, count: usize) -> Vec<Digest> {
        let referrer = |i: usize| self.put(None, &manifest(Some(self.image.digest()), &i.to_string()));
        let mut digests: Vec<_> = (0..count).map(referrer).collect();
        digests.sort();
        digests
    }

    pub(super) async fn by_tag(&self) -> Result<Option<Fetched>, RegistryError> {
        self.remote.manifest(&self.context, &self.repository, &tag("latest")).await
    }

    pub(super) async fn by_digest(&self) -> Result<Option<Fetched>, RegistryError> {
        let name = ImageName::Digest(self.image.digest().clone());
        self.remote.manifest(&self.context, &self.repository, &name).await
    }

    /// The problem of reading by tag, `None` if the image was read.
    pub(super) async fn problem(&self) -> Option<Problem> {
        match self.by_tag().await {
            Ok(found) => {
                assert_eq!(found.expect("the image").blob, self.image);
                None
            }
            Err(error) => Some(error.problem()),
        }
    }

    /// The problem of reading a blob as a stream to its end, `None` if it was read.
    pub(super) async fn stream_problem(&self, descriptor: &Descriptor) -> Option<Problem> {
        let opened = self.remote.blob(&self.context, &self.repository, descriptor).await;
        let mut stream = match opened {
            Ok(stream) => stream.expect("the blob"),
            Err(error) => return Some(error.problem()),
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => return Some(error.problem()),
            }
            assert!(bytes.len() as u64 <= descriptor.size, "more is handed out than the blob has");
        }
        assert_eq!(Digest::sha256(&bytes), descriptor.digest);
        None
    }

    /// The problem of reading a blob as a whole, `None` if it was read.
    pub(super) async fn blob_problem(&self, descriptor: &Descriptor) -> Option<Problem> {
        let read = self.remote.blob_bytes(&self.context, &self.repository, descriptor, 1 << 20).await;
        match read {
            Ok(blob) => {
                assert_eq!(*blob.expect("the blob").digest(), descriptor.digest);
                None
            }
            Err(error) => Some(error.problem()),
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.registry.lines()
    }

    /// The value of `Authorization` of every request.
    pub(super) fn authorizations(&self) -> Vec<Option<String>> {
        authorizations(&self.registry)
    }
}

pub(super) fn authorizations(registry: &Registry) -> Vec<Option<String>> {
    let value = |request: &RecordedRequest| request.header("authorization").map(str::to_owned);
    registry.requests().iter().map(value).collect()
}
