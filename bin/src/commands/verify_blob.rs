//! `verify-blob`: is this file what its signer signed?

use std::io::Read;
use std::path::{Path, PathBuf};

use cg_attest::digest::{Algorithm, Digest, Hasher, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::report::BlobReport;
use cg_attest::verify::{Assessor, BlobInput};
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render;
use crate::settings::{Format, PolicyArgs, TrustArgs, now, read_file};

/// Bytes of a file that are held, for the signatures that need all of them
/// (Ed25519). A longer file is only hashed.
const HELD: u64 = 64 << 20;

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "Examples:
  cg-attest verify-blob app.tar.gz --bundle app.sigstore.json --identity NAME --issuer URL
  cg-attest verify-blob app.tar.gz --bundle app.sigstore.json --key key.pub
  cg-attest verify-blob sha256:… --bundle sbom.sigstore.json --type spdx --identity NAME --issuer URL
  curl -L … | cg-attest verify-blob - --bundle app.sigstore.json --identity NAME --issuer URL")]
pub(crate) struct Args {
    /// The file; - is stdin, sha256:… or sha512:… its digest (./sha256:… a file of that name)
    #[arg(value_name = "FILE")]
    file: String,
    /// The Sigstore bundle for it
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// The file as it was read.
enum Blob {
    Held(Vec<u8>),
    Hashed { sha256: Digest, sha512: Digest },
    Named(Digest),
}

/// Verifies one bundle for one file and prints the report.
pub(crate) async fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let policy = args.policy.for_blob()?;
    let trust = args.trust.source()?;
    let limits = Limits::default();
    let bundle = VerifiedBlob::of(read_file(&args.bundle, limits.attestation_bytes)?);
    let bundle = Candidate::bundle(bundle, Origin::new(OriginKind::File, args.bundle.display().to_string()));
    let blob = Blob::read(&args.file)?;
    let input = match &blob {
        Blob::Held(bytes) => BlobInput::Bytes(bytes),
        Blob::Hashed { sha256, sha512 } => BlobInput::Hashed { sha256, sha512 },
        Blob::Named(digest) => BlobInput::Digest(digest),
    };
    let now = now()?;
    let trust = trust.load(now).await?;
    let assessor = Assessor::new(&policy, &trust, now, &limits);
    let report = BlobReport::verify(&assessor, &args.file, &bundle, &input);
    let text = match args.output {
        Format::Text => printer.fitted(render::blob(&report, printer.is_colored())),
        Format::Json => serde_json::to_string_pretty(&report.document()).map_err(CliError::internal)? + "\n",
    };
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::of_verdict(report.verdict()))
}

impl Blob {
    /// A digest is one even if a file of that name lies here: which of the two
    /// is verified may not depend on the folder.
    fn read(name: &str) -> Result<Self, CliError> {
        let path = Path::new(name);
        if name == "-" {
            return Self::stream(path, std::io::stdin().lock(), HELD);
        }
        let looks_like_one = name.starts_with("sha256:") || name.starts_with("sha512:");
        match name.parse::<Digest>() {
            Ok(digest) => Ok(Self::Named(digest)),
            Err(error) if looks_like_one && !path.exists() => Err(CliError::usage(error.code(), error)),
            Err(_) => Self::stream(path, std::fs::File::open(path).map_err(|e| CliError::file(path, e))?, HELD),
        }
    }

    fn stream(path: &Path, mut from: impl Read, limit: u64) -> Result<Self, CliError> {
        let mut next = |held: &mut Vec<u8>, most: u64| {
            held.clear();
            from.by_ref().take(most).read_to_end(held).map_err(|e| CliError::file(path, e))
        };
        let mut held = Vec::new();
        if next(&mut held, limit + 1)? as u64 <= limit {
            return Ok(Self::Held(held));
        }
        let (mut sha256, mut sha512) = (Hasher::new(Algorithm::Sha256), Hasher::new(Algorithm::Sha512));
        while !held.is_empty() {
            sha256.update(&held);
            sha512.update(&held);
            next(&mut held, 1 << 20)?;
        }
        Ok(Self::Hashed { sha256: sha256.finish(), sha512: sha512.finish() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_up_to_the_bound_and_hashed_beyond_it() {
        let bytes: Vec<u8> = (0..=255).cycle().take((1 << 20) + 100).collect();
        let read = |limit: usize| Blob::stream(Path::new("file"), bytes.as_slice(), limit as u64).expect("a file");
        assert!(matches!(read(bytes.len()), Blob::Held(held) if held == bytes));
        for limit in [bytes.len() - 1, 10] {
            let Blob::Hashed { sha256, sha512 } = read(limit) else { panic!("held beyond {limit} bytes") };
            assert_eq!(sha256, Digest::sha256(&bytes));
            assert_eq!(sha512, Digest::compute(Algorithm::Sha512, &bytes));
        }
    }
}
