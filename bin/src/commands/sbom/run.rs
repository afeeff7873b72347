//! The SBOM of one platform, attached and verified, or made from the content of the layers.

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover;
use cg_attest::evidence::Target;
use cg_attest::image::{Platform, Repository};
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;
use cg_attest::sbom;
use cg_attest::scan::Contents;

use super::all;
use super::args::{Args, Format, From, SbomCommand};
use super::made::{contents_of, incomplete, known_as, rendered};
use super::validate::validate;
use crate::attestations::{self, Asked};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::local::Local;
use crate::printer::Printer;
use crate::render::Form;
use crate::settings::{self, Source, Wanted, write_atomically};

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
