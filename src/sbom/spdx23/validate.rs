//! What a document of SPDX 2 should not say: its schema first, then what a schema cannot ask.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema;
use crate::sbom::findings::{Findings, list, text};
use crate::sbom::license;

/// Looks for what is wrong with a document of SPDX 2.
pub(in crate::sbom) fn check(document: &Value, findings: &mut Findings) {
    schema::check(document, &mut |place, detail| findings.misshapen(place, detail));
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
                self.findings.warning("documentNamespace", "it ends with a slash: is it this document's alone?");
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
            self.findings.warning(&place, "no relationship leads to it from the document");
        }
    }
}
