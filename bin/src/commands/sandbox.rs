//! `sandbox`: a virtual Sigstore and a registry on the loopback address, for
//! as long as the command runs, so that any project can test how it signs.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::registry::Context;
use cg_attest::testing::{ImageBuilder, ReferrersApi, Registry, SigstoreServer};
use clap::Args as ClapArgs;
use futures_util::future::OptionFuture;
use serde_json::json;
use tokio::sync::oneshot;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, Tone, paint};

/// What is in the registry from the start: something to sign.
const REPOSITORY: &str = "example/hello";

/// The token in the file outlasts every sandbox.
const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const WARNING: &str = "Not for production: the keys are made for this run, and the issuer believes everybody.";

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The files are there until the command ends, which removes them. Anybody who can connect to this
machine's loopback address can sign here as anybody.
Exit: 0 ended as asked · 2 a port or folder that cannot be had"
)]
pub(crate) struct Args {
    /// Print one line of JSON: registry, trustedRoot, signingConfig, token, identity, issuer, clientTrustConfig …
    #[arg(long)]
    json: bool,
    /// The registry listens at this port and Sigstore at the next one [default: ports that are free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..u16::MAX as i64))]
    port_base: Option<u16>,
    /// Put the files into this folder [default: a new one below the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Who the token in the file is for, and who logs in with a browser or a device
    #[arg(long, value_name = "EMAIL", default_value = "dev@example.com")]
    identity: String,
    /// Have a registry without the referrers API, whose clients keep an index under a fallback tag
    #[arg(long)]
    no_referrers_api: bool,
    /// End when stdin does, as it does with the program that started this one
    #[arg(long)]
    until_stdin_closes: bool,
}

/// Serves until it is told to stop.
pub(crate) async fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    // Before anything is announced: whoever reads the announcement may stop us at once.
    let signals = signals()?;
    let sandbox = Sandbox::start(args).await?;
    if args.json {
        printer.note(WARNING);
        printer.data(format!("{}\n", sandbox.json()).as_bytes())?;
    } else {
        printer.data(sandbox.text(printer.is_colored()).as_bytes())?;
    }
    let stdin = args.until_stdin_closes.then(end_of_stdin);
    tokio::select! {
        () = signals => {}
        // Sent or dropped, it has ended.
        Some(_) = OptionFuture::from(stdin) => {}
    }
    sandbox.files.remove()?;
    Ok(ExitStatus::Accepted)
}

struct Sandbox {
    registry: Registry,
    sigstore: SigstoreServer,
    image: String,
    identity: String,
    files: Files,
}

impl Sandbox {
    async fn start(args: &Args) -> Result<Self, CliError> {
        // Zero is a port that is free.
        let (of_registry, of_sigstore) = args.port_base.map_or((0, 0), |base| (base, base + 1));
        let taken = |port| {
            move |error| {
                let error = CliError::usage(Code::Usage, format!("--port-base: port {port} of 127.0.0.1: {error}"));
                error.hint("choose another one, or leave the flag out for ports that are free")
            }
        };
        let registry = Registry::start_at(of_registry).map_err(taken(of_registry))?;
        let sigstore = SigstoreServer::start_at(of_sigstore).map_err(taken(of_sigstore))?;
        registry.forget_requests();
        sigstore.forget_requests();
        sigstore.log_in_as(&args.identity);
        if args.no_referrers_api {
            registry.referrers_api(ReferrersApi::Absent(404));
        }
        let image = ImageBuilder::new().build();
        let repository = registry.repository(REPOSITORY);
        let context = Context::new(Limits::default());
        image.upload.push(registry.content(), &context, &repository).await.map_err(CliError::internal)?;

        let mut files = Files::new(args.dir.as_deref())?;
        files.write("trusted_root.json", &sigstore.trusted_root_json())?;
        files.write("signing_config.json", &sigstore.signing_config_json())?;
        files.write("signing_config_v1.json", &sigstore.signing_config_v1_json())?;
        files.write("client_trust_config.json", &sigstore.client_trust_config_json())?;
        files.write("token", &sigstore.email_token_for(&args.identity, TOKEN_LIFETIME))?;
        let image = format!("{repository}@{}", image.index.digest);
        Ok(Self { registry, sigstore, image, identity: args.identity.clone(), files })
    }

