//! Reading the layers that are there, and writing those that are missing.

use std::collections::BTreeMap;

use futures_util::future::{join_all, try_join_all};

use super::image::{Layers, manifest_at};
use super::layer::{Key, key_of, media_type_of, tag_of};
use super::{FoundLayers, LayerStep, LegacyLayer};
use crate::attach::error::Part;
use crate::attach::{Action, AttachError, Attacher, Conflict, Subject};
use crate::digest::Digest;
use crate::evidence::{OriginKind, TargetName};
use crate::image::{Descriptor, ImageName};
use crate::registry::Context;

impl Attacher {
    /// What is at the tag of a subject for evidence of this kind.
    pub(in crate::attach) async fn found_layers(
        &self,
        context: &Context,
        kind: OriginKind,
        subject: &Digest,
    ) -> Result<FoundLayers, AttachError> {
        let tag = ImageName::Tag(tag_of(kind, subject));
        let listed = match self.push.manifest(context, self.place(), &tag).await? {
            None => Vec::new(),
            Some(fetched) => manifest_at(&tag, &fetched, subject)?.0.layers().to_vec(),
        };
        let read = match self.conflict {
            // Nothing is compared, so nothing is read.
            Conflict::Append => Vec::new(),
            _ => self.read_layers(context, kind, subject, &listed).await?,
        };
        Ok(FoundLayers { listed, read })
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
            let blob = self.push.blob_bytes(context, self.place(), descriptor, limit).await?;
            let Some(blob) = blob else { return Ok::<_, AttachError>(None) };
            let layer = self.layer(kind, blob, descriptor.annotations.clone(), subject);
            Ok(layer.ok().map(|layer| (key_of(descriptor), layer)))
        });
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    /// Writes the layers of one subject: blobs, then each tag; then reads them
    /// back, and waits until no other writer can undo it.
    pub(in crate::attach) async fn apply_layers(
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
            let pushed = self.again(context, put).await;
            pushed.map_err(|error| AttachError::write(error, Part::Blob))
        });
        join_all(blobs).await.into_iter().collect::<Result<(), _>>()?;
        let Some(LayerStep { layer: first, .. }) = steps.first().copied() else { return Ok(()) };
        let (kind, subject) = (first.kind, first.subject().clone());
        let tag = ImageName::Tag(tag.to_owned());
        let edit = Layers {
            tag: tag.clone(),
            subject,
            present: writes().map(|step| step.layer.descriptor()).collect(),
            absent: steps.iter().flat_map(|step| step.replaces.clone()).collect(),
            limit: context.limits().legacy_layers,
        };
        let tagged = self.tagged(context, tag);
        let written = tagged.assert(&edit).await?;
        let read = self.read_layers(context, kind, &edit.subject, &edit.present).await?;
        for step in writes() {
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
