//! What an SPDX 2.3 document of any writer says of an image.

use std::collections::BTreeSet;

use packageurl::PackageUrl;
use serde_json::Value;

use crate::digest::Digest;
use crate::image::Platform;
use crate::json;
use crate::sbom::NotJson;
use crate::sbom::purl;
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
    /// When it is no JSON, has a key twice, or is no SPDX 2 document.
    pub fn parse(document: &[u8]) -> Result<Self, NotJson> {
        let document: Value = json::parse(document).map_err(|error| NotJson::new(error.to_string()))?;
        if !text(&document, "spdxVersion").is_some_and(|version| version.starts_with("SPDX-2.")) {
            return Err(NotJson::new("it is no SPDX 2 document"));
        }
        let relationships = list(&document, "relationships");
        let ends = |kind: &str, key: &str| -> BTreeSet<&str> {
            let of_kind = relationships.iter().filter(|r| text(r, "relationshipType") == Some(kind));
            of_kind.filter_map(|r| text(r, key)).collect()
        };
        let mut described = ends("DESCRIBES", "relatedSpdxElement");
        described.extend(list(&document, "documentDescribes").iter().filter_map(Value::as_str));
        // Sources and recipes are what packages were made from, and not in the image.
        let sources = ends("GENERATED_FROM", "relatedSpdxElement");
        let recipes = ends("DESCRIBED_BY", "relatedSpdxElement");
        let mut claimed = Self::default();
        for package in list(&document, "packages") {
            let id = text(package, "SPDXID").unwrap_or_default();
            if described.contains(id) {
                claimed.image(package);
            } else if id.contains("ImageLayer") {
                claimed.layers.extend(digests(package));
            } else if !sources.contains(id) && !recipes.contains(id) {
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
    fn image(&mut self, package: &Value) {
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
fn entry(package: &Value) -> Option<Entry> {
    let mut purls = purls(package).peekable();
    if purls.peek().is_some() {
        return purls.find_map(|purl| of_purl(&purl));
    }
    // Without a purl, what it is has to be told by its purpose.
    let purpose = text(package, "primaryPackagePurpose");
    if purpose.is_some_and(|purpose| !matches!(purpose, "APPLICATION" | "LIBRARY" | "FRAMEWORK")) {
        return None;
    }
    let (name, version) = (text(package, "name")?, text(package, "versionInfo")?);
    let key = Key { kind: None, namespace: None, name: name.to_owned() };
    Some(Entry { key, version: version.to_owned(), architecture: None })
}

fn of_purl(purl: &PackageUrl<'_>) -> Option<Entry> {
    const KINDS: [Ecosystem; 11] = [
        Ecosystem::Apk,
        Ecosystem::Deb,
        Ecosystem::Rpm,
        Ecosystem::Cargo,
        Ecosystem::Composer,
        Ecosystem::Gem,
        Ecosystem::Golang,
        Ecosystem::Maven,
        Ecosystem::Npm,
        Ecosystem::Nuget,
        Ecosystem::Pypi,
    ];
    let kind = KINDS.iter().find(|kind| kind.purl_type() == purl.ty())?;
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

fn purls(package: &Value) -> impl Iterator<Item = PackageUrl<'_>> {
    let references = list(package, "externalRefs").iter().filter(|r| text(r, "referenceType") == Some("purl"));
    references.filter_map(|r| text(r, "referenceLocator")?.parse().ok())
}

/// Everything by which a package of a document that is an image or a layer may be called by its digest.
fn digests(package: &Value) -> BTreeSet<Digest> {
    let checksums = list(package, "checksums").iter().filter(|sum| text(sum, "algorithm") == Some("SHA256"));
    let checksums = checksums.filter_map(|sum| format!("sha256:{}", text(sum, "checksumValue")?).parse().ok());
    let named = ["name", "versionInfo"].into_iter().filter_map(|key| {
        let text = text(package, key)?;
        text.rsplit_once('@').map_or(text, |(_, digest)| digest).parse().ok()
    });
    let purls = purls(package).filter(|purl| purl.ty() == "oci").filter_map(|purl| purl.version()?.parse().ok());
    checksums.chain(named).chain(purls).collect()
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
