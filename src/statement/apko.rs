//! What apko signs about an image: the configuration that it was given
//! (`https://apko.dev/image-configuration`), and the packages that its
//! provenance (build type `https://apko.dev/slsa-build-type@v1`) says it installed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::code::Code;
use crate::json;

/// The configuration that apko was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ApkoConfiguration {
    /// The architectures asked for, in apk's or OCI's names; empty if it names none.
    #[serde(default, rename = "archs")]
    pub architectures: Vec<String>,
    /// Annotations that the image is to have, which apko writes as they are.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// What is to be installed.
    #[serde(default)]
    contents: ApkoContents,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct ApkoContents {
    #[serde(default)]
    packages: Vec<String>,
}

/// Why what apko signed is not read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApkoError(serde_json::Error);

impl ApkoError {
    /// The reason code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::StmtInvalid
    }
}

impl ApkoConfiguration {
    /// Reads a predicate, or `/etc/apko.json` of an image. Repeated keys are refused: readers would differ in which one they take.
    ///
    /// # Errors
    /// When it is not JSON that everybody reads the same way, or of another shape.
    pub fn parse(predicate: &str) -> Result<Self, ApkoError> {
        json::object(predicate.as_bytes()).map_err(ApkoError)
    }

    /// The packages as they were asked for: names, with or without a version.
    #[must_use]
    pub fn packages(&self) -> &[String] {
        &self.contents.packages
    }
}

/// The build type whose `internalParameters` are packages and their versions.
const BUILD_TYPE: &str = "https://apko.dev/slsa-build-type@v1";

/// The apk packages, by name, and the versions that apko's provenance says it
/// installed; `None` if the provenance is of another build type.
///
/// # Errors
/// When it is not JSON that everybody reads the same way.
pub fn apko_installed(provenance: &str) -> Result<Option<BTreeMap<String, String>>, ApkoError> {
    let predicate: Value = json::parse(provenance.as_bytes()).map_err(ApkoError)?;
    let definition = &predicate["buildDefinition"];
    let parameters = definition["internalParameters"].as_object().filter(|_| definition["buildType"] == BUILD_TYPE);
    Ok(parameters.map(|stated| {
        stated.iter().filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned()))).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_and_one_that_can_be_read_twice_is_not() {
        let good = r#"{"archs":["x86_64"],"contents":{"packages":["app=1-r0"]},"cmd":"/app"}"#;
        let read = ApkoConfiguration::parse(good).expect("read");
        assert_eq!(
            (read.architectures.as_slice(), read.packages()),
            (&["x86_64".to_owned()][..], &["app=1-r0".to_owned()][..])
        );
        let twice = r#"{"archs":["x86_64"],"contents":{"packages":["app=1-r0"]},"archs":["aarch64"]}"#;
        assert_eq!(ApkoConfiguration::parse(twice).expect_err("ambiguous").code(), Code::StmtInvalid);
        assert_eq!(ApkoConfiguration::parse("{}").expect("empty"), ApkoConfiguration::default());
    }

    #[test]
    fn packages_of_apkos_provenance_are_read_and_of_no_other() {
        let with = |kind: &str, parameters: &str| {
            apko_installed(&format!(
                r#"{{"buildDefinition":{{"buildType":"{kind}","internalParameters":{parameters}}}}}"#
            ))
        };
        let stated = with(BUILD_TYPE, r#"{"app":"1-r0","n":1}"#).expect("read");
        assert_eq!(stated, Some(BTreeMap::from([("app".to_owned(), "1-r0".to_owned())])));
        assert_eq!(with("https://example.org/build", r#"{"app":"1-r0"}"#).expect("read"), None);
        let twice = with(BUILD_TYPE, r#"{"app":"1-r0","app":"2-r0"}"#);
        assert_eq!(twice.expect_err("ambiguous").code(), Code::StmtInvalid);
    }
}
