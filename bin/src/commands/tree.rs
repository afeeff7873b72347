//! `tree`: what is attached where.

use cg_attest::code::Code;
use cg_attest::discover;
use cg_attest::image::Platform;
use cg_attest::registry::Context;
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{RegistryArgs, Sources};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Nothing is verified: whoever may write to the repository can attach anything.
Exit: 0 shown · 1 a platform asked for is absent · 2 usage · 3 something could not be read")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Show this platform only; repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<Platform>,
    /// Levels of referrers: 1 is what refers to the image, 2 also what refers to that
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(0..=16))]
    depth: u8,
    /// What to print: text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Make no request at all; the image has to be in an OCI layout
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the tree of an image.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let limits = args.registry.limits()?;
    let source =
        Sources::prepare(std::slice::from_ref(&args.image), &args.registry, args.offline)?.open(&args.image)?;
    let context = Context::new(limits);
    let request = source.image.clone().platforms(args.platform);
    let evidence = args.registry.attestation_repo().unwrap_or(request.reference.repository());
    let tree = discover::tree(&*source.pull, &context, evidence, &request, usize::from(args.depth));
    let tree = tree.await.map_err(|error| CliError::unresolved(&error))?;
    let text = match args.output {
        Format::Text => render::tree(&tree, printer.is_colored()),
        Format::Json => serde_json::to_string_pretty(&render::tree_document(&tree)).map_err(CliError::internal)? + "\n",
    };
    printer.data(text.as_bytes())?;
    let failures = tree.root.failures();
    for (node, failure) in &failures {
        printer.note(&format!("not read: {}: {} ({})", node.digest, escape(&failure.detail), failure.code));
    }
    for platform in &tree.absent {
        printer.note(&format!("the image does not list {platform} ({})", Code::PlatformAbsent));
    }
    printer.note("Nothing here is verified; `cg-attest verify` verifies.");
    Ok(match (tree.absent.is_empty(), failures.is_empty()) {
        (false, _) => ExitStatus::Refused,
        (true, false) => ExitStatus::Undecided,
        (true, true) => ExitStatus::Accepted,
    })
}
