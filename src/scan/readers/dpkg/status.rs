//! Installed packages (dpkg, `status`; distroless images have `status.d` with a
//! file per package instead).

use super::control::{Paragraph, paragraphs};
use crate::scan::readers::names::NamesLeft;
use crate::scan::readers::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package, SourcePackage};

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_D: &str = "var/lib/dpkg/status.d/";

const FIELDS: [&str; 11] = [
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Maintainer",
    "Homepage",
    "Description",
    "Source",
    "Depends",
    "Pre-Depends",
    "Provides",
];

/// Reads `var/lib/dpkg/status` and the files of `status.d`.
pub(in crate::scan::readers) struct Status;

impl Reader for Status {
    fn name(&self) -> &'static str {
        "dpkg database"
    }

    fn places(&self) -> &'static [&'static str] {
        &[STATUS]
    }

    fn wants(&self, file: &File<'_>) -> bool {
        let one =
            file.path.strip_prefix(STATUS_D).is_some_and(|name| !name.contains('/') && !name.ends_with(".md5sums"));
        one || file.path == STATUS
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let text = std::str::from_utf8(content);
        // Packages before bytes of another encoding are read; the rest is missing, and said to be.
        let (text, odd) = match text {
            Ok(text) => (text, None),
            Err(error) => {
                let good = std::str::from_utf8(&content[..error.valid_up_to()]).unwrap_or_default();
                (&good[..good.rfind("\n\n").map_or(0, |end| end + 2)], Some(error))
            }
        };
        let keep = |name: &str| FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name));
        let mut left = NamesLeft::default();
        paragraphs(text, keep, |paragraph, line| {
            let package = package(paragraph, &mut left).map_err(|why| format!("line {line}: {why}"))?;
            package.map_or(Ok(()), |package| facts.push(package))
        })?;
        match odd {
            Some(error) => Err(Unreadable::new(format!("byte {}: it is not UTF-8", error.valid_up_to()))),
            None => Ok(()),
        }
    }
}

/// The package of a paragraph, `None` if it is not installed.
fn package(paragraph: &Paragraph, left: &mut NamesLeft) -> Result<Option<Package>, String> {
    if paragraph.line("Status").is_some_and(|status| !has_files(status)) {
        return Ok(None);
    }
    let (Some(name), Some(version)) = (paragraph.line("Package"), paragraph.line("Version")) else {
        return Err("a package without Package or Version".to_owned());
    };
    let some = |field| paragraph.line(field).map(str::to_owned);
    let mut package = Package::new(Ecosystem::Deb, name, version);
    package.architecture = some("Architecture");
    package.supplier = some("Maintainer");
    package.homepage = some("Homepage");
    package.summary = some("Description");
    package.source = Some(source(paragraph.line("Source"), name, version));
    for field in ["Pre-Depends", "Depends"] {
        package.depends.extend(alternatives(paragraph.get(field).unwrap_or_default(), left).map_err(|why| why.0)?);
    }
    let provides = alternatives(paragraph.get("Provides").unwrap_or_default(), left).map_err(|why| why.0)?;
    package.provides = provides.into_iter().flatten().collect();
    Ok(Some(package))
}

/// Whether a package in this state has its files in the image: `want flag state`.
fn has_files(status: &str) -> bool {
    !matches!(status.split_whitespace().nth(2), Some("not-installed" | "config-files"))
}

/// What a package was built from: `name` or `name (version)`, by default what it is called itself.
fn source(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let Some(field) = field else { return SourcePackage::new(name, version) };
    match field.split_once('(') {
        Some((source, rest)) => SourcePackage::new(source.trim(), rest.trim_end_matches(')').trim()),
        None => SourcePackage::new(field, version),
    }
}

/// `a (>= 1), b | c:any` as the names in it.
fn alternatives(field: &str, left: &mut NamesLeft) -> Result<Vec<Vec<String>>, Unreadable> {
    left.take(field.split([',', '|']).count())?;
    let bare = |word: &str| word.split(['(', ':', '[', '<']).next().unwrap_or_default().trim().to_owned();
    let names = |part: &str| part.split('|').map(bare).filter(|name| !name.is_empty()).collect::<Vec<_>>();
    Ok(field.split(',').map(names).filter(|names| !names.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;
    use crate::scan::readers::Fact;

    const GOOD: &str = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nArchitecture: amd64\n\
        Source: glibc (2.36-9+deb12u1)\nMaintainer: GNU Libc <glibc@example.org>\nDepends: libgcc-s1, a (>= 1) | b:any\n\
        Provides: libc6-udeb (= 1)\nDescription: C library\n More about it\n .\n And more\nConffiles:\n /etc/x 00\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";

    fn read(text: &[u8]) -> (Vec<Package>, Option<String>) {
        let total = Total::default();
        let mut facts = Facts::new(&total, 1000);
        let file = File { path: STATUS, size: text.len() as u64, mode: 0o644, head: &[] };
        let error = Status.read(&file, text, &mut facts).err().map(|error| error.0);
        let package = |fact| if let Fact::Package(package) = fact { *package } else { panic!("no package") };
        (facts.into_list().into_iter().map(package).collect(), error)
    }

    #[test]
    fn installed_packages_are_read_and_others_are_not() {
        let (packages, error) = read(GOOD.as_bytes());
        assert_eq!(error, None);
        let [libc] = packages.as_slice() else { panic!("{packages:?}") };
        assert_eq!((libc.name.as_str(), libc.version.as_str()), ("libc6", "2.36-9"));
        assert_eq!(libc.source, Some(SourcePackage::new("glibc", "2.36-9+deb12u1")));
        assert_eq!(libc.summary.as_deref(), Some("C library"));
        assert_eq!(libc.depends, [vec!["libgcc-s1"], vec!["a", "b"]]);
        assert_eq!(libc.provides, ["libc6-udeb"]);
        // No end of the last line, other line ends, no status: a file of `status.d`.
        assert_eq!(read(GOOD.trim_end().as_bytes()).0, packages);
        assert_eq!(read(GOOD.replace('\n', "\r\n").as_bytes()).0, packages);
        assert_eq!(read(b"Package: a\nVersion: 1\n").0.len(), 1);
    }

    #[test]
    fn a_damaged_database_is_said_to_be_one_and_keeps_what_was_read() {
        for (bad, why) in [
            (&b"Package: a\n\n"[..], "line 21: a package without Package or Version"),
            (b"Package: a\nPackage: b\nVersion: 1\n\n", "line 21: a second Package in one paragraph"),
            (b"garbage\n", "line 20: wanted a field"),
            (b" continues\n", "line 20: it continues nothing"),
            (b"Package: \xff\nVersion: 1\n\n", "byte 359: it is not UTF-8"),
        ] {
            let (packages, error) = read(&[GOOD.as_bytes(), bad].concat());
            assert_eq!((packages.len(), error.as_deref()), (1, Some(why)));
        }
        assert_eq!(read(&[GOOD.as_bytes(), b"Package: a\nVersion: 1\n\n"].concat()).1, None);
    }
}
