//! The client under test of sigstore-conformance, by its protocol
//! (`docs/cli_protocol.md` there): a thin shell around the library.
//!
//! Exit: 0 verified or signed, 1 refused, 2 wrong arguments or a file that
//! cannot be read or written.

use std::fmt::Display;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cg_attest::check::Outcome;
use cg_attest::digest::{Algorithm, Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Token};
use cg_attest::sign::{Session, SignError, SigningConfig};
use cg_attest::statement::Statement;
use cg_attest::time::Timestamp;
use cg_attest::trust::{Instance, TrustRoot};
use cg_attest::verify::{Assessed, Assessor, BlobInput};
use clap::{Args, Parser};

/// Bytes of a key file.
const MAX_KEY: u64 = 64 << 10;
/// Bytes of the artifact, which is held in memory: Ed25519 signs all of it.
const MAX_ARTIFACT: u64 = 1 << 30;

#[derive(Debug, Parser)]
#[command(name = "cg-attest-conformance", version)]
enum Command {
    /// Sign a file, or a statement
    SignBundle(SignBundle),
    /// Verify a bundle for a file or a digest
    VerifyBundle(VerifyBundle),
}

#[derive(Debug, Args)]
struct SignBundle {
    /// Sign with the public staging instance, unless a config and a trust root are given
    #[arg(long)]
    staging: bool,
    /// The file is an in-toto statement
    #[arg(long)]
    in_toto: bool,
    /// The identity token
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    identity_token: String,
    /// Where the bundle is written
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The trust root; without it the public-good instance's
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The services; without it the public-good instance's
    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,
    /// The artifact
    #[arg(value_name = "FILE")]
    artifact: PathBuf,
}

#[derive(Debug, Args)]
struct VerifyBundle {
    /// Trust the public staging instance, unless a trust root is given
    #[arg(long)]
    staging: bool,
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The identity in the certificate
    #[arg(long, value_name = "IDENTITY", required_unless_present = "key", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// The issuer in the certificate
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The public key, PEM, instead of an identity
    #[arg(long, value_name = "FILE", conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,
    /// The trust root; without it the public-good instance's
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The artifact, or its digest as sha256:<64 hex digits>
    #[arg(value_name = "FILE_OR_DIGEST")]
    artifact: String,
}

/// Arguments that cannot be used, in words.
struct Unusable(String);

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // There is nowhere left to say that stderr is closed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match command {
        Command::SignBundle(arguments) => match sign(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(NotSigned::Unusable(Unusable(why))) => {
                say(why);
                ExitCode::from(2)
            }
            Err(NotSigned::Refused(error)) => {
                say(format_args!("{}: {error}", error.code()));
                ExitCode::from(1)
            }
        },
        Command::VerifyBundle(arguments) => match verify(&arguments) {
            Ok(assessed) => answer(&assessed),
            Err(Unusable(why)) => {
                say(why);
                ExitCode::from(2)
            }
        },
    }
}

/// Why there is no bundle.
enum NotSigned {
    Unusable(Unusable),
    Refused(SignError),
}

impl From<Unusable> for NotSigned {
    fn from(why: Unusable) -> Self {
        Self::Unusable(why)
    }
}

impl From<SignError> for NotSigned {
    fn from(error: SignError) -> Self {
        Self::Refused(error)
    }
}

fn sign(arguments: &SignBundle) -> Result<(), NotSigned> {
    let limits = Limits::default();
    let trust = trust_root(arguments.trusted_root.as_deref(), arguments.staging, &limits)?;
    let config = match &arguments.signing_config {
        Some(path) => SigningConfig::parse(&read(path, limits.trusted_root_bytes)?, &path.display().to_string()),
        None if arguments.staging => SigningConfig::embedded(Instance::Staging),
        None => SigningConfig::embedded(Instance::PublicGood),
    };
    let now = now()?;
    let services = config.and_then(|config| config.select(now)).map_err(SignError::from)?;
    let token = Token::parse(&arguments.identity_token).map_err(SignError::from)?;
    let session = Session::keyless(services, token, DEFAULT_AUDIENCE, trust)?;
    let artifact = read(&arguments.artifact, MAX_ARTIFACT)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
    let signed = if arguments.in_toto {
        let statement = Statement::parse(&artifact, &limits).map_err(unusable)?;
        let subject =
            statement.first_digest().ok_or_else(|| unusable("the statement names no sha256 or sha512 digest"))?;
        runtime.block_on(session.sign_statement(&artifact, &subject))?
    } else {
        runtime.block_on(session.sign_file(&artifact))?
    };
    std::fs::write(&arguments.bundle, signed.bytes()).map_err(unusable)?;
    Ok(())
}

