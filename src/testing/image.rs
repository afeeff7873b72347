//! Small images and the manifests that attach evidence to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::layer::LayerBuilder;
use super::sigstore::Layer;
use super::upload::{Upload, empty_config, json_blob};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageDocument, Platform, media};

/// How BuildKit stores its unsigned attestations in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildKit {
    /// As images with a configuration: the default until mid 2026.
    Image,
    /// As artifacts that refer to the platform's image: the default since.
    Artifact,
}

/// An image in the making: by default an index of `linux/amd64` and
/// `linux/arm64`, each with one layer of one small file.
#[derive(Debug, Clone)]
#[must_use = "nothing is made before `build`"]
pub struct ImageBuilder {
    platforms: Vec<Platform>,
    content: String,
    layers: Vec<LayerBuilder>,
    annotations: BTreeMap<String, String>,
    image_annotations: BTreeMap<String, String>,
    base: Option<Image>,
    buildkit: Option<BuildKit>,
    run: Option<serde_json::Value>,
    tag: Option<String>,
}

/// An image and what to push.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Image {
    /// The index.
    pub index: Descriptor,
    /// The image of each platform, in the order of the index.
    pub platforms: Vec<(Platform, Descriptor)>,
    /// Every blob and manifest.
    pub upload: Upload,
}

impl ImageBuilder {
    /// An image of two platforms, with the tag `latest`.
    pub fn new() -> Self {
        let linux = |architecture| Platform::new("linux", architecture, None);
        Self {
            platforms: ["amd64", "arm64"].into_iter().filter_map(linux).collect(),
            content: "hello".to_owned(),
            layers: Vec::new(),
            annotations: BTreeMap::new(),
            image_annotations: BTreeMap::new(),
            base: None,
            buildkit: None,
            run: None,
            tag: Some("latest".to_owned()),
        }
    }

    /// For these platforms instead. The same one twice makes an index that readers must refuse.
    pub fn platforms(self, platforms: impl IntoIterator<Item = Platform>) -> Self {
        Self { platforms: platforms.into_iter().collect(), ..self }
    }

    /// With this text in the one file: another text makes another image.
    pub fn content(self, text: &str) -> Self {
        Self { content: text.to_owned(), ..self }
    }

    /// With these layers on every platform, the lowest first, instead of the one file.
    pub fn layers(self, layers: impl IntoIterator<Item = LayerBuilder>) -> Self {
        Self { layers: layers.into_iter().collect(), ..self }
    }

    /// With an annotation on the index.
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With an annotation on the image of each platform.
    pub fn image_annotation(mut self, key: &str, value: &str) -> Self {
        self.image_annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Built on another image: the layers of its platforms come first.
    pub fn on(self, base: &Image) -> Self {
        Self { base: Some(base.clone()), ..self }
    }

    /// With an unsigned SPDX and provenance attestation for each platform, as BuildKit adds them.
    pub fn buildkit(self, buildkit: BuildKit) -> Self {
        Self { buildkit: Some(buildkit), ..self }
    }

    /// With this JSON object as what a container begins with: `config` of the configuration.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn run(self, json: &str) -> Self {
        Self { run: Some(serde_json::from_str(json).expect("a test writes JSON")), ..self }
    }

