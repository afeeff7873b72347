//! The older form: layers of images at the tags `.sig` and `.att` (cosign,
//! `SIGNATURE_SPEC.md`), for registries and controllers that know no other.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

use super::raw::{RawObject, raw};
use super::tag::{Edit, Edited, Tagged};
use super::timing::again;
use super::{Action, AttachError, Attacher, Conflict, Subject};
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::{Candidate, Origin, OriginKind, TargetName, annotations as annotation, classify_manifest};
use crate::image::{Descriptor, ImageDocument, ImageName, Manifest, media};
use crate::json;
use crate::registry::{Context, Fetched, Problem, RegistryError};
use crate::sign::{Draft, Held, LegacySignature, SignedBundle};
use crate::signer::Signer;
use crate::sigstore::{Bundle, LegacySigned};

/// A signature or attestation in the older form that our own verifier accepted.
#[derive(Debug, Clone)]
pub struct LegacyLayer {
    kind: OriginKind,
    blob: VerifiedBlob,
    annotations: BTreeMap<String, String>,
    held: Held,
}

impl LegacyLayer {
    /// The digest that it is about.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        self.held.subject()
    }

    /// The predicate type; none for a signature.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.held.predicate_type()
    }

    /// The tag that it goes to.
    #[must_use]
    pub fn tag(&self) -> String {
        tag_of(self.kind, self.subject())
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.held.bundle().signer()
    }

    /// Whether it says what `draft` would say, had `signer` signed it.
    #[must_use]
    pub fn says_what(&self, draft: &Draft, signer: &Signer) -> bool {
        self.held.says_what(draft, signer)
    }

    fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(media_type_of(self.kind), &self.blob);
        descriptor.annotations.clone_from(&self.annotations);
        descriptor
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
    pub(super) replaces: Vec<Key>,
}

