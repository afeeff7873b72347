//! Whether a document is valid SPDX: of 2.3 what its JSON schema asks, and of both
//! versions identifiers, relationships, licence expressions, package URLs.

use serde_json::Value;

use super::findings::{Finding, Findings};
use super::{spdx3, spdx23};
use crate::code::Code;
use crate::json;

/// A text that is no JSON document, or has a key twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON document: {0}")]
pub struct NotJson(String);

impl NotJson {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::SbomInvalid
    }
}

/// Looks for everything that is wrong with an SPDX document, 2.3 in JSON or 3.0 in
/// JSON-LD, in the order of the document.
///
/// # Errors
/// When it is no JSON, or JSON that programs read differently.
pub fn validate(bytes: &[u8]) -> Result<Vec<Finding>, NotJson> {
    let document: Value = json::parse(bytes).map_err(|error| NotJson(error.to_string()))?;
    let mut findings = Findings::default();
    if document.get("@context").is_some() && document.get("spdxVersion").is_none() {
        spdx3::validate(&document, &mut findings);
        // Its schema is not looked at: what a reader of ours cannot take is no text, or no list, where it should be.
        if !findings.has_errors()
            && let Err(error) = spdx3::read(bytes)
        {
            findings.error("@graph", error.to_string());
        }
    } else {
        spdx23::validate(&document, &mut findings);
    }
    Ok(findings.into_list())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"n",
      "documentNamespace":"https://example.org/n-1","creationInfo":{"created":"2026-03-02T11:00:00Z","creators":["Tool: t"]},
      "packages":[{"SPDXID":"SPDXRef-a","name":"a","downloadLocation":"NOASSERTION","supplier":"Organization: o",
        "filesAnalyzed":false,"primaryPackagePurpose":"LIBRARY",
        "licenseDeclared":"MIT AND LicenseRef-x","checksums":[{"algorithm":"SHA1","checksumValue":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}],
        "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:apk/wolfi/a@1"}]}],
      "hasExtractedLicensingInfos":[{"licenseId":"LicenseRef-x","extractedText":"t"}],
      "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-a"}]}"#;

    fn places(text: &str) -> Vec<String> {
        let found = validate(text.as_bytes()).expect("JSON");
        found.iter().map(|finding| format!("{:?} {}", finding.severity, finding.place)).collect()
    }

    #[test]
    fn each_mistake_is_found_where_it_is() {
        assert_eq!(places(GOOD), [""; 0]);
        for (right, wrong, place) in [
            ("SPDX-2.3", "SPDX-9", "Error spdxVersion"),
            ("CC0-1.0", "MIT", "Error dataLicense"),
            ("https://example.org/n-1", "n#1", "Error documentNamespace"),
            ("https://example.org/n-1", "https://example.org/", "Warning documentNamespace"),
            ("11:00:00Z", "11:00:00.5Z", "Error creationInfo.created"),
            ("Tool: t", "t", "Error creationInfo.creators"),
            ("\"name\":\"a\"", "\"name\":\"\"", "Error packages[0].name"),
            ("Organization: o", "o", "Error packages[0].supplier"),
            ("MIT AND LicenseRef-x", "gpl", "Error packages[0].licenseDeclared"),
            ("MIT AND LicenseRef-x", "LicenseRef-y", "Error packages[0].licenseDeclared"),
            ("da39a3ee", "da39a3e", "Error packages[0].checksums"),
            ("pkg:apk/wolfi/a@1", "pkg:apk", "Error packages[0].externalRefs"),
            ("pkg:apk/wolfi/a@1", "pkg:github/https:/%2Funknown@1", "Warning packages[0].externalRefs"),
            ("\"DESCRIBES\"", "\"SHOWS\"", "Error relationships[0].relationshipType"),
            // The schema.
            ("\"name\":\"n\"", "\"name\":7", "Error name"),
            ("\"name\":\"n\",", "", "Error name"),
            ("\"packages\":[", "\"package\":[], \"packages\":[", "Error package"),
            ("[\"Tool: t\"]", "[]", "Error creationInfo.creators"),
            ("SPDXRef-a\",\"name\"", "SPDXRef_a\",\"name\"", "Error packages[0].SPDXID"),
            ("\"downloadLocation\":\"NOASSERTION\",", "", "Error packages[0].downloadLocation"),
            ("\"SHA1\"", "\"CRC\"", "Error packages[0].checksums[0].algorithm"),
            ("da39a3ee", "xx39a3ee", "Error packages[0].checksums[0].checksumValue"),
            ("\"referenceType\":\"purl\",", "", "Error packages[0].externalRefs[0].referenceType"),
            ("\"PACKAGE-MANAGER\"", "\"PACKAGES\"", "Error packages[0].externalRefs[0].referenceCategory"),
            ("\"LIBRARY\"", "\"BOOK\"", "Error packages[0].primaryPackagePurpose"),
            ("\"filesAnalyzed\":false", "\"filesAnalyzed\":\"no\"", "Error packages[0].filesAnalyzed"),
            (",\"extractedText\":\"t\"", "", "Error hasExtractedLicensingInfos[0].extractedText"),
        ] {
            let found = places(&GOOD.replacen(right, wrong, 1));
            assert!(found.iter().any(|found| found == place), "{wrong}: {found:?}");
        }
        let lost =
            places(&GOOD.replace("\"relatedSpdxElement\":\"SPDXRef-a\"", "\"relatedSpdxElement\":\"SPDXRef-b\""));
        assert_eq!(lost, ["Error relationships[0]", "Warning packages[0].SPDXID"]);
        assert!(validate(b"{\"a\":1,\"a\":2}").is_err());
    }

    const GOOD_3: &str = r##"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
      {"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-03-02T11:00:00Z","createdBy":["urn:n#t"]},
      {"type":"SoftwareAgent","spdxId":"urn:n#t","creationInfo":"_:c","name":"t"},
      {"type":"SpdxDocument","spdxId":"urn:n#d","creationInfo":"_:c","rootElement":["urn:n#a"]},
      {"type":"software_Package","spdxId":"urn:n#a","creationInfo":"_:c","name":"a","software_packageUrl":"pkg:apk/wolfi/a@1"},
      {"type":"simplelicensing_LicenseExpression","spdxId":"urn:n#l","creationInfo":"_:c",
        "simplelicensing_licenseExpression":"MIT AND LicenseRef-x",
        "simplelicensing_customIdToUri":[{"type":"DictionaryEntry","key":"LicenseRef-x","value":"urn:n#x"}]},
      {"type":"Relationship","spdxId":"urn:n#r","creationInfo":"_:c","from":"urn:n#a","relationshipType":"hasDeclaredLicense","to":["urn:n#l"]}]}"##;

    #[test]
    fn each_mistake_in_3_is_found_where_it_is() {
        assert_eq!(places(GOOD_3), [""; 0]);
        for (right, wrong, place) in [
            ("rdf/3.0.1/", "rdf/4.0.0/", "Error @context"),
            ("\"name\":\"a\",", "\"name\":\"a\",\"software_packageVersion\":7,", "Error @graph"),
            ("\"specVersion\":\"3.0.1\"", "\"specVersion\":\"2.3\"", "Error @graph[0].specVersion"),
            ("11:00:00Z", "11:00:00.5Z", "Error @graph[0].created"),
            ("[\"urn:n#t\"]", "[\"urn:n#a\"]", "Error @graph[0].createdBy"),
            ("\"spdxId\":\"urn:n#t\"", "\"spdxId\":\"t\"", "Error @graph[1].spdxId"),
            ("\"spdxId\":\"urn:n#d\"", "\"spdxId\":\"urn:n#t\"", "Error @graph[2].spdxId"),
            ("\"creationInfo\":\"_:c\",\"rootElement\"", "\"rootElement\"", "Error @graph[2].creationInfo"),
            ("[\"urn:n#a\"]}", "[]}", "Error @graph[2].rootElement"),
            ("[\"urn:n#a\"]}", "[\"urn:n#b\"]}", "Error @graph[2].rootElement[0]"),
            ("\"SpdxDocument\"", "\"Bundle\"", "Error @graph"),
            ("\"name\":\"a\",", "", "Error @graph[3].name"),
            ("pkg:apk/wolfi/a@1", "pkg:apk", "Error @graph[3].software_packageUrl"),
            ("pkg:apk/wolfi/a@1", "pkg:apk/wolfi/a", "Warning @graph[3].software_packageUrl"),
            ("MIT AND", "gpl AND", "Error @graph[4].simplelicensing_licenseExpression"),
            ("\"key\":\"LicenseRef-x\"", "\"key\":\"x\"", "Error @graph[4].simplelicensing_licenseExpression"),
            ("\"from\":\"urn:n#a\"", "\"from\":\"urn:n#b\"", "Error @graph[5].from"),
            ("\"to\":[\"urn:n#l\"]", "\"to\":[\"urn:n#m\"]", "Error @graph[5].to[0]"),
            ("\"to\":[\"urn:n#l\"]", "\"to\":[]", "Error @graph[5].to"),
        ] {
            assert!(GOOD_3.contains(right), "{right}");
            let found = places(&GOOD_3.replacen(right, wrong, 1));
            assert!(found.iter().any(|found| found == place), "{wrong}: {found:?}");
        }
    }
}
