//! A registry in memory, for tests and for images that are already there.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use futures_util::stream;

use super::{
    BlobStream, BoxFuture, Context, Fetched, Problem, Pull, Push, Pushed, Referrers, ReferrersSource, RegistryError,
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
    manifests: BTreeMap<Digest, (String, VerifiedBlob)>,
    blobs: BTreeMap<Digest, VerifiedBlob>,
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
        let (media_type, blob) = self.manifests.get(digest)?;
        Some(Fetched::new(blob.clone(), Some(media_type.clone())))
    }

    fn referrers(&self, digest: &Digest) -> Vec<Descriptor> {
        let mut found = Vec::new();
        for (media_type, blob) in self.manifests.values() {
            let Ok(document) = ImageDocument::parse(blob.clone(), Some(media_type)) else { continue };
            if document.subject().is_some_and(|subject| subject.digest == *digest) {
                found.push(document.referrer_descriptor());
            }
        }
        found
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
                content.manifests.insert(digest.clone(), (media_type.to_owned(), manifest.clone()));
                if let ImageName::Tag(tag) = name {
                    content.tags.insert(tag.clone(), digest);
                }
            });
            Ok(Pushed::new(true))
        })
    }
}
