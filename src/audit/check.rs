//! What is said of each platform of an image, against what is in its layers.

use super::Reader;
use crate::code::Code;
use crate::digest::Digest;
use crate::discover::{self, ImageRequest};
use crate::evidence::Target;
use crate::image::Platform;
use crate::limits::Limits;
use crate::registry::Context;
use crate::report::{Report, Unresolved, Verdict};
use crate::sbom::check::{Claimed, Evidence, Outcome, Rule, compare};
use crate::scan::Contents;
use crate::signer::BuildClaims;
use crate::statement::{ApkoConfiguration, Provenance, apko_installed};
use crate::verify::{ImageFacts, State, VerifiedStatement};

/// Whose word is held against the layers.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Witness<'a> {
    /// Of what a report accepted, the newest of each kind: `spdx`, without which there
    /// is nothing to check, and `slsa` and `apko`, which may be absent.
    Report(&'a Report),
    /// A document, the same for every platform. Nothing is verified.
    Document(&'a Claimed),
}

/// What checking an image gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "a check that nobody looks at has found nothing"]
pub struct CheckReport {
    /// The digest that the reference resolved to.
    pub digest: Digest,
    /// Every platform that was asked about, or the one image; never none.
    pub images: Vec<CheckedImage>,
}

/// What checking one platform gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CheckedImage {
    /// The platform, or `image`.
    pub target: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// What was compared and what was found.
    pub outcome: Outcome,
    /// The witnesses that could not be heard.
    pub silent: Vec<Silent>,
}

/// A witness that could not be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Silent {
    /// Which: the kind of a statement, or `layers`.
    pub what: &'static str,
    /// The reason, where there is one.
    pub code: Option<Code>,
    /// The reason in words.
    pub message: String,
    /// What follows from its silence alone. Accepted is that of a witness that nobody asked for.
    pub verdict: Verdict,
}

impl CheckReport {
    /// Refuse if any platform is refused, else undecided if any is.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        worst(self.images.iter().map(CheckedImage::verdict))
    }
}

impl CheckedImage {
    /// Refuse where there is a finding, or a witness is absent without which nothing is
    /// checked; undecided where something could not be read.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let found = if self.outcome.findings.is_empty() { Verdict::Accept } else { Verdict::Refuse };
        worst(self.silent.iter().map(|silent| silent.verdict).chain([found]))
    }
}

fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Accept, |worst, next| match (worst, next) {
        (Verdict::Refuse, _) | (_, Verdict::Refuse) => Verdict::Refuse,
        (Verdict::Undecided, _) | (_, Verdict::Undecided) => Verdict::Undecided,
        _ => Verdict::Accept,
    })
}

/// Compares what a witness says of each platform with what is in it, and with the rules.
///
/// # Errors
/// When the reference cannot be resolved, does not list a platform that was asked
/// about ([`Code::PlatformAbsent`]), or lists none, or when a manifest cannot be read.
/// What cannot be read after that is a silent witness.
pub async fn check(
    reader: &Reader<'_>,
    image: &ImageRequest,
    witness: Witness<'_>,
    rules: &[Rule],
) -> Result<CheckReport, Unresolved> {
    let facts = match witness {
        Witness::Report(report) => report.facts().map_err(Clone::clone)?.clone(),
        Witness::Document(_) => resolve(reader, image).await?,
    };
    if let Some(absent) = facts.absent.first() {
        let message = format!("{}: the image has no {absent}", image.name());
        return Err(Unresolved::new(Code::PlatformAbsent, message));
    }
    let mut images = Vec::new();
    for target in facts.images() {
        images.push(one(reader, image, target, witness, rules).await?);
    }
    if images.is_empty() {
        let message = format!("{}: the index lists no platform", image.name());
        return Err(Unresolved::new(Code::ManifestInvalid, message));
    }
    Ok(CheckReport { digest: facts.digest, images })
}

async fn resolve(reader: &Reader<'_>, image: &ImageRequest) -> Result<ImageFacts, Unresolved> {
    let context = Context::new(reader.limits.clone());
    let resolving = discover::resolve(reader.pull, &context, image);
    let resolved = discover::within(&context, "resolving", resolving).await;
    let resolved = resolved.map_err(|error| Unresolved::new(error.code(), error.to_string()))?;
    Ok(resolved.map_err(Unresolved::from)?.0)
}

