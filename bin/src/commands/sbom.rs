//! `sbom`: the SBOM of one platform, attached and verified, or made from the content of the layers.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover;
use cg_attest::evidence::Target;
use cg_attest::image::{Platform, Repository};
use cg_attest::limits::Limits;
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;
use cg_attest::sbom::{self, Severity};
use cg_attest::scan::Contents;
use clap::Args as ClapArgs;

use super::sbom_all as all;
use crate::attestations::{self, Asked, SIGNERS};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::local::Local;
use crate::printer::{Printer, escape};
use crate::render::{self, Form};
use crate::settings::{self, EvidenceArgs, RegistryArgs, Source, Wanted, write_atomically};

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(after_help = "Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided or incomplete")]
#[command(after_long_help = "Examples:
  cg-attest sbom cgr.dev/chainguard/nginx --platform linux/arm64 > sbom.spdx.json
  cg-attest sbom --platform linux/arm64          (the OCI layout in this folder)
  cg-attest sbom docker.io/library/debian --source content --platform linux/amd64 -o table
  cg-attest sbom oci:app -o table --history     (and what layers brought that later layers hid)
  cg-attest sbom dir:rootfs --files              (with every file, as syft lists them)
  cg-attest sbom oci:app --platform all -o spdx3-json=sboms     (a document for each platform, and one of the index)
  cg-attest sbom registry.example/app --source attached --allow-unsigned --platform linux/amd64

Under a policy (a preset or flags) it is the attached and verified SBOM, as it was signed;
without one it is made from what is in the layers, and is as good as what they say.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided or incomplete")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<SbomCommand>,
    /// NAME[:TAG|@DIGEST] in a registry, oci:FOLDER[:TAG|@DIGEST], docker-archive:FILE[:TAG] or dir:FOLDER; without it, the OCI layout in this folder
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    /// The platform, or all of them, each into a file of its own; needed where the image has several
    #[arg(long, value_name = "PLATFORM|all")]
    platform: Option<Wanted>,
    /// Where the SBOM comes from: attached (and verified), content (of the layers), or auto: attached under a policy
    #[arg(long, value_name = "SOURCE", default_value = "auto")]
    source: From,
    /// Print the one that BuildKit attached, which nobody signed; nothing is verified
    #[arg(long, conflicts_with_all = SIGNERS)]
    allow_unsigned: bool,
    /// What to print: spdx-json (SPDX 2.3), spdx3-json (SPDX 3.0.1) or table; with =PATH into that file or, with --platform all, that folder
    #[arg(short, long, value_name = "FORMAT[=PATH]", default_value = "spdx-json")]
    output: Output,
    /// With -o table: also the packages that a layer brought and a later one removed or replaced
    #[arg(long)]
    history: bool,
    /// Also list every file with its checksums (SHA-1 and SHA-256), in the package that owns it or else in the image
    #[arg(long)]
    files: bool,
    /// Write to this file, whole or not at all
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

#[derive(Debug, clap::Subcommand)]
enum SbomCommand {
    /// Look for what is wrong with an SPDX document, 2.3 or 3.0: its shape, identifiers, relationships, licences, package URLs
    Validate {
        /// The document, - for stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    Auto,
    Attached,
    Content,
}

/// What is printed, and where to if not to stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    format: Format,
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Spdx(sbom::Format),
    Table,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').map_or((text, None), |(format, path)| (format, Some(path)));
        let format = match format {
            "table" => Format::Table,
            format => Format::Spdx(format.parse().map_err(|_| "wanted spdx-json, spdx3-json or table".to_owned())?),
        };
        match path {
            Some("") => Err("wanted a path after =".to_owned()),
            path => Ok(Self { format, path: path.map(PathBuf::from) }),
        }
    }
}

