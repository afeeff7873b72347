//! Which services sign: what flags name, what the TUF repository of the trust root knows, what is built in.

use std::path::PathBuf;

use cg_attest::code::Code;
use cg_attest::sign::{ConfigError, Endpoint, SigningConfig};
use cg_attest::trust::{Instance, TrustRoot};
use clap::Args;

use super::{TrustArgs, read_file};
use crate::error::CliError;

/// Bytes of a signing config.
const FILE_BYTES: u64 = 1 << 20;

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

impl SigningConfigArgs {
    /// The services that the flags name; none for a private trust root without a word about them.
    pub(crate) fn for_showing(&self, trust: &TrustArgs) -> Result<Option<ServicesSource>, CliError> {
        let named = self.signing_config.is_some() || self.fulcio_url.is_some() || !self.rekor_url.is_empty();
        let unknown = trust.is_private() && !named && !trust.is_by_tuf();
        if unknown { Ok(None) } else { self.source(trust, true).map(Some) }
    }

    /// The services that the flags name. `keyed`: nobody needs a certificate.
    pub(super) fn source(&self, trust: &TrustArgs, keyed: bool) -> Result<ServicesSource, CliError> {
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
