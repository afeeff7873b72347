//! JavaScript packages: every `package.json` that names one.
//!
//! <https://docs.npmjs.com/cli/v11/configuring-npm/package-json>

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package};

/// Bytes of a `package.json`; real ones have some thousand.
const LONGEST: usize = 16 << 20;

/// Reads `package.json`.
pub(super) struct PackageJson;

impl Reader for PackageJson {
    fn name(&self) -> &'static str {
        "npm package"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.name() == "package.json"
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        match parse(content) {
            Ok(manifest) => manifest.package().map_or(Ok(()), |package| facts.push(package)),
            // Packages bring broken ones for their own tests; where npm installs, none can be.
            Err(why) if is_installed(file.path) => Err(why),
            Err(_) => Ok(()),
        }
    }
}

/// Whether npm puts a package here: `node_modules/name` or `node_modules/@scope/name`.
fn is_installed(path: &str) -> bool {
    let mut folders = path.rsplit('/').skip(2);
    match folders.next() {
        Some("node_modules") => true,
        Some(scope) => scope.starts_with('@') && folders.next() == Some("node_modules"),
        None => false,
    }
}

fn parse(content: &[u8]) -> Result<Manifest, Unreadable> {
    if content.len() > LONGEST {
        return Err(Unreadable::new(format!("it is longer than {LONGEST} bytes")));
    }
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    serde_json::from_slice(content).map_err(|error| Unreadable::new(format!("it is malformed: {error}")))
}

/// The fields that are of interest. Node takes the last of a repeated key, and so does this.
#[derive(Default)]
struct Manifest {
    name: Value,
    version: Value,
    description: Value,
    homepage: Value,
    author: Value,
    license: Value,
    licenses: Value,
    dependencies: Value,
    optional: Value,
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Manifest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Manifest, A::Error> {
                let mut manifest = Manifest::default();
                while let Some(key) = map.next_key::<String>()? {
                    let field = match key.as_str() {
                        "name" => &mut manifest.name,
                        "version" => &mut manifest.version,
                        "description" => &mut manifest.description,
                        "homepage" => &mut manifest.homepage,
                        "author" => &mut manifest.author,
                        "license" => &mut manifest.license,
                        "licenses" => &mut manifest.licenses,
                        "dependencies" => &mut manifest.dependencies,
                        "optionalDependencies" => &mut manifest.optional,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *field = map.next_value()?;
                }
                Ok(manifest)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl Manifest {
    /// The package; `None` if it has no name, as the files that only say how to load a folder.
    fn package(&self) -> Option<Package> {
        let name = text(&self.name)?;
        let mut package = Package::new(Ecosystem::Npm, "", text(&self.version).unwrap_or_default());
        match name.as_str().split_once('/').filter(|(scope, _)| scope.starts_with('@')) {
            Some((scope, name)) => {
                package.namespace = Some(scope.to_owned());
                package.name = name.to_owned();
                // Others depend on it by both.
                package.provides = vec![format!("{scope}/{name}")];
            }
            None => package.name.clone_from(&name),
        }
        package.license = license(&self.license).or_else(|| license(&self.licenses));
        package.summary = text(&self.description);
        package.homepage = text(&self.homepage);
        package.originator = person(&self.author);
        let needed = [&self.dependencies, &self.optional].into_iter().filter_map(Value::as_object);
        package.depends = needed.flat_map(|names| names.keys().map(|name| vec![name.clone()])).collect();
        Some(package)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A licence in any of its spellings: a text, `{"type": …}`, a list of either of
/// which the user chooses.
fn license(value: &Value) -> Option<String> {
    match value {
        Value::Array(all) => {
            let all: Vec<String> = all.iter().filter(|one| !one.is_array()).filter_map(license).collect();
            Some(all.join(" OR ")).filter(|all| !all.is_empty())
        }
        Value::Object(fields) => fields.get("type").or_else(|| fields.get("name")).and_then(text),
        other => text(other),
    }
}

/// A person as text, or as an object.
fn person(value: &Value) -> Option<String> {
    let Some(fields) = value.as_object() else { return text(value) };
    let name = fields.get("name").and_then(text)?;
    Some(match fields.get("email").and_then(text) {
        Some(address) => format!("{name} <{address}>"),
        None => name,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn read(path: &str, json: &str) -> Result<Option<Package>, String> {
        testing::read(&PackageJson, path, json.as_bytes()).map(|mut found| found.pop())
    }

    fn one(json: &str) -> Package {
        read("app/node_modules/x/package.json", json).expect("it is read").expect("a package")
    }

    #[test]
    fn a_package_has_a_name_and_perhaps_a_scope() {
        let package = one(r#"{"name":"@babel/core","version":"7.0.0","author":{"name":"A","email":"a@b"},
            "dependencies":{"debug":"^4"},"optionalDependencies":{"fsevents":"*"},"exports":{"a":["b"]}}"#);
        assert_eq!((package.namespace.as_deref(), package.name.as_str()), (Some("@babel"), "core"));
        assert_eq!(package.originator.as_deref(), Some("A <a@b>"));
        assert_eq!(package.depends, [["debug"], ["fsevents"]]);
        assert_eq!(one("\u{feff}{\"name\":\"a\",\"name\":\"b\"}").name, "b");
        assert_eq!(read("package.json", r#"{"type":"module"}"#), Ok(None));
    }

    #[test]
    fn a_licence_has_many_spellings() {
        for (json, wanted) in [
            (r#""license":"(MIT OR Apache-2.0)""#, Some("(MIT OR Apache-2.0)")),
            (r#""license":{"type":"ISC","url":"x"}"#, Some("ISC")),
            (r#""license":["MIT","BSD"]"#, Some("MIT OR BSD")),
            (r#""licenses":[{"type":"MIT"},{"type":"GPL"}]"#, Some("MIT OR GPL")),
            (r#""license":null,"licenses":"WTFPL""#, Some("WTFPL")),
            (r#""license":[[["MIT"]]]"#, None),
            (r#""license":7"#, None),
        ] {
            assert_eq!(one(&format!(r#"{{"name":"a",{json}}}"#)).license.as_deref(), wanted, "{json}");
        }
    }

    #[test]
    fn a_broken_manifest_matters_where_packages_are_installed() {
        for path in ["node_modules/a/package.json", "x/node_modules/@s/a/package.json"] {
            assert!(read(path, "{").expect_err("it is refused").starts_with("it is malformed"), "{path}");
            assert!(read(path, "{}").is_ok());
        }
        for path in ["node_modules/a/test/package.json", "package.json", "a/package.json", "b/@s/a/package.json"] {
            assert_eq!(read(path, "{"), Ok(None), "{path}");
        }
    }
}
