//! Python distributions: `*.dist-info/METADATA` of wheels, `*.egg-info` of older
//! tools, as a file or as a folder with `PKG-INFO`.
//!
//! <https://packaging.python.org/en/latest/specifications/core-metadata/>

use super::{Fact, Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, FileList, Package, path};

/// Bytes of the header fields; the description comes after them.
const FIELDS: usize = 4 << 20;

/// Characters of a `License` field that is still a name and not the text.
const NAME_OF_A_LICENSE: usize = 120;

/// Reads the metadata of installed Python distributions.
pub(super) struct Distribution;

impl Reader for Distribution {
    fn name(&self) -> &'static str {
        "Python distribution"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        let Some((folder, name)) = file.path.rsplit_once('/') else { return ends_with(file.path, ".egg-info") };
        match name {
            "METADATA" => ends_with(folder, "dist-info"),
            "PKG-INFO" => ends_with(folder, "egg-info"),
            _ => ends_with(name, ".egg-info"),
        }
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let fields = fields(content)?;
        let first =
            |key| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str());
        let all = |key: &'static str| fields.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
        let name =
            first("Name").filter(|name| !name.is_empty()).ok_or_else(|| Unreadable::new("it names no distribution"))?;
        // The interpreter of Python 2 describes itself so; it is no distribution.
        if name == "Python" {
            return Ok(());
        }
        let mut package = Package::new(Ecosystem::Pypi, normalized(name), first("Version").unwrap_or_default());
        package.license = license(first("License-Expression"), first("License"), all("Classifier"));
        package.summary = known(first("Summary"));
        package.homepage =
            known(first("Home-page")).or_else(|| all("Project-URL").find_map(|(_, value)| homepage(value)));
        let author = |name, address| match (known(first(name)), known(first(address))) {
            (Some(name), Some(address)) if !address.contains('<') => Some(format!("{name} <{address}>")),
            (name, address) => name.or(address),
        };
        package.originator = author("Author", "Author-email").or_else(|| author("Maintainer", "Maintainer-email"));
        package.depends = all("Requires-Dist").filter_map(|(_, value)| required(value)).collect();
        facts.push(package)?;
        Ok(())
    }
}

/// Bytes of the paths in one list, folders included.
const PATHS: usize = 32 << 20;

/// Reads the list of files beside a wheel's metadata
/// (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).
/// Distributions are told apart by the folder of both.
pub(super) struct Record;

impl Reader for Record {
    fn name(&self) -> &'static str {
        "list of files of a Python distribution"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.path.rsplit_once('/').is_some_and(|(folder, name)| name == "RECORD" && ends_with(folder, ".dist-info"))
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let packages = folder.rsplit_once('/').map_or("", |(packages, _)| packages);
        let mut files = FileList::default();
        let mut left = PATHS;
        for line in String::from_utf8_lossy(content).lines() {
            // A path, a digest, a size; the path is in quotes if it holds a comma.
            let quoted = line.strip_prefix('"').and_then(|rest| rest.split_once("\","));
            let Some((path, _)) = quoted.or_else(|| line.split_once(',')) else { continue };
            let path = if path.starts_with('/') { path.to_owned() } else { format!("{packages}/{path}") };
            let spent = left.checked_sub(path.len());
            left = spent.ok_or_else(|| Unreadable::new(format!("its paths have more than {PATHS} bytes")))?;
            if let Some(path) = path::normal(path.as_bytes()).ok().and_then(|path| String::from_utf8(path).ok()) {
                files.push(&path);
            }
        }
        facts.push(Fact::Files { ecosystem: Ecosystem::Pypi, package: folder.to_owned(), files })
    }
}

/// `*.dist-info` and `*.DIST-INFO` alike.
fn ends_with(text: &str, ending: &str) -> bool {
    let start = text.len().checked_sub(ending.len()).and_then(|at| text.get(at..));
    start.is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// The fields before the first empty line, each with its continuation lines.
/// Files are not always UTF-8; what is not is replaced.
fn fields(content: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut seen = 0;
    for line in content.split(|byte| *byte == b'\n') {
        seen += line.len();
        if seen > FIELDS {
            return Err(Unreadable::new(format!("its fields are longer than {FIELDS} bytes")));
        }
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            // Some files begin with empty lines.
            if fields.is_empty() { continue } else { break }
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(fields)
}

/// The name under which indexes and dependencies know a distribution
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
fn normalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&part.to_ascii_lowercase());
    }
    out
}

/// The value, unless it says that there is none.
fn known(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty() && *value != "UNKNOWN").map(str::to_owned)
}

/// An expression, else the name of the licence, else what the classifiers say.
/// Many a `License` field holds the whole text instead.
fn license<'a>(
    expression: Option<&str>,
    name: Option<&str>,
    classifiers: impl Iterator<Item = &'a (String, String)>,
) -> Option<String> {
    let name = || known(name).filter(|name| name.len() <= NAME_OF_A_LICENSE && !name.contains('\n'));
    let classified = || {
        let names = classifiers.filter_map(|(_, value)| value.strip_prefix("License ::")?.rsplit("::").next());
        let names: Vec<&str> = names.map(str::trim).filter(|name| *name != "OSI Approved").collect();
        Some(names.join(" AND ")).filter(|names| !names.is_empty())
    };
    known(expression).or_else(name).or_else(classified)
}

