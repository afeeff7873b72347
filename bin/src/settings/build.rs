//! The facts of a build, from its environment, files and flags.

use std::path::{Path, PathBuf};

use cg_attest::image::{PinnedReference, Platform, Reference};
use cg_attest::limits::Limits;
use cg_attest::provenance::{Build, BuildError, Ci};
use cg_attest::time::Timestamp;
use clap::Args;

use super::read_input;
use crate::error::CliError;

#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "The build")]
pub(crate) struct BuildArgs {
    /// Whose environment to read: auto, none, github, gitlab, buildkite or circleci [default: auto]
    #[arg(long, value_name = "CI")]
    from: Option<String>,
    /// The repository of the source: https://HOST/PATH
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The branch or tag of the source, in full: refs/heads/main
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// The commit of the source, in full
    #[arg(long, value_name = "HEX")]
    commit: Option<String>,
    /// The file that describes the build, by its path in the source
    #[arg(long, value_name = "PATH")]
    entry_point: Option<String>,
    /// Who builds
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,
    /// The run of the build
    #[arg(long, value_name = "ID")]
    invocation_id: Option<String>,
    /// When the build began, RFC 3339
    #[arg(long, value_name = "TIME")]
    started_on: Option<Timestamp>,
    /// When the build ended
    #[arg(long, value_name = "TIME")]
    finished_on: Option<Timestamp>,
    /// What whoever started the build chose; it will be public; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
    /// The image that this one is built on, with its digest
    #[arg(long, value_name = "NAME@DIGEST")]
    base: Option<Reference>,
    /// What `docker buildx build --metadata-file` wrote (with BUILDX_METADATA_PROVENANCE=max); - is stdin
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,
    /// An apko configuration (YAML, or JSON) or lock file; - is stdin
    #[arg(long, value_name = "FILE")]
    apko_config: Option<PathBuf>,
}

/// What is known of a build: what holds for every platform of it, and the files that may be about several.
#[derive(Debug)]
pub(crate) struct BuildFacts {
    build: Build,
    metadata: Option<Vec<u8>>,
    apko: Option<Vec<u8>>,
    limits: Limits,
}

impl BuildFacts {
    /// The provenance of the build of one platform, JSON. `None`: the files are about one.
    pub(crate) fn predicate(&self, platform: Option<&Platform>) -> Result<String, CliError> {
        let mut build = self.build.clone();
        if let Some(file) = &self.metadata {
            build = build.buildkit_metadata(file, platform, &self.limits).map_err(|e| usage(&e))?;
        }
        if let Some(file) = &self.apko {
            build = build.apko_configuration(file, platform, &self.limits).map_err(|e| usage(&e))?;
        }
        build.predicate().map_err(|e| usage(&e))
    }
}

impl BuildArgs {
    /// Whether any flag says something of a build.
    pub(crate) fn is_given(&self) -> bool {
        *self != Self::default()
    }

    /// The build: first its environment, then the files, and flags before both.
    pub(crate) fn facts(&self, limits: &Limits) -> Result<BuildFacts, CliError> {
        let mut build = match self.ci()? {
            Some(ci) => Build::of_environment(ci, variable).map_err(|e| usage(&e))?,
            None => Build::new(),
        };
        if let Some(text) = &self.source {
            build = build.repository(text).map_err(|e| usage(&e))?;
        }
        if let Some(text) = &self.reference {
            build = build.reference(text).map_err(|e| usage(&e))?;
        }
        if let Some(text) = &self.commit {
            build = build.commit(text).map_err(|e| usage(&e))?;
        }
        if let Some(uri) = &self.builder_id {
            build = build.builder(uri).map_err(|e| usage(&e))?;
        }
        build = self.entry_point.iter().fold(build, |build, path| build.entry_point(path));
        build = self.invocation_id.iter().fold(build, |build, id| build.invocation(id));
        build = self.started_on.iter().fold(build, |build, time| build.started_on(*time));
        build = self.finished_on.iter().fold(build, |build, time| build.finished_on(*time));
        for text in &self.parameter {
            let wrong =
                || CliError::usage(cg_attest::code::Code::Usage, format!("--parameter {text:?}: wanted NAME=VALUE"));
            let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
            build = build.parameter(name, value);
        }
        if let Some(base) = &self.base {
            let wrong = || {
                CliError::usage(cg_attest::code::Code::ReferenceInvalid, format!("--base {base}: wanted NAME@DIGEST"))
            };
            let digest = base.digest().ok_or_else(wrong)?;
            build = build.base(&PinnedReference::new(base.repository().clone(), digest.clone()));
        }
        let read = |path: &PathBuf| read_input(path, limits.attestation_bytes);
        let metadata = self.metadata_file.as_ref().map(read).transpose()?;
        let apko = self.apko_config.as_ref().map(|path| read(path).and_then(|file| as_json(path, file))).transpose()?;
        Ok(BuildFacts { build, metadata, apko, limits: limits.clone() })
    }

    fn ci(&self) -> Result<Option<Ci>, CliError> {
        match self.from.as_deref().unwrap_or("auto") {
            "auto" => Ok(Ci::detect(variable)),
            "none" => Ok(None),
            name => name
                .parse()
                .map(Some)
                .map_err(|e| CliError::usage(cg_attest::code::Code::Usage, format!("--from: {e}"))),
        }
    }
}

/// What apko reads, as JSON: as it is, or YAML that is no JSON. Provenance is JSON.
fn as_json(path: &Path, file: Vec<u8>) -> Result<Vec<u8>, CliError> {
    if file.trim_ascii_start().starts_with(b"{") {
        return Ok(file);
    }
    let text = std::str::from_utf8(&file).map_err(|error| CliError::file(path, error))?;
    let value = super::yaml::read(text).map_err(|why| CliError::file(path, why))?;
    Ok(value.to_string().into_bytes())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn usage(error: &BuildError) -> CliError {
    CliError::usage(error.code(), error)
}
