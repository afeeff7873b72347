//! `tree`: what is attached where.

use cg_attest::code::Code;
use cg_attest::discover;
use cg_attest::registry::Context;
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{Format, LookArgs};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Nothing is verified: whoever may write to the repository can attach anything.
Exit: 0 shown · 1 a platform asked for is absent · 2 usage · 3 something could not be read")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Levels of referrers: 1 is what refers to the image, 2 also what refers to that
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(0..=16))]
    depth: u8,
    #[command(flatten)]
    look: LookArgs,
}

/// Prints the tree of an image.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let context = Context::new(args.look.registry.limits()?);
    let source = args.look.open(&args.image)?;
    let evidence = args.look.registry.evidence_repository(&source);
    let tree = discover::tree(&*source.pull, &context, evidence, &source.image, usize::from(args.depth));
    let tree = tree.await.map_err(|error| CliError::unresolved(&error))?;
    let text = match args.look.output {
        Format::Text => render::tree(&tree, printer.is_colored()),
        Format::Json => render::tree_document(&tree)?,
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
