//! PHP packages: the `installed.json` that Composer writes into `vendor/composer`.
//!
//! Composer 2 has an object with `packages`, Composer 1 the bare list.

use serde::Deserialize;

use super::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package, SourcePackage};

/// Bytes of a list, which takes several times as many when it is read; real ones have a million.
const LONGEST: usize = 32 << 20;

/// Reads Composer's list of what is installed.
pub(super) struct Composer;

impl Reader for Composer {
    fn name(&self) -> &'static str {
        "Composer packages"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.name() == "installed.json"
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if content.len() > LONGEST {
            return Err(Unreadable::new(format!("it is longer than {LONGEST} bytes")));
        }
        match serde_json::from_slice(content) {
            Ok(Installed::List { packages } | Installed::Old(packages)) => {
                packages.into_iter().try_for_each(|entry| facts.push(entry.package()))
            }
            // Others use the name as well.
            Err(_) if !file.path.ends_with("composer/installed.json") => Ok(()),
            Err(_) => Err(Unreadable::new("it is no list of packages")),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Installed {
    List { packages: Vec<Entry> },
    Old(Vec<Entry>),
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    homepage: Option<String>,
    #[serde(default)]
    license: Option<Licenses>,
    #[serde(default)]
    authors: Vec<Author>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default)]
    require: Requirements,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Licenses {
    One(String),
    Any(Vec<String>),
}

#[derive(Deserialize)]
struct Author {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    reference: Option<String>,
}

/// What a package needs; PHP writes an empty map as a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Requirements {
    Some(std::collections::BTreeMap<String, serde::de::IgnoredAny>),
    None([(); 0]),
}

impl Default for Requirements {
    fn default() -> Self {
        Self::None([])
    }
}

impl Entry {
    fn package(self) -> Package {
        let mut package = Package::new(Ecosystem::Composer, "", &self.version);
        match self.name.split_once('/') {
            Some((vendor, name)) => {
                package.namespace = Some(vendor.to_owned());
                name.clone_into(&mut package.name);
                // Others depend on it by both.
                package.provides = vec![self.name.clone()];
            }
            None => package.name.clone_from(&self.name),
        }
        package.license = match self.license {
            Some(Licenses::One(license)) => Some(license),
            // Several are a choice (getcomposer.org, schema, license).
            Some(Licenses::Any(all)) => Some(all.join(" OR ")),
            None => None,
        };
        package.license = package.license.filter(|license| !license.is_empty());
        package.originator = self.authors.into_iter().find_map(|author| match (author.name, author.email) {
            (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
            (name, address) => name.or(address),
        });
        package.summary = self.description.filter(|text| !text.is_empty());
        package.homepage = self.homepage.filter(|text| !text.is_empty());
        package.source = self.source.and_then(|source| {
            let mut built_from = SourcePackage::new(source.url?, self.version);
            built_from.commit = source.reference;
            Some(built_from)
        });
        if let Requirements::Some(names) = self.require {
            package.depends = names.into_keys().map(|name| vec![name]).collect();
        }
        package
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const LIST: &str = r#"[{"name":"monolog/monolog","version":"3.5.0","license":["MIT"],"require":{"php":">=8"},
        "authors":[{"name":"A","email":"a@b"}],"source":{"type":"git","url":"https://x","reference":"abc"}},
        {"name":"bare","version":"v1","license":"GPL-2.0","require":[]}]"#;

    fn read(path: &str, json: &str) -> Result<Vec<Package>, String> {
        testing::read(&Composer, path, json.as_bytes())
    }

    #[test]
    fn both_forms_of_the_list_are_read() {
        for json in [LIST.to_owned(), format!(r#"{{"packages":{LIST},"dev":true,"dev-package-names":[]}}"#)] {
            let found = read("vendor/composer/installed.json", &json).expect("it is read");
            let [first, second] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((first.namespace.as_deref(), first.name.as_str()), (Some("monolog"), "monolog"));
            assert_eq!((first.license.as_deref(), first.depends.len()), (Some("MIT"), 1));
            assert_eq!(first.source.as_ref().and_then(|source| source.commit.as_deref()), Some("abc"));
            assert_eq!((second.name.as_str(), second.version.as_str()), ("bare", "v1"));
        }
    }

    #[test]
    fn another_file_of_this_name_is_not_composers() {
        assert_eq!(read("opt/tool/installed.json", r#"{"a":1}"#), Ok(Vec::new()));
        let why = read("vendor/composer/installed.json", r#"{"a":1}"#).expect_err("it is refused");
        assert_eq!(why, "it is no list of packages");
        let long =
            |spaces| read("composer/installed.json", &format!("[{}]", " ".repeat(spaces))).map(|found| found.len());
        assert_eq!(long(LONGEST - 2), Ok(0));
        assert_eq!(long(LONGEST - 1), Err("it is longer than 33554432 bytes".to_owned()));
    }
}
