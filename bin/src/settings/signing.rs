//! Who signs, and with which services.

use std::path::{Path, PathBuf};

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Provider, Token};
use cg_attest::sign::{ConfigError, Endpoint, Services, Session, SignError, Signatory, SigningConfig};
use cg_attest::time::Timestamp;
use cg_attest::trust::{Instance, TrustRoot};
use clap::Args;

use super::credential::{Credential, Flow, Found};
use super::{TrustArgs, read_file};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Bytes of a signing config.
const FILE_BYTES: u64 = 1 << 20;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signing")]
pub(crate) struct SigningArgs {
    /// Sign as whoever this token is about: the token, or a file with it. Without it, the platform is asked
    /// (SIGSTORE_ID_TOKEN, GitHub Actions, GitLab, Buildkite, CircleCI), then a person
    #[arg(long, value_name = "TOKEN|FILE", hide_env_values = true)]
    identity_token: Option<Unprinted>,
    /// The same, always a file
    #[arg(long, value_name = "FILE", conflicts_with = "identity_token")]
    identity_token_file: Option<PathBuf>,
    /// Take the token from this provider: envvar, filesystem, github-actions, gitlab, buildkite-agent, circleci
    #[arg(long, value_name = "NAME", conflicts_with_all = ["identity_token", "identity_token_file"])]
    oidc_provider: Option<Provider>,
    /// How people log in: device (a code, on any device) or browser (on this machine)
    #[arg(long, value_name = "FLOW", conflicts_with_all = ["identity_token", "identity_token_file", "oidc_provider"])]
    fulcio_auth_flow: Option<Flow>,
    /// The client as which people log in, and the audience that a token has to have
    #[arg(long, value_name = "ID", default_value = DEFAULT_AUDIENCE)]
    oidc_client_id: String,
    /// Sign with this private key instead: P-256, PEM (PKCS#8, SEC1, or cosign.key with its password in
    /// COSIGN_PASSWORD); the log takes part all the same
    #[arg(long, value_name = "FILE", conflicts_with_all = ["identity_token", "identity_token_file", "oidc_provider", "fulcio_auth_flow"])]
    key: Option<PathBuf>,
    /// Do not ask before an e-mail address goes into a public log
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    config: SigningConfigArgs,
}

/// Which services sign.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signing services")]
pub(crate) struct SigningConfigArgs {
    /// The services that take part (signing config v0.2), instead of the public ones, which TUF keeps up to date
    /// with the trust root
    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,
    /// Another certificate authority
    #[arg(long, value_name = "URL")]
    fulcio_url: Option<String>,
    /// Another log; repeatable
    #[arg(long, value_name = "URL")]
    rekor_url: Vec<String>,
    /// The version of the API of --rekor-url
    #[arg(long, value_name = "1|2", default_value = "1", requires = "rekor_url", value_parser = clap::value_parser!(u32).range(1..=2))]
    rekor_api_version: u32,
    /// Another timestamp authority (the whole address of its service); repeatable
    #[arg(long, value_name = "URL")]
    timestamp_server_url: Vec<String>,
    /// Where people log in
    #[arg(long, value_name = "URL")]
    oidc_issuer: Option<String>,
}

/// What may be a token: no message and no log has it.
#[derive(Clone)]
struct Unprinted(String);

impl From<String> for Unprinted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Unprinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What the flags say, checked; nothing was asked yet.
pub(crate) struct SigningPlan {
    services: ServicesSource,
    credential: Credential,
    audience: String,
    yes: bool,
}

/// Who signs, and with which services.
pub(crate) struct Signing {
    config: SigningConfig,
    credential: Credential,
    audience: String,
    yes: bool,
}

impl SigningArgs {
    /// Checks the flags and reads the files that they name.
    pub(crate) fn plan(&self, trust: &TrustArgs) -> Result<SigningPlan, CliError> {
        Ok(SigningPlan {
            services: self.config.source(trust, self.key.is_some())?,
            credential: self.credential()?,
            audience: self.oidc_client_id.clone(),
            yes: self.yes,
        })
    }

