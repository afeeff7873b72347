//! The documents as they are written. Every field may be absent or `null`:
//! what a type of document needs is decided by who asks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Provenance v1 (slsa.dev/spec/v1.0/provenance).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V1<'a> {
    #[serde(borrow)]
    pub(super) build_definition: BuildDefinition<'a>,
    #[serde(borrow)]
    pub(super) run_details: RunDetails<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BuildDefinition<'a> {
    pub(super) build_type: Option<String>,
    /// Its shape is the build type's.
    #[serde(borrow)]
    pub(super) external_parameters: Option<&'a RawValue>,
    pub(super) resolved_dependencies: Option<Vec<Resource>>,
}

#[derive(Deserialize)]
pub(super) struct RunDetails<'a> {
    pub(super) builder: Option<Builder>,
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Builder {
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetadataV1 {
    pub(super) invocation_id: Option<String>,
    pub(super) started_on: Option<String>,
    pub(super) finished_on: Option<String>,
}

/// Provenance v0.2 (slsa.dev/spec/v0.2/provenance), and what v0.1 has in its place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V0<'a> {
    pub(super) builder: Option<Builder>,
    pub(super) build_type: Option<String>,
    pub(super) recipe: Option<Recipe>,
    pub(super) invocation: Option<InvocationV02<'a>>,
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
    pub(super) materials: Option<Vec<Resource>>,
}

/// What v0.1 has in the place of a build type.
#[derive(Deserialize)]
pub(super) struct Recipe {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvocationV02<'a> {
    pub(super) config_source: Option<ConfigSource>,
    #[serde(borrow)]
    pub(super) parameters: Option<&'a RawValue>,
}

/// Where the build was described: `entryPoint` in v0.2, `path` in v1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigSource {
    pub(super) uri: Option<String>,
    pub(super) digest: Option<BTreeMap<String, String>>,
    #[serde(alias = "path")]
    pub(super) entry_point: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetadataV02 {
    // The specification writes `ID`; npm and v0.1's writers write `Id`.
    #[serde(alias = "buildInvocationID")]
    pub(super) build_invocation_id: Option<String>,
    pub(super) build_started_on: Option<String>,
    pub(super) build_finished_on: Option<String>,
}

/// An artifact that the build used: a material, or a resource descriptor.
#[derive(Deserialize)]
pub(super) struct Resource {
    pub(super) uri: Option<String>,
    pub(super) name: Option<String>,
    pub(super) digest: Option<BTreeMap<String, String>>,
}

/// External parameters of a GitHub workflow, and of this project's build type.
#[derive(Deserialize)]
pub(super) struct WorkflowParameters {
    pub(super) workflow: Option<Workflow>,
}

#[derive(Deserialize)]
pub(super) struct Workflow {
    pub(super) repository: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) path: Option<String>,
}

/// External parameters of a build in a container.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerParameters {
    pub(super) source: Option<Resource>,
    pub(super) config_path: Option<String>,
}

/// External parameters of `BuildKit`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BuildKitParameters {
    pub(super) config_source: Option<ConfigSource>,
}

/// External parameters of this project's build type.
#[derive(Deserialize)]
pub(super) struct OwnParameters {
    pub(super) source: Option<OwnSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnSource {
    pub(super) repository: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) entry_point: Option<String>,
}

/// Where `BuildKit` says which checkout its context was, in either version.
#[derive(Deserialize)]
pub(super) struct BuildKitMetadata {
    #[serde(rename = "https://mobyproject.org/buildkit@v1#metadata")]
    pub(super) v02: Option<Vcs>,
    #[serde(rename = "buildkit_metadata")]
    pub(super) v1: Option<Vcs>,
}

#[derive(Deserialize)]
pub(super) struct Vcs {
    pub(super) vcs: Option<VcsFacts>,
}

#[derive(Deserialize, Default)]
pub(super) struct VcsFacts {
    pub(super) source: Option<String>,
    pub(super) revision: Option<String>,
}