/// Prints the SBOM of a platform.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    if let Some(SbomCommand::Validate { file }) = &args.command {
        return validate(file, printer);
    }
    args.check()?;
    if let Some(local) = args.image.as_deref().and_then(Local::of) {
        return of_local(&local, &args, printer).await;
    }
    let image = match &args.image {
        Some(image) => image.clone(),
        None => {
            let here = settings::here()?;
            if !here.join("oci-layout").is_file() {
                let message = format!("no image is named, and there is no OCI layout in {}", here.display());
                return Err(CliError::usage(Code::Usage, message).hint("name one: cg-attest sbom IMAGE"));
            }
            printer.note(&format!("reading the OCI layout in {}", here.display()));
            ".".to_owned()
        }
    };
    let source = args.evidence.open(&image)?;
    let requirement: Requirement = "spdx".parse().map_err(CliError::internal)?;
    if args.allow_unsigned {
        return unsigned(&args, &source, &requirement, printer).await;
    }
    let policy =
        args.evidence.policy.policy_with(source.policy_name.as_ref(), Some(std::slice::from_ref(&requirement)));
    match (args.source, policy) {
        // Half a policy is a mistake, and no reason to print what nobody vouches for.
        (_, Err(error)) if error.code != Code::PolicyMissing || !args.evidence.policy.says_nothing()? => Err(error),
        (From::Content, _) => content(&args, &source, printer).await,
        (From::Attached, Err(error)) => {
            let error = settings::naming_the_signer(error, &image);
            let hint = error.hint.clone().unwrap_or_default();
            Err(error.hint(format!("{hint}; `--source content` makes one from the layers")))
        }
        (From::Auto, Err(_)) => {
            // Nobody is trusted to have signed one: what is printed is ours, and it is said what else there is.
            let status = content(&args, &source, printer).await?;
            let request = source.image.clone().platforms(args.one().into_iter().cloned().collect());
            let (limits, repository) = (args.evidence.registry.limits()?, args.evidence.evidence_repository(&source));
            attestations::name_unused_sboms(&*source.pull, &limits, repository, &request, printer).await;
            Ok(status)
        }
        (From::Auto | From::Attached, Ok(_)) => verified(&args, &image, &source, requirement, printer).await,
    }
}

/// The SBOM of what is in a folder or an archive.
async fn of_local(local: &Local<'_>, args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    if args.source == From::Attached {
        let message = "nothing is attached to a folder or to an archive of docker save";
        return Err(CliError::usage(Code::Usage, message));
    }
    if args.platform == Some(Wanted::All) {
        let message = "a folder and an archive of docker save are of one platform";
        return Err(CliError::usage(Code::Usage, message).hint("leave --platform out"));
    }
    let contents = local.contents(&args.evidence.registry, args.files, printer).await?;
    if let (Some(wanted), Some(found)) = (args.one(), &contents.platform)
        && !found.matches(wanted)
    {
        return Err(CliError::refused(Code::PlatformAbsent, format!("the image is for {found}, not for {wanted}")));
    }
    show(args, &contents, None, printer)
}

/// Prints what is wrong with a document, a line for each.
fn validate(file: &Path, printer: &Printer) -> Result<ExitStatus, CliError> {
    let bytes = settings::read_input(file, Limits::default().attestation_bytes)?;
    let found = sbom::validate(&bytes).map_err(|error| CliError::refused(error.code(), error))?;
    let mut out = String::new();
    for finding in &found {
        let word = if finding.severity == Severity::Error { "error" } else { "warning" };
        out.push_str(&format!("{word}: {}\n", escape(&finding.to_string())));
    }
    printer.data(out.as_bytes())?;
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors == 0 {
        printer.note(&format!("{}: valid, {} warnings", file.display(), found.len()));
        return Ok(ExitStatus::Accepted);
    }
    Err(CliError::refused(Code::SbomInvalid, format!("{}: {errors} errors", file.display())))
}

