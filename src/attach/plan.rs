//! What a run would write, before it writes anything.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde::{Serialize, Serializer};

use super::existing::Found;
use super::referrer::referrer;
use super::{AttachError, Attacher, Conflict, Existing, LayerStep, LegacyLayer, Subject, Subjects};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::Descriptor;
use crate::registry::{Context, ReferrersSource};
use crate::sign::SignedBundle;

/// What a run would write. Serialized, it is what `--dry-run -o json` prints.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Plan {
    /// The repository that is written to.
    pub repository: String,
    /// The digest of the image.
    pub image: Digest,
    /// What happens where the same is attached already.
    pub conflict: Conflict,
    /// The subjects that something is to be attached to.
    pub targets: Vec<PlannedTarget>,
}

/// What a run would write for one subject.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlannedTarget {
    /// The subject.
    #[serde(flatten, serialize_with = "subject")]
    pub subject: Subject,
    /// What is attached of the same types, and holds.
    #[serde(serialize_with = "existing")]
    pub existing: Vec<Existing>,
    /// One for each bundle.
    pub steps: Vec<Step>,
    /// One for each signature or attestation in the older form.
    pub layers: Vec<LayerStep>,
    /// Whether the registry was seen to have no referrers API.
    #[serde(skip)]
    pub(super) by_tag: bool,
}

/// What happens with one bundle.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// Whether it is written.
    pub action: Action,
    /// The bundle.
    pub bundle: SignedBundle,
    /// The digest of the manifest that attaches it, or that attaches the same already.
    pub manifest: Digest,
    /// The manifests that it replaces.
    pub replaces: Vec<Digest>,
    pub(super) content: VerifiedBlob,
    pub(super) entry: Descriptor,
}

/// Whether a bundle is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// It is.
    Write,
    /// It is not: the same is attached.
    Skip,
}

impl Plan {
    /// The steps that write, with their targets.
    pub fn writes(&self) -> impl Iterator<Item = (&PlannedTarget, &Step)> {
        let steps = self.targets.iter().flat_map(|target| target.steps.iter().map(move |step| (target, step)));
        steps.filter(|(_, step)| step.action == Action::Write)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let idle = |target: &PlannedTarget| {
            target.steps.iter().all(|step| step.action == Action::Skip && step.replaces.is_empty())
                && target.layers.iter().all(|step| step.action == Action::Skip && step.replaces.is_empty())
        };
        self.targets.iter().all(idle)
    }
}

impl Attacher {
    /// Decides what becomes of every bundle and every `layer` in the older
    /// form. Each is about a digest of the image; several may be about one.
    ///
    /// # Errors
    /// When a bundle is about something else (`subject-mismatch`), or what is
    /// attached cannot be read.
    pub async fn plan(
        &self,
        context: &Context,
        subjects: &Subjects,
        bundles: &[SignedBundle],
        layers: &[LegacyLayer],
    ) -> Result<Plan, AttachError> {
        if let Some(foreign) = bundles.iter().find(|bundle| subjects.find(bundle.subject()).is_none()) {
            let what = format!("the bundle {} about {}", foreign.digest(), foreign.subject());
            return Err(AttachError::Foreign { what });
        }
        if let Some(foreign) = layers.iter().find(|layer| subjects.find(layer.subject()).is_none()) {
            return Err(AttachError::Foreign { what: format!("what was signed about {}", foreign.subject()) });
        }
        let targets = subjects.all().iter().filter_map(|subject| {
            let of_subject = |bundle: &&SignedBundle| *bundle.subject() == subject.descriptor.digest;
            let bundles: Vec<&SignedBundle> = bundles.iter().filter(of_subject).collect();
            let layers: Vec<&LegacyLayer> =
                layers.iter().filter(|layer| *layer.subject() == subject.descriptor.digest).collect();
            let work = !bundles.is_empty() || !layers.is_empty();
            work.then(|| self.plan_target(context, subject, bundles, layers))
        });
        let mut planned = Vec::new();
        for target in join_all(targets).await {
            planned.push(target?);
        }
        Ok(Plan {
            repository: self.place().to_string(),
            image: subjects.image().descriptor.digest.clone(),
            conflict: self.conflict,
            targets: planned,
        })
    }

