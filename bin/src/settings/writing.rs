//! How evidence is written.

use cg_attest::attach::{Attacher, AttacherBuilder, Conflict, Form};
use cg_attest::limits::Limits;
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use clap::Args;

use super::{Format, RegistryArgs, Source};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Attaching")]
pub(crate) struct WriteArgs {
    /// Where the same is attached (type, predicate and signer): skip-same leaves it, append adds another,
    /// replace leaves it and deletes what else the signer said of this type
    #[arg(long, value_name = "WHAT", default_value = "skip-same")]
    pub(crate) conflict: Conflict,
    /// In which form: bundle (what every current client reads), legacy (layers of tagged images, for older
    /// clients and registries that take no artifacts), or both
    #[arg(long, value_name = "FORM", default_value = "bundle")]
    pub(crate) signature_format: Form,
    /// Write nothing, and print what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

impl WriteArgs {
    /// An attacher for an image.
    pub(crate) fn attacher(
        &self,
        source: &Source,
        registry: &RegistryArgs,
        trust: TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> AttacherBuilder {
        let repository = source.image.reference.repository().clone();
        Attacher::builder(source.push.clone(), repository, trust, now)
            .limits(limits.clone())
            .evidence_repository(registry.attestation_repo().cloned())
            .conflict(self.conflict)
    }
}