impl Args {
    /// What can be wrong without asking anybody.
    fn check(&self) -> Result<(), CliError> {
        let wrong = |message: &str| CliError::usage(Code::Usage, message);
        if self.history && self.output.format != Format::Table {
            return Err(wrong(
                "--history is about what the image does not show, and a document is about what it shows",
            )
            .hint("--history -o table"));
        }
        if self.files && (self.output.format == Format::Table || self.allow_unsigned || self.source == From::Attached) {
            return Err(wrong(
                "--files is about documents that are made from the layers: a signed one is printed as it is",
            )
            .hint("--source content --files"));
        }
        if self.output_file.is_some() && self.output.path.is_some() {
            return Err(wrong("--output-file and -o FORMAT=PATH name two files"));
        }
        if self.platform == Some(Wanted::All) && self.output.path.is_none() {
            let error = wrong("the documents of several platforms are several files, and no folder is named for them");
            return Err(error.hint("name one: --platform all -o spdx-json=FOLDER"));
        }
        Ok(())
    }

    pub(super) fn format(&self) -> Format {
        self.output.format
    }

    pub(super) fn registry(&self) -> &RegistryArgs {
        &self.evidence.registry
    }

    pub(super) fn files(&self) -> bool {
        self.files
    }

    /// The one platform that is asked for.
    fn one(&self) -> Option<&Platform> {
        match &self.platform {
            Some(Wanted::One(platform)) => Some(platform),
            _ => None,
        }
    }

    /// The folder for the documents of all platforms, if these are asked for.
    fn folder(&self) -> Option<&Path> {
        self.output.path.as_deref().filter(|_| self.platform == Some(Wanted::All))
    }
}

/// The SBOM that somebody signed, as it was signed.
async fn verified(
    args: &Args,
    image: &str,
    source: &Source,
    requirement: Requirement,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    if args.output.format != Format::Spdx(sbom::Format::Spdx23) || args.files {
        let message = "a signed document is printed as it is, never converted";
        return Err(CliError::usage(Code::Usage, message).hint("`--source content` reads the layers"));
    }
    let platforms = match args.folder() {
        Some(_) => all::platforms(args, source).await?,
        None => choose(args, source).await?.1.into_iter().collect(),
    };
    let asked = Asked { image, platforms, requirement, evidence: &args.evidence, without_policy: None };
    let (attestations, status) = attestations::verified(&asked, Form::Predicate, source, printer).await?;
    if let Some(folder) = args.folder().filter(|_| !attestations.is_empty()) {
        all::signed(folder, &attestations, printer)?;
        return Ok(status);
    }
    let Some(attestation) = attestations.into_iter().next() else {
        printer.note("  → `--source content` makes one from the layers");
        return Ok(status);
    };
    put(args, &attestation.bytes, printer)?;
    Ok(status)
}

/// The SBOM that BuildKit attached, which nobody signed.
async fn unsigned(
    args: &Args,
    source: &Source,
    requirement: &Requirement,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    if args.source == From::Content || args.output.format != Format::Spdx(sbom::Format::Spdx23) {
        let message = "--allow-unsigned prints what is attached, as it is: leave out --source content and -o table";
        return Err(CliError::usage(Code::Usage, message));
    }
    let platform = choose(args, source).await?.1;
    let registry = &args.evidence.registry;
    let platforms = platform.into_iter().collect();
    let (found, status) = attestations::unsigned(source, platforms, requirement, registry, printer).await?;
    match found.first() {
        Some(found) => put(args, found.statement.statement.predicate().as_bytes(), printer)?,
        None => printer.note("  → `--source content` makes one from the layers"),
    }
    Ok(status)
}

/// The SBOM of what is in the layers.
async fn content(args: &Args, source: &Source, printer: &Printer) -> Result<ExitStatus, CliError> {
    if let Some(folder) = args.folder() {
        return all::made(args, folder, source, printer).await;
    }
    let (digest, _) = choose(args, source).await?;
    let contents = contents_of(&args.evidence.registry, source, &digest, args.files, printer).await?;
    show(args, &contents, known_as(source), printer)
}

/// What is in the layers of an image of one platform, with `files` also every file.
pub(super) async fn contents_of(
    registry: &RegistryArgs,
    source: &Source,
    digest: &Digest,
    files: bool,
    printer: &Printer,
) -> Result<Contents, CliError> {
    let bars = printer.bars();
    let reader = registry.reader(&*source.pull)?.progress(&bars).files(files);
    let repository = source.image.reference.repository();
    let manifest = reader.manifest(repository, digest).await.map_err(|why| CliError::unread(&why))?;
    let contents = reader.contents(repository, &manifest).await;
    contents.map_err(|error| CliError::undecided(error.code(), error))
}

