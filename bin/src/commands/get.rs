//! `get`: a verified attestation, as it was signed.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::Platform;
use cg_attest::limits::Limits;
use cg_attest::policy::Requirement;
use cg_attest::report::{Report, Verdict};
use cg_attest::statement::{COSIGN_SIGN, PredicateType};
use cg_attest::verify::{Assessed, Cell};
use clap::Args as ClapArgs;

use super::unverified;
use super::verify::missing_policy;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::{self, Attestation, Form};
use crate::settings::{PolicyArgs, RegistryArgs, Source, Sources, TrustArgs, now};

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
    /// Print this platform's; repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<Platform>,
    /// What to print of it: predicate, statement, envelope (DSSE) or bundle (Sigstore)
    #[arg(short, long, value_name = "FORM", default_value = "predicate")]
    output: Form,
    /// Print without verifying anything, as anybody may have attached it
    #[arg(long, conflicts_with_all = SIGNERS)]
    unverified: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Flags that would mean nothing where nothing is verified.
const SIGNERS: [&str; 12] = [
    "identity",
    "identity_glob",
    "identity_regexp",
    "issuer",
    "issuer_regexp",
    "key",
    "claim",
    "preset",
    "uidp",
    "level",
    "max_age",
    "require_platform",
];

/// Prints the attestations of a type.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    if args.predicate_type.matches(COSIGN_SIGN) {
        let error = CliError::usage(Code::Usage, "a signature says nothing but that it is one: there is no predicate");
        return Err(error.hint("`cg-attest inspect IMAGE` shows signatures, `cg-attest verify IMAGE` verifies them"));
    }
    let requirement = Requirement::attestation(args.predicate_type.clone());
    let image = std::slice::from_ref(&args.image);
    let source = Sources::prepare(image, &args.registry, args.trust.offline)?.open(&args.image)?;
    let (attestations, status) = if args.unverified {
        let limits = args.registry.limits()?;
        let evidence = args.registry.attestation_repo().unwrap_or(source.image.reference.repository());
        let wanted = unverified::Wanted { requirement, predicate_type: args.predicate_type, form: args.output };
        let request = source.image.clone().platforms(args.platform);
        unverified::get(&*source.pull, &limits, evidence, &request, &wanted, printer).await?
    } else {
        verified(&args, &source, requirement, printer).await?
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

/// What the policy accepts, or nothing at all.
async fn verified(
    args: &Args,
    source: &Source,
    requirement: Requirement,
    printer: &Printer,
) -> Result<(Vec<Attestation>, ExitStatus), CliError> {
    let policy = args.policy.policy_with(source.policy_name.as_ref(), Some(&[requirement]));
    let policy = policy.map_err(|error| {
        let error = missing_policy(error, &args.image);
        match &error.hint {
            Some(hint) if error.code == Code::PolicyMissing => {
                let hint = format!("{hint}; --unverified prints without verifying");
                error.hint(hint)
            }
            _ => error,
        }
    })?;
    let (trust, now) = (args.trust.source()?, now()?);
    let client = Client::builder(Arc::clone(&source.pull), trust.load(now).await?)
        .limits(args.registry.limits()?)
        .evidence_repository(args.registry.attestation_repo().cloned())
        .build();
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, now);
    request.image = source.image.clone().platforms(args.platform.clone());
    request.keep_content = matches!(args.output, Form::Envelope | Form::Bundle);
    let report = client.verify(&request).await;
    let status = ExitStatus::of_verdict(report.verdict());
    if report.verdict() != Verdict::Accept {
        printer.note(render::report(&report, false, false).trim_end());
        return Ok((Vec::new(), status));
    }
    for warning in report.warnings() {
        printer.note(&format!("warning[{}]: {}", warning.code, escape(&warning.message)));
    }
    let limits = args.registry.limits()?;
    let alone = report.cells().len() == 1;
    let mut attestations = Vec::new();
    for cell in report.cells() {
        let attestation = of_cell(&report, cell, args.output, &limits, printer);
        let attestation =
            attestation.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        attestations.push(Attestation { alone, ..attestation });
    }
    Ok((attestations, status))
}

fn of_cell(report: &Report, cell: &Cell, form: Form, limits: &Limits, printer: &Printer) -> Option<Attestation> {
    let newest = newest(report, cell, printer)?;
    let statement = newest.attestation()?.statement();
    let signer = render::signer(statement.bundle(), report.time());
    printer.note(&format!("{}: verified, signed by {signer}", cell.target));
    Some(Attestation {
        target: cell.target.clone(),
        alone: false,
        digest: statement.subject().to_string(),
        predicate_type: statement.statement().predicate_type().to_owned(),
        bytes: part(newest, form, limits)?,
    })
}

/// The newest of those that satisfy a cell; says so where there are several.
fn newest<'a>(report: &'a Report, cell: &Cell, printer: &Printer) -> Option<&'a Assessed> {
    let satisfying = cell.candidates.iter().filter_map(|n| report.candidates().get(*n));
    let time = |candidate: &Assessed| candidate.verified().and_then(|bundle| bundle.times().last()).map(|t| t.time);
    let newest = satisfying.max_by_key(|candidate| time(candidate))?;
    if cell.candidates.len() > 1 {
        let when = time(newest).map(|time| format!(", of {time}")).unwrap_or_default();
        let count = cell.candidates.len();
        printer
            .note(&format!("{}: {count} attestations satisfy the policy; the newest{when}, is printed", cell.target));
    }
    Some(newest)
}

fn part(candidate: &Assessed, form: Form, limits: &Limits) -> Option<Vec<u8>> {
    let statement = candidate.attestation()?.statement();
    match form {
        Form::Predicate => Some(statement.statement().predicate().as_bytes().to_vec()),
        Form::Statement => Some(statement.payload().to_vec()),
        Form::Envelope => candidate.content()?.envelope_json(),
        Form::Bundle => candidate.content()?.bundle_json(limits),
    }
}
