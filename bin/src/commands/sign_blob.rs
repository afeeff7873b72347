//! `cg-attest sign-blob`: signs a file.

use std::io::Read;
use std::path::{Path, PathBuf};

use cg_attest::digest::{Algorithm, Digest, Hasher};
use cg_attest::limits::Limits;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::settings::{SigningArgs, TrustArgs, limits_with_time, now, place_for, write_atomically};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cg-attest sign-blob app.tar.gz --bundle app.sigstore.json
  cg-attest sign-blob app.tar.gz --bundle app.sigstore.json --identity-token-file token
  cg-attest sign-blob app.tar.gz --bundle app.sigstore.json --key key.pem
  cg-attest verify-blob app.tar.gz --bundle app.sigstore.json --identity NAME --issuer URL")]
pub(crate) struct Args {
    /// The file; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the bundle is written
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Time for the signature: 90s, 3m
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Signs a file and writes the bundle, which our own verifier accepted.
pub(crate) async fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let limits = limits_with_time(Limits::default(), args.timeout.as_deref())?;
    place_for(&args.bundle)?;
    let plan = args.signing.plan(&args.trust)?;
    let trust = args.trust.source_for_signing()?;
    let digest = digest_of(&args.file)?;
    let now = now()?;
    let trust = trust.load(now).await?;
    let session = plan.settled(&trust)?.session(trust, limits, now, printer).await?;
    let signed = session.sign_digest(&digest).await.map_err(CliError::signing)?;
    write_atomically(&args.bundle, signed.bytes())?;
    let time = signed.time().map(|time| format!(" at {time}")).unwrap_or_default();
    let name = escape(&signed.signer().identity().value);
    printer.note(&format!("{}: signed by {name}{time}", Path::new(&args.bundle).display()));
    Ok(ExitStatus::Accepted)
}

/// The digest of a file of any size, or of stdin.
fn digest_of(path: &Path) -> Result<Digest, CliError> {
    let wrong = |problem: std::io::Error| CliError::file(path, problem);
    let mut from: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(path).map_err(wrong)?),
    };
    let (mut hasher, mut buffer) = (Hasher::new(Algorithm::Sha256), vec![0; 1 << 20]);
    loop {
        match from.read(&mut buffer).map_err(wrong)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
