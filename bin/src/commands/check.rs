//! `check`: whether what is signed about an image is what is in it.

use std::path::PathBuf;

use cg_attest::audit::{self, CheckReport, Witness};
use cg_attest::client::VerifyRequest;
use cg_attest::code::Code;
use cg_attest::policy::Requirement;
use cg_attest::report::{Report, Unresolved, Verdict};
use cg_attest::sbom::check::{Claimed, Rule};
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render;
use crate::settings::{self, EvidenceArgs, Format, PlatformArgs, Source, naming_the_signer, now};

#[derive(Debug, ClapArgs)]
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(after_help = "Exit: 0 nothing found · 1 findings, or no SBOM · 2 usage or policy · 3 undecided")]
#[command(after_long_help = "Examples:
  cg-attest check cgr.dev/chainguard/nginx
  cg-attest check cgr.dev/chainguard/nginx --platform linux/arm64 --rules distroless,nonroot
  cg-attest check oci:. --sbom app.spdx.json --platform linux/amd64          (a document before it is signed)

The verified SBOM of each platform is compared with what is in its layers, verified provenance
and apko configurations with both, and so is /etc/apko.json of the image. Fields are compared
where somebody defines them to be the same. What is not compared is said.
Exit: 0 nothing found · 1 findings, or no SBOM · 2 usage or policy · 3 undecided")]
pub(crate) struct Args {
    /// NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// What the image has to be as well: distroless, nonroot, chainguard-origin, chainguard-annotations
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rules: Vec<Rule>,
    /// Compare this SPDX document with the layers, instead of what is attached; nothing is verified
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// Compares what is said of each platform with what is in it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let limits = args.evidence.registry.limits()?;
    let sbom = args.sbom.as_deref().map(|file| {
        let bytes = settings::read_input(file, limits.attestation_bytes)?;
        Claimed::parse(&bytes, &limits).map_err(|error| CliError::usage(error.code(), error))
    });
    let sbom = sbom.transpose()?;
    let source = args.evidence.open(&args.image)?;
    let report = if sbom.is_some() { None } else { Some(verify(&args, &source).await?) };
    let witness = match (&sbom, &report) {
        (Some(sbom), _) => Witness::Document(sbom),
        (None, Some(report)) => Witness::Report(report),
        (None, None) => return Err(CliError::internal("nothing to check the image with")),
    };
    let image = source.image.clone().platforms(args.platforms.named());
    let bars = printer.bars();
    let reader = args.evidence.registry.reader(&*source.pull)?.progress(&bars);
    let found = audit::check(&reader, &image, witness, &args.rules).await;
    drop(bars);
    let verdict = found.as_ref().map_or_else(without, CheckReport::verdict);
    let text = match (found, args.output) {
        (Ok(found), Format::Text) => printer.fitted(render::checked(&args.image, &found)),
        (Ok(found), Format::Json) => render::checked_document(&args.image, sbom.is_none(), &found)?,
        // Whoever reads JSON gets a document, as from `verify`.
        (Err(why), Format::Json) => render::unchecked_document(&args.image, &why, verdict)?,
        (Err(why), Format::Text) if verdict == Verdict::Refuse => return Err(CliError::refused(why.code, why.message)),
        (Err(why), Format::Text) => return Err(CliError::undecided(why.code, why.message)),
    };
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::of_verdict(verdict))
}

/// What follows when there was nothing to look at.
fn without(why: &Unresolved) -> Verdict {
    if why.code == Code::PlatformAbsent { Verdict::Refuse } else { Verdict::Undecided }
}

/// What a policy accepts of each kind of statement; one that is absent refuses nothing here.
async fn verify(args: &Args, source: &Source) -> Result<Report, CliError> {
    let kinds: Result<Vec<Requirement>, _> = KINDS.iter().map(|kind| kind.parse::<Requirement>()).collect();
    let kinds = kinds.map_err(CliError::internal)?;
    // Provenance that its certificate belies is no witness.
    let policy = args.evidence.policy.with_agreement().policy_with(source.policy_name.as_ref(), Some(&kinds));
    let policy = policy.map_err(|error| naming_the_signer(error, &args.image))?;
    let now = now()?;
    let client = args.evidence.client(source, now).await?;
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, now);
    request.image = source.image.clone().platforms(args.platforms.named());
    Ok(client.verify(&request).await)
}

/// The SBOM, without which there is nothing to check, and other witnesses.
const KINDS: [&str; 3] = ["spdx", "slsa", "apko"];
