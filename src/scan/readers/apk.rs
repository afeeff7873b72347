//! The database of apk: one text file with a paragraph per installed package
//! (apk-tools, `installed`; `F:` opens a folder and `R:` names a file in it).

use super::names::NamesLeft;
use super::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package, SourcePackage};

/// Where the database is: apk-tools 2, and since the merge of `/usr` apk-tools 3
/// (scenario N-15: where both are there, both are read, and what they contradict each other in is said).
const PLACES: &[&str] = &["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// Reads `lib/apk/db/installed`.
pub(super) struct Installed;

impl Reader for Installed {
    fn name(&self) -> &'static str {
        "apk database"
    }

    fn places(&self) -> &'static [&'static str] {
        PLACES
    }

    fn wants(&self, file: &File<'_>) -> bool {
        PLACES.contains(&file.path)
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let mut paragraph = Paragraph::default();
        let mut names_left = NamesLeft::default();
        for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let at = |why: &str| Unreadable::new(format!("line {}: {why}", number + 1));
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                std::mem::take(&mut paragraph).close(facts).map_err(|why| at(&why.0))?;
                continue;
            }
            let line = std::str::from_utf8(line).map_err(|_| at("it is not UTF-8"))?;
            let Some((key, value)) = line.split_once(':').filter(|(key, _)| key.len() == 1) else {
                return Err(at("wanted a letter, a colon and a value"));
            };
            paragraph.line(key, value, &mut names_left).map_err(|why| at(&why.0))?;
        }
        // The last paragraph needs no empty line after it.
        paragraph.close(facts).map_err(|why| Unreadable::new(format!("the last package: {}", why.0)))
    }
}

/// One package, line by line.
#[derive(Default)]
struct Paragraph {
    package: Option<Package>,
    name: Option<String>,
    version: Option<String>,
    origin: Option<String>,
    commit: Option<String>,
    folder: String,
    any: bool,
}

impl Paragraph {
    fn line(&mut self, key: &str, value: &str, names_left: &mut NamesLeft) -> Result<(), Unreadable> {
        self.any = true;
        let package = self.package.get_or_insert_with(|| Package::new(Ecosystem::Apk, "", ""));
        let some = || Some(value.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        match key {
            // Two names would be two packages for two readers (scenario N-05).
            "P" | "V" => {
                let field = if key == "P" { &mut self.name } else { &mut self.version };
                if field.is_some() {
                    return Err(Unreadable::new(format!("a second {key}: in one package")));
                }
                *field = some();
            }
            "A" => package.architecture = some(),
            "L" => package.license = some(),
            "T" => package.summary = some(),
            "U" => package.homepage = some(),
            "m" => package.supplier = some(),
            "o" => self.origin = some(),
            "c" => self.commit = some(),
            "D" => package.depends = names(value, names_left)?.map(|name| vec![name]).collect(),
            "p" => package.provides = names(value, names_left)?.collect(),
            "F" => value.clone_into(&mut self.folder),
            "R" if self.folder.is_empty() => package.files.push(value),
            "R" => package.files.push(&format!("{}/{value}", self.folder)),
            // Checksums, sizes, owners, triggers: known, and not needed; unknown ones are later additions.
            _ => {}
        }
        Ok(())
    }

    fn close(self, facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if !self.any {
            return Ok(());
        }
        let (Some(mut package), Some(name), Some(version)) = (self.package, self.name, self.version) else {
            return Err(Unreadable::new("a package without name (P:) or version (V:)"));
        };
        if let Some(origin) = self.origin {
            let mut source = SourcePackage::new(origin, &version);
            source.commit = self.commit;
            package.source = Some(source);
        }
        facts.push(Package { name, version, ..package })
    }
}

/// The names in a list of dependencies or provisions, without versions and without conflicts (`!name`).
fn names<'a>(value: &'a str, left: &mut NamesLeft) -> Result<impl Iterator<Item = String> + use<'a>, Unreadable> {
    let words = value.split_whitespace();
    left.take(words.clone().count())?;
    let words = words.filter(|word| !word.starts_with('!'));
    let bare = |word: &str| word.split(['<', '>', '=', '~', '@']).next().unwrap_or_default().to_owned();
    Ok(words.map(bare).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::super::Fact;
    use super::*;
    use crate::scan::inflate::Total;

    const GOOD: &str = "P:zlib\nV:1.3.1-r4\nA:x86_64\nL:MPL-2.0 AND MIT\no:zlib\nc:abc\nD:so:libc.so.6 glibc>=2.3 !bad\n\
        p:so:libz.so.1=1.3.1\nF:usr/lib\nR:libz.so.1\na:0:0:755\nF:\nR:top\n\n";

    fn read(text: &str) -> (Vec<Package>, Option<String>) {
        let total = Total::default();
        let mut facts = Facts::new(&total, 1000);
        let file = File { path: PLACES[0], size: text.len() as u64, mode: 0o644, head: &[] };
        let error = Installed.read(&file, text.as_bytes(), &mut facts).err().map(|error| error.0);
        let package = |fact| if let Fact::Package(package) = fact { *package } else { panic!("no package") };
        (facts.into_list().into_iter().map(package).collect(), error)
    }

    #[test]
    fn a_package_is_a_paragraph() {
        let (packages, error) = read(GOOD);
        assert_eq!(error, None);
        let [zlib] = packages.as_slice() else { panic!("{packages:?}") };
        assert_eq!((zlib.name.as_str(), zlib.version.as_str()), ("zlib", "1.3.1-r4"));
        assert_eq!(zlib.license.as_deref(), Some("MPL-2.0 AND MIT"));
        assert_eq!(zlib.depends, [vec!["so:libc.so.6".to_owned()], vec!["glibc".to_owned()]]);
        assert_eq!(zlib.provides, ["so:libz.so.1"]);
        assert_eq!(zlib.files.iter().collect::<Vec<_>>(), ["usr/lib/libz.so.1", "top"]);
        assert_eq!(zlib.source.as_ref().and_then(|source| source.commit.as_deref()), Some("abc"));
    }

    #[test]
    fn line_ends_and_a_missing_last_line_change_nothing() {
        let (wanted, _) = read(GOOD);
        assert_eq!(read(GOOD.trim_end()), (wanted.clone(), None));
        assert_eq!(read(&GOOD.replace('\n', "\r\n")), (wanted.clone(), None));
        assert_eq!(read(&format!("\n\n{GOOD}\n\n")), (wanted, None));
        assert_eq!(read(""), (Vec::new(), None));
    }

    #[test]
    fn a_damaged_database_is_said_to_be_one_and_keeps_what_was_read() {
        let after = |bad: &str| read(&format!("{GOOD}{bad}"));
        for (bad, why) in [
            ("P:a\nP:b\nV:1\n\n", "line 16: a second P: in one package"),
            ("P:a\n\n", "line 16: a package without name (P:) or version (V:)"),
            ("garbage\n", "line 15: wanted a letter, a colon and a value"),
            ("P:a", "the last package: a package without name (P:) or version (V:)"),
        ] {
            let (packages, error) = after(bad);
            assert_eq!((packages.len(), error.as_deref()), (1, Some(why)), "{bad}");
        }
        assert_eq!(after("P:a\nV:1\n\n").1, None);
    }
}
