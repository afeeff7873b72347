//! From the documents to the view, one function per family of build types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::provenance::SlsaVersion;
use super::wire::{
    BuildKitMetadata, BuildKitParameters, ConfigSource, ContainerParameters, MetadataV1, MetadataV02, OwnParameters,
    Resource, V0, V1, WorkflowParameters,
};
use super::{BuildType, Dependency, Provenance, ProvenanceError, Source, Stated, git};
use crate::json::{Object, reject_ambiguity};
use crate::limits::Limits;
use crate::time::Timestamp;

impl Provenance {
    /// Reads the predicate of a statement of type `predicate_type`. Repeated keys are refused at any depth.
    ///
    /// # Errors
    /// When the type is not one of SLSA provenance, or the predicate is
    /// malformed, ambiguous or over a limit.
    pub fn parse(predicate_type: &str, predicate: &str, limits: &Limits) -> Result<Self, ProvenanceError> {
        let version = SlsaVersion::of(predicate_type)
            .ok_or_else(|| ProvenanceError::Version(predicate_type.chars().take(200).collect()))?;
        let text = reject_ambiguity(predicate.as_bytes(), &[]).map_err(malformed)?;
        match version {
            SlsaVersion::V1 => v1(text, limits),
            SlsaVersion::V02 | SlsaVersion::V01 => v0(text, version, limits),
        }
    }
}

fn v1(text: &str, limits: &Limits) -> Result<Provenance, ProvenanceError> {
    let Object(wire): Object<V1<'_>> = serde_json::from_str(text).map_err(malformed)?;
    let (definition, details) = (wire.build_definition, wire.run_details);
    let metadata: MetadataV1 = part(details.metadata)?;
    let kind = kind_of(definition.build_type.as_deref());
    let dependencies = dependencies(definition.resolved_dependencies, limits)?;
    let source = source_v1(kind, definition.external_parameters, details.metadata, &dependencies)?;
    Ok(Provenance {
        version: SlsaVersion::V1,
        kind,
        builder_id: details.builder.and_then(|builder| not_empty(builder.id)),
        has_parameters: definition.external_parameters.is_some_and(|raw| raw.get() != "null"),
        build_type: not_empty(definition.build_type),
        source,
        invocation_id: not_empty(metadata.invocation_id),
        started_on: time(metadata.started_on)?,
        finished_on: time(metadata.finished_on)?,
        dependencies,
    })
}

fn v0(text: &str, version: SlsaVersion, limits: &Limits) -> Result<Provenance, ProvenanceError> {
    let Object(wire): Object<V0<'_>> = serde_json::from_str(text).map_err(malformed)?;
    let metadata: MetadataV02 = part(wire.metadata)?;
    let build_type = not_empty(wire.build_type.or(wire.recipe.and_then(|recipe| recipe.kind)));
    let kind = kind_of(build_type.as_deref());
    let has_parameters = wire.invocation.as_ref().is_some_and(|invocation| {
        let source = invocation.config_source.as_ref();
        source.is_some_and(|s| s.uri.is_some() || s.entry_point.is_some())
            || invocation.parameters.is_some_and(|raw| !matches!(raw.get(), "null" | "{}"))
    });
    let config = wire.invocation.and_then(|invocation| invocation.config_source);
    let source = match kind {
        BuildType::BuildKit => of_buildkit(config, wire.metadata)?,
        BuildType::SlsaGitHubGenerator | BuildType::Npm | BuildType::Tekton => of_config(config)?,
        _ => Source::NOT_COMPARABLE,
    };
    Ok(Provenance {
        version,
        build_type,
        kind,
        builder_id: wire.builder.and_then(|builder| not_empty(builder.id)),
        source,
        invocation_id: not_empty(metadata.build_invocation_id),
        started_on: time(metadata.build_started_on)?,
        finished_on: time(metadata.build_finished_on)?,
        has_parameters,
        dependencies: dependencies(wire.materials, limits)?,
    })
}

