//! Two reports of a vulnerability scanner, joined: what came and what went.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Difference;
use crate::code::Code;
use crate::json;

/// The findings of Grype or Trivy on one image, as they say them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VulnerabilityReport {
    findings: BTreeMap<(String, String), Vulnerability>,
}

/// A finding. It is the scanner's word; nobody verified it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Vulnerability {
    /// The identifier, `CVE-2023-44487`.
    pub id: String,
    /// Whose data say so.
    pub reference: String,
    /// The severity, as written.
    pub severity: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What became of the package: `added`, `removed`, `changed`, or `same`: then
    /// what is known of it is what changed.
    #[serde(rename = "packageIs")]
    pub package_is: &'static str,
}

/// The findings of one side only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Vulnerabilities {
    /// Only in B.
    pub added: Vec<Vulnerability>,
    /// Only in A.
    pub removed: Vec<Vulnerability>,
}

/// A report that is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Not JSON of the wanted shape, or ambiguous.
    #[error("not a report: {0}")]
    Malformed(String),
    /// Neither of the two that are known.
    #[error("neither a JSON report of Grype (`matches`) nor one of Trivy (`Results`)")]
    Unknown,
}

impl ReportError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::FileUnreadable
    }
}

#[derive(Deserialize)]
struct Wire {
    matches: Option<Vec<GrypeMatch>>,
    // Trivy leaves it out where there is nothing to scan.
    #[serde(rename = "Results")]
    results: Option<Vec<TrivyResult>>,
    #[serde(rename = "ArtifactName")]
    artifact_name: Option<String>,
}

#[derive(Deserialize)]
struct GrypeMatch {
    vulnerability: GrypeVulnerability,
    artifact: GrypeArtifact,
}

#[derive(Deserialize)]
struct GrypeVulnerability {
    id: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    severity: String,
}

#[derive(Deserialize)]
struct GrypeArtifact {
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyResult {
    vulnerabilities: Option<Vec<TrivyVulnerability>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyVulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    pkg_name: String,
    #[serde(default)]
    installed_version: String,
    #[serde(default)]
    severity: String,
    data_source: Option<TrivySource>,
}

#[derive(Deserialize)]
struct TrivySource {
    #[serde(rename = "ID", default)]
    id: String,
}

impl VulnerabilityReport {
    /// Reads a JSON report of Grype or Trivy.
    ///
    /// # Errors
    /// When it is neither, or ambiguous.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let wire: Wire = json::object(bytes).map_err(|error| ReportError::Malformed(error.to_string()))?;
        let found: Vec<Vulnerability> = match (wire.matches, wire.results, wire.artifact_name) {
            (Some(matches), None, _) => matches.into_iter().map(of_grype).collect(),
            (None, Some(results), _) => {
                results.into_iter().flat_map(|r| r.vulnerabilities.unwrap_or_default()).map(of_trivy).collect()
            }
            (None, None, Some(_)) => Vec::new(),
            _ => return Err(ReportError::Unknown),
        };
        let by_name = |found: Vulnerability| ((found.id.clone(), found.package.clone()), found);
        Ok(Self { findings: found.into_iter().map(by_name).collect() })
    }

    /// The findings that only one of the reports has, beside what became of the packages.
    #[must_use]
    pub fn joined(&self, to: &Self, difference: &Difference) -> Vulnerabilities {
        let packages = &difference.packages;
        let names = |entries: &[super::PackageEntry]| -> BTreeSet<String> {
            entries.iter().map(|entry| entry.name.clone()).collect()
        };
        let (added, removed) = (names(&packages.added), names(&packages.removed));
        let changed: BTreeSet<&str> = packages.changed.iter().map(|change| change.name.as_str()).collect();
        let only = |these: &Self, others: &Self| -> Vec<Vulnerability> {
            let only = these.findings.iter().filter(|(key, _)| !others.findings.contains_key(*key));
            let judged = only.map(|(_, found)| {
                let name = found.package.as_str();
                let package_is = match (added.contains(name), removed.contains(name)) {
                    (true, true) => "changed",
                    (true, false) => "added",
                    (false, true) => "removed",
                    (false, false) if changed.contains(name) => "changed",
                    (false, false) => "same",
                };
                Vulnerability { package_is, ..found.clone() }
            });
            judged.collect()
        };
        Vulnerabilities { added: only(to, self), removed: only(self, to) }
    }
}

fn of_grype(found: GrypeMatch) -> Vulnerability {
    Vulnerability {
        id: found.vulnerability.id,
        reference: found.vulnerability.namespace,
        severity: found.vulnerability.severity,
        package: found.artifact.name,
        version: found.artifact.version,
        package_is: "same",
    }
}

fn of_trivy(found: TrivyVulnerability) -> Vulnerability {
    Vulnerability {
        id: found.id,
        reference: found.data_source.map(|source| source.id).unwrap_or_default(),
        severity: found.severity,
        package: found.pkg_name,
        version: found.installed_version,
        package_is: "same",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_both_scanners_say_the_same() {
        let grype = br#"{"matches":[{"vulnerability":{"id":"CVE-1","namespace":"wolfi","severity":"High"},
            "artifact":{"name":"a","version":"1"}}]}"#;
        let trivy = br#"{"ArtifactName":"x","Results":[{"Target":"t"},{"Vulnerabilities":[{"VulnerabilityID":"CVE-1",
            "PkgName":"a","InstalledVersion":"1","Severity":"High","DataSource":{"ID":"wolfi"}}]}]}"#;
        let [grype, trivy] = [&grype[..], trivy].map(VulnerabilityReport::parse);
        assert_eq!(grype, trivy);
        assert_eq!(grype.map(|report| report.findings.len()), Ok(1));
        assert_eq!(VulnerabilityReport::parse(br#"{"ArtifactName":"x"}"#), Ok(VulnerabilityReport::default()));
        assert_eq!(VulnerabilityReport::parse(b"{}"), Err(ReportError::Unknown));
        assert!(matches!(VulnerabilityReport::parse(b"[1]"), Err(ReportError::Malformed(_))));
    }
}
