//! What every command takes that believes something about images.

use std::sync::Arc;

use cg_attest::audit::Reader;
use cg_attest::client::Client;
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::registry::Pull;
use cg_attest::time::Timestamp;
use clap::Args;

use super::{PolicyArgs, RegistryArgs, Source, Sources, TrustArgs};
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

impl EvidenceArgs {
    /// Opens an image argument; nothing is asked yet.
    pub(crate) fn open(&self, image: &str) -> Result<Source, CliError> {
        Sources::prepare(&[image.to_owned()], &self.registry, self.trust.offline)?.open(image)
    }

    /// The repository where the evidence about an image is.
    pub(crate) fn evidence_repository<'a>(&'a self, source: &'a Source) -> &'a Repository {
        self.registry.evidence_repository(source)
    }

    /// What an image is verified with; this may ask a TUF repository.
    pub(crate) async fn client(&self, source: &Source, now: Timestamp) -> Result<Client, CliError> {
        let trust = self.trust.source()?.load(now).await?;
        let client = Client::builder(Arc::clone(&source.pull), trust)
            .limits(self.registry.limits()?)
            .evidence_repository(self.registry.attestation_repo().cloned());
        Ok(client.build())
    }

    /// The same under another policy.
    pub(crate) fn with_policy(&self, policy: PolicyArgs) -> Self {
        Self { policy, ..self.clone() }
    }
}

impl RegistryArgs {
    /// The repository where the evidence about an image is.
    pub(crate) fn evidence_repository<'a>(&'a self, source: &'a Source) -> &'a Repository {
        self.attestation_repo().unwrap_or(source.image.reference.repository())
    }

    /// What reads manifests and layers.
    pub(crate) fn reader<'a>(&self, pull: &'a dyn Pull) -> Result<Reader<'a>, CliError> {
        Ok(Reader::new(pull).limits(self.limits()?).content_limits(self.content_limits()?))
    }

    /// The bounds of reading the layers of one image.
    pub(crate) fn content_limits(&self) -> Result<Limits, CliError> {
        self.limits_over(Limits::default().for_content())
    }
}
