//! Read → verify → decide → read the rest.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use tracing::Instrument as _;

use super::cores::Cores;
use crate::code::Code;
use crate::discover::{self, Discovered, ImageRequest, Listed, Pending, within};
use crate::evidence::{Candidate, Listing, ListingKind, Unread};
use crate::image::{Index, Reference, Repository};
use crate::limits::Limits;
use crate::policy::{Policy, Wanted};
use crate::registry::{Context, Pull, RegistryError};
use crate::report::{Report, Stats, Unresolved};
use crate::statement::COSIGN_SIGN;
use crate::time::Timestamp;
use crate::trust::TrustRoot;
use crate::verify::{Assessed, Assessor, Cell, ImageFacts, Keep, State, decide};

/// Verifies images of one registry, layout or memory against one trust root.
/// Cloning is cheap; clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    pub(super) pull: Arc<dyn Pull>,
    pub(super) trust: TrustRoot,
    pub(super) limits: Limits,
    pub(super) evidence_repository: Option<Repository>,
    pub(super) cores: Cores,
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
    /// What the report keeps, at least, of the evidence that is accepted.
    pub keep: Keep,
}

impl<'a> VerifyRequest<'a> {
    /// Verifies all platforms of a reference, now.
    #[must_use]
    pub fn new(reference: Reference, policy: &'a Policy, now: Timestamp) -> Self {
        Self { image: ImageRequest::new(reference), policy, now, read_all: false, keep: Keep::default() }
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
        let (limits, cores) = (Limits::default(), Cores::new());
        ClientBuilder { client: Self { pull, trust, limits, evidence_repository: None, cores } }
    }

    /// The same client for images that are elsewhere. Clones of a client share
    /// the cores that they verify on.
    #[must_use]
    pub fn reading_from(&self, pull: Arc<dyn Pull>) -> Self {
        Self { pull, ..self.clone() }
    }

    /// Verifies one image. Whatever cannot be read is in the report, which is
    /// then undecided; there is no error besides. Dropping the future cancels it.
    ///
    /// Everything happens in a [`tracing`] span `verify_image` with the field
    /// `image`; the HTTP client tells each answer and retry as a debug event in it.
    pub async fn verify(&self, request: &VerifyRequest<'_>) -> Report {
        let span = tracing::info_span!("verify_image", image = %request.image.name());
        self.verify_inside(request).instrument(span).await
    }

    async fn verify_inside(&self, request: &VerifyRequest<'_>) -> Report {
        let context = Context::new(self.limits.clone());
        let mut phases = Phases::new();
        let mut image = request.image.clone();
        image.platform_needed |= !request.policy.required_platforms().is_empty();
        let resolving = discover::resolve(&*self.pull, &context, &image);
        let resolved = within(&context, "resolving", resolving).await;
        let resolved = match resolved {
            Ok(resolved) => resolved.map_err(Unresolved::from),
            Err(error) => Err(Unresolved::new(error.code(), error.to_string())),
        };
        phases.end("resolve");
        let report = match resolved {
            Ok((mut facts, index)) => {
                facts.evidence_repository = self.evidence_repository.as_ref().map(ToString::to_string);
                let repository = self.evidence_repository.as_ref().unwrap_or(request.image.reference.repository());
                let basis = Arc::new(Basis {
                    policy: request.policy.clone(),
                    trust: self.trust.clone(),
                    now: request.now,
                    limits: self.limits.clone(),
                    keep: request.keep,
                });
                let run = Run { client: self, context: &context, repository, request, basis };
                run.verify(&facts, index.as_ref(), &mut phases).await
            }
            Err(why) => Report::unresolved(&request.image.name(), why, Some(request.policy), &self.trust, request.now),
        };
        let stats = Stats { requests: context.requests(), bytes: context.bytes(), phases: phases.milliseconds };
        report.with_stats(stats)
    }
}