/// The repository that a document names; a folder's name means nothing elsewhere.
pub(super) fn known_as(source: &Source) -> Option<Repository> {
    source.policy_name.as_ref().map(|_| source.image.reference.repository().clone())
}

/// The document of what was found, the same whether it is printed or signed.
pub(super) fn spdx(
    format: sbom::Format,
    contents: &Contents,
    repository: Option<Repository>,
) -> Result<Vec<u8>, CliError> {
    let options = sbom::Options::new().created(settings::source_date_epoch()?).repository(repository);
    let mut out = Vec::new();
    sbom::write(format, contents, &options, &mut out).map_err(CliError::internal)?;
    Ok(out)
}

/// What was found, in the form that was asked for.
pub(super) fn rendered(
    args: &Args,
    contents: &Contents,
    repository: Option<Repository>,
    colored: bool,
) -> Result<Vec<u8>, CliError> {
    match args.output.format {
        Format::Spdx(format) => spdx(format, contents, repository),
        Format::Table => {
            let mut table = render::contents(contents, colored);
            if args.history {
                table.push('\n');
                table.push_str(&render::history(contents, colored));
            }
            Ok(table.into_bytes())
        }
    }
}

/// Prints a document of what was found.
fn show(
    args: &Args,
    contents: &Contents,
    repository: Option<Repository>,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    let colored = printer.is_colored() && args.output.path.is_none();
    put(args, &rendered(args, contents, repository, colored)?, printer)?;
    Ok(incomplete(contents, printer))
}

fn put(args: &Args, bytes: &[u8], printer: &Printer) -> Result<(), CliError> {
    match args.output_file.as_ref().or(args.output.path.as_ref()) {
        Some(path) => write_atomically(path, bytes),
        None if args.output.format == Format::Table => printer.data(bytes),
        None => printer.document(bytes),
    }
}

/// Says what could not be read; a shorter list is never a success.
pub(super) fn incomplete(contents: &Contents, printer: &Printer) -> ExitStatus {
    for problem in &contents.problems {
        printer.note(&format!("warning[{}]: {}", problem.code(), escape(&problem.to_string())));
    }
    for claim in contents.claims.iter().filter(|claim| !claim.matches) {
        let text = format!("{} is about {} {}, which no database lists", claim.found_in, claim.package, claim.version);
        printer.note(&format!("note: {}", escape(&text)));
    }
    if contents.problems.is_empty() { ExitStatus::Accepted } else { ExitStatus::Undecided }
}

/// The digest of the one platform that is meant, and the platform if the image lists several.
async fn choose(args: &Args, source: &Source) -> Result<(Digest, Option<Platform>), CliError> {
    let context = Context::new(args.evidence.registry.limits()?);
    let request = source.image.clone().platforms(args.one().into_iter().cloned().collect());
    let (facts, _) =
        discover::resolve(&*source.pull, &context, &request).await.map_err(|error| CliError::unresolved(&error))?;
    if let Some(absent) = facts.absent.first() {
        return Err(CliError::no_platform(&request.name(), absent, &facts.platforms));
    }
    let images: Vec<&Target> = facts.images().collect();
    match images.as_slice() {
        [one] => Ok((one.digest.clone(), one.platform().cloned())),
        [] => {
            let message = format!("{}: the index lists no platform", request.name());
            Err(CliError::undecided(Code::ManifestInvalid, message))
        }
        several => {
            let names: Vec<String> = several.iter().map(|image| image.name.to_string()).collect();
            let message =
                format!("{}: an SBOM is of one platform, and the image has {}", request.name(), names.join(", "));
            let hint = format!("name one: --platform {}", names[0]);
            Err(CliError::usage(Code::Usage, message).hint(hint))
        }
    }
}
