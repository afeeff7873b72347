//! What is pushed into a registry: blobs and manifests, in an order in which every reference resolves.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::VerifiedBlob;
use crate::image::{Descriptor, ImageDocument, ImageName, Repository};
use crate::registry::{Context, Push, RegistryError};

/// Blobs and manifests of one image or one piece of evidence.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    blobs: BTreeMap<crate::digest::Digest, VerifiedBlob>,
    manifests: Vec<(ImageName, String, VerifiedBlob)>,
}

impl Upload {
    /// The blobs.
    pub fn blobs(&self) -> impl Iterator<Item = &VerifiedBlob> {
        self.blobs.values()
    }

    /// The manifests, each with its name (a tag or its digest) and media type; the whole comes last.
    pub fn manifests(&self) -> impl Iterator<Item = (&ImageName, &str, &VerifiedBlob)> {
        self.manifests.iter().map(|(name, media_type, blob)| (name, media_type.as_str(), blob))
    }

    /// The descriptor of the last manifest as a list of referrers has it: with artifact type and annotations.
    #[must_use]
    pub fn descriptor(&self) -> Option<Descriptor> {
        let (_, media_type, blob) = self.manifests.last()?;
        let mut descriptor = Descriptor::of(media_type, blob);
        match ImageDocument::parse(blob.clone(), Some(media_type)).ok()? {
            ImageDocument::Manifest(manifest) => {
                descriptor.artifact_type = Some(manifest.artifact_type().to_owned());
                descriptor.annotations.clone_from(manifest.annotations());
            }
            ImageDocument::Index(index) => {
                descriptor.artifact_type = index.artifact_type().map(str::to_owned);
                descriptor.annotations.clone_from(index.annotations());
            }
        }
        Some(descriptor)
    }

    /// Pushes every blob, then every manifest.
    ///
    /// # Errors
    /// When the registry refuses one.
    pub async fn push(
        &self,
        registry: &dyn Push,
        context: &Context,
        repository: &Repository,
    ) -> Result<(), RegistryError> {
        for blob in self.blobs.values() {
            registry.push_blob(context, repository, blob).await?;
        }
        for (name, media_type, blob) in &self.manifests {
            registry.push_manifest(context, repository, name, media_type, blob).await?;
        }
        Ok(())
    }

    pub(super) fn blob(&mut self, media_type: &str, blob: VerifiedBlob) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &blob);
        self.blobs.insert(blob.digest().clone(), blob);
        descriptor
    }

    pub(super) fn manifest(&mut self, media_type: &str, document: &impl Serialize, tag: Option<&str>) -> Descriptor {
        let blob = json_blob(document);
        let descriptor = Descriptor::of(media_type, &blob);
        let name = tag.map_or_else(|| ImageName::Digest(blob.digest().clone()), |tag| ImageName::Tag(tag.to_owned()));
        self.manifests.push((name, media_type.to_owned(), blob));
        descriptor
    }
}

pub(super) fn json_blob(document: &impl Serialize) -> VerifiedBlob {
    VerifiedBlob::of(serde_json::to_vec(document).expect("strings, numbers and maps with text keys are JSON"))
}

