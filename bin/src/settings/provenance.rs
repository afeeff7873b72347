//! What the provenance has to say, from flags.

use cg_attest::code::Code;
use cg_attest::policy::{Pattern, PolicyError, ProvenanceRules, SlsaLevel};
use clap::Args;

use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What the provenance has to say")]
pub(crate) struct ProvenanceArgs {
    /// Built from this repository (https://HOST/PATH); as with the flags below, provenance is then required
    #[arg(long, value_name = "URL", visible_alias = "source-uri")]
    source_repo: Option<String>,
    /// Built from this branch or tag, in full: refs/heads/main
    #[arg(long, value_name = "REF", conflicts_with_all = ["source_branch", "source_tag"])]
    source_ref: Option<String>,
    /// As --source-ref refs/heads/NAME
    #[arg(long, value_name = "NAME", conflicts_with = "source_tag", hide_short_help = true)]
    source_branch: Option<String>,
    /// As --source-ref refs/tags/NAME
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    source_tag: Option<String>,
    /// Built from this commit, in full
    #[arg(long, value_name = "HEX", visible_alias = "source-digest")]
    source_commit: Option<String>,
    /// Built by this builder, exactly as the provenance names it; repeatable, any of them
    #[arg(long, value_name = "URI")]
    builder_id: Vec<String>,
    /// Built by a builder whose id matches a glob in full
    #[arg(long, value_name = "GLOB", hide_short_help = true)]
    builder_id_glob: Vec<String>,
    /// Of this build type, exactly
    #[arg(long, value_name = "URI")]
    build_type: Option<String>,
    /// Of this SLSA build level, 1 to 3, as signer, builder and build type together show it
    #[arg(long, value_name = "N")]
    slsa_level: Option<String>,
    /// Whether it has to agree with its certificate even if nothing else is asked.
    #[arg(skip)]
    pub(super) agreement: bool,
}

impl ProvenanceArgs {
    /// The rules; empty ones where no flag is given.
    pub(crate) fn rules(&self) -> Result<ProvenanceRules, CliError> {
        let flag = |name: &'static str| move |e: PolicyError| usage(format!("--{name}: {e}"));
        let mut rules = ProvenanceRules::new();
        if self.agreement {
            rules = rules.agreeing();
        }
        if let Some(text) = &self.source_repo {
            rules = rules.source_repository(text).map_err(flag("source-repo"))?;
        }
        for (name, prefix, text) in [
            ("source-ref", "", &self.source_ref),
            ("source-branch", "refs/heads/", &self.source_branch),
            ("source-tag", "refs/tags/", &self.source_tag),
        ] {
            match text.as_deref() {
                None => {}
                // An empty name must not mean any (scenario F-08).
                Some("") => return Err(usage(format!("--{name} is empty"))),
                Some(text) => rules = rules.source_ref(&format!("{prefix}{text}")).map_err(flag(name))?,
            }
        }
        if let Some(text) = &self.source_commit {
            rules = rules.source_commit(text).map_err(flag("source-commit"))?;
        }
        for text in &self.builder_id {
            rules = rules.builder(Pattern::exact(text).map_err(|e| usage(format!("--builder-id: {e}")))?);
        }
        for text in &self.builder_id_glob {
            rules = rules.builder(Pattern::glob(text).map_err(|e| usage(format!("--builder-id-glob: {e}")))?);
        }
        if let Some(text) = &self.build_type {
            if text.is_empty() {
                return Err(usage("--build-type is empty"));
            }
            rules = rules.build_type(text);
        }
        if let Some(text) = &self.slsa_level {
            let level: SlsaLevel = text.parse().map_err(|e| usage(format!("--slsa-level: {e}")))?;
            rules = rules.slsa_level(level);
        }
        Ok(rules)
    }
}

fn usage(message: impl std::fmt::Display) -> CliError {
    CliError::usage(Code::PolicyInvalid, message)
}
