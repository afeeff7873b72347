//! Package URLs (package-url specification).

use packageurl::PackageUrl;

use crate::digest::Digest;
use crate::image::{Platform, Repository};
use crate::scan::{Ecosystem, OperatingSystem, Package};

/// The purl of a package, `None` if its name cannot be in one.
pub(super) fn of_package(package: &Package, system: Option<&OperatingSystem>) -> Option<String> {
    let mut purl = PackageUrl::new(package.ecosystem.purl_type(), package.name.as_str()).ok()?;
    // The epoch of an rpm is a qualifier (package-url types, rpm).
    let epoch = package.version.split_once(':').filter(|_| package.ecosystem == Ecosystem::Rpm);
    let version = epoch.map_or(package.version.as_str(), |(_, version)| version);
    if !version.is_empty() {
        purl.with_version(version).ok()?;
    }
    if let Some(namespace) = &package.namespace {
        purl.with_namespace(namespace.as_str()).ok()?;
    }
    if !package.ecosystem.is_distribution() {
        return Some(purl.to_string());
    }
    if let Some((epoch, _)) = epoch {
        purl.add_qualifier("epoch", epoch).ok()?;
    }
    if let Some(architecture) = &package.architecture {
        purl.add_qualifier("arch", architecture.as_str()).ok()?;
    }
    if let Some(system) = system {
        if package.namespace.is_none() {
            purl.with_namespace(system.id.as_str()).ok()?;
        }
        purl.add_qualifier("distro", distro(system)).ok()?;
    }
    // What advisories of distributions are about is the source package.
    if let Some(source) = package.source.as_ref().filter(|source| source.name != package.name) {
        let same = source.version == package.version || source.version.is_empty();
        let upstream = if same { source.name.clone() } else { format!("{}@{}", source.name, source.version) };
        purl.add_qualifier("upstream", upstream).ok()?;
    }
    Some(purl.to_string())
}

/// The purl of an image in a repository.
pub(super) fn of_image(
    repository: &Repository,
    digest: &Digest,
    media_type: &str,
    platform: Option<&Platform>,
) -> Option<String> {
    let name = repository.path().rsplit_once('/').map_or(repository.path(), |(_, name)| name);
    let mut purl = PackageUrl::new("oci", name).ok()?;
    purl.with_version(digest.to_string()).ok()?;
    purl.add_qualifier("repository_url", repository.to_string()).ok()?;
    purl.add_qualifier("mediaType", media_type.to_owned()).ok()?;
    if let Some(platform) = platform {
        let platform = platform.to_string();
        let (os, architecture) = platform.split_once('/')?;
        purl.add_qualifier("os", os.to_owned()).ok()?;
        purl.add_qualifier("arch", architecture.to_owned()).ok()?;
    }
    Some(purl.to_string())
}

/// The release of an operating system, as purls name it: `debian-12`.
pub(super) fn distro(system: &OperatingSystem) -> String {
    match &system.version_id {
        Some(version) => format!("{}-{version}", system.id),
        None => system.id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Ecosystem, SourcePackage};

    #[test]
    fn a_distribution_package_names_release_architecture_and_source() {
        let version_id = Some("20230201".to_owned());
        let system = OperatingSystem { id: "wolfi".to_owned(), version_id, ..OperatingSystem::default() };
        let mut package = Package::new(Ecosystem::Apk, "libcrypto3", "3.6.3-r5");
        package.architecture = Some("x86_64".to_owned());
        package.source = Some(SourcePackage::new("openssl", "3.6.3-r5"));
        let wanted = "pkg:apk/wolfi/libcrypto3@3.6.3-r5?arch=x86_64&distro=wolfi-20230201&upstream=openssl";
        assert_eq!(of_package(&package, Some(&system)).as_deref(), Some(wanted));
        package.source = Some(SourcePackage::new("openssl", "1"));
        let purl = of_package(&package, Some(&system)).expect("a purl");
        assert!(purl.ends_with("upstream=openssl%401"), "{purl}");
    }

    #[test]
    fn other_packages_have_their_namespace_and_odd_names_are_escaped() {
        let mut package = Package::new(Ecosystem::Npm, "core", "7.0.0");
        package.namespace = Some("@babel".to_owned());
        assert_eq!(of_package(&package, None).as_deref(), Some("pkg:npm/%40babel/core@7.0.0"));
        let odd = Package::new(Ecosystem::Generic, "a/../b?c#d\n", "1 2");
        let purl = of_package(&odd, None).expect("a purl");
        assert!(purl.bytes().all(|byte| byte.is_ascii_graphic()) && purl.parse::<PackageUrl<'_>>().is_ok(), "{purl}");
        assert_eq!(of_package(&Package::new(Ecosystem::Apk, "", "1"), None), None);
    }
}
