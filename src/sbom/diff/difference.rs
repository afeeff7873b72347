//! What is on one side and not on the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::side::{Item, Key};
use super::{Direction, SettingChange, Side, direction};
use crate::scan::Ecosystem;
use crate::statement::{Field, Provenance};

/// What tells image B from image A. Its JSON has the keys of `chainctl images
/// diff`, and others beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Packages.
    pub packages: Packages,
    /// Executables that no package owns; `None` unless the layers of both sides were read.
    pub executables: Option<Sets>,
    /// Licences.
    pub licenses: Licenses,
    /// How a container begins; `None` unless it is known of both.
    pub configuration: Option<Vec<SettingChange>>,
    /// Builder and source; `None` unless the provenance of both was verified.
    pub provenance: Option<Vec<ProvenanceChange>>,
}

/// Packages that differ, by purl. A package is the same one if type, namespace and
/// name are; an architecture of its own makes no other one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Packages {
    /// Only in B.
    pub added: Vec<PackageEntry>,
    /// Only in A.
    pub removed: Vec<PackageEntry>,
    /// In both, one version each.
    pub changed: Vec<PackageChange>,
}

/// A package of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageEntry {
    /// The name, after its namespace where the ecosystem has such.
    pub name: String,
    /// The version, if there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The purl.
    pub reference: String,
}

/// A package that has another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageChange {
    /// The name.
    pub name: String,
    /// The version in A.
    pub from: String,
    /// The version in B.
    pub to: String,
    /// Where it went, if the ecosystem's rules are known.
    pub direction: Option<Direction>,
    /// The purl in B.
    pub reference: String,
}

/// Texts of one side only, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sets {
    /// Only in B.
    pub added: Vec<String>,
    /// Only in A.
    pub removed: Vec<String>,
    /// Whether a side has more than were compared.
    pub partial: bool,
}

/// Licences that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Licenses {
    /// Expressions that no package of A has.
    pub added: Vec<String>,
    /// Expressions that no package of B has.
    pub removed: Vec<String>,
    /// Packages of both sides that name another licence: name, A's, B's. Where one
    /// side names none, nothing is said.
    pub changed: Vec<SettingChange>,
}

/// A field of the provenance that differs; `null` where it is not stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProvenanceChange {
    /// `builder`, `buildType`, `sourceRepository`, `sourceRef`, `sourceCommit`.
    pub name: &'static str,
    /// What A's says.
    pub from: Option<String>,
    /// What B's says.
    pub to: Option<String>,
}

/// What tells `to` from `from`.
#[must_use]
pub fn diff(from: &Side, to: &Side) -> Difference {
    let mut licenses = license_sets(from, to);
    let packages = packages(from, to, &mut licenses.changed);
    let executables = from
        .executables
        .as_ref()
        .zip(to.executables.as_ref())
        .map(|(from, to)| Sets { partial: from.has_more || to.has_more, ..sets(&from.paths, &to.paths) });
    let configuration = from.settings.as_ref().zip(to.settings.as_ref());
    let provenance = from.provenance.as_ref().zip(to.provenance.as_ref());
    Difference {
        packages,
        executables,
        licenses,
        configuration: configuration.map(|(from, to)| from.changes(to)),
        provenance: provenance.map(|(from, to)| provenance_changes(from, to)),
    }
}

impl Difference {
    /// Whether nothing that could be compared differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { packages, executables, licenses, configuration, provenance } = self;
        let is_none = |sets: &Sets| sets.added.is_empty() && sets.removed.is_empty();
        packages.added.is_empty()
            && packages.removed.is_empty()
            && packages.changed.is_empty()
            && executables.as_ref().is_none_or(is_none)
            && licenses.added.is_empty()
            && licenses.removed.is_empty()
            && licenses.changed.is_empty()
            && configuration.as_ref().is_none_or(Vec::is_empty)
            && provenance.as_ref().is_none_or(Vec::is_empty)
    }
}

impl Key {
    fn shown(&self) -> String {
        match &self.namespace {
            // A distribution's is the distribution, which nobody calls a part of the name.
            Some(namespace) if !is_distribution(&self.kind) => {
                format!("{namespace}/{}", self.name)
            }
            _ => self.name.clone(),
        }
    }
}