    /// Under this tag.
    pub fn tag(self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), ..self }
    }

    /// The index, its images and everything in them.
    #[must_use]
    pub fn build(self) -> Image {
        let mut upload = Upload::default();
        let mut entries = Vec::new();
        let mut platforms = Vec::new();
        for (number, platform) in self.platforms.iter().enumerate() {
            let mut image = self.platform_image(number, platform, &mut upload);
            image.platform = Some(platform.clone());
            entries.push(image.clone());
            platforms.push((platform.clone(), image));
        }
        if let Some(buildkit) = self.buildkit {
            entries.extend(platforms.iter().map(|(_, image)| buildkit_manifest(buildkit, image, &mut upload)));
        }
        let mut index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
        if !self.annotations.is_empty() {
            index["annotations"] = json!(self.annotations);
        }
        let index = upload.manifest(media::INDEX, &index, self.tag.as_deref());
        Image { index, platforms, upload }
    }

    fn platform_image(&self, number: usize, platform: &Platform, upload: &mut Upload) -> Descriptor {
        let text = format!("{} on {platform} ({number})\n", self.content);
        let on = self.base.as_ref().map_or_else(Vec::new, |base| base.layers_of(platform, upload));
        let (mut descriptors, mut diff_ids): (Vec<_>, Vec<_>) = on.into_iter().unzip();
        let mut layers = self.layers.clone();
        if layers.is_empty() {
            layers.push(LayerBuilder::new().file("usr/share/hello", text));
        }
        for layer in layers {
            let (media_type, blob, diff_id) = layer.build();
            descriptors.push(upload.blob(&media_type, blob));
            diff_ids.push(diff_id);
        }
        let name = platform.to_string();
        let mut words = name.split('/');
        let mut config = json!({
            "os": words.next(),
            "architecture": words.next(),
            "created": "2026-03-02T11:00:00Z",
            "config": { "Cmd": ["/usr/bin/hello"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        if let Some(run) = &self.run {
            config["config"] = run.clone();
        }
        if let Some(variant) = words.next() {
            config["variant"] = json!(variant);
        }
        let config = upload.blob(media::CONFIG, json_blob(&config));
        let mut manifest = manifest(&config, &descriptors);
        if !self.image_annotations.is_empty() {
            manifest["annotations"] = json!(self.image_annotations);
        }
        upload.manifest(media::MANIFEST, &manifest, None)
    }
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl Image {
    /// The layers of a platform and their diff IDs; their blobs are added to an upload.
    fn layers_of(&self, platform: &Platform, upload: &mut Upload) -> Vec<(Descriptor, Digest)> {
        #[derive(serde::Deserialize)]
        struct Configuration {
            rootfs: RootFs,
        }
        #[derive(serde::Deserialize)]
        struct RootFs {
            diff_ids: Vec<Digest>,
        }
        let Some(image) = self.platform(platform) else { return Vec::new() };
        let manifests = self.upload.manifests().find(|(_, _, blob)| *blob.digest() == image.digest);
        let parsed = manifests.and_then(|(_, kind, blob)| ImageDocument::parse(blob.clone(), Some(kind)).ok());
        let Some(ImageDocument::Manifest(manifest)) = parsed else { return Vec::new() };
        let blob = |digest: &Digest| self.upload.blobs().find(|blob| blob.digest() == digest);
        let config = blob(&manifest.config().digest).and_then(|blob| serde_json::from_slice(blob.bytes()).ok());
        let Some(Configuration { rootfs }) = config else { return Vec::new() };
        for layer in manifest.layers() {
            blob(&layer.digest).into_iter().for_each(|blob| drop(upload.blob(&layer.media_type, blob.clone())));
        }
        manifest.layers().iter().cloned().zip(rootfs.diff_ids).collect()
    }

    /// The image of a platform.
    #[must_use]
    pub fn platform(&self, wanted: &Platform) -> Option<&Descriptor> {
        self.platforms.iter().find(|(platform, _)| platform == wanted).map(|(_, image)| image)
    }
}

impl Upload {
    /// A bundle attached to `subject` as a referrer (cosign's bundle specification).
    #[must_use]
    pub fn bundle(subject: &Descriptor, bundle: &str) -> Self {
        let parsed: Value = serde_json::from_str(bundle).unwrap_or_default();
        let media_type = parsed["mediaType"].as_str().unwrap_or(media::BUNDLE);
        let envelope = parsed.get("dsseEnvelope");
        let content = if envelope.is_some() { "dsse-envelope" } else { "message-signature" };
        let mut annotations = BTreeMap::from([
            ("org.opencontainers.image.created", "2026-03-02T12:00:00Z".to_owned()),
            ("dev.sigstore.bundle.content", content.to_owned()),
        ]);
        let predicate_type = envelope.and_then(predicate_type);
        annotations.extend(predicate_type.map(|text| ("dev.sigstore.bundle.predicateType", text)));
        Self::referrer(subject, media_type, media_type, bundle.as_bytes(), &annotations)
    }

    /// Any bytes attached to `subject` as a referrer of one layer.
    #[must_use]
    pub fn referrer(
        subject: &Descriptor,
        artifact_type: &str,
        media_type: &str,
        bytes: &[u8],
        annotations: &BTreeMap<&str, String>,
    ) -> Self {
        let mut upload = Self::default();
        let layer = upload.blob(media_type, VerifiedBlob::of(bytes.to_vec()));
        upload.refer(subject, artifact_type, &layer, annotations);
        upload
    }

    /// A legacy signature attached to `subject` as a referrer instead of a tag (`application/vnd.dev.cosign.artifact.sig.v1+json`).
    #[must_use]
    pub fn signature_referrer(subject: &Descriptor, layer: &Layer) -> Self {
        let mut upload = Self::default();
        let layer = upload.layer(layer);
        upload.refer(subject, media::COSIGN_SIGNATURE, &layer, &BTreeMap::new());
        upload
    }

    /// Legacy signatures of `subject`: one image, tagged `.sig`, with a layer for each.
    #[must_use]
    pub fn signatures(subject: &Descriptor, layers: &[Layer]) -> Self {
        Self::legacy(&subject.digest.tag(".sig"), layers)
    }

    /// Legacy attestations of `subject`: one image, tagged `.att`, with a layer for each.
    #[must_use]
    pub fn attestations(subject: &Descriptor, layers: &[Layer]) -> Self {
        Self::legacy(&subject.digest.tag(".att"), layers)
    }

    /// What a registry without the referrers API serves instead: an index of
    /// `referrers` under the tag `sha256-<hex>` (distribution specification, 1.1).
    #[must_use]
    pub fn fallback_tag(subject: &Descriptor, referrers: &[&Self]) -> Self {
        let entries: Vec<_> = referrers.iter().filter_map(|upload| upload.descriptor()).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
        let mut upload = Self::default();
        upload.manifest(media::INDEX, &index, Some(&subject.digest.tag("")));
        upload
    }

    fn legacy(tag: &str, layers: &[Layer]) -> Self {
        let mut upload = Self::default();
        let layers: Vec<_> = layers.iter().map(|layer| upload.layer(layer)).collect();
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer.digest).collect();
        let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = json_blob(&json!({ "architecture": "", "os": "", "config": {}, "rootfs": rootfs }));
        let config = upload.blob(media::CONFIG, config);
        upload.manifest(media::MANIFEST, &manifest(&config, &layers), Some(tag));
        upload
    }

    fn layer(&mut self, layer: &Layer) -> Descriptor {
        let mut descriptor = self.blob(layer.media_type, VerifiedBlob::of(layer.bytes.clone()));
        descriptor.annotations.clone_from(&layer.annotations);
        descriptor
    }

    fn refer(
        &mut self,
        subject: &Descriptor,
        artifact_type: &str,
        layer: &Descriptor,
        annotations: &BTreeMap<&str, String>,
    ) {
        let config = self.blob(media::EMPTY, empty_config());
        let mut referrer = manifest(&config, std::slice::from_ref(layer));
        referrer["artifactType"] = json!(artifact_type);
        referrer["subject"] = json!(Descriptor::new(&*subject.media_type, subject.digest.clone(), subject.size));
        if !annotations.is_empty() {
            referrer["annotations"] = json!(annotations);
        }
        self.manifest(media::MANIFEST, &referrer, None);
    }
}

fn manifest(config: &Descriptor, layers: &[Descriptor]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": media::MANIFEST, "config": config, "layers": layers })
}

fn predicate_type(envelope: &Value) -> Option<String> {
    use base64::Engine as _;
    let payload = base64::prelude::BASE64_STANDARD.decode(envelope["payload"].as_str()?).ok()?;
    let statement: Value = serde_json::from_slice(&payload).ok()?;
    statement["predicateType"].as_str().map(str::to_owned)
}

fn buildkit_manifest(buildkit: BuildKit, image: &Descriptor, upload: &mut Upload) -> Descriptor {
    use super::Statement;
    let about = || Statement::about(&image.digest).version_0_1();
    let statements =
        [("https://spdx.dev/Document", about().spdx()), ("https://slsa.dev/provenance/v1", about().slsa())];
    let layers = statements.map(|(predicate_type, statement)| {
        let mut layer = upload.blob(media::IN_TOTO, VerifiedBlob::of(statement));
        layer.annotations.insert("in-toto.io/predicate-type".to_owned(), predicate_type.to_owned());
        layer
    });
    let mut descriptor = match buildkit {
        BuildKit::Image => {
            let rootfs = json!({ "type": "layers", "diff_ids": [layers[0].digest, layers[1].digest] });
            let config = json!({ "architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs });
            let config = upload.blob(media::CONFIG, json_blob(&config));
            upload.manifest(media::MANIFEST, &manifest(&config, &layers), None)
        }
        BuildKit::Artifact => {
            let config = upload.blob(media::EMPTY, empty_config());
            let mut artifact = manifest(&config, &layers);
            artifact["artifactType"] = json!(media::BUILDKIT);
            artifact["subject"] = json!(Descriptor::new(&*image.media_type, image.digest.clone(), image.size));
            upload.manifest(media::MANIFEST, &artifact, None)
        }
    };
    descriptor.platform = Platform::new("unknown", "unknown", None);
    let annotations = [
        ("vnd.docker.reference.type", "attestation-manifest".to_owned()),
        ("vnd.docker.reference.digest", image.digest.to_string()),
    ];
    descriptor.annotations = annotations.map(|(key, value)| (key.to_owned(), value)).into();
    descriptor
}
