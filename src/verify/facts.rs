//! The image that is asked about, as far as a verdict needs it.

use crate::digest::Digest;
use crate::evidence::{Target, TargetName};
use crate::image::Platform;

/// What is known of the image that is asked about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImageFacts {
    /// The reference as the user wrote it.
    pub reference: String,
    /// Where its bytes came from, if that is another name.
    pub source: Option<String>,
    /// Where the evidence was looked for, if that is another repository than the image's.
    pub evidence_repository: Option<String>,
    /// The digest that the reference resolved to.
    pub digest: Digest,
    /// The media type of what the digest names.
    pub media_type: String,
    /// Every platform that the index lists.
    pub platforms: Vec<Platform>,
    /// The index and the platforms asked about, or the one image.
    pub targets: Vec<Target>,
    /// Platforms that were asked for and are not in the index.
    pub absent: Vec<Platform>,
    /// Entries of the index that a runtime may pick and that are not among its
    /// platforms: without a platform, or with one that cannot be read.
    pub unnamed: Vec<Digest>,
    /// Whether the user picked platforms, so that the index itself is not what will run.
    pub narrowed: bool,
}

impl ImageFacts {
    /// The facts of an image with nothing picked and nothing absent.
    #[must_use]
    pub fn new(
        reference: impl Into<String>,
        digest: Digest,
        media_type: impl Into<String>,
        targets: Vec<Target>,
    ) -> Self {
        Self {
            reference: reference.into(),
            source: None,
            evidence_repository: None,
            digest,
            media_type: media_type.into(),
            platforms: Vec::new(),
            targets,
            absent: Vec::new(),
            unnamed: Vec::new(),
            narrowed: false,
        }
    }

    /// The images among the targets, those that have layers: of each platform, or the one that was named.
    pub fn images(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.name != TargetName::Index)
    }
}
