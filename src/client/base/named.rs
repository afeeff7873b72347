//! Who says what an image is built on. It decides nothing but what is compared.

use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{TargetName, Unread};
use crate::image::{Manifest, PinnedReference, Reference, Repository};
use crate::limits::Limits;
use crate::report::{BASE, BaseSource, Report};
use crate::statement::{BuildType, Dependency, Family, Provenance};
use crate::verify::{Assessed, State, VerifiedAttestation};

/// Annotations that name a base (OCI image specification, annotations). Anybody can write them.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// Which image a target is built on, as far as it says so. `asked` is the only
/// repository that counts, if one is asked for.
pub(super) fn base_of(
    report: &Report,
    target: usize,
    manifest: &Manifest,
    asked: Option<&Repository>,
    limits: &Limits,
) -> Option<(PinnedReference, BaseSource)> {
    let counts = |pinned: &PinnedReference| asked.is_none_or(|asked| pinned.repository() == asked);
    let by_provenance = of_provenance(report, target, limits, counts).map(|pinned| (pinned, BaseSource::Provenance));
    by_provenance.or_else(|| {
        let digest: Digest = manifest.annotations().get(BASE_DIGEST)?.parse().ok()?;
        let name = manifest.annotations().get(BASE_NAME);
        let repository = match asked {
            Some(asked) => asked.clone(),
            None => name?.parse::<Reference>().ok()?.repository().clone(),
        };
        Some((PinnedReference::new(repository, digest), BaseSource::Annotation))
    })
}

/// Something that was not read and could have named the base: not named is then not known (scenario A-11).
pub(super) fn unread(report: &Report, target: usize) -> Option<Unread> {
    let could = |c: &&Assessed| c.target() == target || is_index(report, c.target());
    let candidate = report.candidates().iter().filter(could).find_map(|c| c.unread().cloned());
    let warnings = report.warnings().iter().filter(|warning| warning.code == Code::ListingIncomplete);
    let listing = warnings.map(|warning| Unread::new(warning.code, warning.message.clone())).next();
    let cells = report.cells().iter().filter(|cell| cell.state == State::Undecided);
    let undecided = cells.filter_map(|cell| Some(Unread::new(cell.code?, cell.message.clone()?))).next();
    candidate.or(listing).or(undecided)
}

fn is_index(report: &Report, target: usize) -> bool {
    let found = report.facts().ok().and_then(|facts| facts.targets.get(target));
    found.is_some_and(|found| found.name == TargetName::Index)
}

/// The base in accepted provenance of the target, or of the index for it. Where
/// a document names several images, and none of them as the base, none is it.
fn of_provenance(
    report: &Report,
    target: usize,
    limits: &Limits,
    counts: impl Fn(&PinnedReference) -> bool,
) -> Option<PinnedReference> {
    // The index's speaks for a platform that has none of its own.
    let own = report.candidates().iter().any(|c| c.target() == target && c.attestation().is_some_and(is_provenance));
    let speaks = |c: &&Assessed| if own { c.target() == target } else { is_index(report, c.target()) };
    let attested = report.candidates().iter().filter(speaks);
    let statements = attested.filter_map(|candidate| Some(candidate.attestation()?.statement().statement()));
    let documents = statements.filter_map(|s| Provenance::parse(s.predicate_type(), s.predicate(), limits).ok());
    let mut found: Vec<PinnedReference> = Vec::new();
    for document in documents {
        let images = document.dependencies.iter().filter_map(|dependency| image_of(document.kind, dependency));
        let mut images: Vec<PinnedReference> = images.filter(&counts).collect();
        images.dedup();
        if let [only] = images.as_slice()
            && !found.contains(only)
        {
            found.push(only.clone());
        }
    }
    match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn is_provenance(attestation: &VerifiedAttestation) -> bool {
    Family::name_of(attestation.statement().statement().predicate_type()) == Some("slsa")
}

/// The image that a dependency is, where its build type says that it may be the base.
fn image_of(kind: BuildType, dependency: &Dependency) -> Option<PinnedReference> {
    let uri = dependency.uri.as_deref()?;
    let name = match kind {
        BuildType::CgAttest if dependency.name.as_deref() == Some(BASE) => uri.strip_prefix("oci://")?,
        // A purl: the name may have a tag, and qualifiers behind it. What BuildKit runs to build is no base.
        BuildType::BuildKit => uri.strip_prefix("pkg:docker/").filter(|name| !name.starts_with("docker/"))?,
        _ => return None,
    };
    // A port's colon is escaped in a purl.
    let name = name.split(['@', '?']).next()?.replace("%3A", ":");
    let digest = format!("sha256:{}", dependency.digest.get("sha256")?).parse().ok()?;
    Some(PinnedReference::new(name.parse().ok()?, digest))
}
