//! An OCI layout in a folder of its own.

use std::path::{Path, PathBuf};

use cg_attest::digest::Digest;
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Layout};
use cg_attest::testing::Upload;

/// An OCI layout in a temporary folder.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    layout: Layout,
    repository: Repository,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path().join("layout")).expect("a layout");
        Self { folder, layout, repository: "registry.example/app".parse().expect("a repository") }
    }

    /// With everything of these uploads in it.
    pub(crate) async fn with(uploads: &[&Upload]) -> Self {
        let this = Self::new();
        let context = Context::new(Limits::default());
        for upload in uploads {
            upload.push(&this.layout, &context, &this.repository).await.expect("a layout takes everything");
        }
        this
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The image argument of the layout's only image.
    pub(crate) fn name(&self) -> String {
        format!("oci:{}", self.folder.path().join("layout").display())
    }

    /// Writes a file beside the layout.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path
    }

    /// Takes a blob out of the layout.
    pub(crate) fn lose(&self, digest: &Digest) {
        let blobs = self.folder.path().join("layout/blobs").join(digest.algorithm().as_str());
        std::fs::remove_file(Path::new(&blobs).join(digest.hex())).expect("the blob is there");
    }
}
