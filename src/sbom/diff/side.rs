//! One of the two images, from its layers or from its SBOM.

use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;

use super::configuration::Settings;
use crate::image::Process;
use crate::limits::Limits;
use crate::sbom::DocumentError;
use crate::sbom::document::Document;
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
            side.add(&purl, extracted.declared(package));
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
        let document = Document::parse(document, limits)?;
        let mut side = Self::default();
        let mut is_index = document.is_index;
        for package in &document.packages {
            for purl in &package.purls {
                is_index |= purl.starts_with("pkg:oci/") && purl.contains("image.index.v1");
                side.add(purl, package.license.clone());
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
