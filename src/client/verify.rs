//! Read → verify → decide → read the rest.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use crate::discover::{self, Discovered, ImageRequest, Listed, Pending, within};
use crate::evidence::{Candidate, Listing, ListingKind};
use crate::image::{Reference, Repository};
use crate::limits::Limits;
use crate::policy::{Policy, Wanted};
use crate::registry::{Context, Pull, RegistryError};
use crate::report::{Report, Stats, Unresolved};
use crate::statement::COSIGN_SIGN;
use crate::time::Timestamp;
use crate::trust::TrustRoot;
use crate::verify::{Assessed, Assessor, ImageFacts, State, decide};

/// Verifies images of one registry, layout or memory against one trust root.
/// Cloning is cheap; clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    pull: Arc<dyn Pull>,
    trust: TrustRoot,
    limits: Limits,
    evidence_repository: Option<Repository>,
}

/// Collects the parts of a [`Client`].
pub struct ClientBuilder {
    client: Client,
}

/// What to verify: an image, the policy for it and the time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyRequest<'a> {
    /// The image.
    pub image: ImageRequest,
    /// The policy.
    pub policy: &'a Policy,
    /// The time that verified times may not be after: now, almost always.
    pub now: Timestamp,
    /// Read everything that is attached, also what nothing asks for.
    pub read_all: bool,
    /// Keep the bytes of what is accepted, for [`Assessed::content`].
    pub keep_content: bool,
}

impl<'a> VerifyRequest<'a> {
    /// Verifies all platforms of a reference, now.
    #[must_use]
    pub fn new(reference: Reference, policy: &'a Policy, now: Timestamp) -> Self {
        Self { image: ImageRequest::new(reference), policy, now, read_all: false, keep_content: false }
    }
}

impl ClientBuilder {
    /// Other bounds than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.client.limits = limits;
        self
    }

    /// Evidence is in this repository and not beside the image (cosign's `COSIGN_REPOSITORY`).
    #[must_use]
    pub fn evidence_repository(mut self, repository: Option<Repository>) -> Self {
        self.client.evidence_repository = repository;
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Client {
        self.client
    }
}

impl Client {
    /// Begins a client that reads from `pull` and trusts `trust`.
    #[must_use]
    pub fn builder(pull: Arc<dyn Pull>, trust: TrustRoot) -> ClientBuilder {
        ClientBuilder { client: Self { pull, trust, limits: Limits::default(), evidence_repository: None } }
    }

    /// Verifies one image. Whatever cannot be read is in the report, which is
    /// then undecided; there is no error besides. Dropping the future cancels it.
    pub async fn verify(&self, request: &VerifyRequest<'_>) -> Report {
        let context = Context::new(self.limits.clone());
        let mut phases = Phases::new();
        let resolving = discover::resolve(&*self.pull, &context, &request.image);
        let resolved = within(&context, "resolving", resolving).await;
        let resolved = match resolved {
            Ok(resolved) => resolved.map_err(Unresolved::from),
            Err(error) => Err(Unresolved::new(error.code(), error.to_string())),
        };
        phases.end("resolve");
        let report = match resolved {
            Ok((facts, index)) => {
                let repository = self.evidence_repository.as_ref().unwrap_or(request.image.reference.repository());
                let run = Run { client: self, context: &context, repository, request };
                run.verify(&facts, index.as_ref(), &mut phases).await
            }
            Err(why) => Report::unresolved(&request.image.name(), why, Some(request.policy), &self.trust, request.now),
        };
        let mut stats = Stats::default();
        stats.requests = context.requests();
        stats.bytes = context.bytes();
        stats.phases = phases.milliseconds;
        report.with_stats(stats)
    }
}

/// One image on its way through.
struct Run<'a> {
    client: &'a Client,
    context: &'a Context,
    repository: &'a Repository,
    request: &'a VerifyRequest<'a>,
}

