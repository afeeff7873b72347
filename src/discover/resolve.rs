//! The one request for what a reference names.

use crate::code::Code;
use crate::evidence::{Target, TargetName};
use crate::image::{ImageDocument, ImageName, Index, Manifest, ManifestError, Platform, Reference};
use crate::registry::{Context, Fetched, Pull, RegistryError};
use crate::report::Unresolved;
use crate::verify::ImageFacts;

/// What is asked about: a reference, and which platforms of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImageRequest {
    /// The reference.
    pub reference: Reference,
    /// The platforms to look at; empty for all.
    pub platforms: Vec<Platform>,
    /// Whether the platform of an image without an index has to be known: it
    /// is in the configuration, one more request.
    pub platform_needed: bool,
    /// An index that lists the reference, which is then one platform of it.
    pub index: Option<Reference>,
    /// What the report calls the image, if that is not the reference: the
    /// place of a layout, for one.
    pub shown: Option<String>,
    /// Where the bytes come from, if that is another name than the image's.
    pub source: Option<String>,
}

impl ImageRequest {
    /// All platforms of a reference.
    #[must_use]
    pub fn new(reference: Reference) -> Self {
        Self { reference, platforms: Vec::new(), platform_needed: false, index: None, shown: None, source: None }
    }

    /// The same for these platforms only; none means all.
    #[must_use]
    pub fn platforms(self, platforms: Vec<Platform>) -> Self {
        Self { platforms, ..self }
    }

    /// The same under another name in the report.
    #[must_use]
    pub fn shown(self, shown: impl Into<String>) -> Self {
        Self { shown: Some(shown.into()), ..self }
    }

    /// The same, with the place that the bytes really come from.
    #[must_use]
    pub fn source(self, source: Option<String>) -> Self {
        Self { source, ..self }
    }

    /// What the report calls the image.
    #[must_use]
    pub fn name(&self) -> String {
        self.shown.clone().unwrap_or_else(|| self.reference.to_string())
    }

    /// The same, with the index that lists the reference.
    #[must_use]
    pub fn index(self, index: Option<Reference>) -> Self {
        Self { index, ..self }
    }
}

/// Why a reference names nothing that can be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The registry does not have it.
    #[error("{0} is not in the registry")]
    NotFound(String),
    /// It could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It is not an image.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The index lists more platforms than the limits allow.
    #[error("the index lists {0} platforms, the limit is {1}")]
    TooManyPlatforms(usize, usize),
    /// `--index` names something that is not an index, or does not list the image.
    #[error("{0}")]
    Index(String),
}

impl ResolveError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::ImageNotFound,
            Self::Registry(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::TooManyPlatforms(..) => Code::Limit,
            Self::Index(_) => Code::PlatformMismatch,
        }
    }
}

