//! How registries are reached.

use std::time::Duration;

use cg_attest::code::Code;
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::time::parse_duration;
use clap::Args;

use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct RegistryArgs {
    /// Evidence is in this repository and not beside the image
    #[arg(long, value_name = "REPOSITORY", env = "COSIGN_REPOSITORY")]
    attestation_repo: Option<Repository>,
    /// Time for one image, from the first request to the report: 90s, 3m
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
}

impl RegistryArgs {
    /// The bounds of a run.
    pub(crate) fn limits(&self) -> Result<Limits, CliError> {
        let mut limits = Limits::default();
        if let Some(text) = &self.timeout {
            let time: Duration =
                parse_duration(text).map_err(|e| CliError::usage(Code::Usage, format!("--timeout: {e}")))?;
            limits.total_time = time;
        }
        Ok(limits)
    }

    /// Where evidence is, if not beside the image.
    pub(crate) fn attestation_repo(&self) -> Option<&Repository> {
        self.attestation_repo.as_ref()
    }
}
