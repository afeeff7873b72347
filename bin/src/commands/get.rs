//! `get`: a verified attestation, as it was signed.

use cg_attest::code::Code;
use cg_attest::policy::Requirement;
use cg_attest::statement::{COSIGN_SIGN, PredicateType};
use clap::Args as ClapArgs;

use crate::attestations::{Asked, SIGNERS, Wanted, unverified, verified};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render::{self, Form};
use crate::settings::{EvidenceArgs, PlatformArgs};

#[derive(Debug, ClapArgs)]
// The one requirement is `--type`; `--require` of the shared flags has that name as an alias.
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true).conflicts_with("predicate_type")))]
#[command(after_help = "One platform is printed as it was signed, several as one line of JSON each.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided")]
#[command(after_long_help = "Examples:
  cg-attest get cgr.dev/chainguard/nginx --type spdx --platform linux/arm64 > sbom.spdx.json
  cg-attest get cgr.dev/chainguard/nginx --type slsa -o statement | jq .digest
  cg-attest get registry.example/app --type https://example.com/scan/v1 --identity NAME --issuer URL

One platform is printed as it was signed, several as one line of JSON each.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Type of the predicate: spdx, slsa, cyclonedx, vsa, … (also in cosign's spelling) or a full URI
    #[arg(long = "type", value_name = "TYPE", visible_alias = "predicate-type")]
    predicate_type: PredicateType,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// What to print of it: predicate, statement, envelope (DSSE) or bundle (Sigstore)
    #[arg(short, long, value_name = "FORM", default_value = "predicate")]
    output: Form,
    /// Print without verifying anything, as anybody may have attached it
    #[arg(long, conflicts_with_all = SIGNERS)]
    unverified: bool,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// Prints the attestations of a type.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    if args.predicate_type.matches(COSIGN_SIGN) {
        let error = CliError::usage(Code::Usage, "a signature says nothing but that it is one: there is no predicate");
        return Err(error.hint("`cg-attest inspect IMAGE` shows signatures, `cg-attest verify IMAGE` verifies them"));
    }
    let requirement = Requirement::attestation(args.predicate_type.clone());
    let source = args.evidence.open(&args.image)?;
    let (attestations, status) = if args.unverified {
        let limits = args.evidence.registry.limits()?;
        let repository = args.evidence.evidence_repository(&source);
        let wanted = Wanted { requirement, predicate_type: args.predicate_type, form: args.output };
        let request = source.image.clone().platforms(args.platforms.named());
        unverified(&*source.pull, &limits, repository, &request, &wanted, printer).await?
    } else {
        let asked = Asked {
            image: &args.image,
            platforms: args.platforms.named(),
            requirement,
            evidence: &args.evidence,
            without_policy: Some("--unverified prints without verifying"),
        };
        verified(&asked, args.output, &source, printer).await?
    };
    if let ([_], Form::Predicate) = (attestations.as_slice(), args.output)
        && attestations[0].bytes.first() == Some(&b'"')
    {
        printer.note("The predicate is a text inside a JSON string; `jq -r .` takes it out.");
    }
    match attestations.as_slice() {
        [one] if one.alone => printer.document(&one.bytes)?,
        several => {
            for attestation in several {
                let line = render::json_line(attestation, args.output);
                let line = line.ok_or_else(|| CliError::internal("an attestation that was parsed is not JSON"))?;
                printer.data(line.as_bytes())?;
            }
        }
    }
    Ok(status)
}