/// What tells one layer from another.
type Key = (Digest, Option<String>);

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
    /// The older form of an attestation.
    ///
    /// # Errors
    /// When that form has no place for it, or lacks what it has to have
    /// (`no-legacy-form`): a promise of Rekor v1, for one. A statement that is
    /// a signature has none either; that form signs another document
    /// ([`Session::sign_payload`](crate::sign::Session::sign_payload)).
    pub fn layer_of_bundle(&self, bundle: &SignedBundle) -> Result<LegacyLayer, AttachError> {
        let Some(predicate_type) = bundle.predicate_type().filter(|_| !bundle.is_signature()) else {
            return Err(AttachError::NoLegacyForm("a signature in that format is over another document; sign again"));
        };
        let parsed = Bundle::parse(bundle.bytes(), &self.limits);
        let parsed = parsed.map_err(crate::sign::SignError::Unverified)?;
        let parts = parsed.to_legacy().map_err(AttachError::NoLegacyForm)?;
        let annotations = annotation::written(&parts, Some(predicate_type));
        let LegacySigned::Envelope { json } = parts.signed else {
            return Err(AttachError::NoLegacyForm("it is no envelope"));
        };
        self.layer(OriginKind::LegacyAttestation, VerifiedBlob::of(json), annotations, bundle.subject())
    }

    /// A signature that was made for the older form.
    ///
    /// # Errors
    /// When it does not hold, or is about something else.
    pub fn layer_of_signature(
        &self,
        signature: &LegacySignature,
        subject: &Digest,
    ) -> Result<LegacyLayer, AttachError> {
        let (payload, annotations) = (signature.payload().clone(), signature.annotations().clone());
        self.layer(OriginKind::LegacySignature, payload, annotations, subject)
    }

    /// What is at the tag of a subject for signatures, or for attestations, and holds.
    ///
    /// # Errors
    /// When the tag, or something at it, cannot be read (promise 5).
    pub async fn existing_layers(
        &self,
        context: &Context,
        subject: &Digest,
        signatures: bool,
    ) -> Result<Vec<LegacyLayer>, AttachError> {
        let kind = if signatures { OriginKind::LegacySignature } else { OriginKind::LegacyAttestation };
        let listed = self.listed_layers(context, kind, subject).await?;
        let read = self.read_layers(context, kind, subject, &listed).await?;
        Ok(read.into_iter().map(|(_, layer)| layer).collect())
    }

    /// A layer, if it holds as it will be read.
    pub(super) fn layer(
        &self,
        kind: OriginKind,
        blob: VerifiedBlob,
        annotations: BTreeMap<String, String>,
        subject: &Digest,
    ) -> Result<LegacyLayer, AttachError> {
        let origin = Origin::new(kind, blob.digest().to_string());
        let candidate = match kind {
            OriginKind::LegacySignature => Candidate::simple_signing(blob.clone(), annotations.clone(), origin),
            _ => Candidate::envelope(blob.clone(), annotations.clone(), origin),
        };
        let key = self.key.as_deref().filter(|_| !annotations.contains_key(annotation::CERTIFICATE));
        let held = Held::check(&candidate, subject, key, &self.trust, self.now, &self.limits)?;
        Ok(LegacyLayer { kind, blob, annotations, held })
    }

    /// Decides what becomes of the layers of one tag.
    pub(super) async fn plan_layers(
        &self,
        context: &Context,
        layers: &[&LegacyLayer],
    ) -> Result<Vec<LayerStep>, AttachError> {
        let mut tags: BTreeMap<String, Vec<&LegacyLayer>> = BTreeMap::new();
        for layer in layers {
            tags.entry(layer.tag()).or_default().push(layer);
        }
        let planned = tags.values().map(|layers| self.plan_tag(context, layers));
        let planned: Result<Vec<_>, _> = join_all(planned).await.into_iter().collect();
        Ok(planned?.into_iter().flatten().collect())
    }

    async fn plan_tag(&self, context: &Context, layers: &[&LegacyLayer]) -> Result<Vec<LayerStep>, AttachError> {
        let Some(first) = layers.first() else { return Ok(Vec::new()) };
        let listed = self.listed_layers(context, first.kind, first.subject()).await?;
        let existing = match self.conflict {
            Conflict::Append => Vec::new(),
            _ => self.read_layers(context, first.kind, first.subject(), &listed).await?,
        };
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
            for (key, older) in &existing {
                if steps.iter().any(|step| step.layer.held.says_the_same(&older.held)) {
                    continue;
                }
                if let Some(step) = steps.iter_mut().find(|step| step.layer.held.is_same_kind(&older.held)) {
                    step.replaces.push(key.clone());
                }
            }
        }
        Ok(steps)
    }

    /// The layers at a tag.
    async fn listed_layers(
        &self,
        context: &Context,
        kind: OriginKind,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, AttachError> {
        let tag = ImageName::Tag(tag_of(kind, subject));
        let get = || self.push.manifest(context, self.place(), &tag);
        match again(context, self.timing, get).await? {
            None => Ok(Vec::new()),
            Some(fetched) => Ok(manifest_at(&tag, &fetched, subject)?.0.layers().to_vec()),
        }
    }

    /// Those of them that hold.
    async fn read_layers(
        &self,
        context: &Context,
        kind: OriginKind,
        subject: &Digest,
        listed: &[Descriptor],
    ) -> Result<Vec<(Key, LegacyLayer)>, AttachError> {
        let of_kind = listed.iter().filter(|descriptor| descriptor.media_type == media_type_of(kind));
        let read = of_kind.map(|descriptor| async move {
            let limit = context.limits().attestation_bytes;
            let get = || self.push.blob_bytes(context, self.place(), descriptor, limit);
            let Some(blob) = again(context, self.timing, get).await? else { return Ok(None) };
            let layer = self.layer(kind, blob, descriptor.annotations.clone(), subject);
            Ok(layer.ok().map(|layer| (key_of(descriptor), layer)))
        });
        let read: Result<Vec<_>, AttachError> = join_all(read).await.into_iter().collect();
        Ok(read?.into_iter().flatten().collect())
    }

    /// Writes the layers of one subject: blobs, then each tag; then reads them
    /// back, and waits until no other writer can undo it.
    pub(super) async fn apply_layers(
        &self,
        context: &Context,
        subject: &Subject,
        steps: &[LayerStep],
    ) -> Result<Vec<(TargetName, String)>, AttachError> {
        let mut tags: BTreeMap<String, Vec<&LayerStep>> = BTreeMap::new();
        for step in steps.iter().filter(|step| step.action == Action::Write || !step.replaces.is_empty()) {
            tags.entry(step.layer.tag()).or_default().push(step);
        }
        let written = tags.iter().map(|(tag, steps)| self.apply_tag(context, tag, steps));
        let written: Result<Vec<()>, _> = join_all(written).await.into_iter().collect();
        written?;
        Ok(tags.into_keys().map(|tag| (subject.name.clone(), tag)).collect())
    }

    async fn apply_tag(&self, context: &Context, tag: &str, steps: &[&LayerStep]) -> Result<(), AttachError> {
        let writes = || steps.iter().filter(|step| step.action == Action::Write);
        let blobs = writes().map(|step| async {
            let put = || self.push.push_new_blob(context, self.place(), &step.layer.blob);
            let pushed = again(context, self.timing, put).await;
            pushed.map_err(|error| AttachError::write(error, super::error::Part::Blob))
        });
        join_all(blobs).await.into_iter().collect::<Result<(), _>>()?;
        let Some(subject) = steps.first().map(|step| step.layer.subject().clone()) else { return Ok(()) };
        let tag = ImageName::Tag(tag.to_owned());
        let edit = Layers {
            tag: tag.clone(),
            subject,
            present: writes().map(|step| step.layer.descriptor()).collect(),
            absent: steps.iter().flat_map(|step| step.replaces.clone()).collect(),
            limit: context.limits().legacy_layers,
        };
        let tagged = Tagged { push: &*self.push, context, repository: self.place(), tag: &tag, timing: self.timing };
        let written = tagged.assert(&edit).await?;
        for step in writes() {
            let read =
                self.read_layers(context, step.layer.kind, step.layer.subject(), &[step.layer.descriptor()]).await?;
            if !read.iter().any(|(_, read)| read.held.says_the_same(&step.layer.held)) {
                return Err(AttachError::NotReadBack { manifest: step.layer.blob.digest().clone() });
            }
        }
        match written {
            Some(written) => tagged.settle(&edit, written).await,
            None => Ok(()),
        }
    }
}

/// The layers that have to be at a tag, and those that must not be any more.
struct Layers {
    tag: ImageName,
    subject: Digest,
    present: Vec<Descriptor>,
    absent: Vec<Key>,
    limit: usize,
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
fn manifest_at(tag: &ImageName, fetched: &Fetched, subject: &Digest) -> Result<(Manifest, &'static str), AttachError> {
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

fn tag_of(kind: OriginKind, subject: &Digest) -> String {
    subject.tag(if kind == OriginKind::LegacySignature { ".sig" } else { ".att" })
}

fn media_type_of(kind: OriginKind) -> &'static str {
    if kind == OriginKind::LegacySignature { media::SIMPLE_SIGNING } else { media::DSSE }
}

fn key_of(layer: &Descriptor) -> Key {
    let signature = layer.annotation(annotation::SIGNATURE).filter(|text| !text.is_empty()).map(str::to_owned);
    (layer.digest.clone(), signature)
}
