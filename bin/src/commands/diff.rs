//! `diff`: what tells two images apart, platform by platform.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::evidence::TargetName;
use cg_attest::image::{Configuration, Manifest, Platform};
use cg_attest::limits::Limits;
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;
use cg_attest::sbom::diff::{self, Side, VulnerabilityReport};
use cg_attest::statement::Provenance;
use cg_attest::{discover, scan};
use clap::Args as ClapArgs;

use super::{attested, sbom};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::{self, Compared, Read};
use crate::settings::{self, PolicyArgs, RegistryArgs, Source, Sources, TrustArgs, Wanted};

#[derive(Debug, ClapArgs)]
// What is required of a side is its SBOM.
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(
    after_help = "Exit: 0 compared (--exit-code: 0 no difference, 1 differences) · 1 refused · 2 usage or policy · 3 undecided or incomplete"
)]
#[command(after_long_help = "Examples:
  cg-attest diff cgr.dev/chainguard/nginx:latest cgr.dev/chainguard/nginx:latest-dev --platform linux/amd64
  cg-attest diff nginx cgr.dev/chainguard/nginx --platform all -o markdown
  cg-attest diff registry.example/app:1 registry.example/app:2 --vulnerabilities 1.grype.json 2.grype.json

A side with a policy (a preset by its name, or flags, which are for both) is what its attached
and verified SBOM says. A side without one is read from its layers and marked unverified.
Indexes are never compared, only the images of a platform that both have.
The JSON has the keys of `chainctl images diff`; a package of another version is in `changed`,
not in `removed` and `added`. Several platforms are one line of JSON each.
Exit: 0 compared (--exit-code: 0 no difference, 1 differences) · 1 refused · 2 usage or policy · 3 undecided or incomplete")]
pub(crate) struct Args {
    /// The image that it was: NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST]
    #[arg(value_name = "A")]
    from: String,
    /// The image that it is
    #[arg(value_name = "B")]
    to: String,
    /// The platform, or all that both have; needed where both have several
    #[arg(long, value_name = "PLATFORM|all")]
    platform: Option<Wanted>,
    /// What to print: text, markdown or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Compare packages of these types of purls only: apk, deb, npm, …
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = TYPES)]
    types: Vec<String>,
    /// Refuse a side that no policy is for, instead of reading its layers
    #[arg(long)]
    require_verified: bool,
    /// Exit with 1 if anything differs
    #[arg(long)]
    exit_code: bool,
    /// JSON reports of Grype or Trivy on A and on B: what came and what went
    #[arg(long, value_names = ["A.json", "B.json"], num_args = 2)]
    vulnerabilities: Option<Vec<PathBuf>>,
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
    Markdown,
    Json,
}

/// Types of purls of packages that are compared; a type that is none would compare nothing.
const TYPES: [&str; 11] = ["apk", "deb", "rpm", "cargo", "composer", "gem", "golang", "maven", "npm", "nuget", "pypi"];

