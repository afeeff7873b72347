//! Whether a document is valid SPDX: of 2.3 what its JSON schema asks, and of both
//! versions identifiers, relationships, licence expressions, package URLs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use packageurl::PackageUrl;
use serde_json::Value;

use super::{license, spdx3, spdx23};
use crate::code::Code;
use crate::json;

/// Findings at most: a document of ten thousand bad packages is one bad document.
const MOST: usize = 1000;

/// Something that a document should not say, or not in this way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where: `packages[3].licenseDeclared`.
    pub place: String,
    /// What is wrong.
    pub detail: String,
    /// Whether the document is invalid, or only worse than it could be.
    pub severity: Severity,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// The specification forbids it.
    Error,
    /// It is allowed, and some programs will make nothing of it.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

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
        if findings.found.iter().all(|finding| finding.severity == Severity::Warning)
            && let Err(error) = spdx3::read(bytes)
        {
            findings.error("@graph", error.to_string());
        }
    } else {
        validate_2(&document, &mut findings);
    }
    Ok(findings.found)
}

fn validate_2(document: &Value, findings: &mut Findings) {
    spdx23::schema(document, &mut |place, detail| {
        findings.shaped.insert(place.clone());
        findings.push(Severity::Error, place, detail);
    });
    let mut check = Check { findings, ids: BTreeMap::new(), references: BTreeSet::new() };
    check.header(document);
    check.collect(document);
    for (number, package) in list(document, "packages").iter().enumerate() {
        check.package(&format!("packages[{number}]"), package);
    }
    for (number, file) in list(document, "files").iter().enumerate() {
        check.licenses(&format!("files[{number}]"), file, &["licenseConcluded"]);
    }
    check.relationships(document);
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
    /// Where the shape is wrong already, so that nothing more has to be said.
    shaped: BTreeSet<String>,
}

impl Findings {
    fn push(&mut self, severity: Severity, place: String, detail: String) {
        if self.found.len() < MOST {
            self.found.push(Finding { place, detail, severity });
        }
    }

    fn add(&mut self, severity: Severity, place: &str, detail: impl Into<String>) {
        if !self.shaped.contains(place) {
            self.push(severity, place.to_owned(), detail.into());
        }
    }

    pub(super) fn error(&mut self, place: &str, detail: impl Into<String>) {
        self.add(Severity::Error, place, detail);
    }

    /// Whether a text is a package URL, and one that others can make something of.
    pub(super) fn purl(&mut self, place: &str, locator: &str) {
        match locator.parse::<PackageUrl<'_>>() {
            Err(error) => self.error(place, format!("{locator:?} is no package URL: {error}")),
            Ok(purl) => {
                // What became of an address that was not known: a host as a namespace.
                let is_host = |part: &str| part.ends_with(':') || part.contains("://");
                let namespace = purl.namespace().unwrap_or_default();
                if namespace.split('/').any(is_host) || namespace.contains("unknown") {
                    self.add(Severity::Warning, place, format!("{locator:?} names no real place"));
                }
                if purl.version().is_none() {
                    self.add(Severity::Warning, place, format!("{locator:?} has no version"));
                }
            }
        }
    }
}

/// A document of SPDX 2, beyond its shape.
struct Check<'f> {
    findings: &'f mut Findings,
    /// Identifiers and where they stand.
    ids: BTreeMap<String, String>,
    /// Licences that the document explains.
    references: BTreeSet<String>,
}

