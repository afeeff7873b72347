//! One of the two images, from its layers or from its SBOM.

use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;
use serde::Deserialize;

use super::configuration::Settings;
use crate::code::Code;
use crate::image::Process;
use crate::json;
use crate::limits::Limits;
use crate::sbom::license::Extracted;
use crate::sbom::purl;
use crate::scan::Contents;
use crate::statement::Provenance;

/// What is known of one image.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Side {
    pub(super) packages: BTreeMap<Key, BTreeMap<String, Item>>,
    pub(super) executables: Option<Executables>,
    pub(super) settings: Option<Settings>,
    pub(super) provenance: Option<Provenance>,
    unread: usize,
}

/// Executables that no package owns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executables {
    pub(super) paths: BTreeSet<String>,
    /// Whether there are more than the paths.
    pub(super) has_more: bool,
}

/// A package of any version: the type, namespace and name of its purl.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// A package of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) purl: String,
    pub(super) license: Option<String>,
}

/// A document that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON of the wanted shape, or ambiguous.
    #[error("not an SPDX 2 document: {0}")]
    Malformed(String),
    /// Another version of SPDX.
    #[error("{0:?} is no version of SPDX that is compared; wanted is SPDX-2.2 or SPDX-2.3")]
    Version(String),
    /// It describes an index: such documents name images and no packages.
    #[error("the document describes an index, which says nothing of the packages of one platform")]
    Index,
    /// More packages than the limits allow.
    #[error("the document has {0} packages, the limit is {1}")]
    TooMany(usize, u64),
}

impl DocumentError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) | Self::Version(_) => Code::SbomInvalid,
            Self::Index => Code::OnIndex,
            Self::TooMany(..) => Code::Limit,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    spdx_version: String,
    #[serde(default)]
    packages: Vec<WirePackage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePackage {
    license_declared: Option<String>,
    #[serde(default)]
    external_refs: Vec<WireRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRef {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

/// Types of purls that are no installed packages: images and layers, and what packages were made from.
const NOT_INSTALLED: [&str; 5] = ["oci", "docker", "github", "bitbucket", "generic"];

impl Side {
    /// What was read from the layers of an image.
    #[must_use]
    pub fn of_contents(contents: &Contents) -> Self {
        let mut side = Self::default();
        let mut extracted = Extracted::default();
        for package in &contents.packages {
            let Some(purl) = purl::of_package(package, contents.system.as_ref()) else {
                side.unread += 1;
                continue;
            };
            // In the words of our own documents: those are on the other side, maybe.
            side.add(&purl, package.license.as_deref().map(|license| extracted.expression(license)));
        }
        let coverage = &contents.coverage;
        side.executables = Some(Executables {
            paths: coverage.unowned_executables.iter().cloned().collect(),
            has_more: coverage.unowned_count > coverage.unowned_executables.len() as u64,
        });
        side
    }

    /// What an SPDX 2 document says. It names packages and licences; what belongs to no package it does not say.
    ///
    /// # Errors
    /// When it is malformed, ambiguous, of another version, over a limit, or about an index.
    pub fn of_spdx(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let malformed = |error: serde_json::Error| DocumentError::Malformed(error.to_string());
        // Older versions of cosign put the document into a JSON text.
        let inner: Option<String> = match document.trim_ascii_start().first() {
            Some(b'"') => Some(json::parse(document).map_err(malformed)?),
            _ => None,
        };
        let wire: Wire = json::parse(inner.as_deref().map_or(document, str::as_bytes)).map_err(malformed)?;
        if !matches!(wire.spdx_version.as_str(), "SPDX-2.2" | "SPDX-2.3") {
            return Err(DocumentError::Version(wire.spdx_version));
        }
        if wire.packages.len() as u64 > limits.packages {
            return Err(DocumentError::TooMany(wire.packages.len(), limits.packages));
        }
        let mut side = Self::default();
        let mut is_index = false;
        for package in wire.packages {
            let known = |text: &String| !matches!(text.as_str(), "NOASSERTION" | "NONE" | "");
            let license = package.license_declared.filter(known);
            for locator in package.external_refs.into_iter().filter(|r| r.reference_type == "purl") {
                let locator = locator.reference_locator;
                is_index |= locator.starts_with("pkg:oci/") && locator.contains("image.index.v1");
                side.add(&locator, license.clone());
            }
        }
        if is_index && side.packages.is_empty() {
            return Err(DocumentError::Index);
        }
        Ok(side)
    }

    /// With how the image runs.
    #[must_use]
    pub fn process(self, process: &Process) -> Self {
        Self { settings: Some(Settings::of(process)), ..self }
    }

    /// With its provenance, which the caller verified.
    #[must_use]
    pub fn provenance(self, provenance: Option<Provenance>) -> Self {
        Self { provenance, ..self }
    }

    /// With the packages of these types of purls only.
    #[must_use]
    pub fn only(mut self, types: &[String]) -> Self {
        self.packages.retain(|key, _| types.contains(&key.kind));
        self
    }

    /// How many packages have no package URL that can be read, and are compared with nothing.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// How many packages are known, each version counted.
    #[must_use]
    pub fn package_count(&self) -> usize {
        self.packages.values().map(BTreeMap::len).sum()
    }

    fn add(&mut self, purl: &str, license: Option<String>) {
        let Ok(parsed) = purl.parse::<PackageUrl<'_>>() else {
            // Some builders write a broken one for a source that they do not know.
            let kind = purl.strip_prefix("pkg:").and_then(|rest| rest.split('/').next());
            self.unread += usize::from(!kind.is_some_and(|kind| NOT_INSTALLED.contains(&kind)));
            return;
        };
        if NOT_INSTALLED.contains(&parsed.ty()) {
            return;
        }
        let key = Key {
            kind: parsed.ty().to_owned(),
            namespace: parsed.namespace().map(str::to_owned),
            name: parsed.name().to_owned(),
        };
        let version = parsed.version().unwrap_or_default().to_owned();
        let item = Item { purl: purl.to_owned(), license };
        // The first of several, as `chainctl images diff` takes it.
        self.packages.entry(key).or_default().entry(version).or_insert(item);
    }
}
