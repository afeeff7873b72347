//! What a package reader is.

use std::sync::Arc;

use super::{apk, apko, dotnet, dpkg, executable, java, melange, npm, os_release, php, python, rpm, ruby};
use crate::scan::inflate::Total;
use crate::scan::{Claim, Ecosystem, FileList, OperatingSystem, Package};

/// Bytes of a file that readers see before they decide; enough for every magic number.
pub(crate) const HEAD: usize = 64;

/// A regular file of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// The path from the root, without a leading slash, with `.`, `..` and
    /// repeated slashes resolved. Bytes that are not UTF-8 are replaced.
    pub(crate) path: &'a str,
    /// The number of bytes.
    pub(crate) size: u64,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The first bytes of the content: [`HEAD`], or all of a shorter file.
    pub(crate) head: &'a [u8],
}

impl<'a> File<'a> {
    /// The part of the path after the last slash.
    pub(crate) fn name(&self) -> &'a str {
        self.path.rsplit_once('/').map_or(self.path, |(_, name)| name)
    }

    /// Whether the content begins as an ELF file.
    pub(crate) fn is_elf(&self) -> bool {
        self.head.starts_with(b"\x7fELF")
    }

    /// Whether it can be run or linked: an ELF file, or a script with a right to execute.
    pub(crate) fn is_executable(&self) -> bool {
        self.is_elf() || (self.mode & 0o111 != 0 && self.size > 0)
    }
}

/// One thing that a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A package.
    Package(Box<Package>),
    /// The operating system.
    OperatingSystem(Box<OperatingSystem>),
    /// The files of a package (`name` or `name:architecture`) whose database does not list them.
    Files { ecosystem: Ecosystem, package: String, files: FileList },
    /// The licences of the package whose documentation the file is.
    Licenses(String),
    /// The text of the documentation of a package that names no licence.
    LicenseText(Arc<str>),
    /// What a document beside the database says of a package in it.
    Claim(Claim),
    /// The configuration that apko left in the image, as it stands, or why it cannot be read.
    Apko(Result<String, String>),
}

impl Fact {
    /// The bytes that it keeps in memory, as far as a file decides them.
    fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Package(package) => package.bytes(),
            Self::OperatingSystem(system) => system.bytes(),
            Self::Files { package, files, .. } => package.len() + files.bytes(),
            Self::Licenses(text) | Self::Apko(Ok(text) | Err(text)) => text.len(),
            Self::LicenseText(text) => text.len(),
            Self::Claim(claim) => claim.bytes(),
        };
        bytes as u64
    }
}

impl From<Package> for Fact {
    fn from(package: Package) -> Self {
        Self::Package(Box::new(package))
    }
}

/// What a reader finds in one file, within the bounds of the image.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    list: Vec<Fact>,
    total: &'a Total,
    limit: u64,
    /// Bytes that are kept over all files, and how many there may be.
    kept: Option<(&'a Total, u64)>,
}

impl<'a> Facts<'a> {
    /// `total` counts facts over all files, `limit` is how many there may be.
    pub(crate) fn new(total: &'a Total, limit: u64) -> Self {
        Self { list: Vec::new(), total, limit, kept: None }
    }

    /// With a bound on the bytes of all facts, over all files.
    pub(crate) fn keeping(self, total: &'a Total, limit: u64) -> Self {
        Self { kept: Some((total, limit)), ..self }
    }

    /// Adds a fact.
    ///
    /// # Errors
    /// When there are more than the limit allows, over all files of the image, or
    /// when it is a package without a name, which nothing could refer to.
    pub(crate) fn push(&mut self, fact: impl Into<Fact>) -> Result<(), Unreadable> {
        let fact = fact.into();
        if matches!(&fact, Fact::Package(package) if package.name.is_empty()) {
            return Err(Unreadable::new("it has a package without a name"));
        }
        if !self.total.add(1, self.limit) {
            return Err(Unreadable::new(format!("the image has more than {} packages", self.limit)));
        }
        if let Some((total, limit)) = self.kept
            && !total.add(fact.bytes(), limit)
        {
            return Err(Unreadable::new(format!("what is known of the image has more than {limit} bytes")));
        }
        self.list.push(fact);
        Ok(())
    }

    /// Everything that was added.
    pub(crate) fn into_list(self) -> Vec<Fact> {
        self.list
    }
}

/// Why a file that a reader wanted says less than it should: a lower-case fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl Unreadable {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Reads one kind of database or file. See the page of this module.
pub(crate) trait Reader: Send + Sync {
    /// What it reads, for messages: `apk database`.
    fn name(&self) -> &'static str;

    /// Paths that stand for the ecosystem wherever links lead: each is followed
    /// in the finished image, and the file found is read as if it were there
    /// (scenario N-02).
    fn places(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether the content of `file` is needed.
    fn wants(&self, file: &File<'_>) -> bool;

    /// Reads `content`, the whole of `file`, and adds what it says to `facts`.
    ///
    /// # Errors
    /// When it is malformed; what was read before stays in `facts`.
    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable>;
}

/// Every reader. The order decides nothing but the order of work.
pub(crate) fn all() -> &'static [&'static dyn Reader] {
    &[
        &apk::Installed,
        &apko::Configuration,
        &dotnet::DepsJson,
        &dpkg::Copyright,
        &dpkg::Lists,
        &dpkg::Status,
        &executable::Executable,
        &java::Archive,
        &melange::Documents,
        &npm::PackageJson,
        &os_release::OsRelease,
        &php::Composer,
        &python::Distribution,
        &python::Record,
        &rpm::Database,
        &ruby::Gem,
    ]
}