    /// Where a token for anybody comes from.
    fn token_url(&self) -> String {
        format!("{}/token?email=", self.sigstore.url())
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "registry": self.registry.address(),
            "image": self.image,
            "trustedRoot": self.files.path("trusted_root.json"),
            "signingConfig": self.files.path("signing_config.json"),
            "signingConfigRekorV1": self.files.path("signing_config_v1.json"),
            "clientTrustConfig": self.files.path("client_trust_config.json"),
            "token": self.files.path("token"),
            "tokenUrl": self.token_url(),
            "identity": self.identity,
            "issuer": self.sigstore.url(),
            "actionsIdTokenRequestUrl": self.sigstore.request_url(),
            "actionsIdTokenRequestToken": self.sigstore.request_token(),
        })
    }

    fn text(&self, colored: bool) -> String {
        let Self { image, identity, files, .. } = self;
        let (registry, issuer) = (self.registry.address(), self.sigstore.url());
        let path = |name: &str| files.path(name).display().to_string();
        let (root, config, token) = (path("trusted_root.json"), path("signing_config.json"), path("token"));
        let (v1, both) = (path("signing_config_v1.json"), path("client_trust_config.json"));
        let token_url = self.token_url();
        let title = paint(colored, Tone::Strong, "A virtual Sigstore and a registry, until Ctrl-C.");
        format!(
            "{title}
{WARNING}

registry             {registry}
an image to sign     {image}
trusted root         {root}
signing config       {config}
  with Rekor v1      {v1}
both, for Python     {both}
issuer               {issuer}
identity             {identity}
token                {token}
  for anybody        curl '{token_url}alice@example.com'
  for a workflow     curl '{issuer}/token?repository=octo/hello&ref=refs/heads/main'

cosign sign --yes --signing-config {config} --trusted-root {root} \\
  --identity-token {token} {image}
cosign verify --trusted-root {root} \\
  --certificate-identity {identity} --certificate-oidc-issuer {issuer} {image}
cg-attest verify --trusted-root {root} \\
  --identity {identity} --issuer {issuer} {image}
"
        )
    }
}

/// The files of a sandbox. They are gone when it is.
struct Files {
    folder: PathBuf,
    /// Whether the folder is ours to remove as well.
    made: bool,
    written: Vec<PathBuf>,
}

impl Files {
    fn new(folder: Option<&Path>) -> Result<Self, CliError> {
        let Some(folder) = folder else {
            let made = tempfile::Builder::new().prefix("cg-attest-sandbox-").tempdir().map_err(CliError::internal)?;
            return Ok(Self { folder: made.keep(), made: true, written: Vec::new() });
        };
        let made = !folder.is_dir();
        if made {
            std::fs::create_dir_all(folder).map_err(|error| CliError::file(folder, error))?;
        }
        let folder = std::path::absolute(folder).map_err(|error| CliError::file(folder, error))?;
        Ok(Self { folder, made, written: Vec::new() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file that is not there yet: what another sandbox serves by is not taken from it.
    fn write(&mut self, name: &str, text: &str) -> Result<(), CliError> {
        let path = self.path(name);
        let problem = |error| CliError::file(&path, error).hint("name another folder, or remove what a sandbox left");
        let mut file: File = OpenOptions::new().write(true).create_new(true).open(&path).map_err(problem)?;
        self.written.push(path.clone());
        file.write_all(text.as_bytes()).map_err(problem)
    }

    /// Removes the files, and says so where that cannot be done.
    fn remove(mut self) -> Result<(), CliError> {
        self.remove_all()
    }

    fn remove_all(&mut self) -> Result<(), CliError> {
        for path in std::mem::take(&mut self.written) {
            std::fs::remove_file(&path).map_err(|error| CliError::file(&path, error))?;
        }
        if std::mem::take(&mut self.made) {
            std::fs::remove_dir(&self.folder).map_err(|error| CliError::file(&self.folder, error))?;
        }
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // On the way out of an error, which is what gets told.
        let _ = self.remove_all();
    }
}

/// Ends when the system says so: Ctrl-C, or what a supervisor or a closed terminal sends.
#[cfg(unix)]
fn signals() -> Result<impl Future<Output = ()>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(CliError::internal);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn signals() -> Result<impl Future<Output = ()>, CliError> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// A thread of its own: a read that nobody ends would keep the runtime from ending.
fn end_of_stdin() -> oneshot::Receiver<()> {
    let (send, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = [0; 1024];
        while matches!(stdin.read(&mut buffer), Ok(1..)) {}
        drop(send);
    });
    ended
}