fn source_v1(
    kind: BuildType,
    external: Option<&RawValue>,
    metadata: Option<&RawValue>,
    dependencies: &[Dependency],
) -> Result<Source, ProvenanceError> {
    match kind {
        BuildType::GitHubWorkflow | BuildType::GitHubRunner => of_workflow(external, dependencies),
        BuildType::ContainerBased => {
            let parameters: ContainerParameters = part(external)?;
            let source = parameters.source.map(dependency);
            Ok(Source { entry_point: Stated::of(parameters.config_path), ..of_resource(source.as_ref())? })
        }
        // The source is the first dependency; which file described the build is the caller's matter.
        BuildType::SlsaGitHubDelegator => {
            Ok(Source { entry_point: Stated::NotComparable, ..of_resource(dependencies.first())? })
        }
        BuildType::BuildKit => {
            let parameters: BuildKitParameters = part(external)?;
            of_buildkit(parameters.config_source, metadata)
        }
        // Chains records what a `git-clone` task gave as a result; with several of them none is the source.
        BuildType::Tekton => {
            let of_result = |d: &&Dependency| {
                d.name.as_deref() == Some("inputs/result") && d.uri.as_deref().is_some_and(|u| u.starts_with("git+"))
            };
            let mut sources = dependencies.iter().filter(of_result);
            let only = sources.next().filter(|_| sources.next().is_none());
            Ok(Source { entry_point: Stated::NotComparable, ..of_resource(only)? })
        }
        BuildType::CgAttest => of_own(external, dependencies),
        _ => Ok(Source::NOT_COMPARABLE),
    }
}

/// A GitHub workflow: the repository and the file stand in the parameters, what
/// was checked out in the dependency of that repository.
fn of_workflow(external: Option<&RawValue>, dependencies: &[Dependency]) -> Result<Source, ProvenanceError> {
    let parameters: WorkflowParameters = part(external)?;
    let Some(workflow) = parameters.workflow else { return Ok(Source::ABSENT) };
    let checkout = checkout_of(workflow.repository.as_deref(), dependencies);
    let commit = checkout.map_or(Ok(Stated::Absent), |checkout| commit(&checkout.digest))?;
    // The ref in the parameters is that of the file, which may be another one.
    let reference = checkout.and_then(|checkout| git::in_toto(checkout.uri.as_deref()?)?.reference);
    let reference = reference.map(str::to_owned).or(workflow.reference);
    Ok(Source {
        repository: Stated::of(workflow.repository),
        reference: Stated::of(reference),
        commit,
        entry_point: Stated::of(workflow.path),
    })
}

/// This project's own: `docs/build-type.md`.
fn of_own(external: Option<&RawValue>, dependencies: &[Dependency]) -> Result<Source, ProvenanceError> {
    let parameters: OwnParameters = part(external)?;
    let Some(source) = parameters.source else { return Ok(Source::ABSENT) };
    let checkout = checkout_of(source.repository.as_deref(), dependencies);
    let commit = checkout.map_or(Ok(Stated::Absent), |checkout| commit(&checkout.digest))?;
    Ok(Source {
        repository: Stated::of(source.repository),
        reference: Stated::of(source.reference),
        commit,
        entry_point: Stated::of(source.entry_point),
    })
}

/// The dependency that is a checkout of a repository, if there is exactly one.
fn checkout_of<'a>(repository: Option<&str>, dependencies: &'a [Dependency]) -> Option<&'a Dependency> {
    let wanted = git::canonical_repository(repository?)?;
    let is_it = |dependency: &&Dependency| {
        let uri = dependency.uri.as_deref().and_then(git::in_toto);
        uri.and_then(|uri| git::canonical_repository(uri.repository)).as_deref() == Some(&wanted)
    };
    let mut found = dependencies.iter().filter(is_it);
    found.next().filter(|_| found.next().is_none())
}

fn of_config(config: Option<ConfigSource>) -> Result<Source, ProvenanceError> {
    let Some(config) = config else { return Ok(Source::ABSENT) };
    let source = Dependency { uri: config.uri, name: None, digest: config.digest.unwrap_or_default() };
    Ok(Source { entry_point: Stated::of(config.entry_point), ..of_resource(Some(&source))? })
}

