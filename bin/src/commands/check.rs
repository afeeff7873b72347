//! `check`: whether what is signed about an image is what is in it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::discover;
use cg_attest::evidence::{Target, TargetName};
use cg_attest::image::{ImageDocument, ImageName, Manifest, Platform};
use cg_attest::limits::Limits;
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;
use cg_attest::report::Report;
use cg_attest::sbom::check::{Claimed, Evidence, Rule, compare};
use cg_attest::scan::{self, Contents};
use cg_attest::statement::{ApkoConfiguration, Provenance, Statement, apko_installed};
use cg_attest::verify::{ImageFacts, State};
use clap::Args as ClapArgs;

use super::attested;
use super::verify::missing_policy;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::{self, Checked, Unchecked};
use crate::settings::{self, PolicyArgs, RegistryArgs, Source, Sources, TrustArgs, now};

#[derive(Debug, ClapArgs)]
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(after_help = "Exit: 0 nothing found · 1 findings, or no SBOM · 2 usage or policy · 3 undecided")]
#[command(after_long_help = "Examples:
  cg-attest check cgr.dev/chainguard/nginx
  cg-attest check cgr.dev/chainguard/nginx --platform linux/arm64 --rules distroless,nonroot
  cg-attest check oci:. --sbom app.spdx.json --platform linux/amd64          (a document before it is signed)

The verified SBOM of each platform is compared with what is in its layers, verified provenance
and apko configurations with both. What is not there to compare is said.
Exit: 0 nothing found · 1 findings, or no SBOM · 2 usage or policy · 3 undecided")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Check this platform; repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<Platform>,
    /// What the image has to be as well: distroless, nonroot, chainguard-origin, chainguard-annotations
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rules: Vec<Rule>,
    /// Compare this SPDX document with the layers, instead of what is attached; nothing is verified
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// What to print: text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Compares what is said of each platform with what is in it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let limits = args.registry.limits()?;
    let sbom = args.sbom.as_deref().map(|file| {
        let bytes = settings::read_input(file, limits.attestation_bytes)?;
        Claimed::parse(&bytes, &limits).map_err(|error| CliError::usage(error.code(), error))
    });
    let sbom = sbom.transpose()?;
    let names = std::slice::from_ref(&args.image);
    let source = Sources::prepare(names, &args.registry, args.trust.offline)?.open(&args.image)?;
    let report = if sbom.is_some() { None } else { Some(verify(&args, &source).await?) };
    let facts = match &report {
        Some(report) => report.facts().map_err(|error| CliError::undecided(error.code, &error.message))?.clone(),
        None => resolve(&args, &source).await?,
    };
    if let Some(absent) = facts.absent.first() {
        return Err(CliError::refused(Code::PlatformAbsent, format!("{}: the image has no {absent}", args.image)));
    }
    let targets = facts.targets.iter().filter(|target| target.name != TargetName::Index);
    let mut all = Vec::new();
    for target in targets {
        all.push(platform(&args, &source, target, sbom.as_ref(), report.as_ref(), printer).await?);
    }
    if all.is_empty() {
        return Err(CliError::undecided(Code::ManifestInvalid, format!("{}: the index lists no platform", args.image)));
    }
    let status = all.iter().map(status).fold(ExitStatus::Accepted, ExitStatus::worst);
    let text = match args.output {
        Format::Text => render::checked(&args.image, &facts.digest, &all),
        Format::Json => render::checked_document(&args.image, &facts.digest, &all, status.code()),
    };
    printer.data(text.as_bytes())?;
    Ok(status)
}

fn status(checked: &Checked) -> ExitStatus {
    let unchecked = checked.unchecked.iter().map(|unchecked| unchecked.status);
    let found = if checked.outcome.findings.is_empty() { ExitStatus::Accepted } else { ExitStatus::Refused };
    unchecked.fold(found, ExitStatus::worst)
}

/// What a policy accepts of each kind of statement; one that is absent refuses nothing here.
async fn verify(args: &Args, source: &Source) -> Result<Report, CliError> {
    let kinds: Result<Vec<Requirement>, _> = KINDS.iter().map(|kind| kind.parse::<Requirement>()).collect();
    let kinds = kinds.map_err(CliError::internal)?;
    // Provenance that its certificate belies is no witness.
    let policy = args.policy.with_agreement().policy_with(source.policy_name.as_ref(), Some(&kinds));
    let policy = policy.map_err(|error| missing_policy(error, &args.image))?;
    let (trust, now) = (args.trust.source()?, now()?);
    let client = Client::builder(Arc::clone(&source.pull), trust.load(now).await?)
        .limits(args.registry.limits()?)
        .evidence_repository(args.registry.attestation_repo().cloned())
        .build();
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, now);
    request.image = source.image.clone().platforms(args.platform.clone());
    Ok(client.verify(&request).await)
}

/// The SBOM, without which there is nothing to check, and other witnesses.
const KINDS: [&str; 3] = ["spdx", "slsa", "apko"];

async fn resolve(args: &Args, source: &Source) -> Result<ImageFacts, CliError> {
    let context = Context::new(args.registry.limits()?);
    let request = source.image.clone().platforms(args.platform.clone());
    let resolved = discover::resolve(&*source.pull, &context, &request).await;
    Ok(resolved.map_err(|error| CliError::unresolved(&error))?.0)
}