    fn credential(&self) -> Result<Credential, CliError> {
        if let Some(path) = &self.key {
            return Credential::key(path);
        }
        match (&self.identity_token_file, &self.identity_token) {
            (Some(path), _) => Credential::token_file(path),
            // A file's name is no token, and a token is no file's name.
            (None, Some(Unprinted(text))) => match Token::parse(text) {
                Ok(token) => Ok(Credential::Token(token)),
                Err(_) => Credential::token_file(Path::new(text)),
            },
            (None, None) => Ok(match self.fulcio_auth_flow {
                Some(flow) => Credential::Person(flow),
                None => Credential::Ambient(self.oidc_provider),
            }),
        }
    }
}

impl SigningConfigArgs {
    /// The services that the flags name; none for a private trust root without a word about them.
    pub(crate) fn for_showing(&self, trust: &TrustArgs) -> Result<Option<ServicesSource>, CliError> {
        let named = self.signing_config.is_some() || self.fulcio_url.is_some() || !self.rekor_url.is_empty();
        let unknown = trust.is_private() && !named && !trust.is_by_tuf();
        if unknown { Ok(None) } else { self.source(trust, true).map(Some) }
    }

    /// The services that the flags name. `keyed`: nobody needs a certificate.
    fn source(&self, trust: &TrustArgs, keyed: bool) -> Result<ServicesSource, CliError> {
        let named = !self.rekor_url.is_empty() && (self.fulcio_url.is_some() || keyed);
        let base = match &self.signing_config {
            Some(path) => {
                let text = read_file(path, FILE_BYTES)?;
                Some(SigningConfig::parse(&text, &path.display().to_string()).map_err(wrong)?)
            }
            // A token for a private instance does not go to the public one.
            None if trust.is_private() && !named => match trust.is_by_tuf() {
                true => None,
                false => return Err(nowhere()),
            },
            None => {
                let instance = if trust.is_staging() { Instance::Staging } else { Instance::PublicGood };
                let config = SigningConfig::embedded(instance).map_err(wrong)?;
                // The public authority's times are worth nothing under another root.
                Some(if trust.is_private() { config.with_timestamps(Vec::new()) } else { config })
            }
        };
        let endpoint = |url: &String, version| Endpoint::new(url, version).map_err(wrong);
        let one = |url: &Option<String>| url.as_ref().map(|url| endpoint(url, 1)).transpose();
        let all =
            |urls: &[String], version| -> Result<Vec<_>, _> { urls.iter().map(|url| endpoint(url, version)).collect() };
        let source = ServicesSource {
            base,
            by_tuf: self.signing_config.is_none() && trust.is_by_tuf(),
            authority: one(&self.fulcio_url)?,
            issuer: one(&self.oidc_issuer)?,
            logs: all(&self.rekor_url, self.rekor_api_version)?,
            timestamps: all(&self.timestamp_server_url, 1)?,
        };
        // Whether the flags can be used is said before anybody is asked.
        source.base.iter().try_for_each(|base| source.applied(base.clone()).map(drop))?;
        Ok(source)
    }
}

fn wrong(error: ConfigError) -> CliError {
    CliError::usage(error.code(), error)
}

fn nowhere() -> CliError {
    let message = "the trust root is a private instance's, and nothing says where its services are";
    let hint = "name them with `--signing-config FILE`, or with --fulcio-url and --rekor-url; a TUF repository may have them as well";
    CliError::usage(Code::SigningConfig, message).hint(hint)
}

/// The services as the flags say, until the trust root is there: its repository may know them better.
pub(crate) struct ServicesSource {
    base: Option<SigningConfig>,
    by_tuf: bool,
    authority: Option<Endpoint>,
    issuer: Option<Endpoint>,
    logs: Vec<Endpoint>,
    timestamps: Vec<Endpoint>,
}

impl ServicesSource {
    /// Whether there are any.
    pub(crate) fn is_known(&self, trust: &TrustRoot) -> bool {
        self.base.is_some() || trust.signing_config().is_some()
    }

