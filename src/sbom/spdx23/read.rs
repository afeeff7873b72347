//! Reading SPDX 2.2 and 2.3 in JSON.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::json;
use crate::sbom::DocumentError;
use crate::sbom::document::{Document, Package, asserted};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    spdx_version: Option<String>,
    packages: Option<Vec<WirePackage>>,
    relationships: Option<Vec<WireRelationship>>,
    document_describes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePackage {
    #[serde(rename = "SPDXID", default)]
    id: String,
    name: Option<String>,
    version_info: Option<String>,
    license_declared: Option<String>,
    primary_package_purpose: Option<String>,
    checksums: Option<Vec<WireChecksum>>,
    external_refs: Option<Vec<WireReference>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireChecksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireReference {
    reference_type: String,
    reference_locator: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireRelationship {
    relationship_type: String,
    related_spdx_element: String,
}

/// Reads a document; the version is the first thing that is looked at.
pub(in crate::sbom) fn read(document: &[u8]) -> Result<Document, DocumentError> {
    let wire: Wire = json::object(document).map_err(|error| DocumentError::Malformed(error.to_string()))?;
    let version = wire.spdx_version.unwrap_or_default();
    if !matches!(version.as_str(), "SPDX-2.2" | "SPDX-2.3") {
        return Err(DocumentError::Version(version.chars().take(200).collect()));
    }
    let mut described: BTreeSet<String> = wire.document_describes.unwrap_or_default().into_iter().collect();
    let (mut sources, mut is_index) = (BTreeSet::new(), false);
    for relationship in wire.relationships.unwrap_or_default() {
        match relationship.relationship_type.as_str() {
            "DESCRIBES" => drop(described.insert(relationship.related_spdx_element)),
            "VARIANT_OF" => is_index = true,
            "GENERATED_FROM" | "DESCRIBED_BY" => drop(sources.insert(relationship.related_spdx_element)),
            _ => {}
        }
    }
    let packages = wire.packages.unwrap_or_default().into_iter().map(package).collect();
    Ok(Document { packages, described, sources, is_index })
}

fn package(wire: WirePackage) -> Package {
    let sums = wire.checksums.unwrap_or_default().into_iter().filter(|sum| sum.algorithm == "SHA256");
    let references = wire.external_refs.unwrap_or_default().into_iter();
    Package {
        id: wire.id,
        name: wire.name,
        version: wire.version_info,
        license: asserted(wire.license_declared),
        purpose: wire.primary_package_purpose,
        sha256: sums.filter_map(|sum| format!("sha256:{}", sum.checksum_value).parse().ok()).collect(),
        purls: references.filter(|r| r.reference_type == "purl").map(|r| r.reference_locator).collect(),
    }
}
