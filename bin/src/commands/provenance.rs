//! `provenance`: who built an image, from what, when and how, verified.

use cg_attest::policy::Requirement;
use cg_attest::statement::Provenance;
use clap::Args as ClapArgs;

use super::provenance_generate;
use crate::attestations::{self, Asked, SIGNERS, Unsigned};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render::{self, Origin};
use crate::settings::{EvidenceArgs, Format, PlatformArgs};

#[derive(Debug, ClapArgs)]
// What is required is provenance; `--require` of the shared flags would mean nothing.
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true).conflicts_with("image")))]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Several platforms are one line of JSON each with -o json.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided")]
#[command(after_long_help = "Examples:
  cg-attest provenance cgr.dev/chainguard/nginx --platform linux/arm64
  cg-attest provenance registry.example/app:1.2 --identity NAME --issuer URL --source-repo https://github.com/org/app
  cg-attest provenance registry.example/app --allow-unsigned  # what BuildKit says, which nobody signed
  cg-attest get cgr.dev/chainguard/nginx --type slsa          # the predicate as it was signed

Several platforms are one line of JSON each with -o json.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE", required = true)]
    image: Option<String>,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// Print what BuildKit attached, which nobody signed; nothing is verified
    #[arg(long, conflicts_with_all = SIGNERS)]
    allow_unsigned: bool,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write provenance of the build that this runs in, to be signed
    Generate(Box<provenance_generate::Args>),
}

/// Prints the verified provenance of each platform.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    if let Some(Command::Generate(args)) = &args.command {
        return provenance_generate::run(args, printer);
    }
    let image = args.image.as_deref().ok_or_else(|| CliError::internal("the command line has no image"))?;
    let source = args.evidence.open(image)?;
    let limits = args.evidence.registry.limits()?;
    if args.allow_unsigned {
        let (registry, slsa) = (&args.evidence.registry, Requirement::slsa());
        let (found, status) = attestations::unsigned(&source, args.platforms.named(), &slsa, registry, printer).await?;
        let mut shown = Vec::new();
        for Unsigned { target, digest, statement } in found {
            let statement = statement.statement;
            let parsed = Provenance::parse(statement.predicate_type(), statement.predicate(), &limits);
            let parsed = parsed.map_err(|error| CliError::undecided(error.code(), format!("{target}: {error}")))?;
            shown.push(Origin::unsigned(target, digest, parsed));
        }
        show(&shown, args.output, printer)?;
        return Ok(status);
    }
    // Provenance that its certificate belies is not shown as if it were true.
    let evidence = args.evidence.with_policy(args.evidence.policy.with_agreement());
    let asked = Asked {
        image,
        platforms: args.platforms.named(),
        requirement: Requirement::slsa(),
        evidence: &evidence,
        without_policy: Some("`cg-attest get IMAGE --type slsa --unverified` prints without verifying"),
    };
    let report = match attestations::accepted(&asked, &source, printer).await? {
        Ok(report) => report,
        Err(status) => return Ok(status),
    };
    let mut shown = Vec::new();
    for cell in report.cells() {
        let newest = attestations::newest(&report, cell, printer).and_then(|newest| newest.attestation());
        let attestation = newest.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        let (bundle, statement) = (attestation.statement().bundle(), attestation.statement().statement());
        let parsed = Provenance::parse(statement.predicate_type(), statement.predicate(), &limits);
        let provenance = parsed.map_err(CliError::internal)?;
        let digest = attestation.statement().subject().clone();
        shown.push(Origin::new(cell.target.clone(), digest, bundle, report.time(), provenance));
    }
    show(&shown, args.output, printer)?;
    Ok(ExitStatus::Accepted)
}

fn show(shown: &[Origin], format: Format, printer: &Printer) -> Result<(), CliError> {
    let text = match format {
        Format::Text => printer.fitted(render::origins(shown, printer.is_colored())),
        Format::Json => render::origins_json(shown)?,
    };
    printer.data(text.as_bytes())
}
