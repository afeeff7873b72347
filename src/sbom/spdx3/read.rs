//! Reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::json;
use crate::sbom::DocumentError;
use crate::sbom::document::{Document, Package, asserted};

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "@graph")]
    graph: Vec<Object>,
}

/// Any object of the graph: what it has decides what it is worth.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(alias = "@id", default)]
    spdx_id: String,
    spec_version: Option<String>,
    name: Option<String>,
    root_element: Option<Vec<String>>,
    from: Option<String>,
    relationship_type: Option<String>,
    to: Option<Vec<String>>,
    verified_using: Option<Vec<Hash>>,
    #[serde(rename = "software_packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "simplelicensing_licenseExpression")]
    expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hash {
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    hash_value: String,
}

/// Reads a document of 3.0 in JSON-LD, as its own context writes it.
pub(in crate::sbom) fn read(document: &[u8]) -> Result<Document, DocumentError> {
    let wire: Wire = json::object(document).map_err(|error| DocumentError::Malformed(error.to_string()))?;
    let mut versions: Vec<&str> = wire.graph.iter().filter_map(|object| object.spec_version.as_deref()).collect();
    versions.sort_unstable();
    versions.dedup();
    if versions.is_empty() || versions.iter().any(|version| !version.starts_with("3.0.")) {
        return Err(DocumentError::Version(versions.join(" and ").chars().take(200).collect()));
    }
    let (mut licenses, mut declared) = (BTreeMap::new(), BTreeMap::<&str, &str>::new());
    let (mut described, mut sources, mut is_index) = (BTreeSet::new(), BTreeSet::new(), false);
    for object in &wire.graph {
        licenses.extend(object.expression.as_deref().map(|text| (object.spdx_id.as_str(), text)));
        let to = object.to.iter().flatten();
        match (object.kind.as_str(), object.relationship_type.as_deref()) {
            ("SpdxDocument" | "software_Sbom", _) => described.extend(object.root_element.iter().flatten().cloned()),
            (_, Some("describes")) => described.extend(to.cloned()),
            (_, Some("hasVariant")) => is_index = true,
            // It is the other end that is in the image.
            (_, Some("generates")) => sources.extend(object.from.clone()),
            (_, Some("hasDeclaredLicense")) => {
                declared.extend(
                    object.from.as_deref().and_then(|from| Some((from, object.to.as_ref()?.first()?.as_str()))),
                );
            }
            _ => {}
        }
    }
    let packages = wire.graph.iter().filter(|object| object.kind == "software_Package");
    let packages = packages.map(|object| {
        let license = declared.get(object.spdx_id.as_str()).and_then(|id| licenses.get(id));
        package(object, license.map(|text| (*text).to_owned()))
    });
    Ok(Document { packages: packages.collect(), described, sources, is_index })
}

fn package(object: &Object, license: Option<String>) -> Package {
    let sums = object.verified_using.iter().flatten().filter(|sum| sum.algorithm == "sha256");
    Package {
        id: object.spdx_id.clone(),
        name: object.name.clone(),
        version: object.version.clone(),
        license: asserted(license),
        purpose: object.purpose.as_deref().map(older),
        sha256: sums.filter_map(|sum| format!("sha256:{}", sum.hash_value).parse().ok()).collect(),
        purls: object.purl.iter().cloned().collect(),
    }
}

/// A purpose in the words of SPDX 2: `operatingSystem` was `OPERATING_SYSTEM`.
fn older(purpose: &str) -> String {
    let mut out = String::with_capacity(purpose.len() + 2);
    for c in purpose.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