fn is_distribution(kind: &str) -> bool {
    Ecosystem::of_purl_type(kind).is_some_and(Ecosystem::is_distribution)
}

fn packages(from: &Side, to: &Side, licenses: &mut Vec<SettingChange>) -> Packages {
    let mut packages = Packages::default();
    let none = BTreeMap::new();
    let keys: BTreeSet<&Key> = from.packages.keys().chain(to.packages.keys()).collect();
    for key in keys {
        let (olds, news) = (from.packages.get(key).unwrap_or(&none), to.packages.get(key).unwrap_or(&none));
        let gone: Vec<_> = olds.iter().filter(|(version, _)| !news.contains_key(*version)).collect();
        let come: Vec<_> = news.iter().filter(|(version, _)| !olds.contains_key(*version)).collect();
        let same = olds.iter().filter_map(|(version, item)| Some((item, news.get(version)?)));
        licenses.extend(same.filter_map(|(old, new)| license(key, old, new)));
        // Of several versions nobody knows which became which.
        if let ([(old, before)], [(new, after)]) = (gone.as_slice(), come.as_slice()) {
            licenses.extend(license(key, before, after));
            packages.changed.push(PackageChange {
                name: key.shown(),
                from: (*old).clone(),
                to: (*new).clone(),
                direction: direction(&key.kind, old, new),
                reference: after.purl.clone(),
            });
            continue;
        }
        let entry = |(version, item): (&String, &Item)| PackageEntry {
            name: key.shown(),
            version: version.clone(),
            reference: item.purl.clone(),
        };
        packages.removed.extend(gone.into_iter().map(entry));
        packages.added.extend(come.into_iter().map(entry));
    }
    packages
}

fn license(key: &Key, from: &Item, to: &Item) -> Option<SettingChange> {
    let (old, new) = from.license.as_ref().zip(to.license.as_ref())?;
    (old != new).then(|| SettingChange { name: key.shown(), from: Some(old.clone()), to: Some(new.clone()) })
}

fn license_sets(from: &Side, to: &Side) -> Licenses {
    let all = |side: &Side| -> BTreeSet<String> {
        side.packages.values().flat_map(BTreeMap::values).filter_map(|item| item.license.clone()).collect()
    };
    let Sets { added, removed, .. } = sets(&all(from), &all(to));
    Licenses { added, removed, changed: Vec::new() }
}

fn sets(from: &BTreeSet<String>, to: &BTreeSet<String>) -> Sets {
    Sets {
        added: to.difference(from).cloned().collect(),
        removed: from.difference(to).cloned().collect(),
        partial: false,
    }
}