/// The address in `Homepage, https://…`.
fn homepage(value: &str) -> Option<String> {
    let (label, address) = value.split_once(',')?;
    let is_homepage = ["homepage", "home", "home-page"].iter().any(|word| label.trim().eq_ignore_ascii_case(word));
    is_homepage.then(|| address.trim().to_owned())
}

/// The name in a requirement; nothing if only an extra asks for it.
fn required(value: &str) -> Option<Vec<String>> {
    let (requirement, marker) = value.split_once(';').unwrap_or((value, ""));
    let end =
        requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(requirement.len());
    let name = normalized(&requirement[..end]);
    (!name.is_empty() && !marker.contains("extra")).then(|| vec![name])
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const GOOD: &str = "Metadata-Version: 2.1\nName: Typing_Extensions\nVersion: 4.12.2\nSummary: Backported\n\
        Home-page: UNKNOWN\nAuthor: A B\nAuthor-email: a@b.c\nLicense: PSF\nClassifier: License :: OSI Approved :: X\n\
        Project-URL: Home, https://example.org\nRequires-Dist: Foo.Bar[x] (>=1) ; python_version < \"3\"\n\
        Requires-Dist: baz; extra == 'dev'\n\nName: not a field\n";

    fn read(text: &[u8]) -> Result<Vec<Package>, String> {
        testing::read(&Distribution, "a.dist-info/METADATA", text)
    }

    #[test]
    fn a_distribution_is_its_metadata() {
        for text in [GOOD.to_owned(), GOOD.replace('\n', "\r\n"), format!("\n{GOOD}")] {
            let found = read(text.as_bytes()).expect("it is read");
            let [package] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((package.name.as_str(), package.version.as_str()), ("typing-extensions", "4.12.2"));
            assert_eq!(package.license.as_deref(), Some("PSF"));
            assert_eq!(package.originator.as_deref(), Some("A B <a@b.c>"));
            assert_eq!(package.homepage.as_deref(), Some("https://example.org"));
            assert_eq!(package.depends, [["foo-bar"]]);
        }
    }

    #[test]
    fn a_licence_is_an_expression_a_name_or_classified() {
        let with =
            |line: &str| read(GOOD.replace("License: PSF", line).as_bytes()).expect("it is read")[0].license.clone();
        assert_eq!(with("License-Expression: MIT\nLicense: PSF").as_deref(), Some("MIT"));
        assert_eq!(with("License: line one\n  line two").as_deref(), Some("X"));
        assert_eq!(with("License: UNKNOWN").as_deref(), Some("X"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(
            read(GOOD.replace("Name", "Nome").as_bytes()).expect_err("it is refused"),
            "it names no distribution"
        );
        // Nothing is left of this name when it is written as the index writes it.
        assert_eq!(read(b"Name: _\nVersion: 1\n").expect_err("it is refused"), "it has a package without a name");
        assert_eq!(read(b"Name: _a\nVersion: 1\n").map(|found| found.len()), Ok(1));
        assert_eq!(read(&GOOD.replace("A B", "\u{fffd}").into_bytes()).map(|found| found.len()), Ok(1));
        assert_eq!(read(b"Name: Python\nVersion: 2.7\n").map(|found| found.len()), Ok(0));
        let endless = GOOD.replace("Backported", &"x".repeat(FIELDS));
        assert_eq!(read(endless.as_bytes()).expect_err("it is refused"), "its fields are longer than 4194304 bytes");
    }

    #[test]
    fn a_record_lists_the_files_from_the_folder_of_all_distributions() {
        let list = "foo/__init__.py,sha256=x,1\n../../../bin/foo,,\n\"foo/a,b.py\",,\n../../../../../etc/x,,\nnone\n";
        let file = File { path: "usr/lib/python3/foo-1.dist-info/RECORD", size: 1, mode: 0o644, head: &[] };
        assert!(Record.wants(&file));
        let total = crate::scan::inflate::Total::default();
        let read = |list: &str| {
            let mut facts = Facts::new(&total, 10);
            Record.read(&file, list.as_bytes(), &mut facts).map(|()| facts.into_list())
        };
        let facts = read(list).expect("it is read");
        let [Fact::Files { package, files, .. }] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!(package, "usr/lib/python3/foo-1.dist-info");
        assert_eq!(
            files.iter().collect::<Vec<_>>(),
            ["usr/lib/python3/foo/__init__.py", "bin/foo", "usr/lib/python3/foo/a,b.py"]
        );
        let endless = "x,\n".repeat(PATHS / 17 + 1);
        assert_eq!(read(&endless), Err(Unreadable::new("its paths have more than 33554432 bytes")));
    }

    #[test]
    fn metadata_is_found_by_its_place() {
        let wants = |path| Distribution.wants(&File { path, size: 1, mode: 0o644, head: &[] });
        for path in ["a/B-1.dist-info/METADATA", "a/b.egg-info/PKG-INFO", "a/EGG-INFO/PKG-INFO", "a/b-1.egg-info"] {
            assert!(wants(path), "{path}");
        }
        for path in ["METADATA", "a/METADATA", "a/b.dist-info/RECORD", "a/PKG-INFO", "a.egg-info/x"] {
            assert!(!wants(path), "{path}");
        }
    }
}
