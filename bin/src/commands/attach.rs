//! `cg-attest attach`: bundles that were signed elsewhere, attached to the image that they are about.

use std::path::PathBuf;

use cg_attest::attach::{Form, Subjects};
use cg_attest::image::Reference;
use cg_attest::registry::Context;
use cg_attest::sign::SignedBundle;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render;
use crate::settings::{RegistryArgs, Sources, TrustArgs, WriteArgs, now, read_file, read_input};

#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  cg-attest attach registry.example/app:1.2 app.sigstore.json
  cg-attest attach --dry-run -o json registry.example/app@sha256:… *.sigstore.json
  cg-attest attach oci:./layout attestations.jsonl

Every bundle goes to the digest that it is about: the image, or one of its platforms.")]
pub(crate) struct Args {
    /// The image: NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Bundles: JSON, or one per line; - is stdin
    #[arg(value_name = "BUNDLE", required = true)]
    bundle: Vec<PathBuf>,
    /// The public key (PEM) of bundles that a key signed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    writing: WriteArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Attaches what holds under the trust root and is about this image.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let limits = args.registry.limits()?;
    let mut files = Vec::new();
    for path in &args.bundle {
        let bytes = read_input(path, limits.attestation_bytes)?;
        files.extend(documents(bytes).into_iter().map(|bundle| (path.display().to_string(), bundle)));
    }
    let key = args.key.as_deref().map(|path| read_file(path, 1 << 20)).transpose()?;
    let key = key.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let trust = args.trust.source()?;
    let mut sources = Sources::prepare(std::slice::from_ref(&args.image), &args.registry, args.trust.offline)?;
    let source = sources.open(&args.image)?;
    let now = now()?;
    let attacher = args.writing.attacher(&source, &args.registry, trust.load(now).await?, now, &limits);
    let attacher = attacher.key(key).build();

    let context = Context::new(limits);
    let reference: &Reference = &source.image.reference;
    let subjects = Subjects::resolve(&*source.pull, &context, reference).await.map_err(CliError::attaching)?;
    let mut bundles: Vec<SignedBundle> = Vec::new();
    for (name, bytes) in files {
        bundles.extend(attacher.bundles(&name, bytes, &subjects).map_err(CliError::attaching)?);
    }
    let format = args.writing.signature_format;
    let mut layers = Vec::new();
    if format != Form::Bundle {
        // All of them before anything is written.
        for bundle in &bundles {
            layers.push(attacher.layer_of_bundle(bundle).map_err(CliError::attaching)?);
        }
    }
    if format == Form::Legacy {
        bundles.clear();
    }
    let plan = attacher.plan(&context, &subjects, &bundles, &layers).await.map_err(CliError::attaching)?;
    let pinned = source.pinned(&plan.image);
    if args.writing.dry_run {
        printer.data(render::plan(&pinned, &plan, args.writing.output)?.as_bytes())?;
        return Ok(ExitStatus::Accepted);
    }
    let attached = attacher.apply(&context, &plan).await.map_err(CliError::attaching)?;
    printer.data(render::attached(&pinned, &plan, &attached, args.writing.output)?.as_bytes())?;
    Ok(ExitStatus::Accepted)
}

/// One document, or one per line, as `gh attestation download` writes them.
fn documents(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let each = lines.iter().all(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
    // What is neither is one broken document, and is refused as one.
    if whole || !each || lines.is_empty() { vec![bytes] } else { lines.into_iter().map(<[u8]>::to_vec).collect() }
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[test]
    fn a_file_is_one_bundle_or_one_per_line() {
        let count = |text: &str| documents(text.as_bytes().to_vec()).len();
        assert_eq!(count("{}"), 1);
        assert_eq!(count("{\n\"a\":1\n}\n"), 1);
        assert_eq!(count("{}\n\n{\"a\":1}\n"), 2);
        assert_eq!(count("{}\n{"), 1);
        assert_eq!(count(""), 1);
    }
}
