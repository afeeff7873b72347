//! `provenance generate`: what a build says of itself, to be signed.

use cg_attest::digest::Digest;
use cg_attest::image::Platform;
use cg_attest::limits::Limits;
use cg_attest::provenance::statement;
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::BuildArgs;

/// What the document is worth before anybody signs it.
pub(super) const WORTH: &str = "This is what the build says of itself: SLSA build level 1. A higher level is for the signer to show (docs/slsa-levels.md).";

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "Examples:
  cg-attest provenance generate --base cgr.dev/chainguard/go@sha256:… > provenance.json      # in a CI job
  cg-attest provenance generate --metadata-file build.json --build-platform linux/arm64
  cg-attest provenance generate --from none --source https://github.com/org/app --commit $(git rev-parse HEAD) \\
      --builder-id https://builds.example.com/team

docs/build-type.md describes the document. The same facts give the same bytes.")]
pub(crate) struct Args {
    #[command(flatten)]
    build: BuildArgs,
    /// The platform that was built, where the files are about several
    #[arg(long, value_name = "PLATFORM", help_heading = "The build")]
    build_platform: Option<Platform>,
    /// Print a statement about this digest instead of the predicate alone; repeatable
    #[arg(long, value_name = "DIGEST")]
    subject: Vec<Digest>,
}

/// Prints the predicate, or a statement.
pub(crate) fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let predicate = args.build.facts(&Limits::default())?.predicate(args.build_platform.as_ref())?;
    let text = match args.subject.as_slice() {
        [] => predicate,
        subjects => statement(subjects, &predicate).map_err(CliError::internal)?,
    };
    printer.data(text.as_bytes())?;
    printer.note(WORTH);
    Ok(ExitStatus::Accepted)
}
