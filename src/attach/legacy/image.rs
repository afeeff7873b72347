//! The image at a tag: what is in it stays, layers come and go.

use serde_json::json;
use serde_json::value::RawValue;

use super::layer::{Key, key_of};
use crate::attach::AttachError;
use crate::attach::raw::{RawObject, raw};
use crate::attach::tag::{Edit, Edited};
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::classify_manifest;
use crate::image::{Descriptor, ImageDocument, ImageName, Manifest, media};
use crate::json;
use crate::registry::{Fetched, Problem, RegistryError};

/// The layers that have to be at a tag, and those that must not be any more.
pub(super) struct Layers {
    pub(super) tag: ImageName,
    pub(super) subject: Digest,
    pub(super) present: Vec<Descriptor>,
    pub(super) absent: Vec<Key>,
    pub(super) limit: usize,
}

impl Edit for Layers {
    fn edit(&self, current: Option<&Fetched>) -> Result<Option<Edited>, AttachError> {
        let taken = |detail: String| AttachError::TagTaken { subject: self.subject.clone(), detail };
        let (mut manifest, mut layers, media_type) = match current {
            None => {
                let mut manifest = RawObject::default();
                manifest.set("schemaVersion", raw(&2));
                manifest.set("mediaType", raw(&media::MANIFEST));
                (manifest, Vec::new(), media::MANIFEST)
            }
            Some(fetched) => {
                let (_, kind) = manifest_at(&self.tag, fetched, &self.subject)?;
                let manifest: RawObject =
                    serde_json::from_slice(fetched.blob.bytes()).map_err(|error| taken(error.to_string()))?;
                let layers: Vec<Box<RawValue>> = match manifest.get("layers") {
                    Some(layers) => serde_json::from_str(layers.get()).map_err(|error| taken(error.to_string()))?,
                    None => return Err(taken("it has no layers".to_owned())),
                };
                (manifest, layers, kind)
            }
        };
        let keys = |layers: &[Box<RawValue>]| -> Vec<Option<Key>> {
            layers.iter().map(|layer| serde_json::from_str(layer.get()).ok().map(|d: Descriptor| key_of(&d))).collect()
        };
        let before = layers.len();
        layers
            .retain(|layer| keys(std::slice::from_ref(layer))[0].as_ref().is_none_or(|key| !self.absent.contains(key)));
        let mut changed = layers.len() != before;
        let known = keys(&layers);
        for wanted in self.present.iter().filter(|wanted| !known.contains(&Some(key_of(wanted)))) {
            layers.push(raw(wanted));
            changed = true;
        }
        if !changed {
            return Ok(None);
        }
        if layers.len() > self.limit {
            let detail = format!("{} layers, the limit is {}", layers.len(), self.limit);
            return Err(RegistryError::new(Problem::Limit, format!("writing the tag {}", self.tag), detail).into());
        }
        let config = config(&layers);
        manifest.set("config", raw(&Descriptor::of(media::CONFIG, &config)));
        manifest.set("layers", raw(&layers));
        let manifest = VerifiedBlob::of(raw(&manifest).get().as_bytes().to_vec());
        Ok(Some(Edited { media_type, manifest, blobs: vec![config] }))
    }
}

/// The configuration of an image with these layers, which are not compressed.
/// It has no time of its own: the same layers have the same image.
fn config(layers: &[Box<RawValue>]) -> VerifiedBlob {
    let nowhen = "0001-01-01T00:00:00Z";
    let digests: Vec<Digest> = layers
        .iter()
        .filter_map(|layer| serde_json::from_str(layer.get()).ok())
        .map(|d: Descriptor| d.digest)
        .collect();
    let history: Vec<_> = digests.iter().map(|_| json!({ "created": nowhen })).collect();
    let config = json!({
        "architecture": "", "created": nowhen, "history": history, "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests }, "config": {},
    });
    VerifiedBlob::of(config.to_string().into_bytes())
}

/// The manifest at a legacy tag and its media type. Anything else there is not overwritten.
pub(super) fn manifest_at(
    tag: &ImageName,
    fetched: &Fetched,
    subject: &Digest,
) -> Result<(Manifest, &'static str), AttachError> {
    let taken = |detail: String| AttachError::TagTaken { subject: subject.clone(), detail };
    json::reject_ambiguity(fetched.blob.bytes(), &[]).map_err(|error| taken(error.to_string()))?;
    let document = ImageDocument::parse(fetched.blob.clone(), fetched.media_type.as_deref());
    let docker = document.as_ref().is_ok_and(|document| document.media_type() == media::DOCKER_MANIFEST);
    match document {
        Ok(ImageDocument::Manifest(manifest)) => {
            // An image of somebody's that happens to have this name.
            if !manifest.layers().is_empty() && classify_manifest(&manifest).is_empty() {
                return Err(taken(format!("{tag} is an image")));
            }
            Ok((manifest, if docker { media::DOCKER_MANIFEST } else { media::MANIFEST }))
        }
        Ok(ImageDocument::Index(_)) => Err(taken(format!("{tag} is an index"))),
        Err(error) => Err(taken(error.to_string())),
    }
}
