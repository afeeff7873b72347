//! What an SPDX document of any writer says of an image.

use std::collections::BTreeSet;

use packageurl::PackageUrl;

use crate::digest::Digest;
use crate::image::Platform;
use crate::limits::Limits;
use crate::sbom::document::{Document, Package};
use crate::sbom::{DocumentError, purl};
use crate::scan::{Contents, Ecosystem};

/// What an SPDX document claims, as far as it can be compared with an image.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// The digests that the described image is called by.
    pub(super) digests: BTreeSet<Digest>,
    /// Its platforms: operating system and architecture, from its purl.
    pub(super) platforms: Vec<Platform>,
    /// The layers, without their order.
    pub(super) layers: BTreeSet<Digest>,
    /// The packages that a scan could find.
    pub(super) packages: Vec<Entry>,
}

/// A package in a form in which those of two witnesses can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) version: String,
    pub(super) architecture: Option<String>,
}

/// What versions of one package have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The type of the purl; `None` where a document names a package without one.
    pub(super) kind: Option<String>,
    /// The namespace, but not that of a distribution: writers name it differently.
    namespace: Option<String>,
    pub(super) name: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.kind.as_deref().unwrap_or("package"))?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

impl Claimed {
    /// Reads an SPDX 2.2 or 2.3 document in JSON.
    ///
    /// # Errors
    /// When it is malformed, ambiguous, of another version or over a limit.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let document = Document::parse(document, limits)?;
        let mut claimed = Self::default();
        for package in &document.packages {
            if document.described.contains(&package.id) {
                claimed.image(package);
            } else if package.id.contains("ImageLayer") {
                claimed.layers.extend(digests(package));
            } else if !document.sources.contains(&package.id) {
                claimed.packages.extend(entry(package));
            }
        }
        claimed.packages.sort();
        claimed.packages.dedup();
        Ok(claimed)
    }

    /// Whether it lists nothing that a scan could find.
    pub(crate) fn names_no_package(&self) -> bool {
        self.packages.is_empty()
    }

    /// The image that the document describes.
    fn image(&mut self, package: &Package) {
        self.digests.extend(digests(package));
        for purl in purls(package).filter(|purl| purl.ty() == "oci") {
            let qualifiers = purl.qualifiers();
            let Some(architecture) = qualifiers.get("arch") else { continue };
            let os = qualifiers.get("os").map_or("linux", |os| os);
            let (architecture, variant) =
                architecture.split_once('/').map_or((&**architecture, None), |(a, v)| (a, Some(v)));
            self.platforms.extend(Platform::new(os, architecture, variant));
        }
    }

    /// The packages that a scan found, in the same form as those of a document.
    pub(super) fn of_contents(contents: &Contents) -> Vec<Entry> {
        let purls = contents.packages.iter().filter_map(|package| purl::of_package(package, contents.system.as_ref()));
        let mut entries: Vec<Entry> =
            purls.filter_map(|purl| purl.parse::<PackageUrl<'_>>().ok().and_then(|purl| of_purl(&purl))).collect();
        entries.sort();
        entries.dedup();
        entries
    }
}

/// A package of a document, unless it is of a kind that no scan finds.
fn entry(package: &Package) -> Option<Entry> {
    let mut purls = purls(package).peekable();
    if purls.peek().is_some() {
        return purls.find_map(|purl| of_purl(&purl));
    }
    // Without a purl, what it is has to be told by its purpose.
    if package.purpose.as_deref().is_some_and(|purpose| !matches!(purpose, "APPLICATION" | "LIBRARY" | "FRAMEWORK")) {
        return None;
    }
    let key = Key { kind: None, namespace: None, name: package.name.clone()? };
    Some(Entry { key, version: package.version.clone()?, architecture: None })
}

fn of_purl(purl: &PackageUrl<'_>) -> Option<Entry> {
    // A generic package is whatever its writer takes for one.
    let kind = Ecosystem::of_purl_type(purl.ty()).filter(|kind| *kind != Ecosystem::Generic)?;
    let namespace = purl.namespace().filter(|_| !kind.is_distribution()).map(str::to_owned);
    let qualifiers = purl.qualifiers();
    let version = match (qualifiers.get("epoch"), purl.version()) {
        // Writers may or may not say that the epoch is zero (package-url types, rpm).
        (Some(epoch), Some(version)) if **epoch != *"0" => format!("{epoch}:{version}"),
        (_, version) => version.unwrap_or_default().to_owned(),
    };
    let architecture = qualifiers.get("arch").filter(|_| kind.is_distribution()).map(|arch| common(arch).to_owned());
    let key = Key { kind: Some(kind.purl_type().to_owned()), namespace, name: purl.name().to_owned() };
    // A package for every architecture is listed under that of the image by some.
    Some(Entry { key, version, architecture: architecture.filter(|name| !matches!(&**name, "noarch" | "all")) })
}

/// Distributions name architectures differently.
fn common(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "armv7" | "armhf" => "arm",
        "x86" | "i386" | "i686" => "386",
        other => other,
    }
}

fn purls(package: &Package) -> impl Iterator<Item = PackageUrl<'_>> {
    package.purls.iter().filter_map(|purl| purl.parse().ok())
}

/// Everything by which a package of a document that is an image or a layer may be called by its digest.
fn digests(package: &Package) -> BTreeSet<Digest> {
    let named = [&package.name, &package.version].into_iter().filter_map(|text| {
        let text = text.as_deref()?;
        text.rsplit_once('@').map_or(text, |(_, digest)| digest).parse().ok()
    });
    let purls = purls(package).filter(|purl| purl.ty() == "oci").filter_map(|purl| purl.version()?.parse().ok());
    package.sha256.iter().cloned().chain(named).chain(purls).collect()
}
