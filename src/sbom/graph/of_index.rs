//! The images that an index lists.

use super::document::{called, seconds};
use super::{Element, Graph, Kind, Purpose, Relation};
use crate::image::Index;
use crate::sbom::ids::Ids;
use crate::sbom::license::Extracted;
use crate::sbom::{Options, purl};

impl<'a> Graph<'a> {
    /// The graph of an index: itself, and an element for each platform, which is a
    /// variant of it. Packages are in the documents of the platforms. What has no
    /// platform, as `BuildKit`'s own manifests, is no image and left out.
    pub(in crate::sbom) fn of_index(index: &'a Index, options: &Options) -> Self {
        let mut ids = Ids::default();
        let digest = index.blob().digest();
        let repository = options.repository.as_ref();
        let root = Element {
            version: Some(digest.to_string().into()),
            purpose: Some(Purpose::Container),
            purl: repository
                .and_then(|repository| purl::of_image(repository, digest, index.media_type(), None))
                .map(Into::into),
            summary: Some("index of container images".into()),
            ..Element::new(ids.give("Package-Index", &digest.tag(""), ""), called(digest, options)).digest(digest)
        };
        let (mut elements, mut relations) = (vec![root], Vec::new());
        for descriptor in index.manifests() {
            let Some(platform) = descriptor.platform.as_ref().filter(|platform| !platform.is_unknown()) else {
                continue;
            };
            let digest = &descriptor.digest;
            // The identifier that the platform's own document has for it; one image may be for two platforms.
            let id = ids.give("Package-Image", &digest.tag(""), &platform.to_string());
            relations.push(Relation { from: elements.len(), kind: Kind::VariantOf, to: 0 });
            elements.push(Element {
                version: Some(digest.to_string().into()),
                purpose: Some(Purpose::Container),
                purl: repository
                    .and_then(|repository| purl::of_image(repository, digest, &descriptor.media_type, Some(platform)))
                    .map(Into::into),
                summary: Some(format!("container image for {platform}").into()),
                ..Element::new(id, called(digest, options)).digest(digest)
            });
        }
        Self {
            name: called(digest, options),
            subject: digest.tag(""),
            created: seconds(options.created),
            comment: format!(
                "An index of {} images; what is in them, their own documents say, one for each platform.",
                relations.len()
            ),
            elements,
            relations,
            files: Vec::new(),
            extracted: Extracted::default(),
            problems: Vec::new(),
        }
    }
}
