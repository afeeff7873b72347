//! Indexes and manifests, read so that no two readers can disagree.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Descriptor, Platform, media};
use crate::code::Code;
use crate::digest::{Digest, VerifiedBlob};
use crate::json::{self, unique_map_or_null};

/// An image index or an image manifest, with the bytes it was read from.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "few are held at once, and each has a document of kilobytes behind it")]
pub enum ImageDocument {
    /// A list of images, one per platform.
    Index(Index),
    /// One image.
    Manifest(Manifest),
}

/// An image index (OCI image specification) or Docker manifest list.
#[derive(Debug, Clone)]
pub struct Index {
    blob: VerifiedBlob,
    media_type: String,
    manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

/// An image manifest (OCI image specification) or Docker manifest, schema 2.
#[derive(Debug, Clone)]
pub struct Manifest {
    blob: VerifiedBlob,
    media_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

/// Why bytes are not an index or manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON of the wanted shape.
    #[error("{digest} is not a valid manifest: {detail}")]
    Malformed {
        /// The document.
        digest: Digest,
        /// What the parser says.
        detail: String,
    },
    /// It can be read in two ways (GHSA-77vh-xpmg-72qh class, scenario H-05).
    #[error("{digest} can be read in two ways: {detail}")]
    Ambiguous {
        /// The document.
        digest: Digest,
        /// Which two.
        detail: String,
    },
    /// A media type that is not an image's.
    #[error("{digest} has the media type {media_type:?}, which is not an image")]
    Foreign {
        /// The document.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
}

impl ManifestError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed { .. } | Self::Foreign { .. } => Code::ManifestInvalid,
            Self::Ambiguous { .. } => Code::MediaAmbiguous,
        }
    }
}

/// Both kinds at once, so that a document with the fields of both is noticed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    /// Docker schema 1, whose digest is not over its bytes.
    fs_layers: Option<serde::de::IgnoredAny>,
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "unique_map_or_null")]
    annotations: BTreeMap<String, String>,
}

impl ImageDocument {
    /// Reads a document. `declared` is the media type that the registry's
    /// header or the descriptor gave, if any: it must agree with the document.
    ///
    /// # Errors
    /// When the document is malformed, is not an image, or can be read in two ways.
    pub fn parse(blob: VerifiedBlob, declared: Option<&str>) -> Result<Self, ManifestError> {
        let digest = || blob.digest().clone();
        let malformed = |detail: String| ManifestError::Malformed { digest: digest(), detail };
        let ambiguous = |detail: &str| ManifestError::Ambiguous { digest: digest(), detail: detail.to_owned() };
        let wire: Wire = json::object(blob.bytes()).map_err(|e| malformed(e.to_string()))?;
        if wire.schema_version != 2 || wire.fs_layers.is_some() {
            return Err(malformed("only schema version 2 is read".to_owned()));
        }
        let has_index = wire.manifests.is_some();
        let has_manifest = wire.config.is_some() || wire.layers.is_some();
        if has_index && has_manifest {
            return Err(ambiguous("it has the fields of an index and of a manifest"));
        }
        let declared = declared.map(|d| d.split(';').next().unwrap_or(d).trim()).filter(|d| is_image(d));
        let media_type = match (wire.media_type, declared) {
            (Some(inside), Some(outside)) if inside != outside => {
                return Err(ambiguous(&format!("it calls itself {inside} and is served as {outside}")));
            }
            (Some(inside), _) => inside,
            (None, Some(outside)) => outside.to_owned(),
            (None, None) if has_index => media::INDEX.to_owned(),
            (None, None) => media::MANIFEST.to_owned(),
        };
        if media::is_index(&media_type) {
            let Some(manifests) = wire.manifests else {
                return Err(if has_manifest {
                    ambiguous("it calls itself an index and has the fields of a manifest")
                } else {
                    malformed("an index without `manifests`".to_owned())
                });
            };
            return Ok(Self::Index(Index {
                media_type,
                manifests,
                subject: wire.subject,
                artifact_type: wire.artifact_type.filter(|t| !t.is_empty()),
                annotations: wire.annotations,
                blob,
            }));
        }
        if !media::is_manifest(&media_type) {
            return Err(ManifestError::Foreign { digest: digest(), media_type });
        }
        if has_index {
            return Err(ambiguous("it calls itself a manifest and has the fields of an index"));
        }
        match (wire.config, wire.layers) {
            (Some(config), Some(layers)) => Ok(Self::Manifest(Manifest {
                media_type,
                config,
                layers,
                subject: wire.subject,
                artifact_type: wire.artifact_type.filter(|t| !t.is_empty()),
                annotations: wire.annotations,
                blob,
            })),
            _ => Err(malformed("a manifest without `config` and `layers`".to_owned())),
        }
    }

    /// The bytes and digest of the document.
    #[must_use]
    pub fn blob(&self) -> &VerifiedBlob {
        match self {
            Self::Index(index) => &index.blob,
            Self::Manifest(manifest) => &manifest.blob,
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Index(index) => &index.media_type,
            Self::Manifest(manifest) => &manifest.media_type,
        }
    }

    /// The descriptor of the document itself.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type(), self.blob())
    }

    /// The descriptor under which a listing of referrers shows the document:
    /// with its artifact type and annotations (distribution specification,
    /// listing referrers).
    #[must_use]
    pub fn referrer_descriptor(&self) -> Descriptor {
        let (artifact_type, annotations) = match self {
            Self::Index(index) => (index.artifact_type(), index.annotations()),
            Self::Manifest(manifest) => (Some(manifest.artifact_type()), manifest.annotations()),
        };
        let mut descriptor = self.descriptor();
        descriptor.artifact_type = artifact_type.map(str::to_owned);
        descriptor.annotations.clone_from(annotations);
        descriptor
    }

    /// What the document refers to, if it is a referrer.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Index(index) => index.subject.as_ref(),
            Self::Manifest(manifest) => manifest.subject.as_ref(),
        }
    }
}

