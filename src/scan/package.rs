//! What a scan knows of a package.

use std::sync::Arc;

use super::FileList;

/// Where a package comes from; it decides the type of its purl and how versions compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ecosystem {
    /// apk packages: Alpine, Wolfi, Chainguard.
    Apk,
    /// Debian packages.
    Deb,
    /// RPM packages.
    Rpm,
    /// Rust crates.
    Cargo,
    /// PHP packages of Composer.
    Composer,
    /// Ruby gems.
    Gem,
    /// Go modules.
    Golang,
    /// Java artifacts with Maven coordinates.
    Maven,
    /// JavaScript packages.
    Npm,
    /// .NET packages.
    Nuget,
    /// Python distributions.
    Pypi,
    /// Anything else, found by its file.
    Generic,
}

impl Ecosystem {
    const ALL: [Self; 12] = [
        Self::Apk,
        Self::Deb,
        Self::Rpm,
        Self::Cargo,
        Self::Composer,
        Self::Gem,
        Self::Golang,
        Self::Maven,
        Self::Npm,
        Self::Nuget,
        Self::Pypi,
        Self::Generic,
    ];

    /// The ecosystem whose purls have this type.
    #[must_use]
    pub fn of_purl_type(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ecosystem| ecosystem.purl_type() == kind)
    }

    /// The type of a purl (package-url specification, types).
    #[must_use]
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Gem => "gem",
            Self::Golang => "golang",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::Nuget => "nuget",
            Self::Pypi => "pypi",
            Self::Generic => "generic",
        }
    }

    /// Whether the packages are the distribution's: their purl names it.
    #[must_use]
    pub fn is_distribution(self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm)
    }
}

/// A package, as what was read of the image describes it.
///
/// Everything here is the word of the database or file at [`Package::found_in`];
/// only [`Package::sha256`] was computed by the scan (scenario N-12).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// The group of names that it is in, where the ecosystem has such: a
    /// Maven group, an npm scope. A distribution's packages get theirs from
    /// the operating system.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version; empty if what was read names none.
    pub version: String,
    /// The architecture in the words of the ecosystem.
    pub architecture: Option<String>,
    /// The licence as it is written there, valid or not.
    pub license: Option<String>,
    /// The text that stands in its place where nothing names a licence: prose of
    /// the distribution, which only a person can judge.
    pub license_text: Option<Arc<str>>,
    /// Who distributes it: a name, possibly with an address in `<>`.
    pub supplier: Option<String>,
    /// Who made it, if that is somebody else.
    pub originator: Option<String>,
    /// The project's page.
    pub homepage: Option<String>,
    /// One line about it.
    pub summary: Option<String>,
    /// What it was built from, by the word of the database.
    pub source: Option<SourcePackage>,
    /// What else it was made from: archives, recipes, by the word of a document beside the database.
    pub made_from: Vec<SourcePackage>,
    /// Names that others may depend on, besides its own.
    pub provides: Vec<String>,
    /// What it needs: each is a list of names of which one is enough.
    pub depends: Vec<Vec<String>>,
    /// The files that it owns, by the word of the database.
    pub files: FileList,
    /// SHA-256 of the one file that is the package (a jar, an executable), in hex.
    pub sha256: Option<String>,
    /// The path of the database or file that names it, without a leading slash.
    pub found_in: String,
    /// The layer that brought it in this version, counted from zero.
    pub layer: usize,
}

/// What a package was built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SourcePackage {
    /// The name of the source.
    pub name: String,
    /// The version of the source.
    pub version: String,
    /// The commit of the recipe that it was built by, if that is known.
    pub commit: Option<String>,
    /// Its package URL, where one was written.
    pub purl: Option<String>,
}

/// What a document in the image says of a package, beside the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The name of the package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What it was made from.
    pub sources: Vec<SourcePackage>,
    /// The path of the document, without a leading slash.
    pub found_in: String,
    /// Whether the database of apk has this package in this version.
    pub matches: bool,
}

impl Claim {
    /// The bytes that it keeps in memory.
    pub(super) fn bytes(&self) -> usize {
        let sources: usize = self.sources.iter().map(SourcePackage::bytes).sum();
        size_of::<Self>() + self.package.len() + self.version.len() + sources
    }
}

fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

impl SourcePackage {
    /// A source of this name and version.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), commit: None, purl: None }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.version.len() + length(&self.commit) + length(&self.purl)
    }
}

impl Package {
    /// A package of which no more than this is known.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            ecosystem,
            namespace: None,
            name: name.into(),
            version: version.into(),
            architecture: None,
            license: None,
            license_text: None,
            supplier: None,
            originator: None,
            homepage: None,
            summary: None,
            source: None,
            made_from: Vec::new(),
            provides: Vec::new(),
            depends: Vec::new(),
            files: FileList::default(),
            sha256: None,
            found_in: String::new(),
            layer: 0,
        }
    }

    /// The bytes that it keeps in memory: its texts, its lists, and itself.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.namespace, &self.architecture, &self.license, &self.supplier, &self.originator];
        let more = [&self.homepage, &self.summary, &self.sha256];
        let texts: usize = texts.into_iter().chain(more).map(length).sum();
        let names = self.provides.iter().chain(self.depends.iter().flatten());
        let names: usize = names.map(|name| size_of::<String>() + name.len()).sum();
        let lists = self.depends.len() * size_of::<Vec<String>>();
        let sources: usize = self.source.iter().chain(&self.made_from).map(SourcePackage::bytes).sum();
        size_of::<Self>() + self.name.len() + self.version.len() + texts + names + lists + sources + self.files.bytes()
    }

    /// What tells packages of one image apart.
    pub(crate) fn identity(&self) -> Identity<'_> {
        (self.ecosystem, self.namespace.as_deref(), &self.name, &self.version, self.architecture.as_deref())
    }
}

/// Ecosystem, namespace, name, version and architecture.
pub(crate) type Identity<'a> = (Ecosystem, Option<&'a str>, &'a str, &'a str, Option<&'a str>);

/// The operating system, from `os-release` (freedesktop.org, os-release).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OperatingSystem {
    /// `ID`: `wolfi`, `debian`.
    pub id: String,
    /// `VERSION_ID`: `20230201`, `12`.
    pub version_id: Option<String>,
    /// `NAME`.
    pub name: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// `HOME_URL`.
    pub home_url: Option<String>,
    /// The path that it was read from.
    pub found_in: String,
    /// The layer that brought it, counted from zero.
    pub layer: usize,
}

impl OperatingSystem {
    /// The bytes that it keeps in memory.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.version_id, &self.name, &self.pretty_name, &self.home_url];
        size_of::<Self>() + self.id.len() + texts.into_iter().map(length).sum::<usize>()
    }
}
