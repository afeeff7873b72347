//! What an archive is called, from everything in it that says so.

use super::file_name;
use super::manifest::Manifest;
use super::pom::Coordinates;
use crate::scan::{Ecosystem, Package};

/// What an archive says of itself and of what was merged into it.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) manifest: Option<Manifest>,
    /// The coordinates in each `pom.properties`, by the folder that it is in.
    pub(super) properties: Vec<(String, Coordinates)>,
    /// Those in each `pom.xml`, likewise.
    pub(super) projects: Vec<(String, Coordinates)>,
}

impl Evidence {
    /// The package that the archive called `file` is, and those that were merged into it.
    pub(super) fn packages(&self, file: &str) -> (Option<Package>, Vec<Package>) {
        let complete = |found: &&(String, Coordinates)| !found.1.artifact.is_empty() && !found.1.version.is_empty();
        let properties: Vec<_> = self.properties.iter().filter(complete).collect();
        let (name, version) = file_name::parse(file);

        let symbolic = self.manifest.as_ref().and_then(symbolic_name).unwrap_or(name);
        let own = self.own(name, &properties).or_else(|| {
            let same =
                properties.iter().find(|(_, found)| found.artifact == symbolic || found.artifact == artifact(name));
            same.map(|(_, found)| found)
        });
        // An archive that only carries classes of others has no name of its own; agents for
        // a library are named for it and are not it.
        let archive = self.manifest.as_ref().filter(|manifest| manifest.main("Weave-Classes").is_none());
        let main = archive.map(|manifest| self.main(manifest, own, name, version));
        let merged = properties.iter().filter(|(_, other)| {
            main.as_ref().is_none_or(|main| main.name != other.artifact || own.is_some_and(|own| own != other))
        });
        let merged = merged.map(|(folder, other)| package(other, self.licenses(folder, other))).collect();
        (main, merged)
    }

    /// The coordinates of the archive itself: those whose artifact the file is named
    /// for, or the only ones.
    fn own<'a>(&'a self, name: &str, properties: &[&'a (String, Coordinates)]) -> Option<&'a Coordinates> {
        let exact = properties.iter().any(|(_, found)| found.artifact == name);
        let fits = |artifact: &str| match exact {
            true => artifact == name,
            false => !name.is_empty() && (artifact.starts_with(name) || name.ends_with(artifact)),
        };
        let mut fitting: Vec<_> = properties.iter().filter(|(_, found)| fits(&found.artifact)).collect();
        // With a `pom.xml` beside them first: shaded archives lose those of others.
        fitting.sort_by_key(|(folder, _)| !self.projects.iter().any(|(other, _)| other == folder));
        match (fitting.first(), self.projects.as_slice()) {
            (Some((_, found)), _) => Some(found),
            (None, [(_, project)]) if properties.is_empty() => Some(project),
            _ => None,
        }
    }

    fn main(&self, manifest: &Manifest, own: Option<&Coordinates>, name: &str, version: &str) -> Package {
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let own_name = own.and_then(|own| known(&own.artifact)).or_else(|| symbolic_name(manifest).map(str::to_owned));
        let named = || known(artifact(name)).or_else(|| title(manifest).map(str::to_owned));
        let own_version = own.and_then(|own| known(&own.version)).or_else(|| known(version));
        const VERSIONS: [&str; 4] =
            ["Implementation-Version", "Specification-Version", "Plugin-Version", "Bundle-Version"];
        let declared = || VERSIONS.iter().find_map(|name| manifest.any(name)).map(str::to_owned);

        let name = own_name.or_else(named).unwrap_or_default();
        let mut package = Package::new(Ecosystem::Maven, name, own_version.or_else(declared).unwrap_or_default());
        package.namespace = own.and_then(|own| known(&own.group)).or_else(|| group(manifest));
        let declared = manifest.any("Bundle-License").or_else(|| manifest.any("Plugin-License-Name"));
        let by_maven = || own.and_then(|own| self.projects.iter().find(|(_, found)| found.artifact == own.artifact));
        package.license =
            declared.map(str::to_owned).or_else(|| by_maven().and_then(|(_, found)| joined(&found.licenses)));
        let vendor = manifest.main("Implementation-Vendor").or_else(|| manifest.main("Bundle-Vendor"));
        package.supplier = vendor.map(str::to_owned);
        package
    }

    fn licenses(&self, folder: &str, of: &Coordinates) -> Option<String> {
        let project = self.projects.iter().find(|(other, found)| other == folder && found.artifact == of.artifact)?;
        joined(&project.1.licenses)
    }
}

/// A package that Maven's files describe.
fn package(found: &Coordinates, license: Option<String>) -> Package {
    let mut package = Package::new(Ecosystem::Maven, &found.artifact, &found.version);
    // Some authors wrote the group into the place of the artifact.
    let group = if found.group.is_empty() { &found.artifact } else { &found.group };
    package.namespace = Some(group.clone());
    package.license = license;
    package
}

/// Several licences are a choice (maven.apache.org, pom, licenses).
fn joined(licenses: &[String]) -> Option<String> {
    Some(licenses.join(" OR ")).filter(|all| !all.is_empty())
}

/// The last part of the name that Maven's bundle plug-in made of group and artifact,
/// unless it only repeats the group.
fn symbolic_name(manifest: &Manifest) -> Option<&str> {
    let made = manifest.main("Created-By").is_some_and(|by| by.contains("Apache Maven Bundle Plugin"));
    let name = manifest.main("Bundle-SymbolicName").filter(|_| made)?;
    if manifest.main("Implementation-Vendor-Id") == Some(name) {
        return None;
    }
    name.split(';').next()?.trim().rsplit('.').next()
}

/// The artifact in a file name that may have the group before it. Eclipse's artifacts have dots of their own.
fn artifact(name: &str) -> &str {
    let grouped = name.contains('.') && !name.starts_with("org.eclipse.");
    let parts = |part: &str| part.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    if grouped && name.split('.').all(parts) { name.rsplit('.').next().unwrap_or(name) } else { name }
}

fn title(manifest: &Manifest) -> Option<&str> {
    const NAMES: [&str; 5] = ["Name", "Bundle-Name", "Short-Name", "Extension-Name", "Implementation-Title"];
    NAMES.iter().find_map(|name| manifest.main(name))
}

/// The first attribute that looks like the reversed domain that a group is.
fn group(manifest: &Manifest) -> Option<String> {
    const NAMES: [&str; 11] = [
        "Group-Id",
        "Bundle-SymbolicName",
        "Extension-Name",
        "Specification-Vendor",
        "Implementation-Vendor",
        "Implementation-Vendor-Id",
        "Implementation-Title",
        "Bundle-Activator",
        "Automatic-Module-Name",
        "Main-Class",
        "Package",
    ];
    const DOMAINS: [&str; 9] = ["com.", "org.", "net.", "io.", "be.", "de.", "edu.", "dev.", "jakarta."];
    let values = NAMES.iter().filter_map(|name| manifest.any(name));
    let mut groups = values.filter(|value| DOMAINS.iter().any(|domain| value.starts_with(domain)));
    let group = groups.next()?.split([';', '#', ' ']).next()?;
    Some(group.to_owned())
}