/// One image on its way through.
struct Run<'a> {
    client: &'a Client,
    context: &'a Context,
    repository: &'a Repository,
    request: &'a VerifyRequest<'a>,
    basis: Arc<Basis>,
}

/// What candidates are verified with, owned, so that any thread can verify one.
struct Basis {
    policy: Policy,
    trust: TrustRoot,
    now: Timestamp,
    limits: Limits,
    keep: Keep,
}

impl Basis {
    fn assessor(&self) -> Assessor<'_> {
        Assessor::new(&self.policy, &self.trust, self.now, &self.limits).keep(self.keep)
    }
}

impl Run<'_> {
    async fn verify(&self, facts: &ImageFacts, index: Option<&Index>, phases: &mut Phases) -> Report {
        let assessor = self.basis.assessor();
        let mut found = Found::default();
        let everything: Vec<usize> = (0..facts.targets.len()).collect();
        self.look(&assessor, facts, index, &everything, &mut found, phases).await;
        let report = found.decide(&assessor, facts);
        // Publishers replace evidence while it is read: what a listing named and
        // the registry did not have is looked for once more, in a new listing.
        let absent: Vec<usize> = everything.into_iter().filter(|n| is_absent(&report, facts, *n)).collect();
        if absent.is_empty() {
            return report;
        }
        found.forget(&absent);
        self.look(&assessor, facts, index, &absent, &mut found, phases).await;
        found.decide(&assessor, facts)
    }

    /// Lists and reads the evidence of some targets: first what a requirement
    /// asks for, then, if a cell would be refused without it, the rest.
    async fn look(
        &self,
        assessor: &Assessor<'_>,
        facts: &ImageFacts,
        index: Option<&Index>,
        which: &[usize],
        found: &mut Found,
        phases: &mut Phases,
    ) {
        let Self { client, context, request, .. } = self;
        let listing = discover::list(&*client.pull, context, self.repository, &facts.targets, which, index);
        let mut discovered = match within(context, "listing evidence", listing).await {
            Ok(discovered) => discovered,
            Err(error) => nothing_listed(context, which, &error),
        };
        let listed = std::mem::take(&mut discovered.listed);
        let first = self.sort(assessor, facts, listed, found, request.read_all);
        let first = self.open(facts, &mut discovered, first, found).await;
        // A manifest may say of its layers what the listing did not say of it.
        let first = self.sort(assessor, facts, first, found, request.read_all);
        phases.end("list");
        found.assessed.extend(self.read(facts, first).await);
        phases.end("read");
        // Annotations are hints: before a cell is left unsatisfied, what they said is of another type is read too.
        let unsatisfied = |cell: &Cell| !cell.state.is_satisfied();
        if !found.rest.is_empty() && found.decide(assessor, facts).cells().iter().any(unsatisfied) {
            let rest = std::mem::take(&mut found.rest).into_iter().map(|(_, pending)| pending).collect();
            let rest = self.open(facts, &mut discovered, rest, found).await;
            let rest = self.sort(assessor, facts, rest, found, true);
            found.assessed.extend(self.read(facts, rest).await);
            phases.end("read");
        }
    }

    /// Takes what is listed apart: what has to be read further is answered, and
    /// of the others it is kept how they stand. Unless `everything` is wanted,
    /// that is what a requirement asks for.
    fn sort(
        &self,
        assessor: &Assessor<'_>,
        facts: &ImageFacts,
        listed: Vec<Listed>,
        found: &mut Found,
        everything: bool,
    ) -> Vec<Pending> {
        let mut wanted = Vec::new();
        for listed in listed {
            match listed {
                Listed::Done(candidate) => found.assessed.push(assess(assessor, facts, &candidate)),
                Listed::Pending(pending) if everything || self.is_asked_for(&pending) => wanted.push(pending),
                Listed::Pending(pending) => found.rest.push((assess(assessor, facts, &pending.skip()), pending)),
            }
        }
        wanted
    }

    /// Reads the manifests of referrers. How listing ended is known only then.
    async fn open(
        &self,
        facts: &ImageFacts,
        discovered: &mut Discovered,
        pending: Vec<Pending>,
        found: &mut Found,
    ) -> Vec<Listed> {
        let listed = pending.into_iter().map(Listed::Pending).collect();
        let listed = discovered.open(&*self.client.pull, self.context, self.repository, &facts.targets, listed).await;
        found.listings.append(&mut discovered.listings);
        listed
    }

    /// Whether a requirement asks for what the annotation claims; without one it may be anything.
    fn is_asked_for(&self, pending: &Pending) -> bool {
        let Some(hint) = pending.candidate.hint.as_deref() else { return true };
        self.request.policy.requirements().iter().any(|requirement| match requirement.wanted() {
            Wanted::Signature => hint == COSIGN_SIGN,
            wanted => wanted.is_met_by(hint),
        })
    }

    /// Reads layers in one flight and assesses each as it arrives, on any
    /// core, so that bytes are dropped as soon as they are verified.
    async fn read(&self, facts: &ImageFacts, pending: Vec<Pending>) -> Vec<Assessed> {
        let Self { client, context, .. } = self;
        let one = async |pending: Pending| {
            let reading = discover::read(&*client.pull, context, self.repository, &pending);
            let candidate = match within(context, "reading evidence", reading).await {
                Ok(candidate) => candidate,
                Err(error) => pending.failed(&error),
            };
            let (basis, digest) = (Arc::clone(&self.basis), facts.targets[candidate.target].digest.clone());
            let assessing = client.cores.run(move || basis.assessor().assess(&candidate, &digest));
            match within(context, "verifying evidence", assessing).await {
                Ok(Some(assessed)) => assessed,
                Ok(None) => assess(&self.basis.assessor(), facts, &pending.skip()),
                Err(error) => assess(&self.basis.assessor(), facts, &pending.failed(&error)),
            }
        };
        join_all(pending.into_iter().map(one)).await
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    listings: Vec<Listing>,
    assessed: Vec<Assessed>,
    /// What nothing asks for, as it stands while it is not read.
    rest: Vec<(Assessed, Pending)>,
}