/// Prints what tells two images apart.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let reports = args.reports()?;
    let names = [args.from.clone(), args.to.clone()];
    let mut sources = Sources::prepare(&names, &args.registry, args.trust.offline)?;
    let (from, to) = (sources.open(&args.from)?, sources.open(&args.to)?);
    let has_policy = [args.has_policy(&from)?, args.has_policy(&to)?];
    let mut without = names.iter().zip(has_policy).filter(|(_, has)| args.require_verified && !has);
    if let Some((name, _)) = without.next() {
        return Err(CliError::refused(Code::Unverified, format!("{name}: no policy says who is trusted to sign it")));
    }
    let from = Image { name: &args.from, source: &from, has_policy: has_policy[0], parts: args.parts(&from).await? };
    let to = Image { name: &args.to, source: &to, has_policy: has_policy[1], parts: args.parts(&to).await? };
    let pairs = args.pairs(&from, &to, printer)?;
    if pairs.len() > 1 && reports.is_some() {
        return Err(CliError::usage(Code::Usage, "a report is of one platform: name it with --platform"));
    }
    let (mut compared, mut status) = (Vec::new(), ExitStatus::Accepted);
    if has_policy[0] != has_policy[1] {
        let text =
            "one side is by its SBOM and one by its layers; an SBOM may name fewer kinds of packages (see --type)";
        printer.note(&format!("note: {text}"));
    }
    // Provenance is compared where it is verified on both sides.
    let with_provenance = has_policy == [true, true];
    for (a, b) in pairs {
        let mut sides = Vec::new();
        for (image, part) in [(&from, a), (&to, b)] {
            match args.side(image, part, with_provenance, printer).await? {
                Ok((side, mut read, found)) => {
                    status = status.worst(found);
                    if side.unread() > 0 {
                        let text =
                            format!("{}: {} packages have no package URL that can be read", image.name, side.unread());
                        printer.note(&format!("warning[{}]: {}", Code::SbomIncomplete, escape(&text)));
                        status = status.worst(ExitStatus::Undecided);
                    }
                    let side = if args.types.is_empty() { side } else { side.only(&args.types) };
                    read.packages = side.package_count();
                    sides.push((side, read));
                }
                Err(status) => return Ok(status),
            }
        }
        let Ok([(a_side, a_read), (b_side, b_read)]) = <[_; 2]>::try_from(sides) else {
            return Err(CliError::internal("two images have not two sides"));
        };
        let difference = diff::diff(&a_side, &b_side);
        let vulnerabilities = reports.as_ref().map(|(from, to)| from.joined(to, &difference));
        let platform = a.platform.as_ref().map_or_else(|| "image".to_owned(), ToString::to_string);
        compared.push(Compared { platform, from: a_read, to: b_read, difference, vulnerabilities });
    }
    let text = match args.output {
        Format::Text => render::difference_text(&compared, printer.is_colored()),
        Format::Markdown => render::difference_markdown(&compared),
        Format::Json => render::difference_json(&compared).map_err(CliError::internal)?,
    };
    printer.data(text.as_bytes())?;
    let differs = compared.iter().any(|one| !one.difference.is_empty());
    Ok(if args.exit_code && differs { status.worst(ExitStatus::Refused) } else { status })
}

/// An image argument.
struct Image<'a> {
    name: &'a str,
    source: &'a Source,
    has_policy: bool,
    parts: Vec<Part>,
}

/// The image of one platform.
struct Part {
    manifest: Manifest,
    configuration: Configuration,
    platform: Option<Platform>,
    /// Whether an index says the platform.
    is_listed: bool,
}

impl Part {
    fn is_for(&self, wanted: &Platform) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.matches(wanted))
    }
}

