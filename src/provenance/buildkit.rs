//! What `docker buildx build --metadata-file` writes: the provenance of each platform, version 0.2 or 1.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::BuildError;
use super::document::Request;
use crate::image::Platform;
use crate::json::{self, Object};
use crate::limits::Limits;
use crate::statement::{BuildType, Provenance};

const FILE: &str = "the metadata file";
/// The key of the provenance; of several platforms each has its name behind a slash.
const KEY: &str = "buildx.build.provenance";

pub(super) struct Found {
    pub(super) provenance: Provenance,
    pub(super) request: Request,
}

/// Either version's: each field stands in one place only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    build_definition: Option<Definition>,
    invocation: Option<Invocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    external_parameters: Option<External>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct External {
    config_source: Option<ConfigSource>,
    request: Option<Parameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    config_source: Option<ConfigSource>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigSource {
    uri: Option<String>,
    #[serde(alias = "entryPoint")]
    path: Option<String>,
}

#[derive(Deserialize)]
struct Parameters {
    frontend: Option<String>,
    args: Option<BTreeMap<String, String>>,
}

pub(super) fn read(file: &[u8], platform: Option<&Platform>, limits: &Limits) -> Result<Found, BuildError> {
    let wrong = |e: &dyn std::fmt::Display| BuildError::file(FILE, e);
    let metadata: BTreeMap<String, Box<RawValue>> = json::parse(file).map_err(|e| wrong(&e))?;
    let predicate = pick(&metadata, platform)?.get();
    let Object(wire): Object<Wire> = serde_json::from_str(predicate).map_err(|e| wrong(&e))?;
    let version = if wire.build_definition.is_some() { "v1" } else { "v0.2" };
    let kind = format!("https://slsa.dev/provenance/{version}");
    let provenance = Provenance::parse(&kind, predicate, limits).map_err(|e| wrong(&e))?;
    if provenance.kind != BuildType::BuildKit {
        return Err(wrong(&"its provenance is not of a build type of BuildKit"));
    }
    let (source, parameters) = match (wire.build_definition.and_then(|d| d.external_parameters), wire.invocation) {
        (Some(external), _) => (external.config_source, external.request),
        (None, Some(invocation)) => (invocation.config_source, invocation.parameters),
        (None, None) => (None, None),
    };
    let (context, path) = source.map_or((None, None), |source| (source.uri, source.path));
    let (frontend, args) = parameters.map_or((None, None), |parameters| (parameters.frontend, parameters.args));
    Ok(Found { provenance, request: Request { frontend, path, context, args: args.unwrap_or_default() } })
}

/// The provenance of the platform, or the only one.
fn pick<'a>(
    metadata: &'a BTreeMap<String, Box<RawValue>>,
    platform: Option<&Platform>,
) -> Result<&'a RawValue, BuildError> {
    if let Some(only) = metadata.get(KEY) {
        return Ok(only);
    }
    let of_platform = |key: &str| key.strip_prefix(KEY)?.strip_prefix('/')?.parse::<Platform>().ok();
    let several: Vec<(Platform, &RawValue)> =
        metadata.iter().filter_map(|(key, value)| Some((of_platform(key)?, &**value))).collect();
    let names = || several.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ");
    match (several.as_slice(), platform) {
        ([], _) => Err(BuildError::file(
            FILE,
            "there is no provenance in it: build with --provenance mode=max and BUILDX_METADATA_PROVENANCE=max",
        )),
        ([(_, only)], None) => Ok(only),
        (_, None) => Err(BuildError::file(FILE, format!("it is about several platforms, pick one: {}", names()))),
        (all, Some(wanted)) => {
            let found = all.iter().find(|(name, _)| name.matches(wanted)).map(|(_, value)| *value);
            found.ok_or_else(|| BuildError::file(FILE, format!("it has {}, and not {wanted}", names())))
        }
    }
}