impl Found {
    fn decide(&self, assessor: &Assessor<'_>, facts: &ImageFacts) -> Report {
        let skipped = self.rest.iter().map(|(skipped, _)| skipped);
        decide(assessor, facts, &self.listings, self.assessed.iter().chain(skipped).cloned().collect())
    }

    /// Forgets what was listed for these targets; what was verified and accepted stays true.
    fn forget(&mut self, targets: &[usize]) {
        self.listings.retain(|listing| !targets.contains(&listing.target));
        self.assessed.retain(|assessed| !targets.contains(&assessed.target()) || assessed.standing() == State::Ok);
        self.rest.retain(|(assessed, _)| !targets.contains(&assessed.target()));
    }
}

fn assess(assessor: &Assessor<'_>, facts: &ImageFacts, candidate: &Candidate) -> Assessed {
    assessor.assess(candidate, &facts.targets[candidate.target].digest)
}

/// Whether a cell is undecided because something of this target is listed and not there.
fn is_absent(report: &Report, facts: &ImageFacts, target: usize) -> bool {
    let undecided = report.cells().iter().any(|c| c.state == State::Undecided && c.code == Some(Code::EvidenceAbsent));
    let gone = |c: &Assessed| c.target() == target && c.unread().is_some_and(|u| u.code == Code::EvidenceAbsent);
    undecided && target < facts.targets.len() && report.candidates().iter().any(gone)
}

/// Every place of these targets failed: time ran out before any was known.
fn nothing_listed(context: &Context, which: &[usize], error: &RegistryError) -> Discovered {
    let mut discovered = Discovered::nothing(context);
    for &target in which {
        for kind in [ListingKind::Referrers, ListingKind::SignatureTag, ListingKind::AttestationTag] {
            let failure = Unread::new(error.code(), error.to_string());
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
