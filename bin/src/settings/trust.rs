//! Which trust root.

use std::path::PathBuf;

use cg_attest::trust::{Instance, TrustError, TrustRoot};
use clap::Args;

use super::read_file;
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Trust root")]
pub(crate) struct TrustArgs {
    /// Trust root: embedded, embedded-staging, embedded-github, or a file (trusted_root.json, or one per line)
    #[arg(long, value_name = "embedded|FILE", env = "SIGSTORE_ROOT_FILE")]
    trusted_root: Option<String>,
    /// Make no request at all; the image has to be in an OCI layout
    #[arg(long)]
    pub(crate) offline: bool,
}

impl TrustArgs {
    /// The trust root.
    pub(crate) fn load(&self) -> Result<TrustRoot, CliError> {
        let error = |e: TrustError| CliError::usage(e.code(), e);
        match self.trusted_root.as_deref() {
            None | Some("embedded") => TrustRoot::embedded(Instance::PublicGood).map_err(error),
            Some("embedded-staging") => TrustRoot::embedded(Instance::Staging).map_err(error),
            Some("embedded-github") => TrustRoot::embedded(Instance::GitHub).map_err(error),
            Some(path) => {
                let path = PathBuf::from(path);
                let bytes = read_file(&path, 5 << 20)?;
                TrustRoot::parse(&bytes, &path.display().to_string()).map_err(error)
            }
        }
    }
}