/// A context in a repository was fetched by `BuildKit` itself; of a local one
/// its client may have said which checkout it is.
fn of_buildkit(config: Option<ConfigSource>, metadata: Option<&RawValue>) -> Result<Source, ProvenanceError> {
    let entry_point = Stated::of(config.as_ref().and_then(|config| config.entry_point.clone()));
    let context = config.as_ref().and_then(|config| Some((config, git::buildkit(config.uri.as_deref()?)?)));
    if let Some((config, uri)) = context {
        return Ok(Source {
            repository: Stated::Value(uri.repository.to_owned()),
            reference: uri.reference.map_or(Stated::NotComparable, |text| Stated::Value(text.to_owned())),
            commit: config.digest.as_ref().map_or(Ok(Stated::Absent), commit)?,
            entry_point,
        });
    }
    let metadata: BuildKitMetadata = part(metadata)?;
    let vcs = metadata.v1.or(metadata.v02).and_then(|metadata| metadata.vcs).unwrap_or_default();
    Ok(Source {
        repository: Stated::of(vcs.source),
        reference: Stated::NotComparable,
        commit: Stated::of(vcs.revision),
        entry_point,
    })
}

/// The source in one resource, `git+https://HOST/PATH@REF`.
fn of_resource(resource: Option<&Dependency>) -> Result<Source, ProvenanceError> {
    let Some(resource) = resource else { return Ok(Source::ABSENT) };
    let Some(uri) = resource.uri.as_deref().and_then(git::in_toto) else { return Ok(Source::ABSENT) };
    Ok(Source {
        repository: Stated::Value(uri.repository.to_owned()),
        reference: uri.reference.map_or(Stated::Absent, |text| Stated::Value(text.to_owned())),
        commit: commit(&resource.digest)?,
        entry_point: Stated::Absent,
    })
}

/// The commit among digests: `gitCommit` as the in-toto framework has it, `sha1` as it was written before.
fn commit(digests: &BTreeMap<String, String>) -> Result<Stated, ProvenanceError> {
    match (digests.get("gitCommit"), digests.get("sha1")) {
        (Some(new), Some(old)) if new != old => {
            Err(ProvenanceError::Malformed(format!("the source has two commits, {new} and {old}")))
        }
        (new, old) => Ok(Stated::of(new.or(old).cloned())),
    }
}

fn dependencies(wire: Option<Vec<Resource>>, limits: &Limits) -> Result<Vec<Dependency>, ProvenanceError> {
    let wire = wire.unwrap_or_default();
    if wire.len() > limits.dependencies {
        return Err(ProvenanceError::TooMany(wire.len(), limits.dependencies));
    }
    Ok(wire.into_iter().map(dependency).collect())
}

fn dependency(wire: Resource) -> Dependency {
    Dependency { uri: not_empty(wire.uri), name: not_empty(wire.name), digest: wire.digest.unwrap_or_default() }
}

fn kind_of(build_type: Option<&str>) -> BuildType {
    build_type.map_or(BuildType::Unknown, BuildType::of)
}

fn not_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn time(text: Option<String>) -> Result<Option<Timestamp>, ProvenanceError> {
    not_empty(text).map(|text| text.parse()).transpose().map_err(malformed)
}

/// A part of the document; the empty one where it is absent or `null`.
fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, ProvenanceError> {
    let text = raw.map(RawValue::get).filter(|text| *text != "null").unwrap_or("{}");
    serde_json::from_str(text).map(|Object(found)| found).map_err(malformed)
}

fn malformed(error: impl std::fmt::Display) -> ProvenanceError {
    ProvenanceError::Malformed(error.to_string())
}

impl Source {
    /// The build type defines all of it, and nothing is there.
    const ABSENT: Self = Self::all(Stated::Absent, Stated::Absent, Stated::Absent, Stated::Absent);
    /// The build type defines none of it.
    const NOT_COMPARABLE: Self =
        Self::all(Stated::NotComparable, Stated::NotComparable, Stated::NotComparable, Stated::NotComparable);

    const fn all(repository: Stated, reference: Stated, commit: Stated, entry_point: Stated) -> Self {
        Self { repository, reference, commit, entry_point }
    }
}