    async fn plan_target(
        &self,
        context: &Context,
        subject: &Subject,
        bundles: Vec<&SignedBundle>,
        layers: Vec<&LegacyLayer>,
    ) -> Result<PlannedTarget, AttachError> {
        let layers = self.plan_layers(context, &layers).await?;
        if bundles.is_empty() {
            let subject = subject.clone();
            return Ok(PlannedTarget { subject, existing: Vec::new(), steps: Vec::new(), layers, by_tag: false });
        }
        let types: BTreeSet<Option<&str>> = match self.conflict {
            // Nothing is compared, so nothing is read.
            Conflict::Append => BTreeSet::new(),
            _ => bundles.iter().map(|bundle| bundle.predicate_type()).collect(),
        };
        let wanted: Vec<Option<&str>> = types.into_iter().collect();
        let Found { bundles: existing, listed, source } = self.found(context, subject, &wanted).await?;
        let mut steps: Vec<Step> = Vec::new();
        for bundle in &bundles {
            let (content, entry) = referrer(bundle, &subject.descriptor);
            let mut step = Step {
                action: Action::Write,
                bundle: (*bundle).clone(),
                manifest: content.digest().clone(),
                replaces: Vec::new(),
                content,
                entry,
            };
            if steps.iter().any(|other| other.bundle.digest() == bundle.digest()) {
                continue;
            }
            if listed.contains(&step.manifest) {
                step.action = Action::Skip;
            } else if self.conflict != Conflict::Append {
                let there = existing.iter().find(|other| other.bundle.says_the_same(bundle)).map(|o| &o.manifest);
                let planned = steps.iter().find(|other| other.bundle.says_the_same(bundle)).map(|o| &o.manifest);
                if let Some(same) = there.or(planned) {
                    (step.action, step.manifest) = (Action::Skip, same.clone());
                }
            }
            steps.push(step);
        }
        if self.conflict == Conflict::Replace {
            replace(&mut steps, &existing);
        }
        let by_tag = source == ReferrersSource::FallbackTag;
        Ok(PlannedTarget { subject: subject.clone(), existing, steps, layers, by_tag })
    }
}

/// What is attached of a kind that is attached anew, and says something else
/// than everything that is: each is replaced by one.
fn replace(steps: &mut [Step], existing: &[Existing]) {
    for older in existing {
        let kept = steps.iter().any(|step| step.manifest == older.manifest || step.bundle.says_the_same(&older.bundle));
        if kept {
            continue;
        }
        if let Some(step) = steps.iter_mut().find(|step| step.bundle.is_same_kind(&older.bundle)) {
            step.replaces.push(older.manifest.clone());
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    target: &'a crate::evidence::TargetName,
    digest: &'a Digest,
    media_type: &'a str,
}

fn subject<S: Serializer>(subject: &Subject, serializer: S) -> Result<S::Ok, S::Error> {
    let Subject { name, descriptor } = subject;
    Named { target: name, digest: &descriptor.digest, media_type: &descriptor.media_type }.serialize(serializer)
}

/// What is said of a bundle.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    manifest: &'a Digest,
    bundle: &'a Digest,
    predicate_type: Option<&'a str>,
    identity: &'a str,
    issuer: Option<&'a str>,
    time: Option<crate::time::Timestamp>,
}

impl<'a> Said<'a> {
    fn of(manifest: &'a Digest, bundle: &'a SignedBundle) -> Self {
        Self {
            manifest,
            bundle: bundle.digest(),
            predicate_type: bundle.predicate_type(),
            identity: &bundle.signer().identity().value,
            issuer: bundle.signer().issuer(),
            time: bundle.time(),
        }
    }
}

fn existing<S: Serializer>(existing: &[Existing], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(existing.iter().map(|existing| Said::of(&existing.manifest, &existing.bundle)))
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            action: Action,
            #[serde(flatten)]
            said: Said<'a>,
            replaces: &'a [Digest],
        }
        let said = Said::of(&self.manifest, &self.bundle);
        Wire { action: self.action, said, replaces: &self.replaces }.serialize(serializer)
    }
}
