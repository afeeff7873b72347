//! The base of an image: named by its provenance, verified under its own
//! policy, compared by layers. Manifests are read, and no layer is.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::{cells, named};
use crate::client::{Client, VerifyRequest};
use crate::code::Code;
use crate::digest::Digest;
use crate::discover::{self, ImageRequest};
use crate::evidence::{Target, TargetName, Unread};
use crate::image::{Manifest, PinnedReference, Platform, Reference, Repository};
use crate::policy::Policy;
use crate::registry::Context;
use crate::report::{BaseRecord, BaseSource, Report};
use crate::verify::{Cell, Keep, State};

/// What an image has to be built on.
#[derive(Clone)]
#[non_exhaustive]
pub struct BaseRequest {
    /// The base: an image with its digest, or a repository whose image the
    /// provenance or an annotation names; none for whatever they name.
    pub reference: Option<Reference>,
    policy: Arc<PolicyOf>,
}

/// The policy for a base by its name; `None` where nobody is trusted to have signed it.
type PolicyOf = dyn Fn(&Repository) -> Option<Policy> + Send + Sync;

impl BaseRequest {
    /// Whatever the image names as its base. `policy` gives the policy for a
    /// base by its name, and `None` where nobody is trusted to have signed it.
    pub fn new(policy: impl Fn(&Repository) -> Option<Policy> + Send + Sync + 'static) -> Self {
        Self { reference: None, policy: Arc::new(policy) }
    }

    /// This base, or one of this repository.
    #[must_use]
    pub fn of(self, reference: Option<Reference>) -> Self {
        Self { reference, ..self }
    }
}

/// What became of a base, or why there is no policy for it.
type Verified = Result<(Report, Policy), String>;

/// A platform of the image, and what it says that it is built on.
struct Built<'a> {
    target: &'a Target,
    platform: Option<Platform>,
    manifest: Manifest,
    base: PinnedReference,
    source: BaseSource,
}

impl Client {
    /// As [`Client::verify`], and every platform has to be built on a base that
    /// is accepted under its own policy: a cell `base` for each.
    ///
    /// Requests besides: one manifest for each platform, and for each base its
    /// verification and one manifest for each platform.
    pub async fn verify_with_base(&self, request: &VerifyRequest<'_>, base: &BaseRequest) -> Report {
        let mut request = request.clone();
        // What names the base may be attested and not required.
        request.read_all |= base.reference.as_ref().is_none_or(|reference| reference.digest().is_none());
        request.image.platform_needed = true;
        request.keep = request.keep.max(Keep::Statements);
        let request = &request;
        let report = self.verify(request).await;
        let Ok(facts) = report.facts() else { return report };
        let context = Context::new(self.limits.clone());
        let images = facts.targets.iter().enumerate().filter(|(_, target)| target.name != TargetName::Index);
        let built = join_all(images.map(|(n, target)| self.built(&report, n, target, request, base, &context))).await;
        let mut bases = BTreeMap::<String, (PinnedReference, Vec<Platform>)>::new();
        for found in built.iter().flatten() {
            let entry = bases.entry(found.base.to_string());
            let (_, platforms) = entry.or_insert_with(|| (found.base.clone(), Vec::new()));
            platforms.extend(found.platform.clone());
        }
        let verified = bases.into_iter().map(|(name, (pinned, platforms))| async move {
            let verified = self.verify_one(&pinned, platforms, base, request).await;
            (name, verified)
        });
        let verified: BTreeMap<String, Verified> = join_all(verified).await.into_iter().collect();
        let judged = join_all(built.into_iter().map(|found| self.judge(found, &verified, &context))).await;
        let (mut column, records): (Vec<Cell>, Vec<Option<BaseRecord>>) = judged.into_iter().unzip();
        // Where there is no image, nothing is built on anything.
        if let (true, Some(target)) = (column.is_empty(), facts.targets.first()) {
            let message = "the index lists no platform that could be built on something".to_owned();
            column.push(cells::unknown(target, State::Missing, Code::PlatformAbsent, message));
        }
        let spent = verified.values().flatten().filter_map(|(report, _)| report.stats());
        let spent = spent.map(|stats| (stats.requests, stats.bytes));
        let spent = spent.chain([(context.requests(), context.bytes())]).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        report.with_bases(column, records.into_iter().flatten().collect(), spent)
    }