impl From<ResolveError> for Unresolved {
    fn from(error: ResolveError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Asks once for what a reference names. Everything later uses the digest.
///
/// # Errors
/// When it is absent, cannot be read or is not an image.
pub async fn resolve(
    pull: &dyn Pull,
    context: &Context,
    request: &ImageRequest,
) -> Result<(ImageFacts, Option<Index>), ResolveError> {
    let document = fetch(pull, context, &request.reference).await?;
    let mut facts =
        ImageFacts::new(request.name(), document.blob().digest().clone(), document.media_type(), Vec::new());
    facts.source.clone_from(&request.source);
    match (document, &request.index) {
        (ImageDocument::Index(_), Some(_)) => {
            Err(ResolveError::Index("the image is an index itself; leave out `--index`".to_owned()))
        }
        (ImageDocument::Index(index), None) => {
            of_index(&mut facts, &index, request, context)?;
            Ok((facts, Some(index)))
        }
        (ImageDocument::Manifest(manifest), None) => {
            facts.targets = vec![Target::new(TargetName::Image, facts.digest.clone())];
            if request.platform_needed || !request.platforms.is_empty() {
                facts.platforms = configured_platform(pull, context, &request.reference, &manifest).await?;
            }
            let absent = request.platforms.iter().filter(|wanted| !facts.platforms.iter().any(|p| p.matches(wanted)));
            facts.absent = absent.cloned().collect();
            Ok((facts, None))
        }
        (ImageDocument::Manifest(_), Some(reference)) => {
            let index = match fetch(pull, context, reference).await? {
                ImageDocument::Index(index) => index,
                ImageDocument::Manifest(_) => return Err(ResolveError::Index(format!("{reference} is not an index"))),
            };
            of_child(&mut facts, &index, reference)?;
            Ok((facts, Some(index)))
        }
    }
}

/// The platform that an image's configuration names (OCI image specification, configuration).
async fn configured_platform(
    pull: &dyn Pull,
    context: &Context,
    reference: &Reference,
    manifest: &Manifest,
) -> Result<Vec<Platform>, ResolveError> {
    #[derive(serde::Deserialize)]
    struct Configuration {
        #[serde(default)]
        os: String,
        #[serde(default)]
        architecture: String,
        variant: Option<String>,
    }
    let config = manifest.config();
    let limit = context.limits().manifest_bytes;
    let Some(blob) = pull.blob_bytes(context, reference.repository(), config, limit).await? else {
        return Err(ResolveError::NotFound(format!("the configuration {} of {reference}", config.digest)));
    };
    let wire: Configuration = crate::json::object(blob.bytes()).map_err(|e| {
        ResolveError::Manifest(ManifestError::Malformed { digest: config.digest.clone(), detail: e.to_string() })
    })?;
    let variant = wire.variant.as_deref().filter(|v| !v.is_empty());
    Ok(Platform::new(&wire.os, &wire.architecture, variant).into_iter().collect())
}

pub(super) async fn fetch(
    pull: &dyn Pull,
    context: &Context,
    reference: &Reference,
) -> Result<ImageDocument, ResolveError> {
    let name: ImageName = reference.name();
    let fetched = pull.manifest(context, reference.repository(), &name).await?;
    let Some(Fetched { blob, media_type, .. }) = fetched else {
        return Err(ResolveError::NotFound(reference.to_string()));
    };
    Ok(ImageDocument::parse(blob, media_type.as_deref())?)
}

/// The index and the platforms asked about. Only what the index lists is a platform (scenario H-08).
fn of_index(
    facts: &mut ImageFacts,
    index: &Index,
    request: &ImageRequest,
    context: &Context,
) -> Result<(), ResolveError> {
    let listed = index.platforms()?;
    if listed.len() > context.limits().platforms {
        return Err(ResolveError::TooManyPlatforms(listed.len(), context.limits().platforms));
    }
    facts.platforms = listed.iter().map(|(platform, _)| platform.clone()).collect();
    facts.unnamed = index.manifests().iter().filter(|d| d.platform.is_none()).map(|d| d.digest.clone()).collect();
    facts.narrowed = !request.platforms.is_empty();
    facts.targets = vec![Target::new(TargetName::Index, facts.digest.clone())];
    let asked =
        |platform: &Platform| !facts.narrowed || request.platforms.iter().any(|wanted| platform.matches(wanted));
    let mut targets: Vec<Target> = listed
        .iter()
        .filter(|(platform, _)| asked(platform))
        .map(|(platform, descriptor)| Target::new(TargetName::Platform(platform.clone()), descriptor.digest.clone()))
        .collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    facts.targets.extend(targets);
    let absent = request.platforms.iter().filter(|wanted| !facts.platforms.iter().any(|p| p.matches(wanted)));
    facts.absent = absent.cloned().collect();
    Ok(())
}

/// The image as a platform of the index that the user named.
fn of_child(facts: &mut ImageFacts, index: &Index, reference: &Reference) -> Result<(), ResolveError> {
    let listed = index.platforms()?;
    let own = listed.iter().find(|(_, descriptor)| descriptor.digest == facts.digest);
    let Some((platform, _)) = own else {
        return Err(ResolveError::Index(format!("{reference} does not list {}", facts.digest)));
    };
    facts.targets = vec![
        Target::new(TargetName::Index, index.blob().digest().clone()),
        Target::new(TargetName::Platform(platform.clone()), facts.digest.clone()),
    ];
    facts.platforms = listed.iter().map(|(platform, _)| platform.clone()).collect();
    facts.narrowed = true;
    Ok(())
}