    /// The signing config of the repository that the trust root came from, else the one that was named or built in.
    pub(crate) fn settled(self, trust: &TrustRoot) -> Result<SigningConfig, CliError> {
        let base = match trust.signing_config().filter(|_| self.by_tuf) {
            Some(text) => SigningConfig::parse(text, trust.source()).map_err(wrong)?,
            None => self.base.clone().ok_or_else(nowhere)?,
        };
        self.applied(base)
    }

    /// What the flags name instead.
    fn applied(&self, base: SigningConfig) -> Result<SigningConfig, CliError> {
        let mut config = base;
        if let Some(authority) = &self.authority {
            config = config.with_authority(authority.clone()).map_err(wrong)?;
        }
        if let Some(issuer) = &self.issuer {
            config = config.with_issuer(issuer.clone()).map_err(wrong)?;
        }
        if !self.logs.is_empty() {
            config = config.with_logs(self.logs.clone());
        }
        if !self.timestamps.is_empty() {
            config = config.with_timestamps(self.timestamps.clone());
        }
        Ok(config)
    }
}

impl SigningPlan {
    /// With the services of the repository that the trust root came from, if it has some.
    pub(crate) fn settled(self, trust: &TrustRoot) -> Result<Signing, CliError> {
        let Self { services, credential, audience, yes } = self;
        Ok(Signing { config: services.settled(trust)?, credential, audience, yes })
    }
}

impl Signing {
    /// The same for the legacy format, which needs the promise of a log of version 1.
    pub(crate) fn with_promising_log(self) -> Self {
        Self { config: self.config.prefer_log_version(1), ..self }
    }

    /// The services that take part now. Nobody is asked before they are known.
    pub(crate) fn services(&self, now: Timestamp) -> Result<Services, CliError> {
        let services = self.config.select(now).and_then(|services| match self.credential {
            Credential::Key(_) => Ok(services),
            _ => services.require_authority().map(drop).map(|()| services),
        });
        services.map_err(|error| {
            let error = CliError::usage(error.code(), error);
            // What was built in grows old with the program.
            let hint = "the services that this version knows have changed: take a newer version, or name them with `--signing-config FILE`";
            if self.config.is_embedded() { error.hint(hint) } else { error }
        })
    }

    /// The public key, PEM, where a key signs.
    pub(crate) fn public_key_pem(&self) -> Option<String> {
        match &self.credential {
            Credential::Key(key) => Some(key.public_key_pem()),
            _ => None,
        }
    }

    /// Who would sign, without a login and without a certificate.
    pub(crate) async fn signatory(
        &self,
        limits: &Limits,
        now: Timestamp,
        printer: &Printer,
    ) -> Result<Signatory, CliError> {
        self.credential.signatory(&self.audience, limits, now, printer).await
    }

    /// A session: the identity is found, or somebody logs in. What is signed is
    /// verified under `trust`.
    pub(crate) async fn session(
        self,
        trust: TrustRoot,
        limits: Limits,
        now: Timestamp,
        printer: &Printer,
    ) -> Result<Session, CliError> {
        let services = self.services(now)?;
        let token = match self.credential.find(&services, &self.audience, self.yes, &limits, printer).await? {
            Found::Key(key) => return Ok(Session::with_key(services, key, trust).limits(limits)),
            Found::Token(token) => token,
        };
        Session::keyless(services, token, &self.audience, trust).map(|session| session.limits(limits)).map_err(failed)
    }
}

/// What a failed signature ends with: what the flags or files are to blame for
/// is 2, what may pass is 3, what was refused is 1.
pub(crate) fn failed(error: SignError) -> CliError {
    let code = error.code();
    let status = match code {
        Code::NoIdentity
        | Code::TokenInvalid
        | Code::TokenExpired
        | Code::TokenAudience
        | Code::SigningConfig
        | Code::KeyUnusable => ExitStatus::Usage,
        Code::ServiceUnavailable | Code::ServiceRateLimited | Code::Limit | Code::NoCryptoProvider => {
            ExitStatus::Undecided
        }
        Code::Internal => ExitStatus::Internal,
        _ => ExitStatus::Refused,
    };
    CliError { status, code, message: error.to_string(), hint: None }
}
