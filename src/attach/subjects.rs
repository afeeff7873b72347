//! What evidence can be attached to: an image and its platforms, by digest.

use super::AttachError;
use crate::digest::Digest;
use crate::evidence::TargetName;
use crate::image::{Descriptor, ImageDocument, Platform, Reference, Repository};
use crate::registry::{Context, Pull};

/// A manifest or index that evidence can be attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// What it is in the image.
    pub name: TargetName,
    /// Media type, digest and size, as they are served.
    pub descriptor: Descriptor,
}

/// An image and its platforms. The tag was asked for once (promise 4).
#[derive(Debug, Clone)]
pub struct Subjects {
    repository: Repository,
    list: Vec<Subject>,
}

impl Subjects {
    /// Asks for what a reference names. BuildKit's `unknown/unknown` entries
    /// are no platforms.
    ///
    /// # Errors
    /// When it is absent, cannot be read or is not an image, or an index
    /// lists more platforms than the limits allow.
    pub async fn resolve(pull: &dyn Pull, context: &Context, reference: &Reference) -> Result<Self, AttachError> {
        let fetched = pull.manifest(context, reference.repository(), &reference.name()).await?;
        let fetched = fetched.ok_or_else(|| AttachError::NotFound(reference.to_string()))?;
        let document = ImageDocument::parse(fetched.blob, fetched.media_type.as_deref())?;
        let mut list = Vec::new();
        match &document {
            ImageDocument::Manifest(_) => {
                list.push(Subject { name: TargetName::Image, descriptor: document.descriptor() })
            }
            ImageDocument::Index(index) => {
                list.push(Subject { name: TargetName::Index, descriptor: document.descriptor() });
                let mut platforms = index.platforms()?;
                let limit = context.limits().platforms;
                if platforms.len() > limit {
                    let detail = format!("{} platforms, the limit is {limit}", platforms.len());
                    let operation = format!("reading the index {reference}");
                    let error = crate::registry::RegistryError::new(crate::registry::Problem::Limit, operation, detail);
                    return Err(error.into());
                }
                platforms.sort_by(|a, b| a.0.cmp(&b.0));
                list.extend(platforms.into_iter().map(|(platform, listed)| Subject {
                    name: TargetName::Platform(platform),
                    // Nothing but these three: what an index says of its entry is not what refers to it.
                    descriptor: Descriptor::new(listed.media_type.clone(), listed.digest.clone(), listed.size),
                }));
            }
        }
        Ok(Self { repository: reference.repository().clone(), list })
    }

    /// The repository of the image.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The image itself: the index, or the one manifest.
    #[must_use]
    pub fn image(&self) -> &Subject {
        self.list.first().expect("the image itself is always the first")
    }

    /// The image and then its platforms.
    #[must_use]
    pub fn all(&self) -> &[Subject] {
        &self.list
    }

    /// The subjects with their platforms; the image itself has none.
    pub fn platforms(&self) -> impl Iterator<Item = (&Platform, &Subject)> {
        self.list.iter().filter_map(|subject| match &subject.name {
            TargetName::Platform(platform) => Some((platform, subject)),
            _ => None,
        })
    }

    /// The subject with this digest.
    #[must_use]
    pub fn find(&self, digest: &Digest) -> Option<&Subject> {
        self.list.iter().find(|subject| subject.descriptor.digest == *digest)
    }
}
