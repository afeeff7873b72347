//! Who is trusted and what is required, from flags or a preset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cg_attest::code::Code;
use cg_attest::image::{Platform, Repository};
use cg_attest::policy::{
    Level, LogEvidence, Pattern, PatternError, Policy, PolicyBuilder, PolicyError, Preset, Requirement, Wanted,
};
use cg_attest::signer::Claim;
use cg_attest::time::parse_duration;
use clap::Args;

use super::provenance::ProvenanceArgs;
use super::read_file;
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Who is trusted")]
pub(crate) struct PolicyArgs {
    /// Trust this identity (SAN of the certificate), exactly; repeatable, any of them
    #[arg(long, value_name = "NAME", visible_alias = "certificate-identity", alias = "cert-identity")]
    identity: Vec<String>,
    /// Trust identities that match a glob in full: * within a path component, ** across
    #[arg(long, value_name = "GLOB")]
    identity_glob: Vec<String>,
    /// Trust identities that match a regular expression, always in full
    #[arg(long, value_name = "REGEXP", visible_alias = "certificate-identity-regexp", alias = "cert-identity-regex")]
    identity_regexp: Vec<String>,
    /// Trust this OIDC issuer to vouch for the identities; repeatable, any of them
    #[arg(long, value_name = "URL", visible_alias = "certificate-oidc-issuer", alias = "cert-oidc-issuer")]
    issuer: Vec<String>,
    /// Trust issuers that match a regular expression, always in full
    #[arg(
        long,
        value_name = "REGEXP",
        visible_alias = "certificate-oidc-issuer-regexp",
        alias = "cert-oidc-issuer-regex"
    )]
    issuer_regexp: Vec<String>,
    /// Trust a public key (PEM file) instead of identities
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Require a claim of the certificate, for example buildTrigger=schedule; repeatable, all of them
    #[arg(long, value_name = "NAME=VALUE")]
    claim: Vec<String>,
    /// As --claim githubWorkflowTrigger=VALUE
    #[arg(long, value_name = "VALUE", hide_short_help = true)]
    certificate_github_workflow_trigger: Option<String>,
    /// As --claim githubWorkflowSHA=VALUE
    #[arg(long, value_name = "VALUE", hide_short_help = true)]
    certificate_github_workflow_sha: Option<String>,
    /// As --claim githubWorkflowName=VALUE
    #[arg(long, value_name = "VALUE", hide_short_help = true)]
    certificate_github_workflow_name: Option<String>,
    /// As --claim githubWorkflowRepository=VALUE
    #[arg(long, value_name = "VALUE", hide_short_help = true)]
    certificate_github_workflow_repository: Option<String>,
    /// As --claim githubWorkflowRef=VALUE
    #[arg(long, value_name = "VALUE", hide_short_help = true)]
    certificate_github_workflow_ref: Option<String>,
    /// Use a named policy: chainguard-public, chainguard-org (with --uidp)
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Identity of the organisation for chainguard-org; repeatable, any of them
    #[arg(long, value_name = "UIDP")]
    uidp: Vec<String>,

    /// What has to be attached: signature, spdx, slsa, cyclonedx, vsa, … or a full URI; comma-separated.
    /// sbom=layers: the SBOM has to agree with the layers, which are read for it
    #[arg(
        long,
        value_name = "TYPE,…",
        value_delimiter = ',',
        visible_alias = "type",
        alias = "predicate-type",
        help_heading = "What is required"
    )]
    require: Vec<String>,
    /// Where it has to be attached: [TYPE=]index, platform or either
    #[arg(long, value_name = "[TYPE=]LEVEL", value_delimiter = ',', help_heading = "What is required")]
    level: Vec<String>,
    /// How old the newest signature may be, or with TYPE= that requirement: 36h, spdx=30d
    #[arg(long, value_name = "[TYPE=]AGE", value_delimiter = ',', help_heading = "What is required")]
    max_age: Vec<String>,
    /// The index has to list this platform; repeatable
    #[arg(long, value_name = "PLATFORM", help_heading = "What is required")]
    require_platform: Vec<Platform>,
    /// What shows that the log has the entry: format (a proof, or a promise where the format has nothing better) or proof
    #[arg(long, value_name = "KIND", default_value = "format", help_heading = "What is required")]
    log_evidence: LogEvidenceArg,
    #[command(flatten)]
    provenance: ProvenanceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogEvidenceArg {
    Format,
    Proof,
}

fn usage(message: impl std::fmt::Display) -> CliError {
    CliError::usage(Code::PolicyInvalid, message)
}

fn policy_error(error: &PolicyError) -> CliError {
    CliError::usage(error.code(), error)
}

