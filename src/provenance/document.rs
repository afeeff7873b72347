//! The document as it is written: fields in this order, maps sorted.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Predicate<'a> {
    pub(super) build_definition: BuildDefinition<'a>,
    pub(super) run_details: RunDetails<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BuildDefinition<'a> {
    pub(super) build_type: &'static str,
    pub(super) external_parameters: ExternalParameters<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) internal_parameters: &'a BTreeMap<&'static str, String>,
    pub(super) resolved_dependencies: &'a [Resource],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalParameters<'a> {
    pub(super) source: SourceParameters<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parameters: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) buildkit: Option<&'a Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) apko: Option<Sorted<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceParameters<'a> {
    pub(super) repository: &'a str,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry_point: Option<&'a str>,
}

/// What `BuildKit` was asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frontend: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) args: BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct RunDetails<'a> {
    pub(super) builder: Builder<'a>,
    pub(super) metadata: Metadata<'a>,
}

#[derive(Serialize)]
pub(super) struct Builder<'a> {
    pub(super) id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invocation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finished_on: Option<String>,
}

/// An artifact that the build fetched (in-toto `ResourceDescriptor`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Resource {
    pub(super) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) digest: BTreeMap<String, String>,
}

/// JSON with the keys of every object sorted: how `Value` keeps them depends
/// on a feature that any crate of the program may switch on.
pub(super) struct Sorted<'a>(pub(super) &'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
                let mut map = serializer.serialize_map(Some(sorted.len()))?;
                for (key, value) in sorted {
                    map.serialize_entry(key, &Sorted(value))?;
                }
                map.end()
            }
            Value::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}