fn provenance_changes(from: &Provenance, to: &Provenance) -> Vec<ProvenanceChange> {
    let field = |field: Field| {
        let text = |provenance: &Provenance| provenance.field(field).value().map(str::to_owned);
        (text(from), text(to))
    };
    let fields = [
        ("builder", field(Field::Builder)),
        ("buildType", (from.build_type.clone(), to.build_type.clone())),
        ("sourceRepository", field(Field::SourceRepository)),
        ("sourceRef", field(Field::SourceRef)),
        ("sourceCommit", field(Field::SourceCommit)),
    ];
    let differs = fields.into_iter().filter(|(_, (from, to))| from != to);
    differs.map(|(name, (from, to))| ProvenanceChange { name, from, to }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limits::Limits;
    use crate::sbom::DocumentError;

    fn side(packages: &[(&str, &str)]) -> Side {
        let package = |(purl, license): &(&str, &str)| {
            json!({
                "licenseDeclared": license,
                "externalRefs": [{ "referenceType": "purl", "referenceLocator": purl }],
            })
        };
        let packages: Vec<_> = packages.iter().map(package).collect();
        let document = json!({ "spdxVersion": "SPDX-2.3", "packages": packages }).to_string();
        Side::of_spdx(document.as_bytes(), &Limits::default()).expect("a document")
    }

    #[test]
    fn exactly_what_differs_is_named() {
        let from = side(&[
            ("pkg:oci/app@sha256%3A00", "NOASSERTION"),
            ("pkg:apk/wolfi/zlib@1.3-r4?arch=x86_64", "Zlib"),
            ("pkg:apk/wolfi/openssl@3.1-r0?arch=x86_64", "Apache-2.0"),
            ("pkg:apk/wolfi/same@1-r0?arch=x86_64", "MIT"),
            ("pkg:npm/%40a/b@1.0.0", "MIT"),
            ("pkg:npm/c@1.0.0", "MIT"),
            ("pkg:npm/c@2.0.0", "MIT"),
        ]);
        let to = side(&[
            ("pkg:oci/app@sha256%3A11", "NOASSERTION"),
            ("pkg:apk/wolfi/zlib@1.3-r3?arch=aarch64", "Zlib"),
            ("pkg:apk/wolfi/bash@5-r0?arch=aarch64", "GPL-3.0-or-later"),
            ("pkg:apk/wolfi/same@1-r0?arch=aarch64", "ISC"),
            ("pkg:npm/%40a/b@2.0.0", "NOASSERTION"),
            ("pkg:npm/c@3.0.0", "MIT"),
        ]);
        let found = diff(&from, &to);
        assert!(diff(&from, &from).is_empty() && !found.is_empty());
        let wanted = json!({
            "packages": {
                "added": [
                    { "name": "bash", "version": "5-r0", "reference": "pkg:apk/wolfi/bash@5-r0?arch=aarch64" },
                    { "name": "c", "version": "3.0.0", "reference": "pkg:npm/c@3.0.0" },
                ],
                "removed": [
                    { "name": "openssl", "version": "3.1-r0", "reference": "pkg:apk/wolfi/openssl@3.1-r0?arch=x86_64" },
                    { "name": "c", "version": "1.0.0", "reference": "pkg:npm/c@1.0.0" },
                    { "name": "c", "version": "2.0.0", "reference": "pkg:npm/c@2.0.0" },
                ],
                "changed": [
                    { "name": "zlib", "from": "1.3-r4", "to": "1.3-r3", "direction": "down",
                      "reference": "pkg:apk/wolfi/zlib@1.3-r3?arch=aarch64" },
                    { "name": "@a/b", "from": "1.0.0", "to": "2.0.0", "direction": null,
                      "reference": "pkg:npm/%40a/b@2.0.0" },
                ],
            },
            "executables": null,
            "licenses": {
                "added": ["GPL-3.0-or-later", "ISC"],
                "removed": ["Apache-2.0"],
                "changed": [{ "name": "same", "from": "MIT", "to": "ISC" }],
            },
            "configuration": null,
            "provenance": null,
        });
        assert_eq!(serde_json::to_value(&found).expect("JSON"), wanted);
    }

    #[test]
    fn a_document_of_an_index_is_not_compared() {
        let purl = "pkg:oci/app@sha256%3A00?mediaType=application%2Fvnd.oci.image.index.v1%2Bjson";
        let package = |purl: &str| json!({ "externalRefs": [{ "referenceType": "purl", "referenceLocator": purl }] });
        let read = |packages: &[&str]| {
            let packages: Vec<_> = packages.iter().map(|purl| package(purl)).collect();
            let document = json!({ "spdxVersion": "SPDX-2.3", "packages": packages }).to_string();
            Side::of_spdx(document.as_bytes(), &Limits::default()).map(|side| side.package_count())
        };
        assert_eq!(read(&[purl]), Err(DocumentError::Index));
        assert_eq!(read(&[&purl.replace("index", "manifest")]), Ok(0));
        assert_eq!(read(&[purl, "pkg:apk/wolfi/a@1"]), Ok(1));
        let unread = |purl: &str| {
            let document = json!({ "spdxVersion": "SPDX-2.3", "packages": [package(purl)] }).to_string();
            Side::of_spdx(document.as_bytes(), &Limits::default()).map(|side| (side.package_count(), side.unread()))
        };
        assert_eq!(unread("pkg:apk/wolfi/a@1"), Ok((1, 0)));
        assert_eq!(unread("pkg:apk"), Ok((0, 1)));
        let three = Side::of_spdx(br#"{"spdxVersion":"SPDX-3.0"}"#, &Limits::default());
        assert!(matches!(three, Err(DocumentError::Version(_))));
        let text = serde_json::to_vec(r#"{"spdxVersion":"SPDX-2.3"}"#).expect("JSON");
        assert!(Side::of_spdx(&text, &Limits::default()).is_ok());
    }
}
