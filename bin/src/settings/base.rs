//! What the image has to be built on, and who is trusted to have signed that.

use std::fmt::Display;
use std::path::PathBuf;

use cg_attest::client::BaseRequest;
use cg_attest::code::Code;
use cg_attest::image::{Reference, Repository};
use cg_attest::policy::{Pattern, Policy, PolicyBuilder, PolicyError, Preset, Requirement, Wanted};
use clap::Args;

use super::policy::{pattern, public_key};
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What it is built on")]
pub(crate) struct BaseArgs {
    /// The image has to be built on this base (NAME@DIGEST, or NAME for one of that repository that its provenance
    /// or an annotation names), or without REF on whatever they name: accepted under its own policy, its layers first
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    base: Option<String>,
    /// Trust this identity to have signed the base; without any, the preset for its name is used
    #[arg(long, value_name = "NAME", requires = "base")]
    base_identity: Vec<String>,
    /// Trust this issuer for the identities of the base
    #[arg(long, value_name = "URL", requires = "base")]
    base_issuer: Vec<String>,
    /// Trust a public key (PEM file) for the base
    #[arg(long, value_name = "FILE", requires = "base")]
    base_key: Option<PathBuf>,
    /// Identity of the organisation at Chainguard whose image the base is; repeatable, any of them
    #[arg(long, value_name = "UIDP", requires = "base", conflicts_with_all = ["base_identity", "base_issuer", "base_key"])]
    base_uidp: Vec<String>,
    /// What has to be attached to the base, instead of its preset's or a signature
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',', requires = "base")]
    base_require: Vec<String>,
}

impl BaseArgs {
    /// What to ask; nothing without `--base`. What can be wrong is found here.
    pub(crate) fn request(&self) -> Result<Option<BaseRequest>, CliError> {
        let Some(text) = &self.base else { return Ok(None) };
        let reference = match text.as_str() {
            "" => None,
            text => Some(text.parse::<Reference>().map_err(|e| CliError::usage(e.code(), format!("--base: {e}")))?),
        };
        let named = self.named()?;
        let requirements = self.requirements()?;
        if let (None, Some(reference)) = (&named, &reference)
            && Preset::of(reference.repository()).is_none()
        {
            let message = format!("--base: nothing says who is trusted to sign {}", reference.repository());
            let hint = "name the signer with --base-identity and --base-issuer, --base-key or --base-uidp";
            return Err(CliError::usage(Code::PolicyMissing, message).hint(hint));
        }
        if let Some(signers) = &named {
            policy(signers, &requirements).map_err(|e| CliError::usage(e.code(), format!("--base: {e}")))?;
        }
        let policy_of = move |repository: &Repository| match &named {
            Some(signers) => policy(signers, &requirements).ok(),
            None => policy(&Signers::Preset(Preset::of(repository)?), &requirements).ok(),
        };
        Ok(Some(BaseRequest::new(policy_of).of(reference)))
    }

    fn named(&self) -> Result<Option<Signers>, CliError> {
        if !self.base_uidp.is_empty() {
            return Ok(Some(Signers::Preset(Preset::ChainguardOrg { uidps: self.base_uidp.clone() })));
        }
        let mut builder = Policy::builder();
        for text in &self.base_identity {
            builder = builder.identity(pattern("--base-identity", Pattern::exact(text))?);
        }
        for text in &self.base_issuer {
            builder = builder.issuer(pattern("--base-issuer", Pattern::exact(text))?);
        }
        if let Some(path) = &self.base_key {
            builder = builder.key(&public_key("--base-key", path)?);
        }
        let named = self.base_key.is_some() || !self.base_identity.is_empty() || !self.base_issuer.is_empty();
        Ok(named.then_some(Signers::Flags(Box::new(builder))))
    }

    fn requirements(&self) -> Result<Vec<Requirement>, CliError> {
        let wrong = |e: &dyn Display| CliError::usage(Code::PolicyInvalid, format!("--base-require: {e}"));
        let required = self.base_require.iter().map(|name| name.parse::<Requirement>().map_err(|e| wrong(&e)));
        let required = required.collect::<Result<Vec<_>, _>>()?;
        if required.iter().any(|requirement| *requirement.wanted() == Wanted::Layers) {
            return Err(wrong(&"no layer of a base is read; `cg-attest verify BASE --require sbom=layers` reads them"));
        }
        Ok(required)
    }
}

/// Who is trusted to have signed a base.
enum Signers {
    Flags(Box<PolicyBuilder>),
    Preset(Preset),
}

/// What is required of a base: what was asked, else what its preset has, else a signature.
fn policy(signers: &Signers, asked: &[Requirement]) -> Result<Policy, PolicyError> {
    let (builder, usual) = match signers {
        Signers::Flags(builder) => ((**builder).clone(), vec![Requirement::signature()]),
        Signers::Preset(preset) => (preset.signers(Policy::builder())?, preset.requirements()),
    };
    let required = if asked.is_empty() { usual } else { asked.to_vec() };
    required.into_iter().fold(builder, PolicyBuilder::require).build()
}
