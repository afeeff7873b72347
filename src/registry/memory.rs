//! A registry in memory, for tests and for images that are already there.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use futures_util::stream;

use super::{
    BlobStream, BoxFuture, Context, Deleted, Fetched, Problem, Pull, Push, Pushed, Referrers, ReferrersSource,
    RegistryError,
};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageDocument, ImageName, Repository};

/// Images and blobs by repository, in memory.
#[derive(Debug, Default)]
pub struct Memory {
    repositories: RwLock<BTreeMap<Repository, Content>>,
}

#[derive(Debug, Default)]
struct Content {
    tags: BTreeMap<String, Digest>,
    manifests: BTreeMap<Digest, Stored>,
    blobs: BTreeMap<Digest, VerifiedBlob>,
}

#[derive(Debug)]
struct Stored {
    media_type: String,
    blob: VerifiedBlob,
    /// What it refers to, and its descriptor as a list of referrers has it:
    /// read once, since every listing looks at every manifest.
    refers: Option<(Digest, Descriptor)>,
}

impl Stored {
    fn new(media_type: &str, blob: &VerifiedBlob) -> Self {
        let document = ImageDocument::parse(blob.clone(), Some(media_type)).ok();
        let refers = document.and_then(|document| {
            let subject = document.subject()?.digest.clone();
            Some((subject, document.referrer_descriptor()))
        });
        Self { media_type: media_type.to_owned(), blob: blob.clone(), refers }
    }
}

impl Memory {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, repository: &Repository, look: impl FnOnce(&Content) -> T) -> Option<T> {
        // A writer that panicked left a whole map: every write is one insert.
        let repositories = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        repositories.get(repository).map(look)
    }

    fn write<T>(&self, repository: &Repository, change: impl FnOnce(&mut Content) -> T) -> T {
        let mut repositories = self.repositories.write().unwrap_or_else(PoisonError::into_inner);
        change(repositories.entry(repository.clone()).or_default())
    }
}

impl Content {
    fn manifest(&self, name: &ImageName) -> Option<Fetched> {
        let digest = match name {
            ImageName::Tag(tag) => self.tags.get(tag)?,
            ImageName::Digest(digest) => digest,
        };
        let Stored { media_type, blob, .. } = self.manifests.get(digest)?;
        Some(Fetched::new(blob.clone(), Some(media_type.clone())))
    }

    fn referrers(&self, digest: &Digest) -> Vec<Descriptor> {
        let referring = self.manifests.values().filter_map(|stored| stored.refers.as_ref());
        referring.filter(|(subject, _)| subject == digest).map(|(_, descriptor)| descriptor.clone()).collect()
    }
}

impl Pull for Memory {
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(async move {
            context.count_request("reading a manifest from memory")?;
            Ok(self.read(repository, |content| content.manifest(name)).flatten())
        })
    }

    fn blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        Box::pin(async move {
            context.count_request("reading a blob from memory")?;
            let blob = self.read(repository, |content| content.blobs.get(&descriptor.digest).cloned()).flatten();
            Ok(blob.map(|blob| {
                context.count_bytes(blob.size());
                let stream: BlobStream = Box::pin(stream::iter([Ok(Bytes::copy_from_slice(blob.bytes()))]));
                stream
            }))
        })
    }

    fn referrers<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>> {
        Box::pin(async move {
            context.count_request("listing referrers in memory")?;
            let descriptors = self.read(repository, |content| content.referrers(digest)).unwrap_or_default();
            Ok(Referrers::new(descriptors, ReferrersSource::Api))
        })
    }
}

impl Push for Memory {
    fn push_blob<'a>(
        &'a self,
        _context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        Box::pin(async move {
            self.write(repository, |content| content.blobs.insert(blob.digest().clone(), blob.clone()));
            Ok(())
        })
    }

    fn push_manifest<'a>(
        &'a self,
        _context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
        media_type: &'a str,
        manifest: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<Pushed, RegistryError>> {
        Box::pin(async move {
            let digest = manifest.digest().clone();
            if let ImageName::Digest(wanted) = name
                && *wanted != digest
            {
                let detail = format!("wanted {wanted}, the manifest has {digest}");
                return Err(RegistryError::new(Problem::Digest, "storing a manifest in memory", detail));
            }
            self.write(repository, |content| {
                content.manifests.insert(digest.clone(), Stored::new(media_type, manifest));
                if let ImageName::Tag(tag) = name {
                    content.tags.insert(tag.clone(), digest);
                }
            });
            Ok(Pushed::new(true))
        })
    }

    fn delete_manifest<'a>(
        &'a self,
        _context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Deleted, RegistryError>> {
        Box::pin(async move {
            let removed = self.write(repository, |content| {
                content.tags.retain(|_, tagged| tagged != digest);
                content.manifests.remove(digest)
            });
            Ok(if removed.is_some() { Deleted::Done } else { Deleted::Absent })
        })
    }
}
