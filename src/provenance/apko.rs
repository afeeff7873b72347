//! apko's configuration, as JSON: what an image was asked to be made of.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::BuildError;
use super::document::Resource;
use crate::image::Platform;
use crate::json;
use crate::limits::Limits;

const FILE: &str = "the apko configuration";

#[derive(Deserialize)]
struct Wire {
    contents: Option<Contents>,
}

#[derive(Deserialize)]
struct Contents {
    packages: Option<Vec<Package>>,
    repositories: Option<Vec<Value>>,
}

/// A package: a name, which may be pinned, or an entry of a lock file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Package {
    Named(String),
    Locked { name: String, version: String, url: String, architecture: Option<String> },
}

/// The configuration, and its packages as far as their versions are fixed.
pub(super) fn read(
    file: &[u8],
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<(Value, Vec<Resource>), BuildError> {
    let configuration: Value = json::parse(file).map_err(|e| BuildError::file(FILE, e))?;
    let wire = Wire::deserialize(&configuration).map_err(|e| BuildError::file(FILE, e))?;
    let contents = wire.contents.ok_or_else(|| BuildError::file(FILE, "it has no contents"))?;
    let packages = contents.packages.filter(|packages| !packages.is_empty());
    let packages = packages.ok_or_else(|| BuildError::file(FILE, "it has no packages"))?;
    if packages.len() > limits.dependencies {
        let problem = format!("it has {} packages, the limit is {}", packages.len(), limits.dependencies);
        return Err(BuildError::file(FILE, problem));
    }
    let distribution = distribution(&contents.repositories.unwrap_or_default());
    let architecture = platform.map(|platform| apk_architecture(&platform.to_string()));
    let resources = packages.into_iter().filter_map(|package| match package {
        // Without a distribution a purl would name another distribution's package.
        Package::Named(text) => {
            let (name, version) = text.split_once('=')?;
            Some(resource(format!("pkg:apk/{}/{name}@{version}", distribution?), name, version))
        }
        Package::Locked { architecture: Some(found), .. }
            if architecture.as_ref().is_some_and(|wanted| *wanted != found) =>
        {
            None
        }
        // A path is an address on the machine of the build only.
        Package::Locked { url, .. } if !url.contains("://") => None,
        Package::Locked { name, version, url, .. } => Some(resource(url, &name, &version)),
    });
    let resources = resources.collect();
    Ok((configuration, resources))
}

fn resource(uri: String, name: &str, version: &str) -> Resource {
    Resource { uri, name: Some(format!("{name}={version}")), digest: BTreeMap::new() }
}

/// The name of the distribution in purls, by where the packages come from.
fn distribution(repositories: &[Value]) -> Option<&'static str> {
    const HOSTS: [(&str, &str); 4] = [
        ("https://packages.wolfi.dev/", "wolfi"),
        ("https://apk.cgr.dev/", "chainguard"),
        ("https://packages.cgr.dev/", "chainguard"),
        ("https://dl-cdn.alpinelinux.org/", "alpine"),
    ];
    let of = |text: &str| HOSTS.iter().find(|(host, _)| text.starts_with(host)).map(|(_, name)| *name);
    let mut found: Vec<&str> = repositories.iter().filter_map(Value::as_str).filter_map(of).collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [only] => HOSTS.iter().map(|(_, name)| *name).find(|name| name == only),
        _ => None,
    }
}

/// apk's name for the architecture of a platform.
fn apk_architecture(platform: &str) -> String {
    match platform.split('/').nth(1).unwrap_or_default() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    }
    .to_owned()
}