fn verify(arguments: &VerifyBundle) -> Result<Assessed, Unusable> {
    let limits = Limits::default();
    let trust = trust_root(arguments.trusted_root.as_deref(), arguments.staging, &limits)?;
    let policy = policy(arguments)?;
    let bundle = read(&arguments.bundle, limits.attestation_bytes)?;
    let bundle = VerifiedBlob::of(bundle);
    let bundle = Candidate::bundle(bundle, Origin::new(OriginKind::File, arguments.bundle.display().to_string()));
    let assessor = Assessor::new(&policy, &trust, now()?, &limits);
    if let Some(digest) = digest(&arguments.artifact) {
        return Ok(assessor.assess_blob(&bundle, &BlobInput::Digest(&digest)));
    }
    let artifact = read(Path::new(&arguments.artifact), MAX_ARTIFACT)?;
    Ok(assessor.assess_blob(&bundle, &BlobInput::Bytes(&artifact)))
}

/// The protocol names no type: a signature of the artifact will do, and so
/// will a statement of any type that is about it.
fn answer(assessed: &Assessed) -> ExitCode {
    if assessed.signature().is_some() || assessed.attestation().is_some() {
        return ExitCode::SUCCESS;
    }
    for check in assessed.checks().iter().filter(|check| check.outcome == Outcome::Fail) {
        let code = check.code.map(|code| code.to_string()).unwrap_or_default();
        say(format_args!("{}: {code}: {}", check.name, check.detail.as_deref().unwrap_or_default().escape_debug()));
    }
    ExitCode::from(1)
}

fn trust_root(file: Option<&Path>, staging: bool, limits: &Limits) -> Result<TrustRoot, Unusable> {
    let root = match file {
        Some(path) => TrustRoot::parse(&read(path, limits.trusted_root_bytes)?, &path.display().to_string()),
        None if staging => TrustRoot::embedded(Instance::Staging),
        None => TrustRoot::embedded(Instance::PublicGood),
    };
    root.map_err(unusable)
}

fn policy(arguments: &VerifyBundle) -> Result<Policy, Unusable> {
    let mut builder = Policy::builder().name("conformance").require(Requirement::signature());
    if let Some(path) = &arguments.key {
        builder = builder.key(&String::from_utf8(read(path, MAX_KEY)?).map_err(unusable)?);
    }
    if let Some(identity) = &arguments.certificate_identity {
        builder = builder.identity(Pattern::exact(identity).map_err(unusable)?);
    }
    if let Some(issuer) = &arguments.certificate_oidc_issuer {
        builder = builder.issuer(Pattern::exact(issuer).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// The digest that the artifact argument is, unless it is a file's name.
fn digest(artifact: &str) -> Option<Digest> {
    let digest: Digest = artifact.parse().ok()?;
    (digest.algorithm() == Algorithm::Sha256 && !Path::new(artifact).exists()).then_some(digest)
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unusable> {
    let wrong = |problem: &dyn Display| Unusable(format!("{}: {problem}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| wrong(&e))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| wrong(&e))?;
    if bytes.len() as u64 > limit {
        return Err(wrong(&format_args!("longer than {limit} bytes")));
    }
    Ok(bytes)
}

fn now() -> Result<Timestamp, Unusable> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(unusable)?;
    Timestamp::from_unix(i64::try_from(since.as_secs()).map_err(unusable)?).map_err(unusable)
}

fn unusable(error: impl Display) -> Unusable {
    Unusable(error.to_string())
}

fn say(text: impl Display) {
    // There is nowhere left to say that stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