/// The content of the empty descriptor (OCI image specification 1.1).
pub(super) fn empty_config() -> VerifiedBlob {
    VerifiedBlob::of(b"{}".to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::{BuildKit, Identity, ImageBuilder, Statement, VirtualSigstore, simple_signing};
    use super::*;
    use crate::image::media;
    use crate::limits::Limits;
    use crate::registry::{Memory, Pull};

    struct Place {
        registry: Memory,
        context: Context,
        repository: Repository,
    }

    impl Place {
        fn new() -> Self {
            let repository = "registry.example.com/hello".parse().expect("a repository");
            Self { registry: Memory::new(), context: Context::new(Limits::default()), repository }
        }

        async fn push(&self, upload: &Upload) {
            upload.push(&self.registry, &self.context, &self.repository).await.expect("memory takes everything");
        }

        async fn read(&self, name: &ImageName) -> Option<ImageDocument> {
            let fetched = self.registry.manifest(&self.context, &self.repository, name).await.expect("memory");
            fetched.map(|f| ImageDocument::parse(f.blob, f.media_type.as_deref()).expect("a good manifest"))
        }

        async fn blob(&self, descriptor: &Descriptor) -> Option<VerifiedBlob> {
            let blob = self.registry.blob_bytes(&self.context, &self.repository, descriptor, 1 << 20).await;
            blob.expect("memory")
        }
    }

    #[tokio::test]
    async fn an_image_has_an_index_and_everything_that_it_names() {
        for buildkit in [None, Some(BuildKit::Image), Some(BuildKit::Artifact)] {
            let place = Place::new();
            let builder = ImageBuilder::new();
            let image = match buildkit {
                Some(buildkit) => builder.buildkit(buildkit).build(),
                None => builder.build(),
            };
            place.push(&image.upload).await;
            let tag = ImageName::Tag("latest".to_owned());
            let Some(ImageDocument::Index(index)) = place.read(&tag).await else { panic!("an index") };
            assert_eq!(*index.blob().digest(), image.index.digest);
            let platforms = index.platforms().expect("no platform twice");
            let names: Vec<_> = platforms.iter().map(|(platform, _)| platform.to_string()).collect();
            assert_eq!(names, ["linux/amd64", "linux/arm64"]);
            assert_eq!(index.manifests().len(), if buildkit.is_some() { 4 } else { 2 });
            for entry in index.manifests() {
                let name = ImageName::Digest(entry.digest.clone());
                let Some(ImageDocument::Manifest(manifest)) = place.read(&name).await else { panic!("a manifest") };
                for descriptor in manifest.layers().iter().chain([manifest.config()]) {
                    assert!(place.blob(descriptor).await.is_some(), "{descriptor:?}");
                }
            }
            let amd64 = &image.platforms[0].1.digest;
            let referrers = place.registry.referrers(&place.context, &place.repository, amd64).await.expect("memory");
            assert_eq!(referrers.descriptors.len(), usize::from(buildkit == Some(BuildKit::Artifact)));
        }
    }

    #[tokio::test]
    async fn evidence_is_found_where_publishers_put_it() {
        let (place, sigstore, signer) = (Place::new(), VirtualSigstore::new(), Identity::chainguard_images());
        let image = ImageBuilder::new().build();
        let subject = &image.index;
        place.push(&image.upload).await;

        let bundle = sigstore.sign(&signer).statement(&Statement::about(&subject.digest).spdx());
        let referrer = Upload::bundle(subject, &bundle);
        place.push(&referrer).await;
        let listed = place.registry.referrers(&place.context, &place.repository, &subject.digest).await;
        let listed = listed.expect("memory").descriptors;
        assert_eq!(listed, [referrer.descriptor().expect("a manifest")]);
        assert_eq!(listed[0].artifact_type.as_deref(), Some(media::BUNDLE));
        assert_eq!(listed[0].annotation("dev.sigstore.bundle.content"), Some("dsse-envelope"));
        assert_eq!(listed[0].annotation("dev.sigstore.bundle.predicateType"), Some("https://spdx.dev/Document"));
        let name = ImageName::Digest(listed[0].digest.clone());
        let Some(ImageDocument::Manifest(manifest)) = place.read(&name).await else { panic!("a manifest") };
        assert_eq!(manifest.config().digest.hex(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        let blob = place.blob(&manifest.layers()[0]).await.expect("the bundle");
        assert_eq!(blob.bytes(), bundle.as_bytes());

        let payload = simple_signing("registry.example.com/hello", &subject.digest);
        let signature = sigstore.sign(&signer).legacy_signature(&payload);
        place.push(&Upload::signatures(subject, &[signature.clone(), signature.clone()])).await;
        let statement = Statement::about(&subject.digest).version_0_1().slsa();
        place.push(&Upload::attestations(subject, &[sigstore.sign(&signer).legacy_attestation(&statement)])).await;
        for (suffix, layers, media_type) in [(".sig", 2, media::SIMPLE_SIGNING), (".att", 1, media::DSSE)] {
            let tag = ImageName::Tag(subject.digest.tag(suffix));
            let Some(ImageDocument::Manifest(manifest)) = place.read(&tag).await else { panic!("an image") };
            assert_eq!(manifest.layers().len(), layers);
            assert_eq!(manifest.layers()[0].media_type, media_type);
            assert!(manifest.layers()[0].annotation("dev.sigstore.cosign/bundle").is_some());
        }

        let other = Upload::signature_referrer(subject, &signature);
        place.push(&other).await;
        place.push(&Upload::fallback_tag(subject, &[&referrer, &other])).await;
        let tag = ImageName::Tag(subject.digest.tag(""));
        let Some(ImageDocument::Index(index)) = place.read(&tag).await else { panic!("an index") };
        assert_eq!(index.manifests()[1].artifact_type.as_deref(), Some(media::COSIGN_SIGNATURE));
    }
}
