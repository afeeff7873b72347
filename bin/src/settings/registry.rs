//! How registries are reached.

use std::path::PathBuf;
use std::time::Duration;

use cg_attest::code::Code;
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::registry::{CredentialFiles, Login, Mirrors, Remote, RemoteOptions};
use cg_attest::time::parse_duration;
use clap::Args;

use super::read_file;
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct RegistryArgs {
    /// Fetch what is named under one prefix from another: cgr.dev=127.0.0.1:5000; repeatable
    #[arg(long, value_name = "PREFIX=PREFIX", env = "CG_ATTEST_MIRRORS", value_delimiter = ',')]
    mirror: Vec<String>,
    /// Evidence is in this repository and not beside the image
    #[arg(long, value_name = "REPOSITORY", env = "COSIGN_REPOSITORY")]
    attestation_repo: Option<Repository>,
    /// Time for one image, from the first request to the report: 90s, 3m
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Reach the image's registry by http; loopback addresses always are
    #[arg(long, visible_alias = "plain-http")]
    allow_http_registry: bool,
    /// Trust these certificates (PEM) for the registry's TLS, besides the system's
    #[arg(long, value_name = "FILE", alias = "ca-file")]
    registry_cacert: Option<PathBuf>,
    /// User name for the image's registry
    #[arg(long, value_name = "NAME", requires = "registry_password_stdin")]
    registry_username: Option<String>,
    /// Read the password for --registry-username from stdin
    #[arg(long, requires = "registry_username")]
    registry_password_stdin: bool,
    /// Bearer token for the image's registry
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with = "registry_username",
        hide_env_values = true,
        env = "CG_ATTEST_REGISTRY_TOKEN"
    )]
    registry_token: Option<String>,
}

impl RegistryArgs {
    /// The mirror rules.
    pub(crate) fn mirrors(&self) -> Result<Mirrors, CliError> {
        let rules = self.mirror.iter().map(|rule| rule.trim()).filter(|rule| !rule.is_empty());
        Mirrors::parse(rules).map_err(|e| CliError::usage(e.code(), e))
    }

    /// The bounds of a run.
    pub(crate) fn limits(&self) -> Result<Limits, CliError> {
        self.limits_over(Limits::default())
    }

    /// The bounds of a run that are these unless a flag says otherwise.
    pub(crate) fn limits_over(&self, limits: Limits) -> Result<Limits, CliError> {
        limits_with_time(limits, self.timeout.as_deref())
    }

    /// Where evidence is, if not beside the image.
    pub(crate) fn attestation_repo(&self) -> Option<&Repository> {
        self.attestation_repo.as_ref()
    }

    /// Whether stdin is taken for a password.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.registry_password_stdin
    }

    /// A client for the registries (as fetched from, mirrors applied) of a run.
    pub(crate) fn remote(&self, registries: &[String]) -> Result<Remote, CliError> {
        let usage = |e: cg_attest::registry::OptionsError| CliError::usage(e.code(), e);
        let files = CredentialFiles::from_env_values(|name| std::env::var(name).ok());
        let mut options = RemoteOptions::new().credential_files(files).mirrors(self.mirrors()?);
        if let Some(path) = &self.registry_cacert {
            options = options.certificate_authorities(read_file(path, 1 << 20)?);
        }
        let login = self.login()?;
        if login.is_some() && registries.len() > 1 {
            let message = format!("one login cannot be for {}; use `docker login`", registries.join(" and "));
            return Err(CliError::usage(Code::Usage, message));
        }
        for registry in registries {
            if self.allow_http_registry {
                options = options.plain_http(registry);
            }
            if let Some(login) = &login {
                options = options.login(registry, login.clone());
            }
        }
        options.build().map_err(usage)
    }

    fn login(&self) -> Result<Option<Login>, CliError> {
        if let Some(token) = self.registry_token.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(Login::registry_token(token.clone())));
        }
        let Some(username) = &self.registry_username else { return Ok(None) };
        let mut password = String::new();
        std::io::stdin().read_line(&mut password).map_err(|e| CliError::file("stdin".as_ref(), e))?;
        let password = password.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(CliError::usage(Code::Usage, "--registry-password-stdin: there is no password on stdin"));
        }
        Ok(Some(Login::password(username.clone(), password)))
    }
}

/// These limits, with the time that `--timeout` gives.
pub(crate) fn limits_with_time(mut limits: Limits, timeout: Option<&str>) -> Result<Limits, CliError> {
    if let Some(text) = timeout {
        let time: Duration =
            parse_duration(text).map_err(|e| CliError::usage(Code::Usage, format!("--timeout: {e}")))?;
        limits.total_time = time;
    }
    Ok(limits)
}
