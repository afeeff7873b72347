//! What a run would write, before it writes anything.

use serde::{Serialize, Serializer};

use super::referrer::referrer;
use super::{AttachError, Attacher, Conflict, Existing, LayerStep, LegacyLayer, Subject, Subjects, Survey, Wanted};
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
    /// What is attached is read.
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
        self.plan_after(Survey::default(), context, subjects, bundles, layers).await
    }

    /// The same where a `survey` has read what is attached. If it looked for
    /// less than has to be known, it is read anew.
    ///
    /// # Errors
    /// As [`Attacher::plan`].
    pub async fn plan_after(
        &self,
        survey: Survey,
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
        let wanted: Vec<Wanted<'_>> =
            bundles.iter().map(Wanted::like).chain(layers.iter().map(Wanted::like_layer)).collect();
        let known = wanted.iter().all(|wanted| self.knows(&survey, wanted));
        let survey = if known { survey } else { self.survey(context, subjects, &wanted).await? };
        let targets = subjects.all().iter().filter_map(|subject| {
            let digest = &subject.descriptor.digest;
            let bundles: Vec<_> = bundles.iter().filter(|bundle| bundle.subject() == digest).collect();
            let layers: Vec<_> = layers.iter().filter(|layer| layer.subject() == digest).collect();
            let work = !bundles.is_empty() || !layers.is_empty();
            work.then(|| self.plan_target(subject, &bundles, &layers, &survey))
        });
        Ok(Plan {
            repository: self.place().to_string(),
            image: subjects.image().descriptor.digest.clone(),
            conflict: self.conflict,
            targets: targets.collect(),
        })
    }

    fn plan_target(
        &self,
        subject: &Subject,
        bundles: &[&SignedBundle],
        layers: &[&LegacyLayer],
        survey: &Survey,
    ) -> PlannedTarget {
        let layers = self.plan_layers(layers, &survey.layers);
        let found = survey.bundles.get(&subject.descriptor.digest).filter(|_| !bundles.is_empty());
        let existing = found.map(|found| found.bundles.clone()).unwrap_or_default();
        let is_listed = |manifest: &Digest| found.is_some_and(|found| found.listed.contains(manifest));
        let mut steps: Vec<Step> = Vec::new();
        for bundle in bundles {
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
            if is_listed(&step.manifest) {
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
        let by_tag = found.is_some_and(|found| found.source == ReferrersSource::FallbackTag);
        PlannedTarget { subject: subject.clone(), existing, steps, layers, by_tag }
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