impl Check<'_> {
    /// SPDX 2.3, clause 6.
    fn header(&mut self, document: &Value) {
        if !matches!(text(document, "spdxVersion"), Some("SPDX-2.3" | "SPDX-2.2")) {
            self.findings.error("spdxVersion", "wanted SPDX-2.3");
        }
        if text(document, "dataLicense") != Some("CC0-1.0") {
            self.findings.error("dataLicense", "wanted CC0-1.0");
        }
        if text(document, "SPDXID") != Some("SPDXRef-DOCUMENT") {
            self.findings.error("SPDXID", "wanted SPDXRef-DOCUMENT");
        }
        if text(document, "name").is_none_or(str::is_empty) {
            self.findings.error("name", "there is none");
        }
        match text(document, "documentNamespace") {
            Some(namespace) if namespace.contains('#') => self.findings.error("documentNamespace", "it contains a #"),
            Some(namespace) if namespace.contains(':') && namespace.ends_with('/') => {
                self.findings.add(
                    Severity::Warning,
                    "documentNamespace",
                    "it ends with a slash: is it this document's alone?",
                );
            }
            Some(namespace) if namespace.contains(':') => {}
            _ => self.findings.error("documentNamespace", "wanted a URI"),
        }
        let creators = list(&document["creationInfo"], "creators");
        let known = |creator: &Value| {
            let text = creator.as_str().unwrap_or_default();
            ["Tool: ", "Person: ", "Organization: "].iter().any(|kind| text.starts_with(kind))
        };
        if !creators.iter().all(known) {
            self.findings.error("creationInfo.creators", "wanted a Tool, Person or Organization in each");
        }
    }

    /// Identifiers of everything, and the licences that are explained.
    fn collect(&mut self, document: &Value) {
        self.ids.insert("SPDXRef-DOCUMENT".to_owned(), "the document".to_owned());
        for key in ["packages", "files", "snippets"] {
            for (number, element) in list(document, key).iter().enumerate() {
                let place = format!("{key}[{number}].SPDXID");
                let id = text(element, "SPDXID").unwrap_or_default();
                if let Some(first) = self.ids.insert(id.to_owned(), place.clone()) {
                    self.findings.error(&place, format!("{first} has the same identifier"));
                }
            }
        }
        for (number, license) in list(document, "hasExtractedLicensingInfos").iter().enumerate() {
            let place = format!("hasExtractedLicensingInfos[{number}]");
            let id = text(license, "licenseId").unwrap_or_default();
            if !id.starts_with("LicenseRef-") || !license::is_valid(id) {
                self.findings.error(&place, "wanted a licenseId that begins with LicenseRef-");
            }
            if text(license, "extractedText").is_some_and(str::is_empty) {
                self.findings.error(&place, "there is no extractedText");
            }
            self.references.insert(id.to_owned());
        }
    }

    /// SPDX 2.3, clause 7.
    fn package(&mut self, place: &str, package: &Value) {
        for key in ["name", "downloadLocation"] {
            if text(package, key).is_some_and(str::is_empty) {
                self.findings.error(&format!("{place}.{key}"), "it is empty");
            }
        }
        for key in ["supplier", "originator"] {
            let good = |party: &str| {
                party == "NOASSERTION" || party.starts_with("Person: ") || party.starts_with("Organization: ")
            };
            if text(package, key).is_some_and(|party| !good(party)) {
                self.findings.error(&format!("{place}.{key}"), "wanted a Person or an Organization");
            }
        }
        self.licenses(place, package, &["licenseConcluded", "licenseDeclared"]);
        for checksum in list(package, "checksums") {
            let value = text(checksum, "checksumValue").unwrap_or_default();
            let length = match text(checksum, "algorithm") {
                Some("SHA1") => Some(40),
                Some("SHA256") => Some(64),
                Some("SHA512") => Some(128),
                _ => None,
            };
            let hex = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !hex || length.is_some_and(|length| value.len() != length) {
                self.findings.error(&format!("{place}.checksums"), "a value is not of its algorithm");
            }
        }
        for reference in list(package, "externalRefs") {
            let locator = text(reference, "referenceLocator").unwrap_or_default();
            if text(reference, "referenceType") == Some("purl") {
                self.findings.purl(&format!("{place}.externalRefs"), locator);
            }
        }
    }

    fn licenses(&mut self, place: &str, element: &Value, keys: &[&str]) {
        for key in keys {
            let Some(expression) = text(element, key).filter(|text| !matches!(*text, "NONE" | "NOASSERTION")) else {
                continue;
            };
            let place = format!("{place}.{key}");
            if !license::is_valid(expression) {
                self.findings.error(&place, format!("{expression:?} is no licence expression"));
                continue;
            }
            let named = license::references(expression).into_iter();
            let unknown: Vec<&str> = named.filter(|word| !self.references.contains(*word)).collect();
            for word in unknown {
                self.findings.error(&place, format!("{word} is not in hasExtractedLicensingInfos"));
            }
        }
    }

    /// SPDX 2.3, clause 11; everything should be reachable from the document, in either direction.
    fn relationships(&mut self, document: &Value) {
        let mut joined: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut describes = false;
        for described in list(document, "documentDescribes").iter().filter_map(Value::as_str) {
            describes = true;
            joined.entry("SPDXRef-DOCUMENT").or_default().push(described);
            if !self.ids.contains_key(described) {
                self.findings.error("documentDescribes", format!("there is no {described}"));
            }
        }
        for (number, relationship) in list(document, "relationships").iter().enumerate() {
            let place = format!("relationships[{number}]");
            let end = |key| text(relationship, key).unwrap_or_default();
            let (from, to, kind) = (end("spdxElementId"), end("relatedSpdxElement"), end("relationshipType"));
            for id in [from, to] {
                let elsewhere = id.starts_with("DocumentRef-") || matches!(id, "NONE" | "NOASSERTION");
                if !elsewhere && !self.ids.contains_key(id) {
                    self.findings.error(&place, format!("there is no {id:?}"));
                }
            }
            describes |=
                (from, kind) == ("SPDXRef-DOCUMENT", "DESCRIBES") || (to, kind) == ("SPDXRef-DOCUMENT", "DESCRIBED_BY");
            joined.entry(from).or_default().push(to);
            joined.entry(to).or_default().push(from);
        }
        if !describes {
            self.findings.error("relationships", "the document describes nothing");
        }
        let mut reached = BTreeSet::new();
        let mut waiting = vec!["SPDXRef-DOCUMENT"];
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                waiting.extend(joined.get(id).into_iter().flatten());
            }
        }
        let lost: Vec<String> =
            self.ids.iter().filter(|(id, _)| !reached.contains(id.as_str())).map(|(_, place)| place.clone()).collect();
        for place in lost {
            self.findings.add(Severity::Warning, &place, "no relationship leads to it from the document");
        }
    }
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
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
