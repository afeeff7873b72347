//! What melange says of a package inside the image: `var/lib/db/sbom/NAME-VERSION.spdx.json`.
//!
//! It is a claim beside the database of apk and never a package of its own: it
//! adds sources to the package that it is about, and is shown where the database
//! has no such package.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Fact, Facts, File, Reader, Unreadable};
use crate::json;
use crate::scan::{Claim, SourcePackage};

/// Reads the documents of melange.
pub(super) struct Documents;

impl Reader for Documents {
    fn name(&self) -> &'static str {
        "document of melange"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        let name = file.path.strip_prefix("var/lib/db/sbom/").and_then(|name| name.strip_suffix(".spdx.json"));
        name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let wire: Wire = json::object(content).map_err(|error| Unreadable::new(error.to_string()))?;
        let packages: BTreeMap<&str, &WirePackage> = wire.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        let related = |from: &str, kinds: &[&str]| -> Vec<&str> {
            let found = wire.relationships.iter().filter(|r| r.from == from && kinds.contains(&r.kind.as_str()));
            found.map(|r| r.to.as_str()).collect()
        };
        let mut described: Vec<&str> = wire.document_describes.iter().map(String::as_str).collect();
        described.extend(related(&wire.id, &["DESCRIBES"]));
        described.sort_unstable();
        described.dedup();
        for id in described {
            let Some(package) = packages.get(id) else { continue };
            let sources = related(id, &["GENERATED_FROM", "DESCRIBED_BY"]);
            let mut sources: Vec<SourcePackage> =
                sources.into_iter().filter_map(|id| packages.get(id)).map(|source| source.as_source()).collect();
            sources.sort();
            sources.dedup();
            facts.push(Fact::Claim(Claim {
                package: package.name.clone(),
                version: package.version.clone().unwrap_or_default(),
                sources,
                ..Claim::default()
            }))?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(default)]
    document_describes: Vec<String>,
    #[serde(default)]
    packages: Vec<WirePackage>,
    #[serde(default)]
    relationships: Vec<WireRelationship>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePackage {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(rename = "versionInfo")]
    version: Option<String>,
    #[serde(default)]
    external_refs: Vec<WireRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRef {
    reference_type: String,
    reference_locator: String,
}

#[derive(Deserialize)]
struct WireRelationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    kind: String,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}

impl WirePackage {
    fn as_source(&self) -> SourcePackage {
        let mut source = SourcePackage::new(&self.name, self.version.as_deref().unwrap_or_default());
        let purl = self.external_refs.iter().find(|reference| reference.reference_type == "purl");
        // Some are broken (an unknown repository becomes a host): those are nobody's address.
        let parses = |text: &&str| text.parse::<packageurl::PackageUrl<'_>>().is_ok();
        source.purl = purl.map(|reference| reference.reference_locator.as_str()).filter(parses).map(str::to_owned);
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;

    const GOOD: &str = r#"{"SPDXID":"SPDXRef-DOCUMENT","documentDescribes":["P"],
        "packages":[{"SPDXID":"P","name":"sed","versionInfo":"4.9-r8"},
          {"SPDXID":"S","name":"sed","versionInfo":"4.9","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:generic/sed@4.9"}]},
          {"SPDXID":"M","name":"sed.yaml","externalRefs":[{"referenceType":"purl","referenceLocator":"no purl"}]},
          {"SPDXID":"O","name":"other"}],
        "relationships":[{"spdxElementId":"P","relationshipType":"GENERATED_FROM","relatedSpdxElement":"S"},
          {"spdxElementId":"P","relationshipType":"DESCRIBED_BY","relatedSpdxElement":"M"}]}"#;

    fn read(text: &str) -> Result<Vec<Claim>, Unreadable> {
        let total = Total::default();
        let mut facts = Facts::new(&total, 10);
        let file = File { path: "var/lib/db/sbom/sed-4.9-r8.spdx.json", size: 0, mode: 0, head: &[] };
        assert!(Documents.wants(&file));
        Documents.read(&file, text.as_bytes(), &mut facts)?;
        let claim = |fact| if let Fact::Claim(claim) = fact { claim } else { panic!("no claim") };
        Ok(facts.into_list().into_iter().map(claim).collect())
    }

    #[test]
    fn a_document_claims_a_package_and_its_sources() {
        let claims = read(GOOD).expect("a document");
        let [claim] = claims.as_slice() else { panic!("{claims:?}") };
        assert_eq!((claim.package.as_str(), claim.version.as_str()), ("sed", "4.9-r8"));
        let sources: Vec<_> = claim.sources.iter().map(|s| (s.name.as_str(), s.purl.as_deref())).collect();
        assert_eq!(sources, [("sed", Some("pkg:generic/sed@4.9")), ("sed.yaml", None)]);
        assert!(read(&GOOD.replace("\"documentDescribes\"", "\"SPDXID\"")).is_err());
        assert!(read("{").is_err());
    }
}
