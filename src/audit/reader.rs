//! Where images are read from, and how much of them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::digest::Digest;
use crate::discover;
use crate::evidence::Unread;
use crate::image::{Manifest, Repository};
use crate::limits::Limits;
use crate::registry::{Context, Pull};
use crate::scan::{self, Contents, Options, Progress, ScanError};

/// Reads manifests and layers, each within bounds of its own.
#[derive(Clone)]
pub struct Reader<'a> {
    pub(super) pull: &'a dyn Pull,
    pub(super) limits: Limits,
    content: Limits,
    options: Options<'a>,
    /// Requests and bytes.
    spent: Arc<[AtomicU64; 2]>,
}

impl<'a> Reader<'a> {
    /// A reader with the default bounds, which reads as many layers at once as there are cores.
    #[must_use]
    pub fn new(pull: &'a dyn Pull) -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let (limits, content) = (Limits::default(), Limits::default().for_content());
        Self { pull, limits, content, options: Options::new().threads(threads), spent: Arc::default() }
    }

    /// Other bounds for what is not a layer.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Other bounds for layers than [`Limits::for_content`].
    #[must_use]
    pub fn content_limits(self, content: Limits) -> Self {
        Self { content, ..self }
    }

    /// Layers that are read at the same time. What is found does not depend on it.
    #[must_use]
    pub fn threads(self, threads: NonZeroUsize) -> Self {
        Self { options: self.options.threads(threads), ..self }
    }

    /// Tells somebody how far reading layers is.
    #[must_use]
    pub fn progress(self, progress: &'a dyn Progress) -> Self {
        Self { options: self.options.progress(progress), ..self }
    }

    /// Also lists files and their checksums; what is compared does not depend on it.
    #[must_use]
    pub fn files(self, files: bool) -> Self {
        Self { options: self.options.files(files), ..self }
    }

    /// The manifest of one image.
    ///
    /// # Errors
    /// When it cannot be read, is not there, or is no manifest of an image.
    pub async fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Manifest, Unread> {
        let context = Context::new(self.limits.clone());
        let manifest = discover::image_manifest(self.pull, &context, repository, digest).await;
        self.pay(&context);
        manifest
    }

    /// What is in the layers of one image.
    ///
    /// # Errors
    /// As [`scan::image`].
    pub async fn contents(&self, repository: &Repository, manifest: &Manifest) -> Result<Contents, ScanError> {
        let context = Context::new(self.content.clone());
        let contents = scan::image(self.pull, &context, repository, manifest, &self.options).await;
        self.pay(&context);
        contents
    }

    /// Requests and bytes that reading cost so far; clones of a reader count together.
    pub(super) fn spent(&self) -> (u64, u64) {
        let [requests, bytes] = &*self.spent;
        (requests.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed))
    }

    fn pay(&self, context: &Context) {
        let [requests, bytes] = &*self.spent;
        requests.fetch_add(context.requests(), Ordering::Relaxed);
        bytes.fetch_add(context.bytes(), Ordering::Relaxed);
    }
}
