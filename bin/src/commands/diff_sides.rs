//! The two images of `diff`, and what is known of each.

use cg_attest::code::Code;
use cg_attest::discover;
use cg_attest::image::{Configuration, Manifest, Platform};
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;
use cg_attest::sbom::diff::Side;
use cg_attest::scan::Contents;
use cg_attest::statement::Provenance;

use super::sbom::incomplete;
use crate::attestations::{self, Asked};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::local::Local;
use crate::printer::{Printer, escape};
use crate::render::Read;
use crate::settings::{EvidenceArgs, Source, Sources};

/// An image argument.
pub(super) struct Image<'a> {
    pub(super) name: &'a str,
    /// None of a local one.
    pub(super) source: Option<Source>,
    local: Option<Local<'a>>,
    pub(super) has_policy: bool,
    pub(super) parts: Vec<Part>,
}

/// The image of one platform.
pub(super) struct Part {
    /// None of a local image, to which nothing can be attached either.
    manifest: Option<Manifest>,
    configuration: Option<Configuration>,
    pub(super) platform: Option<Platform>,
    /// Whether an index says the platform.
    is_listed: bool,
}

impl Part {
    /// A folder has no platform, and is taken for whichever is asked for.
    pub(super) fn is_for(&self, wanted: &Platform) -> bool {
        self.platform.as_ref().map_or(self.manifest.is_none(), |platform| platform.matches(wanted))
    }
}

impl<'a> Image<'a> {
    /// Opens an image argument; nothing is asked yet.
    pub(super) fn open(name: &'a str, sources: &mut Sources, evidence: &EvidenceArgs) -> Result<Self, CliError> {
        if let Some(local) = Local::of(name) {
            return Ok(Self { name, source: None, local: Some(local), has_policy: false, parts: Vec::new() });
        }
        let source = sources.open(name)?;
        let policy = evidence.policy.without(&Requirement::slsa());
        let has_policy = match policy.policy_with(source.policy_name.as_ref(), Some(&[spdx()?])) {
            Ok(_) => true,
            // Half a policy is a mistake, and no reason to read what nobody vouches for.
            Err(error) if error.code == Code::PolicyMissing && evidence.policy.says_nothing()? => false,
            Err(error) => return Err(error),
        };
        Ok(Self { name, source: Some(source), local: None, has_policy, parts: Vec::new() })
    }

    /// Finds the images of it, one for each platform that may be asked for.
    pub(super) async fn resolve(&mut self, wanted: Option<&Platform>, evidence: &EvidenceArgs) -> Result<(), CliError> {
        self.parts = match (&self.source, &self.local) {
            (Some(source), _) => of_source(source, wanted, evidence).await?,
            (None, Some(local)) => {
                let configuration = local.configuration(&evidence.registry)?;
                let platform = configuration.as_ref().and_then(|configuration| configuration.platform.clone());
                vec![Part { manifest: None, configuration, platform, is_listed: false }]
            }
            (None, None) => Vec::new(),
        };
        Ok(())
    }

    pub(super) fn part(&self, wanted: &Platform) -> Result<&Part, CliError> {
        let has = || self.parts.iter().filter_map(|part| part.platform.clone()).collect::<Vec<_>>();
        let found = self.parts.iter().find(|part| part.is_for(wanted));
        found.ok_or_else(|| CliError::no_platform(self.name, wanted, &has()))
    }

    pub(super) fn platforms(&self) -> String {
        let name = |part: &Part| part.platform.as_ref().map_or_else(|| "no platform".to_owned(), ToString::to_string);
        self.parts.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

async fn of_source(source: &Source, wanted: Option<&Platform>, evidence: &EvidenceArgs) -> Result<Vec<Part>, CliError> {
    let context = Context::new(evidence.registry.limits()?);
    let repository = source.image.reference.repository();
    let resolved = discover::resolve(&*source.pull, &context, &source.image).await;
    let (facts, _) = resolved.map_err(|error| CliError::unresolved(&error))?;
    let mut parts = Vec::new();
    for image in facts.images() {
        if let (Some(wanted), Some(platform)) = (wanted, image.platform())
            && !platform.matches(wanted)
        {
            continue;
        }
        let manifest = discover::image_manifest(&*source.pull, &context, repository, &image.digest).await;
        let manifest = manifest.map_err(|why| CliError::unread(&why))?;
        let limit = context.limits().manifest_bytes;
        let blob = source.pull.blob_bytes(&context, repository, manifest.config(), limit).await;
        let blob = blob.map_err(|error| CliError::undecided(error.code(), error))?.ok_or_else(|| {
            let message = format!("the configuration {} is listed and not there", manifest.config().digest);
            CliError::undecided(Code::EvidenceAbsent, message)
        })?;
        let configuration = Configuration::parse(&blob);
        let configuration = configuration.map_err(|error| CliError::undecided(error.code(), error))?;
        let (is_listed, listed) = (image.platform().is_some(), image.platform().cloned());
        let platform = listed.or_else(|| configuration.platform.clone());
        parts.push(Part { manifest: Some(manifest), configuration: Some(configuration), platform, is_listed });
    }
    match (parts.is_empty(), wanted) {
        (true, Some(wanted)) => Err(CliError::no_platform(&source.image.name(), wanted, &facts.platforms)),
        (true, None) => {
            let message = format!("{}: the index lists no platform", source.image.name());
            Err(CliError::undecided(Code::ManifestInvalid, message))
        }
        (false, _) => Ok(parts),
    }
}

/// How the sides are read.
pub(super) struct Reading<'a> {
    pub(super) evidence: &'a EvidenceArgs,
    pub(super) with_provenance: bool,
    /// Types of purls; none for all.
    pub(super) types: &'a [String],
    pub(super) printer: &'a Printer,
}

/// What is known of an image, and how it is known.
pub(super) struct Known {
    pub(super) side: Side,
    pub(super) read: Read,
    pub(super) status: ExitStatus,
}

impl Reading<'_> {
    /// What is known of an image; only the status where the policy refuses it.
    pub(super) async fn side(&self, image: &Image<'_>, part: &Part) -> Result<Result<Known, ExitStatus>, CliError> {
        let (side, mut read, mut status) = match (&image.source, &part.manifest) {
            (Some(source), Some(manifest)) if image.has_policy => {
                let side = match self.attested(image, source, part, manifest).await? {
                    Ok(side) => side,
                    Err(status) => return Ok(Err(status)),
                };
                let digest = Some(manifest.blob().digest().clone());
                let read =
                    Read { image: image.name.to_owned(), digest, source: "attached", unverified: false, packages: 0 };
                (side, read, ExitStatus::Accepted)
            }
            _ => {
                let contents = self.contents(image, part).await?;
                let name = escape(image.name);
                self.printer.note(&format!("note: {name} is read from its layers; nobody vouches for it"));
                let status = incomplete(&contents, self.printer);
                let digest = contents.digest.clone();
                let read =
                    Read { image: image.name.to_owned(), digest, source: "content", unverified: true, packages: 0 };
                (Side::of_contents(&contents), read, status)
            }
        };
        if side.unread() > 0 {
            let text = format!("{}: {} packages have no package URL that can be read", image.name, side.unread());
            self.printer.note(&format!("warning[{}]: {}", Code::SbomIncomplete, escape(&text)));
            status = status.worst(ExitStatus::Undecided);
        }
        let side = if self.types.is_empty() { side } else { side.only(self.types) };
        let side = part.configuration.iter().fold(side, |side, configuration| side.process(&configuration.process));
        read.packages = side.package_count();
        Ok(Ok(Known { side, read, status }))
    }

