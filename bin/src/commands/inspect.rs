//! `inspect`: what the evidence of an image says, decoded and not verified.

use std::path::PathBuf;

use cg_attest::code::Code;
use cg_attest::digest::VerifiedBlob;
use cg_attest::discover;
use cg_attest::evidence::{Candidate, Decoded, Origin, OriginKind, Reading};
use cg_attest::policy::Preset;
use cg_attest::registry::Context;
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render::{self, Inspection};
use crate::settings::{Format, LookArgs, read_input};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Nothing is verified: whoever may write to the repository can attach anything, by any name.
Exit: 0 decoded · 1 nothing is attached, or not this platform · 2 usage · 3 something could not be read")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE", required_unless_present = "bundle")]
    image: Option<String>,
    /// Decode a bundle file instead of what is attached to an image; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "platform"])]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    look: LookArgs,
}

/// Prints what is attached, decoded.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let (inspection, status) = match (&args.image, &args.bundle) {
        (Some(image), _) => of_image(image, &args, printer).await?,
        (None, Some(path)) => of_file(path, &args)?,
        (None, None) => return Err(CliError::usage(Code::Usage, "wanted an image or --bundle FILE")),
    };
    let text = match args.look.output {
        Format::Text => render::inspection(&inspection, printer.is_colored()),
        Format::Json => render::inspection_document(&inspection)?,
    };
    printer.data(text.as_bytes())?;
    Ok(status)
}

async fn of_image(image: &str, args: &Args, printer: &Printer) -> Result<(Inspection, ExitStatus), CliError> {
    let limits = args.look.registry.limits()?;
    let source = args.look.open(image)?;
    let context = Context::new(limits.clone());
    let evidence = args.look.registry.evidence_repository(&source);
    let decode = |candidate: &Candidate| Decoded::of(candidate, &limits);
    let read = discover::everything(&*source.pull, &context, evidence, &source.image, |_| true, decode);
    let read = read.await.map_err(|error| CliError::unresolved(&error))?;
    for platform in &read.facts.absent {
        printer.note(&format!("the image does not list {platform} ({})", Code::PlatformAbsent));
    }
    let unread = read.listings.iter().any(|listing| listing.failure.is_some())
        || read.found.iter().any(|found| found.reading == Reading::Unread);
    let status = match (read.facts.absent.is_empty(), unread) {
        (false, _) => ExitStatus::Refused,
        (true, true) => ExitStatus::Undecided,
        (true, false) if read.found.is_empty() => ExitStatus::Refused,
        (true, false) => ExitStatus::Accepted,
    };
    let preset = source.policy_name.as_ref().and_then(Preset::of);
    let argument = image.to_owned();
    Ok((Inspection { argument, facts: Some(read.facts), listings: read.listings, found: read.found, preset }, status))
}

fn of_file(path: &std::path::Path, args: &Args) -> Result<(Inspection, ExitStatus), CliError> {
    let limits = args.look.registry.limits()?;
    let blob = VerifiedBlob::of(read_input(path, limits.attestation_bytes)?);
    let name = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
    let decoded = Decoded::of(&Candidate::bundle(blob, Origin::new(OriginKind::File, name.clone())), &limits);
    if let Some(problem) = &decoded.problem {
        let message = format!("{name}: {}", problem.detail);
        return Err(match decoded.reading {
            Reading::Invalid => CliError::refused(problem.code, message),
            _ => CliError::undecided(problem.code, message),
        });
    }
    let inspection =
        Inspection { argument: name, facts: None, listings: Vec::new(), found: vec![decoded], preset: None };
    Ok((inspection, ExitStatus::Accepted))
}