    /// The manifest of a platform, and the base that it names.
    async fn built<'a>(
        &self,
        report: &'a Report,
        number: usize,
        target: &'a Target,
        request: &VerifyRequest<'_>,
        base: &BaseRequest,
        context: &Context,
    ) -> Result<Built<'a>, Cell> {
        let undecided = |unread: Unread| cells::unknown(target, State::Undecided, unread.code, unread.detail);
        let repository = request.image.reference.repository();
        let manifest = self.manifest(context, repository, &target.digest).await.map_err(undecided)?;
        let platform = match &target.name {
            TargetName::Platform(platform) => Some(platform.clone()),
            _ => report.facts().ok().and_then(|facts| facts.platforms.first().cloned()),
        };
        let asked = base.reference.as_ref();
        if let Some((reference, digest)) = asked.and_then(|reference| Some((reference, reference.digest()?))) {
            let base = reference.pin(digest.clone());
            return Ok(Built { target, platform, manifest, base, source: BaseSource::Reference });
        }
        let repository = asked.map(Reference::repository);
        if let Some((base, source)) = named::base_of(report, number, &manifest, repository, &self.limits) {
            return Ok(Built { target, platform, manifest, base, source });
        }
        if let Some(unread) = named::unread(report, number) {
            return Err(undecided(unread));
        }
        let message = match asked {
            Some(reference) => {
                format!("neither provenance nor an annotation names an image of {} as its base", reference.repository())
            }
            None => "neither provenance nor an annotation names what it is built on".to_owned(),
        };
        Err(cells::unknown(target, State::Missing, Code::BaseNotNamed, message))
    }

    /// Verifies a base once, for all the platforms that are built on it.
    async fn verify_one(
        &self,
        base: &PinnedReference,
        platforms: Vec<Platform>,
        asked: &BaseRequest,
        request: &VerifyRequest<'_>,
    ) -> Verified {
        let policy = (asked.policy)(base.repository())
            .ok_or_else(|| format!("nothing says who is trusted to sign the base {base}"))?;
        let reference = base.to_string().parse::<Reference>().map_err(|error| error.to_string())?;
        let client = Self { evidence_repository: None, ..self.clone() };
        let mut of_base = VerifyRequest::new(reference.clone(), &policy, request.now);
        of_base.image = ImageRequest::new(reference).platforms(platforms);
        let report = client.verify(&of_base).await;
        Ok((report, policy))
    }

    /// The cell of a platform: its base was not named, cannot be judged, or was verified.
    async fn judge(
        &self,
        built: Result<Built<'_>, Cell>,
        verified: &BTreeMap<String, Verified>,
        context: &Context,
    ) -> (Cell, Option<BaseRecord>) {
        let built = match built {
            Ok(built) => built,
            Err(cell) => return (cell, None),
        };
        match verified.get(&built.base.to_string()) {
            Some(Ok((report, policy))) => self.beside(&built, report, policy, context).await,
            Some(Err(detail)) => {
                (cells::unknown(built.target, State::Invalid, Code::PolicyMissing, detail.clone()), None)
            }
            None => (cells::unknown(built.target, State::Undecided, Code::Internal, "not verified".to_owned()), None),
        }
    }

    /// The cell of a platform, beside the verified base.
    async fn beside(
        &self,
        built: &Built<'_>,
        report: &Report,
        policy: &Policy,
        context: &Context,
    ) -> (Cell, Option<BaseRecord>) {
        let mut record = BaseRecord {
            target: built.target.name.to_string(),
            image: built.base.to_string(),
            source: built.source,
            verdict: report.verdict(),
            digest: None,
            layers: None,
            policy: policy.document(),
        };
        let Ok(accepted) = report.clone().into_verified() else {
            return (cells::not_accepted(built.target, &built.base, report), Some(record));
        };
        let of_platform = |wanted: &Platform| {
            let found = accepted.platforms().find(|(platform, _)| platform.matches(wanted));
            found.map(|(_, digest)| digest.clone())
        };
        // A base without an index is its own image; its platform was compared when it was verified.
        let digest = built.platform.as_ref().and_then(of_platform).unwrap_or_else(|| built.base.digest().clone());
        let cell = match self.manifest(context, built.base.repository(), &digest).await {
            Ok(manifest) => {
                record.layers = Some(manifest.layers().len());
                cells::of_layers(built.target, &built.manifest, &manifest, &record)
            }
            Err(unread) => cells::unknown(built.target, State::Undecided, unread.code, unread.detail),
        };
        record.digest = Some(digest);
        (cell, Some(record))
    }

    async fn manifest(&self, context: &Context, from: &Repository, digest: &Digest) -> Result<Manifest, Unread> {
        discover::image_manifest(&*self.pull, context, from, digest).await
    }
}
