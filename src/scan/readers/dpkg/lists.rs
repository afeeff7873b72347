//! The files of each package (dpkg, `info/PACKAGE.list`; distroless images have
//! `status.d/PACKAGE.md5sums` instead).

use crate::scan::readers::{Fact, Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, FileList, Package};

const INFO: &str = "var/lib/dpkg/info/";
const STATUS_D: &str = "var/lib/dpkg/status.d/";

/// What dpkg keeps of every package beside its list, which names none of it:
/// maintainer scripts, among them executables, and data (deb-control(5), deb-triggers(5)).
const KEPT: [&str; 12] = [
    "config",
    "conffiles",
    "list",
    "md5sums",
    "postinst",
    "postrm",
    "preinst",
    "prerm",
    "shlibs",
    "symbols",
    "templates",
    "triggers",
];

/// Where dpkg may keep files of its own for a package.
pub(in crate::scan) fn kept(package: &Package) -> impl Iterator<Item = String> {
    let Package { name, architecture, .. } = package;
    // Only of packages that may be installed for several architectures.
    let qualified = architecture.iter().map(move |architecture| format!("{name}:{architecture}"));
    let names = qualified.chain([name.clone()]);
    names.flat_map(|name| KEPT.map(|kind| format!("{INFO}{name}.{kind}")))
}

/// Reads lists of files.
pub(in crate::scan::readers) struct Lists;

impl Reader for Lists {
    fn name(&self) -> &'static str {
        "dpkg list of files"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        package(file.path).is_some()
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let Some(package) = package(file.path) else { return Ok(()) };
        let text = String::from_utf8_lossy(content);
        let files: FileList = match file.path.starts_with(INFO) {
            true => text.lines().filter(|path| *path != "/.").collect(),
            // A checksum, two spaces, a path.
            false => text.lines().filter_map(|line| line.split_once("  ")).map(|(_, path)| path).collect(),
        };
        facts.push(Fact::Files { ecosystem: Ecosystem::Deb, package: package.to_owned(), files })
    }
}

/// The package that a list is of: `libc6:amd64`, or without the architecture.
fn package(path: &str) -> Option<&str> {
    let info = || path.strip_prefix(INFO)?.strip_suffix(".list");
    let status = || path.strip_prefix(STATUS_D)?.strip_suffix(".md5sums");
    info().or_else(status).filter(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;

    #[test]
    fn both_forms_are_lists_of_paths() {
        for (path, content, wanted) in [
            ("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/libc.so.6\n", ["lib", "lib/libc.so.6"]),
            ("var/lib/dpkg/status.d/libc6:amd64.md5sums", "00  lib/x\n11  lib/a b\n", ["lib/x", "lib/a b"]),
        ] {
            let total = Total::default();
            let mut facts = Facts::new(&total, 10);
            let file = File { path, size: 0, mode: 0, head: &[] };
            assert!(Lists.wants(&file));
            Lists.read(&file, content.as_bytes(), &mut facts).expect("a list");
            let Some(Fact::Files { package, files, .. }) = facts.into_list().pop() else { panic!("no list") };
            assert_eq!((package.as_str(), files.iter().collect::<Vec<_>>()), ("libc6:amd64", wanted.to_vec()));
        }
        for other in ["var/lib/dpkg/info/a.md5sums", "var/lib/dpkg/info/.list", "var/lib/dpkg/info/x/a.list"] {
            assert!(!Lists.wants(&File { path: other, size: 0, mode: 0, head: &[] }), "{other}");
        }
    }
}