/// Everything about one platform.
async fn one(
    reader: &Reader<'_>,
    image: &ImageRequest,
    target: &Target,
    witness: Witness<'_>,
    rules: &[Rule],
) -> Result<CheckedImage, Unresolved> {
    let repository = image.reference.repository();
    let manifest = reader.manifest(repository, &target.digest).await;
    let manifest = manifest.map_err(|unread| Unresolved::new(unread.code, unread.detail))?;
    let mut silent = Vec::new();
    let contents = match reader.contents(repository, &manifest).await {
        Ok(contents) => {
            silent.extend(contents.problems.iter().map(|p| Silent::unread("layers", p.code(), p)));
            Some(contents)
        }
        Err(error) => {
            silent.push(Silent::unread("layers", error.code(), error));
            None
        }
    };
    let mut said = match witness {
        Witness::Report(report) => Said::of(report, target, &reader.limits, &mut silent),
        Witness::Document(sbom) => Said { sbom: Some(sbom.clone()), ..Said::default() },
    };
    let mut outcome = compare(&said.beside(Evidence::new(&manifest), target.platform(), contents.as_ref()), rules);
    outcome.skipped.append(&mut said.older);
    Ok(CheckedImage { target: target.name.to_string(), digest: target.digest.clone(), outcome, silent })
}

/// What the witnesses say of one platform.
#[derive(Default)]
struct Said {
    sbom: Option<Claimed>,
    provenance: Option<Provenance>,
    installed: Option<std::collections::BTreeMap<String, String>>,
    apko: Option<ApkoConfiguration>,
    certificate: Option<BuildClaims>,
    /// What is accepted as well, and not the newest.
    older: Vec<String>,
}

impl Said {
    fn of(report: &Report, target: &Target, limits: &Limits, silent: &mut Vec<Silent>) -> Self {
        let mut said = Self::default();
        let target = target.name.to_string();
        if let Some(spdx) = statement(report, "spdx", &target, &mut said.older, silent) {
            let claimed = Claimed::parse(spdx.statement().predicate().as_bytes(), limits);
            said.sbom = heard("sbom", claimed, crate::sbom::DocumentError::code, silent);
        }
        if let Some(slsa) = statement(report, "slsa", &target, &mut said.older, silent) {
            said.certificate = Some(slsa.bundle().signer().build());
            let slsa = slsa.statement();
            let parsed = Provenance::parse(slsa.predicate_type(), slsa.predicate(), limits);
            said.provenance = heard("provenance", parsed, |error| error.code(), silent);
            let installed = apko_installed(slsa.predicate());
            said.installed = heard("provenance", installed, |error| error.code(), silent).flatten();
        }
        if let Some(apko) = statement(report, "apko", &target, &mut said.older, silent) {
            let parsed = ApkoConfiguration::parse(apko.statement().predicate());
            said.apko = heard("apko configuration", parsed, |error| error.code(), silent);
        }
        said
    }

    fn beside<'a>(
        &'a self,
        manifest: Evidence<'a>,
        platform: Option<&'a Platform>,
        contents: Option<&'a Contents>,
    ) -> Evidence<'a> {
        Evidence {
            platform,
            contents,
            sbom: self.sbom.as_ref(),
            provenance: self.provenance.as_ref(),
            installed: self.installed.as_ref(),
            apko: self.apko.as_ref(),
            certificate: self.certificate.as_ref(),
            ..manifest
        }
    }
}

impl Silent {
    fn unread(what: &'static str, code: Code, why: impl ToString) -> Self {
        Self { what, code: Some(code), message: why.to_string(), verdict: Verdict::Undecided }
    }
}

/// What a witness says, or that it cannot be understood.
fn heard<T, E: std::fmt::Display>(
    what: &'static str,
    parsed: Result<T, E>,
    code: impl Fn(&E) -> Code,
    silent: &mut Vec<Silent>,
) -> Option<T> {
    parsed.map_err(|error| silent.push(Silent::unread(what, code(&error), error))).ok()
}

/// The newest accepted statement of a kind; its absence is said.
fn statement<'a>(
    report: &'a Report,
    kind: &'static str,
    target: &str,
    older: &mut Vec<String>,
    silent: &mut Vec<Silent>,
) -> Option<&'a VerifiedStatement> {
    let cell = report.cells().iter().find(|cell| cell.target == target && cell.requirement == kind)?;
    if cell.state == State::Ok {
        let newest = report.newest(cell).and_then(|newest| newest.attestation());
        if newest.is_none() {
            silent.push(Silent::unread(kind, Code::Internal, "a satisfied requirement has no attestation"));
        }
        if let more @ 1.. = cell.candidates.len().saturating_sub(1) {
            older.push(format!("{kind}: {more} more that the policy accepts; the newest is compared"));
        }
        return newest.map(|newest| newest.statement());
    }
    // What is about the index says nothing of one platform's packages.
    let is_absent = matches!(cell.state, State::Missing | State::OnIndex | State::ViaIndex | State::Unsigned);
    let verdict = match cell.state {
        State::Undecided => Verdict::Undecided,
        _ if kind != "spdx" && is_absent => Verdict::Accept,
        _ => Verdict::Refuse,
    };
    let message = cell.message.clone().unwrap_or_else(|| cell.state.as_str().to_owned());
    silent.push(Silent { what: kind, code: cell.code, message, verdict });
    None
}
