//! The objects of a document, with their fields in the order in which they are written.

use serde::Serialize;

use crate::sbom::graph::Text;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'a, P, F, L, R> {
    pub(super) spdx_version: &'static str,
    pub(super) data_license: &'static str,
    #[serde(rename = "SPDXID")]
    pub(super) id: &'static str,
    pub(super) name: Text<'a>,
    pub(super) document_namespace: Text<'a>,
    pub(super) creation_info: CreationInfo<'a>,
    pub(super) comment: Text<'a>,
    pub(super) packages: P,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<F>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) has_extracted_licensing_infos: Option<L>,
    pub(super) relationships: R,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Annotation<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationInfo<'a> {
    pub(super) created: Text<'a>,
    pub(super) creators: [Text<'a>; 1],
    pub(super) license_list_version: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Annotation<'a> {
    pub(super) annotation_date: Text<'a>,
    pub(super) annotation_type: &'static str,
    pub(super) annotator: Text<'a>,
    pub(super) comment: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package<'a> {
    #[serde(rename = "SPDXID")]
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version_info: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supplier: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) originator: Option<Text<'a>>,
    pub(super) download_location: &'static str,
    pub(super) files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package_verification_code: Option<VerificationCode<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) checksums: Vec<Checksum<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_info: Option<Text<'a>>,
    pub(super) license_concluded: &'static str,
    pub(super) license_declared: Text<'a>,
    pub(super) copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_refs: Vec<ExternalRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) primary_package_purpose: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct VerificationCode<'a> {
    #[serde(rename = "packageVerificationCodeValue")]
    pub(super) value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(rename = "SPDXID")]
    pub(super) id: &'a str,
    pub(super) file_name: String,
    pub(super) checksums: [Checksum<'a>; 2],
    pub(super) license_concluded: &'static str,
    pub(super) license_info_in_files: [&'static str; 1],
    pub(super) copyright_text: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum<'a> {
    pub(super) algorithm: &'static str,
    pub(super) checksum_value: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalRef<'a> {
    pub(super) reference_category: &'static str,
    pub(super) reference_type: &'static str,
    pub(super) reference_locator: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtractedLicense<'a> {
    pub(super) license_id: Text<'a>,
    pub(super) extracted_text: Text<'a>,
    pub(super) name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship<'a> {
    pub(super) spdx_element_id: &'a str,
    pub(super) relationship_type: &'static str,
    pub(super) related_spdx_element: &'a str,
}

/// Nobody says.
pub(super) const NOASSERTION: &str = "NOASSERTION";
