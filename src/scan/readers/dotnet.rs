//! .NET packages: the `*.deps.json` beside an application, which the runtime loads by.
//!
//! <https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package};

/// Bytes of a document, which takes a few times as many when it is read; real ones have a million.
const LONGEST: usize = 32 << 20;

/// Reads `*.deps.json`.
pub(super) struct DepsJson;

impl Reader for DepsJson {
    fn name(&self) -> &'static str {
        ".NET dependencies"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.path.ends_with(".deps.json")
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if content.len() > LONGEST {
            return Err(Unreadable::new(format!("it is longer than {LONGEST} bytes")));
        }
        let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
        let wrong = |error| Unreadable::new(format!("it is malformed: {error}"));
        let document: Document = serde_json::from_slice(content).map_err(wrong)?;
        let application = file.name().strip_suffix(".deps.json").unwrap_or_default();
        for (id, library) in &document.libraries {
            // Other projects of the same solution, and what was only compiled against, are no packages.
            let Some((name, version)) = id.split_once('/') else { continue };
            let own = library.kind == "project" && name == application;
            if !own && !matches!(library.kind.as_str(), "package" | "runtimepack") {
                continue;
            }
            let mut package = Package::new(Ecosystem::Nuget, name, version);
            let assets = document.targets.values().filter_map(|target| target.get(id));
            package.depends =
                assets.flat_map(|target| target.dependencies.keys()).map(|name| vec![name.clone()]).collect();
            package.depends.sort_unstable();
            package.depends.dedup();
            facts.push(package)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Document {
    /// Per framework and runtime: what each library brings.
    #[serde(default)]
    targets: BTreeMap<String, BTreeMap<String, Target>>,
    /// By `name/version`.
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type", default)]
    kind: String,
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const GOOD: &str = r#"{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"targets":{".NETCoreApp,Version=v8.0":{
        "app/1.0.0":{"dependencies":{"Serilog":"3.1.1"},"runtime":{"app.dll":{}}},"Serilog/3.1.1":{"runtime":{}}}},
        "libraries":{"app/1.0.0":{"type":"project"},"Serilog/3.1.1":{"type":"package","sha512":"x"},
        "other/1.0.0":{"type":"project"},"ref/1.0.0":{"type":"referenceassembly"}}}"#;

    fn read(json: &str) -> Result<Vec<Package>, String> {
        testing::read(&DepsJson, "app/app.deps.json", json.as_bytes())
    }

    #[test]
    fn packages_and_the_application_itself_are_found() {
        let found = read(GOOD).expect("it is read");
        let names: Vec<_> = found.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
        assert_eq!(names, [("Serilog", "3.1.1"), ("app", "1.0.0")]);
        assert_eq!(found[1].depends, [["Serilog"]]);
        assert_eq!(read(&format!("\u{feff}{GOOD}")).map(|found| found.len()), Ok(2));
    }

    #[test]
    fn a_broken_document_is_refused() {
        assert!(read(&GOOD[..GOOD.len() - 1]).expect_err("it is refused").starts_with("it is malformed"));
        assert!(read(&GOOD.replace("{\"app/1.0.0\"", "[\"app/1.0.0\"")).is_err());
        let long = |spaces| read(&format!("{GOOD}{}", " ".repeat(spaces - GOOD.len()))).map(|found| found.len());
        assert_eq!(long(LONGEST), Ok(2));
        assert_eq!(long(LONGEST + 1), Err("it is longer than 33554432 bytes".to_owned()));
    }
}