impl PolicyArgs {
    /// Whether a flag names a signer.
    pub(crate) fn names_signer(&self) -> bool {
        let lists = [&self.identity, &self.identity_glob, &self.identity_regexp, &self.issuer, &self.issuer_regexp];
        self.key.is_some() || lists.iter().any(|list| !list.is_empty())
    }

    /// Whether nothing at all is said of who is trusted, or of what that has to look like.
    pub(crate) fn says_nothing(&self) -> Result<bool, CliError> {
        let lists = [&self.level, &self.max_age, &self.uidp];
        let of_evidence = !self.claims()?.is_empty() || lists.iter().any(|list| !list.is_empty());
        let of_image = !self.require_platform.is_empty() || !self.provenance.rules()?.is_empty();
        Ok(!self.names_signer() && self.preset.is_none() && !of_evidence && !of_image)
    }

    /// The policy for an image. `name` is what its policy goes by, if it has a
    /// registry's name at all.
    pub(crate) fn policy(&self, name: Option<&Repository>) -> Result<Policy, CliError> {
        self.policy_with(name, None)
    }

    /// As [`PolicyArgs::policy`], requiring exactly `only` where that is given.
    pub(crate) fn policy_with(
        &self,
        name: Option<&Repository>,
        only: Option<&[Requirement]>,
    ) -> Result<Policy, CliError> {
        // Elsewhere than in `verify` the command itself says what it wants: nothing is passed over in silence.
        if only.is_some() && !self.require.is_empty() {
            return Err(usage("--require is for `verify`; this command asks for what it shows"));
        }
        let preset = self.preset(name)?;
        let mut builder = match &preset {
            Some(preset) => preset.signers(Policy::builder()).map_err(|e| policy_error(&e))?,
            None => self.signers()?,
        };
        for (claim, value) in self.claims()? {
            builder = builder.claim(claim, &value);
        }
        let mut requirements = match (only, self.require.is_empty(), &preset) {
            (Some(only), ..) => only.to_vec(),
            (None, false, _) => parsed(&self.require)?,
            (None, true, Some(preset)) => preset.requirements(),
            (None, true, None) => vec![Requirement::signature()],
        };
        let rules = self.provenance.rules()?;
        if !rules.is_empty() && !requirements.iter().any(is_slsa) {
            // With `only`, something else than provenance was asked for by its name.
            if only.is_some() {
                return Err(usage("--source-…, --builder-id, --build-type and --slsa-level ask what provenance says")
                    .hint("ask for `--type slsa` with them, or leave them out"));
            }
            requirements.push(Requirement::slsa());
        }
        // The SBOM that is compared is required too, so that flags can name it.
        let layers = requirements.iter().position(|r| *r.wanted() == Wanted::Layers);
        let spdx: Requirement = "spdx".parse().map_err(CliError::internal)?;
        let is_spdx = |r: &Requirement| r.wanted().is_met_by("https://spdx.dev/Document");
        if let Some(place) = layers.filter(|_| !requirements.iter().any(is_spdx)) {
            requirements.insert(place, spdx);
        }
        builder = builder.provenance(rules);
        self.apply_levels(&mut requirements)?;
        self.apply_ages(&mut requirements)?;
        builder = requirements.into_iter().fold(builder, PolicyBuilder::require);
        builder = self.require_platform.iter().cloned().fold(builder, PolicyBuilder::require_platform);
        builder = builder.log_evidence(match self.log_evidence {
            LogEvidenceArg::Format => LogEvidence::Format,
            LogEvidenceArg::Proof => LogEvidence::Proof,
        });
        builder.build().map_err(|e| policy_error(&e))
    }

    /// The same without what `--level` and `--max-age` say of a requirement that is asked for in another turn.
    pub(crate) fn without(&self, other: &Requirement) -> Self {
        let is_other = |text: &String| {
            let name = text.rsplit_once('=').map(|(name, _)| name.parse::<Requirement>());
            name.is_some_and(|named| named.is_ok_and(|named| named == *other))
        };
        let mut without = self.clone();
        without.level.retain(|text| !is_other(text));
        without.max_age.retain(|text| !is_other(text));
        without
    }

    /// The same, with provenance that agrees with its certificate.
    pub(crate) fn with_agreement(&self) -> Self {
        let mut with = self.clone();
        with.provenance.agreement = true;
        with
    }

