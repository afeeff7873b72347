//! What becomes of each layer.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::LegacyLayer;
use super::layer::{Key, key_of};
use crate::attach::{Action, Attacher, Conflict};
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::sign::Held;

/// What is at one tag.
#[derive(Debug, Clone)]
pub(in crate::attach) struct FoundLayers {
    /// Every layer.
    pub(super) listed: Vec<Descriptor>,
    /// Those that hold, where they were read.
    pub(super) read: Vec<(Key, LegacyLayer)>,
}

impl FoundLayers {
    /// The layers that hold.
    pub(in crate::attach) fn layers(&self) -> impl Iterator<Item = &LegacyLayer> {
        self.read.iter().map(|(_, layer)| layer)
    }
}

/// What happens with one layer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerStep {
    /// Whether it is written.
    pub action: Action,
    /// The layer.
    pub layer: LegacyLayer,
    /// The layers that it replaces, by digest and signature.
    pub(in crate::attach) replaces: Vec<Key>,
}

impl Serialize for LayerStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            action: Action,
            tag: String,
            layer: &'a Digest,
            predicate_type: Option<&'a str>,
            identity: &'a str,
            issuer: Option<&'a str>,
            replaces: Vec<&'a Digest>,
        }
        let signer = self.layer.held.bundle().signer();
        Wire {
            action: self.action,
            tag: self.layer.tag(),
            layer: self.layer.blob.digest(),
            predicate_type: self.layer.predicate_type(),
            identity: &signer.identity().value,
            issuer: signer.issuer(),
            replaces: self.replaces.iter().map(|(digest, _)| digest).collect(),
        }
        .serialize(serializer)
    }
}

impl Attacher {
    /// Decides what becomes of the layers of one subject; `found` is what is at each tag.
    pub(in crate::attach) fn plan_layers(
        &self,
        layers: &[&LegacyLayer],
        found: &BTreeMap<String, FoundLayers>,
    ) -> Vec<LayerStep> {
        let mut tags: BTreeMap<String, Vec<&LegacyLayer>> = BTreeMap::new();
        for layer in layers {
            tags.entry(layer.tag()).or_default().push(layer);
        }
        let at = |tag: &String| found.get(tag).map(|found| (found.listed.as_slice(), found.read.as_slice()));
        tags.iter().flat_map(|(tag, layers)| self.plan_tag(layers, at(tag).unwrap_or_default())).collect()
    }

    fn plan_tag(
        &self,
        layers: &[&LegacyLayer],
        (listed, existing): (&[Descriptor], &[(Key, LegacyLayer)]),
    ) -> Vec<LayerStep> {
        let mut steps: Vec<LayerStep> = Vec::new();
        for layer in layers {
            let key = key_of(&layer.descriptor());
            if steps.iter().any(|step| key_of(&step.layer.descriptor()) == key) {
                continue;
            }
            let is_there = listed.iter().any(|descriptor| key_of(descriptor) == key);
            let same = |other: &Held| self.conflict != Conflict::Append && other.says_the_same(&layer.held);
            let said =
                existing.iter().any(|(_, other)| same(&other.held)) || steps.iter().any(|step| same(&step.layer.held));
            let action = if is_there || said { Action::Skip } else { Action::Write };
            steps.push(LayerStep { action, layer: (*layer).clone(), replaces: Vec::new() });
        }
        if self.conflict == Conflict::Replace {
            for (key, older) in existing {
                if steps.iter().any(|step| step.layer.held.says_the_same(&older.held)) {
                    continue;
                }
                if let Some(step) = steps.iter_mut().find(|step| step.layer.held.is_same_kind(&older.held)) {
                    step.replaces.push(key.clone());
                }
            }
        }
        steps
    }
}
