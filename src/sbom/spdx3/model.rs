//! The objects of a document, with their fields in the order in which they are written.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// The one creation info, which every element has.
pub(super) const CREATION_INFO: &str = "_:creationinfo";

#[derive(Serialize)]
pub(super) struct Document<G> {
    #[serde(rename = "@context")]
    pub(super) context: &'static str,
    #[serde(rename = "@graph")]
    pub(super) graph: G,
}

/// An object of the graph.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Object<'a> {
    CreationInfo(CreationInfo<'a>),
    Element(Element<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationInfo<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(rename = "@id")]
    pub(super) id: &'static str,
    pub(super) spec_version: &'static str,
    pub(super) created: &'a str,
    pub(super) created_by: [Iri<'a>; 1],
}

/// What every element has, and then its own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) spdx_id: Iri<'a>,
    pub(super) creation_info: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'a str>,
    #[serde(flatten)]
    pub(super) own: Own<'a>,
}

/// What only elements of one kind have.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Own<'a> {
    None {},
    Collection(Box<Collection<'a>>),
    Package(Box<Package<'a>>),
    File(File),
    Agent(Agent<'a>),
    License(License<'a>),
    LicenseText(LicenseText<'a>),
    Relationship(Relationship<'a>),
    Annotation(Annotation<'a>),
}

/// A document or an SBOM.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Collection<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_license: Option<Iri<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) profile_conformance: &'static [&'static str],
    #[serde(rename = "software_sbomType", skip_serializing_if = "<[_]>::is_empty")]
    pub(super) sbom_type: &'static [&'static str],
    pub(super) root_element: [Iri<'a>; 1],
    pub(super) element: Vec<Iri<'a>>,
}

#[derive(Serialize)]
pub(super) struct Package<'a> {
    #[serde(rename = "verifiedUsing", skip_serializing_if = "Option::is_none")]
    pub(super) verified_using: Option<[Hash; 1]>,
    #[serde(rename = "originatedBy", skip_serializing_if = "Option::is_none")]
    pub(super) originated_by: Option<[Iri<'a>; 1]>,
    #[serde(rename = "suppliedBy", skip_serializing_if = "Option::is_none")]
    pub(super) supplied_by: Option<Iri<'a>>,
    #[serde(rename = "software_primaryPurpose", skip_serializing_if = "Option::is_none")]
    pub(super) primary_purpose: Option<&'static str>,
    #[serde(rename = "software_packageVersion", skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    #[serde(rename = "software_packageUrl", skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<&'a str>,
    #[serde(rename = "software_homePage", skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<&'a str>,
    #[serde(rename = "software_sourceInfo", skip_serializing_if = "Option::is_none")]
    pub(super) source_info: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hash {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) algorithm: &'static str,
    pub(super) hash_value: String,
}

#[derive(Serialize)]
pub(super) struct File {
    #[serde(rename = "verifiedUsing")]
    pub(super) verified_using: [Hash; 2],
    #[serde(rename = "software_fileKind")]
    pub(super) kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Agent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_identifier: Option<[ExternalIdentifier<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalIdentifier<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) external_identifier_type: &'static str,
    pub(super) identifier: &'a str,
}

#[derive(Serialize)]
pub(super) struct License<'a> {
    #[serde(rename = "simplelicensing_licenseExpression")]
    pub(super) expression: &'a str,
    #[serde(rename = "simplelicensing_licenseListVersion")]
    pub(super) list_version: &'a str,
    #[serde(rename = "simplelicensing_customIdToUri", skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_ids: Vec<DictionaryEntry<'a>>,
}

/// Where a `LicenseRef-` of an expression is explained.
#[derive(Serialize)]
pub(super) struct DictionaryEntry<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) key: &'a str,
    pub(super) value: Iri<'a>,
}

#[derive(Serialize)]
pub(super) struct LicenseText<'a> {
    #[serde(rename = "simplelicensing_licenseText")]
    pub(super) text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship<'a> {
    pub(super) from: Iri<'a>,
    pub(super) relationship_type: &'static str,
    pub(super) to: Vec<Iri<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completeness: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Annotation<'a> {
    pub(super) annotation_type: &'static str,
    pub(super) subject: Iri<'a>,
    pub(super) statement: &'a str,
}

/// The name of an element: that of the document, `#`, and its identifier in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Iri<'a> {
    pub(super) namespace: &'a str,
    pub(super) id: &'a str,
}

impl Serialize for Iri<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}#{}", self.namespace, self.id))
    }
}