impl Run<'_> {
    async fn verify(&self, facts: &ImageFacts, index: Option<&crate::image::Index>, phases: &mut Phases) -> Report {
        let Self { client, context, request, .. } = self;
        let assessor = Assessor::new(request.policy, &client.trust, request.now, &client.limits);
        let assessor = assessor.keep_content(request.keep_content);
        let listing = discover::list(&*client.pull, context, self.repository, &facts.targets, index);
        let discovered = match within(context, "listing evidence", listing).await {
            Ok(discovered) => discovered,
            Err(error) => nothing_listed(facts, &error),
        };
        phases.end("list");

        let Discovered { listings, listed, .. } = discovered;
        let mut assessed = Vec::with_capacity(listed.len());
        let mut first = Vec::new();
        let mut rest = Vec::new();
        for listed in listed {
            match listed {
                Listed::Done(candidate) => assessed.push(self.assess(&assessor, facts, &candidate)),
                Listed::Pending(pending) if request.read_all || self.is_asked_for(&pending) => first.push(pending),
                Listed::Pending(pending) => rest.push(pending),
            }
        }
        assessed.extend(self.read(&assessor, facts, first).await);
        phases.end("read");
        let skipped = rest.iter().map(|pending| self.assess(&assessor, facts, &pending.skip()));
        let report = decide(&assessor, facts, &listings, assessed.iter().cloned().chain(skipped).collect());
        // Annotations are hints: before a cell is refused, what they said is of another type is read too.
        let unsatisfied =
            report.cells().iter().any(|cell| !cell.state.is_satisfied() && cell.state != State::Undecided);
        if rest.is_empty() || !unsatisfied {
            return report;
        }
        assessed.extend(self.read(&assessor, facts, rest).await);
        let report = decide(&assessor, facts, &listings, assessed);
        phases.end("read");
        report
    }

    /// Whether a requirement asks for what the annotation claims; without one it may be anything.
    fn is_asked_for(&self, pending: &Pending) -> bool {
        let Some(hint) = pending.candidate.hint.as_deref() else { return true };
        self.request.policy.requirements().iter().any(|requirement| match requirement.wanted() {
            Wanted::Signature => hint == COSIGN_SIGN,
            wanted => wanted.is_met_by(hint),
        })
    }

    /// Reads layers in one flight and assesses each as it arrives, so that
    /// bytes are dropped as soon as they are verified.
    async fn read(&self, assessor: &Assessor<'_>, facts: &ImageFacts, pending: Vec<Pending>) -> Vec<Assessed> {
        let Self { client, context, .. } = self;
        let one = |pending: Pending| async move {
            let reading = discover::read(&*client.pull, context, self.repository, &pending);
            let candidate = match within(context, "reading evidence", reading).await {
                Ok(candidate) => candidate,
                Err(error) => pending.failed(&error),
            };
            self.assess(assessor, facts, &candidate)
        };
        join_all(pending.into_iter().map(one)).await
    }

    fn assess(&self, assessor: &Assessor<'_>, facts: &ImageFacts, candidate: &Candidate) -> Assessed {
        assessor.assess(candidate, &facts.targets[candidate.target].digest)
    }
}

/// Every place of every target failed: time ran out before any was known.
fn nothing_listed(facts: &ImageFacts, error: &RegistryError) -> Discovered {
    let mut discovered = Discovered::default();
    for target in 0..facts.targets.len() {
        for kind in [ListingKind::Referrers, ListingKind::SignatureTag, ListingKind::AttestationTag] {
            let failure = crate::evidence::Unread::new(error.code(), error.to_string());
            discovered.listings.push(Listing::new(target, kind, Some(failure)));
        }
    }
    discovered
}

/// Time by phase, for `--stats`.
struct Phases {
    milliseconds: std::collections::BTreeMap<&'static str, f64>,
    since: Instant,
}

impl Phases {
    #[expect(clippy::disallowed_methods, reason = "measures, decides nothing")]
    fn new() -> Self {
        Self { milliseconds: std::collections::BTreeMap::new(), since: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "measures, decides nothing")]
    fn end(&mut self, phase: &'static str) {
        let now = Instant::now();
        *self.milliseconds.entry(phase).or_default() += now.duration_since(self.since).as_secs_f64() * 1000.0;
        self.since = now;
    }
}