    async fn contents(&self, image: &Image<'_>, part: &Part) -> Result<Contents, CliError> {
        match (&image.source, &part.manifest, &image.local) {
            (Some(source), Some(manifest), _) => {
                let bars = self.printer.bars();
                let reader = self.evidence.registry.reader(&*source.pull)?.progress(&bars);
                let contents = reader.contents(source.image.reference.repository(), manifest).await;
                contents.map_err(|error| CliError::undecided(error.code(), error))
            }
            (.., Some(local)) => local.contents(&self.evidence.registry, false, self.printer).await,
            _ => Err(CliError::internal("an image is neither here nor in a registry")),
        }
    }

    /// What the newest SBOM and provenance say that the policy accepts.
    async fn attested(
        &self,
        image: &Image<'_>,
        source: &Source,
        part: &Part,
        manifest: &Manifest,
    ) -> Result<Result<Side, ExitStatus>, CliError> {
        let limits = self.evidence.registry.limits()?;
        let (kind, predicate) = match self.statement(image, source, (part, manifest), spdx()?).await? {
            Ok(statement) => statement,
            Err(status) => return Ok(Err(status)),
        };
        let side = Side::of_spdx(predicate.as_bytes(), &limits);
        let side = side.map_err(|error| CliError::refused(error.code(), format!("{}: {kind}: {error}", image.name)))?;
        let mut provenance = None;
        if self.with_provenance
            && let Ok((kind, predicate)) = self.statement(image, source, (part, manifest), Requirement::slsa()).await?
        {
            let parsed = Provenance::parse(&kind, &predicate, &limits);
            provenance = Some(parsed.map_err(|error| CliError::undecided(error.code(), error))?);
        }
        Ok(Ok(side.provenance(provenance)))
    }

    /// Type and predicate of the newest attestation of this very image that the policy accepts.
    async fn statement(
        &self,
        image: &Image<'_>,
        source: &Source,
        (part, manifest): (&Part, &Manifest),
        requirement: Requirement,
    ) -> Result<Result<(String, String), ExitStatus>, CliError> {
        let policy = match requirement == Requirement::slsa() {
            true => self.evidence.policy.without(&spdx()?).with_agreement(),
            false => self.evidence.policy.without(&Requirement::slsa()),
        };
        let evidence = self.evidence.with_policy(policy);
        let asked = Asked {
            image: image.name,
            platforms: part.platform.iter().filter(|_| part.is_listed).cloned().collect(),
            requirement,
            evidence: &evidence,
            without_policy: None,
        };
        let report = match attestations::accepted(&asked, source, self.printer).await? {
            Ok(report) => report,
            Err(status) => return Ok(Err(status)),
        };
        let cell = report.cells().first();
        let newest = cell.and_then(|cell| attestations::newest(&report, cell, self.printer));
        let statement = newest.and_then(|newest| newest.attestation()).map(|attestation| attestation.statement());
        let statement = statement.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        // With `--level TYPE=either` it may be the index's, which names no packages.
        if statement.subject() != manifest.blob().digest() {
            let message = format!("{}: the attestation is about {}", image.name, statement.subject());
            return Err(CliError::refused(Code::OnIndex, message));
        }
        let statement = statement.statement();
        Ok(Ok((statement.predicate_type().to_owned(), statement.predicate().to_owned())))
    }
}

fn spdx() -> Result<Requirement, CliError> {
    "spdx".parse().map_err(CliError::internal)
}