/// Everything about one platform.
async fn platform(
    args: &Args,
    source: &Source,
    target: &Target,
    sbom: Option<&Claimed>,
    report: Option<&Report>,
    printer: &Printer,
) -> Result<Checked, CliError> {
    let limits = args.registry.limits()?;
    let mut unchecked = Vec::new();
    let manifest = manifest(args, source, target).await?;
    let contents = contents(args, source, &manifest, &mut unchecked).await?;
    let mut statement = |kind: &'static str| -> Result<Option<&Statement>, CliError> {
        let Some(report) = report else { return Ok(None) };
        of_kind(report, kind, &target.name.to_string(), &mut unchecked, printer)
    };
    let (spdx, slsa, apko) = (statement("spdx")?, statement("slsa")?, statement("apko")?);
    let mut unread = |what: &'static str, code: Code, message: String| {
        unchecked.push(Unchecked { what, code: Some(code), message, status: ExitStatus::Undecided });
    };
    let verified = spdx.and_then(|spdx| {
        let parsed = Claimed::parse(spdx.predicate().as_bytes(), &limits);
        parsed.map_err(|error| unread("sbom", error.code(), error.to_string())).ok()
    });
    let provenance = slsa.and_then(|slsa| {
        let parsed = Provenance::parse(slsa.predicate_type(), slsa.predicate(), &limits);
        parsed.map_err(|error| unread("provenance", error.code(), error.to_string())).ok()
    });
    let installed = slsa.and_then(|slsa| {
        let parsed = apko_installed(slsa.predicate());
        parsed.map_err(|error| unread("provenance", error.code(), error.to_string())).ok()?
    });
    let apko = apko.and_then(|apko| {
        let parsed = ApkoConfiguration::parse(apko.predicate());
        parsed.map_err(|error| unread("apko configuration", error.code(), error.to_string())).ok()
    });
    let mut evidence = Evidence::new(&manifest);
    evidence.platform = if let TargetName::Platform(platform) = &target.name { Some(platform) } else { None };
    evidence.contents = contents.as_ref();
    evidence.sbom = sbom.or(verified.as_ref());
    evidence.provenance = provenance.as_ref();
    evidence.installed = installed.as_ref();
    evidence.apko = apko.as_ref();
    let outcome = compare(&evidence, &args.rules);
    Ok(Checked { target: target.name.to_string(), digest: target.digest.to_string(), outcome, unchecked })
}

/// The newest accepted statement of a kind; its absence is said.
fn of_kind<'a>(
    report: &'a Report,
    kind: &'static str,
    target: &str,
    unchecked: &mut Vec<Unchecked>,
    printer: &Printer,
) -> Result<Option<&'a Statement>, CliError> {
    let cell = report.cells().iter().find(|cell| cell.target == target && cell.requirement == kind);
    let Some(cell) = cell else { return Ok(None) };
    if cell.state == State::Ok {
        let newest = attested::newest(report, cell, printer).and_then(|newest| newest.attestation());
        let newest = newest.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        return Ok(Some(newest.statement().statement()));
    }
    // What is about the index says nothing of one platform's packages.
    let is_absent = matches!(cell.state, State::Missing | State::OnIndex | State::ViaIndex | State::Unsigned);
    let status = match cell.state {
        State::Undecided => ExitStatus::Undecided,
        _ if kind != "spdx" && is_absent => ExitStatus::Accepted,
        _ => ExitStatus::Refused,
    };
    let message = cell.message.clone().unwrap_or_else(|| cell.state.as_str().to_owned());
    unchecked.push(Unchecked { what: kind, code: cell.code, message, status });
    Ok(None)
}

/// What is in the layers, or why that is not known.
async fn contents(
    args: &Args,
    source: &Source,
    manifest: &Manifest,
    unchecked: &mut Vec<Unchecked>,
) -> Result<Option<Contents>, CliError> {
    let context = Context::new(args.registry.limits_over(Limits::default().for_content())?);
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let repository = source.image.reference.repository();
    let mut undecided = |code: Code, message: String| {
        unchecked.push(Unchecked { what: "layers", code: Some(code), message, status: ExitStatus::Undecided });
    };
    match scan::image(&*source.pull, &context, repository, manifest, threads).await {
        Ok(contents) => {
            contents.problems.iter().for_each(|problem| undecided(problem.code(), problem.to_string()));
            Ok(Some(contents))
        }
        Err(error) => {
            undecided(error.code(), error.to_string());
            Ok(None)
        }
    }
}

async fn manifest(args: &Args, source: &Source, target: &Target) -> Result<Manifest, CliError> {
    let context = Context::new(args.registry.limits()?);
    let name = ImageName::Digest(target.digest.clone());
    let fetched = source.pull.manifest(&context, source.image.reference.repository(), &name).await;
    let fetched = fetched.map_err(|error| CliError::undecided(error.code(), error))?.ok_or_else(|| {
        let message = format!("{}: the image of {} is listed and absent", escape(&args.image), target.name);
        CliError::undecided(Code::EvidenceAbsent, message)
    })?;
    match ImageDocument::parse(fetched.blob, fetched.media_type.as_deref()) {
        Ok(ImageDocument::Manifest(manifest)) => Ok(manifest),
        Ok(_) => Err(CliError::undecided(Code::ManifestInvalid, format!("{}: an index inside an index", args.image))),
        Err(error) => Err(CliError::undecided(error.code(), error)),
    }
}
