//! Whether a document is valid SPDX 3.0 in JSON-LD, as far as its names, licences and package URLs go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sbom::findings::{Findings, list, text};
use crate::sbom::license;
use crate::time::Timestamp;

/// Looks for everything that is wrong, in the order of the document.
pub(in crate::sbom) fn check(document: &Value, findings: &mut Findings) {
    if !text(document, "@context").is_some_and(|context| context.starts_with("https://spdx.org/rdf/3.0")) {
        findings.error("@context", "wanted that of SPDX 3.0");
    }
    let graph = list(document, "@graph");
    if graph.is_empty() {
        findings.error("@graph", "wanted a list of at least one");
    }
    let known = names(graph, findings);
    for (number, object) in graph.iter().enumerate() {
        let place = format!("@graph[{number}]");
        if text(object, "type") == Some("CreationInfo") {
            creation_info(&place, object, &known, findings);
            continue;
        }
        let info = text(object, "creationInfo").and_then(|id| known.get(id));
        if info.is_none_or(|kind| *kind != "CreationInfo") && !object["creationInfo"].is_object() {
            findings.error(&format!("{place}.creationInfo"), "wanted a CreationInfo of the document");
        }
        for key in ["from", "suppliedBy", "subject", "dataLicense"] {
            let named = object.get(key).and_then(Value::as_str);
            named.into_iter().for_each(|name| leads_somewhere(&format!("{place}.{key}"), name, &known, findings));
        }
        for key in ["to", "rootElement", "element", "originatedBy"] {
            for (number, name) in list(object, key).iter().enumerate() {
                let name = name.as_str().unwrap_or_default();
                leads_somewhere(&format!("{place}.{key}[{number}]"), name, &known, findings);
            }
        }
        of_its_kind(&place, object, findings);
    }
    let documents = graph.iter().filter(|object| text(object, "type") == Some("SpdxDocument")).count();
    if documents != 1 {
        findings.error("@graph", format!("wanted one SpdxDocument, there are {documents}"));
    }
}

/// The names of all objects, with their types, and those that the document says are elsewhere.
fn names<'a>(graph: &'a [Value], findings: &mut Findings) -> BTreeMap<&'a str, &'a str> {
    let mut known = BTreeMap::new();
    for (number, object) in graph.iter().enumerate() {
        let kind = text(object, "type").unwrap_or_default();
        if kind.is_empty() {
            findings.error(&format!("@graph[{number}].type"), "it is not there");
        }
        let id = text(object, "spdxId").or_else(|| text(object, "@id")).unwrap_or_default();
        let place = format!("@graph[{number}].spdxId");
        // Only what is no element may have no name outside of the document.
        if !id.contains(':') || (id.starts_with("_:") && kind != "CreationInfo") {
            findings.error(&place, "wanted a URI");
        } else if known.insert(id, kind).is_some() {
            findings.error(&place, format!("another object is called {id}"));
        }
        let elsewhere = list(object, "import").iter().filter_map(|import| text(import, "externalSpdxId"));
        known.extend(elsewhere.map(|id| (id, "elsewhere")));
    }
    known
}

fn leads_somewhere(place: &str, name: &str, known: &BTreeMap<&str, &str>, findings: &mut Findings) {
    // The individuals of the specification, `NoneElement` and such, and the licence list.
    let is_theirs =
        ["https://spdx.org/rdf/3.0", "https://spdx.org/licenses/"].iter().any(|theirs| name.starts_with(theirs));
    if !is_theirs && !known.contains_key(name) {
        findings.error(place, format!("there is no {name:?}"));
    }
}

/// SPDX 3.0.1, `CreationInfo`.
fn creation_info(place: &str, info: &Value, known: &BTreeMap<&str, &str>, findings: &mut Findings) {
    if !text(info, "specVersion").is_some_and(|version| version.starts_with("3.0.")) {
        findings.error(&format!("{place}.specVersion"), "wanted 3.0.1");
    }
    let created = text(info, "created").filter(|time| time.len() == 20 && time.ends_with('Z'));
    if created.is_none_or(|time| time.parse::<Timestamp>().is_err()) {
        findings.error(&format!("{place}.created"), "wanted a time like 2026-03-02T11:00:00Z");
    }
    let makers = list(info, "createdBy");
    let is_agent = |maker: &Value| {
        let kind = maker.as_str().and_then(|id| known.get(id)).copied().unwrap_or_default();
        ["Agent", "Organization", "Person", "SoftwareAgent", "elsewhere"].contains(&kind)
    };
    if makers.is_empty() || !makers.iter().all(is_agent) {
        findings.error(&format!("{place}.createdBy"), "wanted at least one, each an agent of the document");
    }
}

/// What only objects of one type have.
fn of_its_kind(place: &str, object: &Value, findings: &mut Findings) {
    match text(object, "type").unwrap_or_default() {
        "SpdxDocument" | "software_Sbom" if list(object, "rootElement").is_empty() => {
            findings.error(&format!("{place}.rootElement"), "wanted what the document is about");
        }
        "software_Package" => {
            if text(object, "name").is_none_or(str::is_empty) {
                findings.error(&format!("{place}.name"), "there is none");
            }
            if let Some(purl) = text(object, "software_packageUrl") {
                findings.purl(&format!("{place}.software_packageUrl"), purl);
            }
        }
        "simplelicensing_LicenseExpression" => {
            let place = format!("{place}.simplelicensing_licenseExpression");
            let expression = text(object, "simplelicensing_licenseExpression").unwrap_or_default();
            let is_nothing = matches!(expression, "NONE" | "NOASSERTION");
            if !is_nothing && !license::is_valid(expression) {
                findings.error(&place, format!("{expression:?} is no licence expression"));
            }
            let explained = list(object, "simplelicensing_customIdToUri").iter().filter_map(|entry| text(entry, "key"));
            let explained: BTreeSet<&str> = explained.collect();
            for word in license::references(expression).difference(&explained) {
                findings.error(&place, format!("{word} is not in simplelicensing_customIdToUri"));
            }
        }
        "Relationship" | "LifecycleScopedRelationship" => {
            for key in ["from", "relationshipType"] {
                if text(object, key).is_none_or(str::is_empty) {
                    findings.error(&format!("{place}.{key}"), "it is not there");
                }
            }
            if list(object, "to").is_empty() {
                findings.error(&format!("{place}.to"), "wanted a list of at least one");
            }
        }
        _ => {}
    }
}