    /// The policy for a file: without `--require` it is its signature that is
    /// asked for, also where a preset asks for more of an image.
    pub(crate) fn for_blob(&self) -> Result<Policy, CliError> {
        if !self.level.is_empty() || !self.require_platform.is_empty() {
            return Err(usage("--level and --require-platform are about images; a file has no platforms"));
        }
        let requirements = match self.require.as_slice() {
            [] if self.provenance.rules()?.is_empty() => vec![Requirement::signature()],
            [] => vec![Requirement::slsa()],
            [one] if parsed(std::slice::from_ref(one))?.iter().any(|r| *r.wanted() == Wanted::Layers) => {
                return Err(usage("--require sbom=layers is about images; a file has no layers"));
            }
            [one] => parsed(std::slice::from_ref(one))?,
            _ => return Err(usage("--require: one bundle proves one thing; name one type")),
        };
        let without = Self { require: Vec::new(), ..self.clone() };
        without.policy_with(None, Some(&requirements)).map_err(|error| match error.code {
            Code::PolicyMissing if error.hint.is_none() => CliError {
                message: error.message.replace("this image", "this file"),
                ..error.hint("name the signer with --identity and --issuer, or --key, or use --preset")
            },
            _ => error,
        })
    }

    /// The preset that was named, or that goes with the name of the image.
    fn preset(&self, name: Option<&Repository>) -> Result<Option<Preset>, CliError> {
        let named = match self.preset.as_deref() {
            None if !self.uidp.is_empty() => return Err(usage("--uidp goes with --preset chainguard-org")),
            None => None,
            Some("chainguard-public") if !self.uidp.is_empty() => {
                return Err(usage("--uidp goes with --preset chainguard-org"));
            }
            Some("chainguard-public") => Some(Preset::ChainguardPublic),
            Some("chainguard-org") if self.uidp.is_empty() => {
                let hint = "`chainctl iam account-associations describe ORG -o json` lists the identities of the organisation (CATALOG_SYNCER, APKO_BUILDER)";
                return Err(usage("--preset chainguard-org needs --uidp").hint(hint));
            }
            Some("chainguard-org") => Some(Preset::ChainguardOrg { uidps: self.uidp.clone() }),
            Some(other) => {
                return Err(usage(format!("there is no preset {other:?}: wanted {}", Preset::NAMES.join(" or "))));
            }
        };
        if named.is_some() && self.names_signer() {
            return Err(usage("--preset names the signers; leave out --identity, --issuer and --key"));
        }
        if named.is_some() || self.names_signer() {
            return Ok(named);
        }
        let implied = name.and_then(Preset::of);
        if implied.is_none() {
            return Err(CliError::usage(Code::PolicyMissing, "nothing says who is trusted to sign this image"));
        }
        Ok(implied)
    }

    fn signers(&self) -> Result<PolicyBuilder, CliError> {
        let mut builder = Policy::builder().name("flags");
        for text in &self.identity {
            builder = builder.identity(pattern("--identity", Pattern::exact(text))?);
        }
        for text in &self.identity_glob {
            builder = builder.identity(pattern("--identity-glob", Pattern::glob(text))?);
        }
        for text in &self.identity_regexp {
            builder = builder.identity(pattern("--identity-regexp", Pattern::regexp(text))?);
        }
        for text in &self.issuer {
            builder = builder.issuer(pattern("--issuer", Pattern::exact(text))?);
        }
        for text in &self.issuer_regexp {
            builder = builder.issuer(pattern("--issuer-regexp", Pattern::regexp(text))?);
        }
        if let Some(path) = &self.key {
            builder = builder.key(&public_key("--key", path)?);
        }
        Ok(builder)
    }

    fn claims(&self) -> Result<Vec<(Claim, String)>, CliError> {
        let mut claims = Vec::new();
        for text in &self.claim {
            let Some((name, value)) = text.split_once('=') else {
                return Err(usage(format!("--claim {text:?}: wanted NAME=VALUE")));
            };
            claims.push((name.parse().map_err(usage)?, value.to_owned()));
        }
        for (name, value) in [
            ("githubWorkflowTrigger", &self.certificate_github_workflow_trigger),
            ("githubWorkflowSHA", &self.certificate_github_workflow_sha),
            ("githubWorkflowName", &self.certificate_github_workflow_name),
            ("githubWorkflowRepository", &self.certificate_github_workflow_repository),
            ("githubWorkflowRef", &self.certificate_github_workflow_ref),
        ] {
            if let Some(value) = value {
                claims.push((name.parse().map_err(CliError::internal)?, value.clone()));
            }
        }
        Ok(claims)
    }

