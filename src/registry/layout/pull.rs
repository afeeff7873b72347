//! Reading from a layout.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures_util::stream;

use super::archive::Extent;
use super::catalog::{Catalog, LayoutImage};
use super::files::{self, Files};
use super::names::blob_name;
use crate::digest::{BlobError, Digest, Hasher};
use crate::image::{Descriptor, ImageName, Repository};
use crate::limits::Limits;
use crate::registry::{
    self, BlobStream, BoxFuture, Context, Fetched, Problem, Pull, Referrers, ReferrersSource, RegistryError,
};

/// Bytes of a blob that are read and hashed in one go.
const CHUNK: u64 = 256 << 10;

/// An OCI image layout: a folder, or a tar that is only read.
///
/// A layout is one repository: the repository in a request is ignored. What
/// the layout lists is read when it is opened; what other programs list later
/// is not seen until then.
///
/// Files are read in the blocking pool of tokio, so a runtime of it is needed.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) files: Files,
    catalog: RwLock<Arc<Catalog>>,
}

impl Layout {
    /// Opens the layout at `path`, a folder or an uncompressed tar, under the
    /// default limits. The files are read before this returns.
    ///
    /// # Errors
    /// When there is no layout at `path`, or what makes it one cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        Self::open_within(path, &Limits::default())
    }

    /// As [`Layout::open`], under these limits.
    ///
    /// # Errors
    /// As [`Layout::open`]; [`Problem::Limit`] if there is more than `limits` allow.
    pub fn open_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, RegistryError> {
        let files = Files::open(path.as_ref(), limits)?;
        let catalog = RwLock::new(Arc::new(Catalog::read(&files, limits, Default::default())?));
        Ok(Self { shared: Arc::new(Shared { files, catalog }) })
    }

    /// Opens the layout in the folder `path`, after making it an empty layout if it is none.
    ///
    /// # Errors
    /// As [`Layout::open`], or when the folder cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        files::create(path.as_ref())?;
        Self::open(path)
    }

    /// The images that `index.json` lists: evidence about them and platforms
    /// inside a listed index are left out. A layout with exactly one needs no tag.
    #[must_use]
    pub fn images(&self) -> Vec<LayoutImage> {
        self.shared.catalog().images.clone()
    }
}

impl Shared {
    pub(super) fn catalog(&self) -> Arc<Catalog> {
        // A writer that panicked left a whole value: every write is one assignment.
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }

    fn manifest(&self, limits: &Limits, name: &ImageName) -> Result<Option<Fetched>, RegistryError> {
        let catalog = self.catalog();
        let entry = match name {
            ImageName::Digest(digest) => {
                if let Some(whole) = catalog.whole.as_ref().filter(|whole| whole.digest() == digest) {
                    return Ok(Some(Fetched::new(whole.clone(), None)));
                }
                let Some(entry) = catalog.entry(digest) else {
                    let blob = self.files.read_blob(digest, None, limits.manifest_bytes)?;
                    return Ok(blob.map(|blob| Fetched::new(blob, None)));
                };
                entry
            }
            ImageName::Tag(tag) => {
                let found = catalog.tagged(tag).map_err(|_| {
                    let detail = format!("two different images are called {tag}; use the digest");
                    self.files.error(Problem::Protocol, "reading", "index.json", detail)
                })?;
                let Some(entry) = found else { return Ok(None) };
                entry
            }
        };
        let blob = self.files.read_blob(&entry.digest, Some(entry.size), limits.manifest_bytes)?;
        let Some(blob) = blob else {
            let name = blob_name(&entry.digest);
            let detail = "index.json lists it, and it is absent";
            return Err(self.files.error(Problem::Absent, "reading", &name, detail));
        };
        Ok(Some(Fetched::new(blob, Some(entry.media_type.clone()))))
    }

    fn start(&self, descriptor: &Descriptor) -> Result<Option<Extent>, RegistryError> {
        let name = blob_name(&descriptor.digest);
        let found = self.files.find(&name)?;
        if let Some(extent) = found
            && extent.size != descriptor.size
        {
            let (digest, wanted, found) = (descriptor.digest.clone(), descriptor.size, extent.size);
            return Err(self.files.mismatch(&name, &BlobError::Size { digest, wanted, found }));
        }
        Ok(found)
    }
}