fn is_image(media_type: &str) -> bool {
    media::is_index(media_type) || media::is_manifest(media_type)
}

impl Index {
    /// Its media type: OCI's or Docker's.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Every entry, platforms and others.
    #[must_use]
    pub fn manifests(&self) -> &[Descriptor] {
        &self.manifests
    }

    /// The annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The artifact type, if any.
    #[must_use]
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// The bytes and digest of the index.
    #[must_use]
    pub fn blob(&self) -> &VerifiedBlob {
        &self.blob
    }

    /// The images for platforms, in the order of the index. BuildKit's
    /// `unknown/unknown` entries and entries without a platform are left out.
    ///
    /// # Errors
    /// When two different images claim the same platform (scenario H-09).
    pub fn platforms(&self) -> Result<Vec<(Platform, &Descriptor)>, ManifestError> {
        let mut found: Vec<(Platform, &Descriptor)> = Vec::new();
        for descriptor in &self.manifests {
            let Some(platform) = descriptor.platform.clone().filter(|p| !p.is_unknown()) else { continue };
            match found.iter().find(|(known, _)| *known == platform) {
                None => found.push((platform, descriptor)),
                Some((_, known)) if known.digest == descriptor.digest => {}
                Some(_) => {
                    let detail = format!("two different images are listed for {platform}");
                    return Err(ManifestError::Ambiguous { digest: self.blob.digest().clone(), detail });
                }
            }
        }
        Ok(found)
    }
}

impl Manifest {
    /// The media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// What this manifest refers to, if it is a referrer.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }

    /// The artifact type: the manifest's own, else its configuration's media
    /// type (distribution specification, listing referrers).
    #[must_use]
    pub fn artifact_type(&self) -> &str {
        self.artifact_type.as_deref().unwrap_or(&self.config.media_type)
    }

    /// The annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The bytes and digest of the manifest.
    #[must_use]
    pub fn blob(&self) -> &VerifiedBlob {
        &self.blob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const E: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    fn parse(text: &str, declared: Option<&str>) -> Result<ImageDocument, ManifestError> {
        ImageDocument::parse(VerifiedBlob::of(text.as_bytes().to_vec()), declared)
    }

    fn code(text: &str, declared: Option<&str>) -> Option<Code> {
        parse(text, declared).err().map(|e| e.code())
    }

    fn descriptor(digest: &str, platform: &str) -> String {
        format!(r#"{{"mediaType":"{}","digest":"{digest}","size":2{platform}}}"#, media::MANIFEST)
    }

    #[test]
    fn a_document_that_is_both_kinds_is_refused() {
        let config = descriptor(D, "");
        let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        assert_eq!(code(&manifest, None), None);
        let both = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"manifests":[]}}"#);
        assert_eq!(code(&both, None), Some(Code::MediaAmbiguous));
        let lying = format!(r#"{{"schemaVersion":2,"mediaType":"{}","config":{config},"layers":[]}}"#, media::INDEX);
        assert_eq!(code(&lying, None), Some(Code::MediaAmbiguous));
    }

    #[test]
    fn the_header_must_agree_with_the_document() {
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, media::INDEX);
        assert_eq!(code(&index, Some(media::INDEX)), None);
        assert_eq!(code(&index, Some("application/json; charset=utf-8")), None);
        assert_eq!(code(&index, Some(media::MANIFEST)), Some(Code::MediaAmbiguous));
    }

    #[test]
    fn repeated_keys_and_schema_1_are_refused() {
        let twice = r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#;
        assert_eq!(code(twice, None), Some(Code::ManifestInvalid));
        let schema1 = r#"{"schemaVersion":1,"fsLayers":[]}"#;
        assert_eq!(code(schema1, None), Some(Code::ManifestInvalid));
        let null = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":null}}"#, media::INDEX);
        assert_eq!(code(&null, None), Some(Code::ManifestInvalid));
    }

    #[test]
    fn one_platform_has_one_image() {
        let arm = r#","platform":{"os":"linux","architecture":"arm64"}"#;
        let v8 = r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#;
        let buildkit = r#","platform":{"os":"unknown","architecture":"unknown"}"#;
        let index = |a: String, b: String| match parse(&format!(r#"{{"schemaVersion":2,"manifests":[{a},{b}]}}"#), None)
        {
            Ok(ImageDocument::Index(index)) => index,
            other => panic!("not an index: {other:?}"),
        };
        let good = index(descriptor(D, arm), descriptor(E, buildkit));
        assert_eq!(good.platforms().expect("one platform").len(), 1);
        let twice = index(descriptor(D, arm), descriptor(E, v8));
        assert_eq!(twice.platforms().expect_err("two images").code(), Code::MediaAmbiguous);
    }

    #[test]
    fn embedded_data_counts_only_if_it_is_the_content() {
        let blob = VerifiedBlob::of(b"{}".to_vec());
        let with = |data: &str| -> Descriptor {
            let text = format!(r#"{{"mediaType":"m","digest":"{}","size":2,"data":"{data}"}}"#, blob.digest());
            serde_json::from_str(&text).expect("a descriptor")
        };
        assert!(with("e30=").embedded().is_some());
        assert!(with("e31=").embedded().is_none());
        assert!(with("!").embedded().is_none());
    }
}