    fn apply_levels(&self, requirements: &mut [Requirement]) -> Result<(), CliError> {
        let levels = self.level.iter().map(|text| match text.rsplit_once('=') {
            Some((name, level)) => (Some(name), level),
            None => (None, text.as_str()),
        });
        // Sorted: what is said of all types comes first, so that what is said of one goes before it.
        for (name, text) in once_each("--level", levels)? {
            let level: Level = text.parse().map_err(|e| usage(format!("--level {text:?}: {e}")))?;
            match name {
                // Layers are of platforms, whatever level is wanted of what is attached.
                None => {
                    let mut attached = requirements.iter_mut().filter(|r| *r.wanted() != Wanted::Layers);
                    attached.by_ref().for_each(|r| *r = r.clone().at(level));
                }
                Some(name) => {
                    let requirement = named(requirements, name, "--level")?;
                    *requirement = requirement.clone().at(level);
                }
            }
        }
        Ok(())
    }

    fn apply_ages(&self, requirements: &mut [Requirement]) -> Result<(), CliError> {
        let ages = self.max_age.iter().map(|text| {
            let (name, age) = text.rsplit_once('=').unwrap_or(("signature", text));
            (Some(name), age)
        });
        for (name, text) in once_each("--max-age", ages)? {
            let age = parse_duration(text).map_err(|e| usage(format!("--max-age {text:?}: {e}")))?;
            let requirement = named(requirements, name.unwrap_or_default(), "--max-age")?;
            *requirement = requirement.clone().within(age);
        }
        Ok(())
    }
}

/// What a flag says of each type, `None` being all of them. Of two values for one
/// type, one would be passed over.
fn once_each<'a>(
    flag: &str,
    values: impl Iterator<Item = (Option<&'a str>, &'a str)>,
) -> Result<BTreeMap<Option<&'a str>, &'a str>, CliError> {
    let mut by_type = BTreeMap::new();
    for (name, value) in values {
        if let Some(other) = by_type.insert(name, value) {
            let name = name.map(|name| format!(" of {name}")).unwrap_or_default();
            return Err(usage(format!("{flag}{name} is {other:?} and {value:?}; say it once")));
        }
    }
    Ok(by_type)
}

/// A pattern that a flag names.
pub(super) fn pattern(flag: &str, parsed: Result<Pattern, PatternError>) -> Result<Pattern, CliError> {
    parsed.map_err(|error| {
        usage(format!("{flag}: {error}"))
            .hint("say whom you trust; `cg-attest inspect IMAGE` shows who claims to have signed")
    })
}

/// The public key in the file that a flag names.
pub(super) fn public_key(flag: &str, path: &Path) -> Result<String, CliError> {
    let name = path.display().to_string();
    // cosign's references to keys that are not in files.
    if name.contains("://") && !path.exists() {
        let hint = format!("`cosign public-key --key {name} > key.pub` writes the public half into one");
        return Err(usage(format!("{flag} {name}: only keys in PEM files are read")).hint(hint));
    }
    let text = String::from_utf8(read_file(path, 64 << 10)?).unwrap_or_default();
    if text.contains("-----BEGIN PUBLIC KEY-----") {
        return Ok(text);
    }
    let error = usage(format!("{flag} {name}: there is no public key in it, as PEM"));
    Err(if text.contains("PRIVATE KEY-----") {
        error.hint(format!("it has a private key; `openssl pkey -in {name} -pubout` prints the public half"))
    } else {
        error.hint("the file has to begin with -----BEGIN PUBLIC KEY-----")
    })
}

/// A name without a policy: the next step is to see who signed it.
pub(crate) fn naming_the_signer(error: CliError, image: &str) -> CliError {
    if error.code != Code::PolicyMissing || error.hint.is_some() {
        return error;
    }
    error.hint(format!(
        "name the signer with --identity and --issuer, or use --preset; `cg-attest inspect {image}` shows who claims to have signed"
    ))
}

/// Whether a requirement is for provenance, of whichever version.
fn is_slsa(requirement: &Requirement) -> bool {
    ["v1", "v0.2", "v0.1"].iter().any(|v| requirement.wanted().is_met_by(&format!("https://slsa.dev/provenance/{v}")))
}

fn parsed(names: &[String]) -> Result<Vec<Requirement>, CliError> {
    names.iter().map(|name| name.parse().map_err(|e| usage(format!("--require: {e}")))).collect()
}

fn named<'a>(requirements: &'a mut [Requirement], name: &str, flag: &str) -> Result<&'a mut Requirement, CliError> {
    let names: Vec<String> = requirements.iter().map(Requirement::name).collect();
    let found = requirements.iter_mut().find(|requirement| requirement.name() == name);
    found.ok_or_else(|| {
        let error = usage(format!("{flag}: {name:?} is not required; required are {}", names.join(", ")));
        error.hint(format!("add it: --require {},{name}", names.join(",")))
    })
}
