//! `cg-attest sign`: an image's signature, of the index and of every platform.

use cg_attest::attach::{Drafted, Subjects};

use super::produce::{self, ProduceArgs};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Source;

#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  cg-attest sign registry.example/app@sha256:…
  cg-attest sign --dry-run -o json registry.example/app:1.2
  cg-attest sign --no-upload --bundle-dir bundles registry.example/app:1.2
  cg-attest sign --signature-format legacy registry.example/app:1.2")]
pub(crate) struct Args {
    /// The image: NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    produce: ProduceArgs,
}

/// Signs the image and its platforms.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let draft = async |source: &Source, subjects: &Subjects| {
        let name = source.image.reference.repository().to_string();
        let chosen = args.produce.subjects(subjects)?;
        Ok(chosen.into_iter().map(|subject| Drafted::signature(subject, &name)).collect())
    };
    produce::run(&args.produce, &args.image, printer, draft).await
}
