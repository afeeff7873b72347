//! The two traits, reading apart from writing, so that a verifier never holds a writer's rights.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{Context, Problem, RegistryError};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageName, Repository};

/// A future that may be sent between threads; dropping it cancels the work.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The bytes of a blob as they arrive. The stream ends in an error unless the
/// size and digest are the descriptor's: what was read before that is not verified.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, RegistryError>> + Send>>;

/// A manifest as it was served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fetched {
    /// The bytes, checked against the digest asked for; under their own digest if a tag was asked for.
    pub blob: VerifiedBlob,
    /// The media type that the registry declared, without parameters.
    pub media_type: Option<String>,
}

impl Fetched {
    /// A manifest and the media type it was declared with.
    #[must_use]
    pub fn new(blob: VerifiedBlob, media_type: Option<String>) -> Self {
        Self { blob, media_type }
    }
}

/// How a listing of referrers was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferrersSource {
    /// The referrers API of the distribution specification 1.1.
    Api,
    /// The index at the fallback tag, because the API is absent.
    FallbackTag,
}

/// What refers to a digest. The descriptors are the registry's word, not verified.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Referrers {
    /// One descriptor per referrer, without repetition, in the order listed.
    pub descriptors: Vec<Descriptor>,
    /// Where the list comes from.
    pub source: ReferrersSource,
}

impl Referrers {
    /// A complete listing.
    #[must_use]
    pub fn new(descriptors: Vec<Descriptor>, source: ReferrersSource) -> Self {
        Self { descriptors, source }
    }
}

/// Reading from a registry, a layout or memory.
///
/// "Absent" is `Ok(None)` and only that: anything that is not a definite
/// absence is an error. What may pass is tried again in here, so that whoever
/// calls has no reason to.
pub trait Pull: Send + Sync {
    /// The manifest or index at a tag or digest, in one request.
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>>;

    /// A blob as a stream.
    fn blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>>;

    /// Everything that refers to `digest`: every page of the referrers API, or
    /// the fallback tag where the API is absent.
    fn referrers<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>>;

    /// A whole blob of at most `limit` bytes, checked. The descriptor's
    /// embedded copy is used where it is the content.
    fn blob_bytes<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<VerifiedBlob>, RegistryError>> {
        Box::pin(async move {
            let operation = || format!("reading blob {}", descriptor.digest);
            if descriptor.size > limit {
                let detail = format!("it has {} bytes, the limit is {limit}", descriptor.size);
                return Err(RegistryError::new(Problem::Limit, operation(), detail));
            }
            if let Some(embedded) = descriptor.embedded() {
                return Ok(Some(embedded.clone()));
            }
            let Some(mut stream) = self.blob(context, repository, descriptor).await? else { return Ok(None) };
            // The size is the descriptor's word; memory is taken as bytes arrive.
            let mut bytes = Vec::with_capacity(usize::try_from(descriptor.size.min(1 << 20)).unwrap_or(0));
            while let Some(chunk) = stream.next().await {
                let chunk = chunk?;
                if bytes.len() as u64 + chunk.len() as u64 > descriptor.size {
                    let detail = format!("more than the {} bytes of its descriptor", descriptor.size);
                    return Err(RegistryError::new(Problem::Digest, operation(), detail));
                }
                bytes.extend_from_slice(&chunk);
            }
            let checked = VerifiedBlob::check(bytes, &descriptor.digest, Some(descriptor.size));
            checked.map(Some).map_err(|error| RegistryError::mismatch(operation(), &error))
        })
    }
}

/// What a registry said to a pushed manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Whether the registry lists the manifest among the referrers of its
    /// subject itself (`OCI-Subject` was answered).
    pub subject_listed: bool,
}

impl Pushed {
    /// An answer.
    #[must_use]
    pub fn new(subject_listed: bool) -> Self {
        Self { subject_listed }
    }
}

/// What became of a manifest that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deleted {
    /// It is gone.
    Done,
    /// It was not there.
    Absent,
    /// Nothing can be deleted here.
    Unsupported,
}

/// Writing to a registry, a layout or memory.
pub trait Push: Pull {
    /// Stores a blob, if it is not there yet.
    fn push_blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>>;

    /// Stores a manifest under a tag or its digest.
    fn push_manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
        media_type: &'a str,
        manifest: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<Pushed, RegistryError>>;

    /// Stores a blob of which the caller knows that it is new, such as a
    /// signature just made: nobody is asked whether it is there. Where it is
    /// there after all, nothing changes.
    fn push_new_blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        self.push_blob(context, repository, blob)
    }

    /// Deletes a manifest. Where that cannot be done it stays, which is no error.
    fn delete_manifest<'a>(
        &'a self,
        _context: &'a Context,
        _repository: &'a Repository,
        _digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Deleted, RegistryError>> {
        Box::pin(std::future::ready(Ok(Deleted::Unsupported)))
    }
}
