//! An rpm database of any kind, as packages.

use super::super::bytes::le32;
use super::super::{Facts, File, Reader, Unreadable};
use super::header::Header;
use super::{ndb, sqlite};
use crate::scan::{Ecosystem, Package, SourcePackage};

/// Where the database is: since rpm 4.17 and on SUSE, traditionally, and in images of rpm-ostree.
const PLACES: &[&str] = &[
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/share/rpm/rpmdb.sqlite",
    "usr/share/rpm/Packages.db",
    "usr/share/rpm/Packages",
];

/// What SQLite adds to the name of a database for what was written last.
const LOG: &str = "-wal";

/// Reads the databases of rpm.
pub(in super::super) struct Database;

impl Reader for Database {
    fn name(&self) -> &'static str {
        "rpm database"
    }

    fn places(&self) -> &'static [&'static str] {
        PLACES
    }

    fn wants(&self, file: &File<'_>) -> bool {
        PLACES.contains(&file.path.strip_suffix(LOG).unwrap_or(file.path))
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if file.path.ends_with(LOG) {
            // SQLite takes the file away when the last program closes the database.
            let empty = content.is_empty();
            let why = "packages may stand in it, because a program that wrote to the database did not close it";
            return if empty { Ok(()) } else { Err(Unreadable::new(why)) };
        }
        let mut each = |header: &[u8]| {
            let header = Header::read(header)?;
            if !header.is_key() {
                facts.push(package(header))?;
            }
            Ok(())
        };
        if content.starts_with(sqlite::MAGIC) {
            sqlite::headers(content, &mut each)
        } else if content.starts_with(ndb::MAGIC) {
            ndb::headers(content, &mut each)
        } else if is_berkeley(content) {
            // Every known reader of it can be sent around in circles, and rpm writes none since 2020.
            let why = "it is a Berkeley DB, which this version does not read; `rpmdb --rebuilddb` of rpm 4.16 and later converts it";
            Err(Unreadable::new(why))
        } else {
            Err(Unreadable::new("it is neither SQLite nor ndb"))
        }
    }
}

fn package(header: Header) -> Package {
    let source = header.source.as_deref().and_then(source);
    let mut package = Package::new(Ecosystem::Rpm, header.name, "");
    package.version = header.version;
    package.architecture = header.architecture;
    package.license = header.license;
    package.supplier = header.vendor;
    package.homepage = header.homepage;
    package.summary = header.summary;
    package.source = source;
    package.provides = header.provides;
    package.depends = header.requires.into_iter().map(|name| vec![name]).collect();
    package.files = header.files;
    package
}

/// The name and version in the file name of a source package, `name-version-release.src.rpm`.
fn source(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage::new(name, format!("{version}-{release}")))
}

/// The magic of a hash table or a tree of Berkeley DB, in either byte order.
fn is_berkeley(bytes: &[u8]) -> bool {
    const MAGICS: [u32; 2] = [0x0006_1561, 0x0005_3162];
    le32(bytes, 12).is_some_and(|magic| MAGICS.contains(&magic) || MAGICS.contains(&magic.swap_bytes()))
}
