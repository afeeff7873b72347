//! Who signs: the flags, and a session of whoever they name.

use std::path::{Path, PathBuf};

use cg_attest::limits::Limits;
use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Provider, Token};
use cg_attest::sign::{Services, Session, Signatory, SigningConfig};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use clap::Args;

use super::TrustArgs;
use super::credential::{Credential, Flow, Found};
use super::services::{ServicesSource, SigningConfigArgs};
use crate::error::CliError;
use crate::printer::Printer;

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
        Session::keyless(services, token, &self.audience, trust)
            .map(|session| session.limits(limits))
            .map_err(CliError::signing)
    }
}
