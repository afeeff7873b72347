//! What is attached to an image already: read once, for the decision what has
//! to be signed and for the plan.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::existing::Found;
use super::legacy::{FoundLayers, tag_of};
use super::{AttachError, Attacher, Conflict, LegacyLayer, Subject, Subjects};
use crate::digest::Digest;
use crate::evidence::OriginKind;
use crate::registry::Context;
use crate::sign::SignedBundle;

/// Something that a survey looks for: evidence of a kind, about a digest, in one of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted<'a> {
    /// Bundles.
    Bundle {
        /// What they are about.
        subject: &'a Digest,
        /// Their predicate type; none where the manifest itself is signed.
        predicate_type: Option<&'a str>,
    },
    /// Layers in the older form.
    Layer {
        /// What they are about.
        subject: &'a Digest,
        /// Whether they are signatures, and no attestations: each has its own tag.
        signature: bool,
    },
}

impl<'a> Wanted<'a> {
    /// What is of the same kind as this bundle.
    #[must_use]
    pub fn like(bundle: &'a SignedBundle) -> Self {
        Self::Bundle { subject: bundle.subject(), predicate_type: bundle.predicate_type() }
    }

    /// What is at the same tag as this layer.
    #[must_use]
    pub fn like_layer(layer: &'a LegacyLayer) -> Self {
        Self::Layer { subject: layer.subject(), signature: layer.predicate_type().is_none() }
    }
}

/// What is attached to an image, as far as was looked for. Only what holds is
/// in it: everything else is nobody's evidence.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// By the digest that they are about.
    pub(super) bundles: BTreeMap<Digest, Found>,
    /// By their tag.
    pub(super) layers: BTreeMap<String, FoundLayers>,
}

impl Survey {
    /// The bundles that were found.
    pub fn bundles(&self) -> impl Iterator<Item = &SignedBundle> {
        self.bundles.values().flat_map(|found| &found.bundles).map(|existing| &existing.bundle)
    }

    /// The layers in the older form that were found.
    pub fn layers(&self) -> impl Iterator<Item = &LegacyLayer> {
        self.layers.values().flat_map(FoundLayers::layers)
    }
}

impl Attacher {
    /// Looks for what is attached. With [`Conflict::Append`] nothing is compared
    /// later, so nothing is read beyond what is listed.
    ///
    /// # Errors
    /// When something is about none of the `subjects` (`subject-mismatch`), and
    /// when a listing, or something that is listed, cannot be read (promise 5).
    pub async fn survey(
        &self,
        context: &Context,
        subjects: &Subjects,
        wanted: &[Wanted<'_>],
    ) -> Result<Survey, AttachError> {
        let mut types: BTreeMap<&Digest, (&Subject, BTreeSet<Option<String>>)> = BTreeMap::new();
        let mut tags = BTreeMap::new();
        for wanted in wanted {
            let (Wanted::Bundle { subject, .. } | Wanted::Layer { subject, .. }) = *wanted;
            let found = subjects.find(subject).ok_or_else(|| AttachError::Foreign { what: subject.to_string() })?;
            match wanted {
                Wanted::Bundle { predicate_type, .. } => {
                    let (_, types) = types.entry(subject).or_insert_with(|| (found, BTreeSet::new()));
                    if self.conflict != Conflict::Append {
                        types.insert(predicate_type.map(str::to_owned));
                    }
                }
                Wanted::Layer { signature, .. } => {
                    let kind = kind_of(*signature);
                    tags.insert(tag_of(kind, subject), (kind, subject));
                }
            }
        }
        let bundles = types.into_iter().map(|(digest, (subject, types))| async move {
            Ok::<_, AttachError>((digest.clone(), self.found(context, subject, types).await?))
        });
        let layers = tags
            .into_iter()
            .map(|(tag, (kind, subject))| async move { Ok((tag, self.found_layers(context, kind, subject).await?)) });
        let (bundles, layers) = try_join(try_join_all(bundles), try_join_all(layers)).await?;
        Ok(Survey { bundles: bundles.into_iter().collect(), layers: layers.into_iter().collect() })
    }

    /// Whether a survey of this attacher's looked for it.
    pub(super) fn knows(&self, survey: &Survey, wanted: &Wanted<'_>) -> bool {
        match wanted {
            Wanted::Bundle { subject, predicate_type } => survey.bundles.get(subject).is_some_and(|found| {
                self.conflict == Conflict::Append || found.read.contains(&predicate_type.map(str::to_owned))
            }),
            Wanted::Layer { subject, signature } => survey.layers.contains_key(&tag_of(kind_of(*signature), subject)),
        }
    }
}

fn kind_of(signature: bool) -> OriginKind {
    if signature { OriginKind::LegacySignature } else { OriginKind::LegacyAttestation }
}