/// Runs `work`, which touches files, where it holds up no other task (scenario K-12).
pub(super) async fn blocking<T, F>(context: &Context, shared: &Arc<Shared>, work: F) -> Result<T, RegistryError>
where
    T: Send + 'static,
    F: FnOnce(&Shared) -> Result<T, RegistryError> + Send + 'static,
{
    let operation = || format!("reading the OCI layout {}", shared.files.path().display());
    if context.remaining().is_none() {
        return Err(RegistryError::new(Problem::Timeout, operation(), "the time for this image is over"));
    }
    let shared = Arc::clone(shared);
    let done = registry::blocking(move || work(&shared)).await;
    done.unwrap_or_else(|| Err(RegistryError::new(Problem::File, operation(), "the runtime is shutting down")))
}

impl Pull for Layout {
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(async move {
            context.count_request("reading a manifest from an OCI layout")?;
            let (limits, name) = (context.limits().clone(), name.clone());
            let fetched = blocking(context, &self.shared, move |shared| shared.manifest(&limits, &name)).await?;
            if let Some(fetched) = &fetched {
                context.count_bytes(fetched.blob.size());
            }
            Ok(fetched)
        })
    }

    fn blob<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        Box::pin(async move {
            context.count_request("reading a blob from an OCI layout")?;
            let wanted = descriptor.clone();
            let started = blocking(context, &self.shared, move |shared| {
                let Some(extent) = shared.start(&wanted)? else { return Ok(None) };
                let file = shared.files.at(&blob_name(&wanted.digest), extent)?;
                let hasher = Hasher::new(wanted.digest.algorithm());
                Ok(Some(Reading { file, hasher, digest: wanted.digest, left: extent.size, over: false }))
            });
            let Some(reading) = started.await? else { return Ok(None) };
            let (context, shared) = (context.clone(), Arc::clone(&self.shared));
            let chunks = stream::try_unfold(reading, move |reading| {
                let (context, shared) = (context.clone(), Arc::clone(&shared));
                async move {
                    let next = blocking(&context, &shared, move |shared| reading.next(shared)).await?;
                    if let Some((chunk, _)) = &next {
                        context.count_bytes(chunk.len() as u64);
                    }
                    Ok(next)
                }
            });
            let stream: BlobStream = Box::pin(chunks);
            Ok(Some(stream))
        })
    }

    fn referrers<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>> {
        Box::pin(async move {
            context.count_request("listing referrers of an OCI layout")?;
            let found = self.shared.catalog().referrers(digest)?;
            let limit = context.limits().referrers;
            if found.len() > limit {
                let detail = format!("{} manifests refer to {digest}, the limit is {limit}", found.len());
                return Err(self.shared.files.error(Problem::Limit, "listing referrers in", "index.json", detail));
            }
            // The layout is the authority on what it holds, as a registry's API is.
            Ok(Referrers::new(found, ReferrersSource::Api))
        })
    }
}

/// A blob of which some was read.
struct Reading {
    file: File,
    hasher: Hasher,
    digest: Digest,
    left: u64,
    over: bool,
}

impl Reading {
    /// The next bytes, `None` after the last if all of them were the blob's.
    fn next(mut self, shared: &Shared) -> Result<Option<(Bytes, Self)>, RegistryError> {
        let name = blob_name(&self.digest);
        if self.over {
            return Ok(None);
        }
        let mut chunk = Vec::new();
        let read = (&self.file).take(self.left.min(CHUNK)).read_to_end(&mut chunk);
        read.map_err(|error| shared.files.error(Problem::File, "reading", &name, error.to_string()))?;
        self.hasher.update(&chunk);
        self.left -= chunk.len() as u64;
        // A file that became shorter ends early, with another digest.
        self.over = self.left == 0 || chunk.is_empty();
        if self.over {
            let found = self.hasher.clone().finish();
            if found != self.digest {
                return Err(shared.files.mismatch(&name, &BlobError::Digest { wanted: self.digest, found }));
            }
        }
        Ok((!chunk.is_empty()).then(|| (chunk.into(), self)))
    }
}
