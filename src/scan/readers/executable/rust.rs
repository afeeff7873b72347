//! The dependency list that `cargo auditable` puts into a Rust binary: JSON, deflated,
//! in a section of its own (<https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>).

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::super::{Facts, Unreadable};
use super::section::section;
use crate::scan::{Ecosystem, Package};

/// Bytes of the list when it is inflated, as in the readers of its authors.
const LONGEST: u64 = 8 << 20;

/// The list.
#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build` if only the build needed it; then it is not in the binary.
    #[serde(default)]
    kind: Option<String>,
    /// Places in the list.
    #[serde(default)]
    dependencies: Vec<usize>,
}

/// Adds the crates in the Rust binary `object`; nothing if it has no list.
pub(super) fn read(object: &object::File<'_>, facts: &mut Facts<'_>) -> Result<(), Unreadable> {
    match section(object, &[".dep-v0", "rust-deps-v0"]) {
        Some(list) => packages(list, facts),
        None => Ok(()),
    }
}

fn packages(deflated: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
    let wrong = |why: &str| Unreadable::new(format!("its list of Rust crates {why}"));
    let mut json = Vec::new();
    let inflated = ZlibDecoder::new(deflated).take(LONGEST + 1).read_to_end(&mut json);
    inflated.map_err(|_| wrong("cannot be inflated"))?;
    if json.len() as u64 > LONGEST {
        return Err(wrong(&format!("is longer than {LONGEST} bytes")));
    }
    let List { packages } = crate::json::object(&json).map_err(|error| wrong(&format!("is malformed: {error}")))?;
    for entry in packages.iter().filter(|entry| entry.kind.as_deref() != Some("build")) {
        let mut package = Package::new(Ecosystem::Cargo, &entry.name, &entry.version);
        for place in &entry.dependencies {
            let needed = packages.get(*place).ok_or_else(|| wrong("names a place that it does not have"))?;
            package.depends.push(vec![needed.name.clone()]);
        }
        facts.push(package)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::super::super::testing;
    use super::*;

    const LIST: &str = r#"{"packages":[
        {"name":"adler","version":"0.2.3","source":"registry"},
        {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"app","version":"0.1.0","source":"local","dependencies":[0,1],"root":true}]}"#;

    fn read(json: &str) -> Result<Vec<Package>, String> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(json.as_bytes()).expect("into memory");
        read_raw(&encoder.finish().expect("into memory"))
    }

    fn read_raw(bytes: &[u8]) -> Result<Vec<Package>, String> {
        testing::facts(|facts| packages(bytes, facts))
    }

    #[test]
    fn crates_are_those_in_the_binary() {
        let found = read(LIST).expect("it is read");
        let names: Vec<_> = found.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
        assert_eq!(names, [("adler", "0.2.3"), ("app", "0.1.0")]);
        assert_eq!(found[1].depends, [["adler"], ["cc"]]);
    }

    #[test]
    fn a_damaged_or_endless_list_is_refused() {
        assert_eq!(
            read(&LIST.replace("[0,1]", "[0,3]")).expect_err("it is refused"),
            "its list of Rust crates names a place that it does not have"
        );
        assert_eq!(read_raw(b"no zlib").expect_err("it is refused"), "its list of Rust crates cannot be inflated");
        assert!(read("{}").expect_err("it is refused").starts_with("its list of Rust crates is malformed"));
        let endless = LIST.replace("registry", &"x".repeat(9 << 20));
        assert_eq!(read(&endless).expect_err("it is refused"), "its list of Rust crates is longer than 8388608 bytes");
    }
}