impl Image<'_> {
    fn part(&self, wanted: &Platform) -> Result<&Part, CliError> {
        let absent = || {
            let error = CliError::refused(Code::PlatformAbsent, format!("{}: the image has no {wanted}", self.name));
            error.hint(format!("it has {}", self.platforms()))
        };
        self.parts.iter().find(|part| part.is_for(wanted)).ok_or_else(absent)
    }

    fn platforms(&self) -> String {
        let name = |part: &Part| part.platform.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        self.parts.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

impl Args {
    fn reports(&self) -> Result<Option<(VulnerabilityReport, VulnerabilityReport)>, CliError> {
        let Some([from, to]) = self.vulnerabilities.as_deref() else { return Ok(None) };
        let read = |path: &PathBuf| {
            let bytes = settings::read_file(path, Limits::default().attestation_bytes)?;
            VulnerabilityReport::parse(&bytes).map_err(|error| CliError::file(path, error))
        };
        Ok(Some((read(from)?, read(to)?)))
    }

    fn has_policy(&self, source: &Source) -> Result<bool, CliError> {
        match self.policy.without(&Requirement::slsa()).policy_with(source.policy_name.as_ref(), Some(&[spdx()?])) {
            Ok(_) => Ok(true),
            Err(error) if error.code == Code::PolicyMissing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The images that are compared: of the same platform, never two indexes.
    fn pairs<'a>(
        &self,
        from: &'a Image<'_>,
        to: &'a Image<'_>,
        printer: &Printer,
    ) -> Result<Vec<(&'a Part, &'a Part)>, CliError> {
        let single = match (&self.platform, from.parts.as_slice(), to.parts.as_slice()) {
            (Some(Wanted::One(platform)), ..) => Some(platform),
            (Some(Wanted::All), ..) => None,
            (None, [a], [b]) if a.platform.is_none() || b.platform.is_none() => return Ok(vec![(a, b)]),
            (None, [one], _) | (None, _, [one]) => one.platform.as_ref(),
            (None, ..) => {
                let message =
                    format!("both images have several platforms: {} and {}", from.platforms(), to.platforms());
                let error = CliError::usage(Code::Usage, message);
                return Err(error.hint("name one with --platform, or --platform all"));
            }
        };
        if let Some(platform) = single {
            return Ok(vec![(from.part(platform)?, to.part(platform)?)]);
        }
        let mut pairs = Vec::new();
        for (these, those, is_from) in [(from, to, true), (to, from, false)] {
            for part in &these.parts {
                let Some(platform) = &part.platform else { continue };
                match those.parts.iter().find(|other| other.is_for(platform)) {
                    Some(other) if is_from => pairs.push((part, other)),
                    Some(_) => {}
                    None => printer.note(&format!("note: only {} has {platform}", escape(these.name))),
                }
            }
        }
        if pairs.is_empty() {
            let message = format!("no platform is in both: {} and {}", from.platforms(), to.platforms());
            return Err(CliError::refused(Code::PlatformAbsent, message));
        }
        Ok(pairs)
    }

    /// The images of an argument, one for each platform that may be asked for.
    async fn parts(&self, source: &Source) -> Result<Vec<Part>, CliError> {
        let context = Context::new(self.registry.limits()?);
        let request = source.image.clone();
        let resolved = discover::resolve(&*source.pull, &context, &request).await;
        let (facts, index) = resolved.map_err(|error| CliError::unresolved(&error))?;
        let mut targets = Vec::new();
        for target in &facts.targets {
            if let TargetName::Platform(platform) = &target.name {
                targets.push((Some(platform.clone()), target.digest.clone()));
            }
        }
        if targets.is_empty() && index.is_none() {
            targets.push((None, facts.digest.clone()));
        }
        let mut parts = Vec::new();
        for (platform, digest) in targets {
            let is_wanted = match (&self.platform, &platform) {
                (Some(Wanted::One(wanted)), Some(platform)) => platform.matches(wanted),
                _ => true,
            };
            if !is_wanted {
                continue;
            }
            let (manifest, configuration) = manifest(source, &context, digest).await?;
            let is_listed = platform.is_some();
            let platform = platform.or_else(|| configuration.platform.clone());
            parts.push(Part { manifest, configuration, platform, is_listed });
        }
        if parts.is_empty() {
            let has: Vec<String> = facts.platforms.iter().map(ToString::to_string).collect();
            let error = CliError::refused(Code::PlatformAbsent, format!("{}: no such platform", request.name()));
            return Err(error.hint(format!("it has {}", has.join(", "))));
        }
        Ok(parts)
    }

    /// What is known of an image; only the status where the policy refuses it.
    async fn side(
        &self,
        image: &Image<'_>,
        part: &Part,
        with_provenance: bool,
        printer: &Printer,
    ) -> Result<Result<(Side, Read, ExitStatus), ExitStatus>, CliError> {
        let read = |source: &'static str| Read {
            image: image.name.to_owned(),
            digest: part.manifest.blob().digest().clone(),
            source,
            unverified: source == "content",
            packages: 0,
        };
        if !image.has_policy {
            let context = Context::new(self.registry.limits_over(Limits::default().for_content())?);
            let repository = image.source.image.reference.repository();
            let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            let contents = scan::image(&*image.source.pull, &context, repository, &part.manifest, threads).await;
            let contents = contents.map_err(|error| CliError::undecided(error.code(), error))?;
            printer.note(&format!("note: {} is read from its layers; nobody vouches for it", escape(image.name)));
            for problem in &contents.problems {
                printer.note(&format!("warning[{}]: {}", problem.code(), escape(&problem.to_string())));
            }
            let status = if contents.problems.is_empty() { ExitStatus::Accepted } else { ExitStatus::Undecided };
            let side = Side::of_contents(&contents).process(&part.configuration.process);
            return Ok(Ok((side, read("content"), status)));
        }
        let limits = self.registry.limits()?;
        let (kind, predicate) = match self.statement(image, part, spdx()?, printer).await? {
            Ok(statement) => statement,
            Err(status) => return Ok(Err(status)),
        };
        let side = Side::of_spdx(predicate.as_bytes(), &limits);
        let side = side.map_err(|error| CliError::refused(error.code(), format!("{}: {kind}: {error}", image.name)))?;
        let mut provenance = None;
        if with_provenance
            && let Ok((kind, predicate)) = self.statement(image, part, Requirement::slsa(), printer).await?
        {
            let parsed = Provenance::parse(&kind, &predicate, &limits);
            provenance = Some(parsed.map_err(|error| CliError::undecided(error.code(), error))?);
        }
        let side = side.process(&part.configuration.process).provenance(provenance);
        Ok(Ok((side, read("attached"), ExitStatus::Accepted)))
    }

    /// Type and predicate of the newest attestation of this very image that the policy accepts.
    async fn statement(
        &self,
        image: &Image<'_>,
        part: &Part,
        requirement: Requirement,
        printer: &Printer,
    ) -> Result<Result<(String, String), ExitStatus>, CliError> {
        let platforms: Vec<Platform> = part.platform.iter().filter(|_| part.is_listed).cloned().collect();
        let policy = match requirement == Requirement::slsa() {
            true => self.policy.without(&spdx()?).with_agreement(),
            false => self.policy.without(&Requirement::slsa()),
        };
        let asked = attested::Asked {
            image: image.name,
            platforms: &platforms,
            requirement,
            keep_content: false,
            policy: &policy,
            registry: &self.registry,
            trust: &self.trust,
            without_policy: None,
        };
        let report = match attested::accepted(&asked, image.source, printer).await? {
            Ok(report) => report,
            Err(status) => return Ok(Err(status)),
        };
        let cell = report.cells().first();
        let newest = cell.and_then(|cell| attested::newest(&report, cell, printer));
        let statement = newest.and_then(|newest| newest.attestation()).map(|attestation| attestation.statement());
        let statement = statement.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        // With `--level TYPE=either` it may be the index's, which names no packages.
        if statement.subject() != part.manifest.blob().digest() {
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

/// A manifest and its configuration.
async fn manifest(source: &Source, context: &Context, digest: Digest) -> Result<(Manifest, Configuration), CliError> {
    let manifest = sbom::manifest(source, context, digest).await?;
    let (config, limit) = (manifest.config(), context.limits().manifest_bytes);
    let blob = source.pull.blob_bytes(context, source.image.reference.repository(), config, limit).await;
    let blob = blob.map_err(|error| CliError::undecided(error.code(), error))?.ok_or_else(|| {
        CliError::undecided(Code::EvidenceAbsent, format!("the configuration {} is listed and absent", config.digest))
    })?;
    let configuration = Configuration::parse(&blob).map_err(|error| CliError::undecided(error.code(), error))?;
    Ok((manifest, configuration))
}
