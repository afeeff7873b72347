//! What stands beside a database in files of its own: lists of files, licences.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::Tree;
use super::{Claim, Ecosystem, FileList, Package};

/// Facts that wait for their packages.
#[derive(Debug, Default)]
pub(super) struct Beside {
    files: BTreeMap<(Ecosystem, String), FileList>,
    /// By the path of the file that says so.
    licenses: BTreeMap<String, License>,
    claims: Vec<Claim>,
}

/// What a file beside a package says of its licence.
#[derive(Debug, Clone)]
pub(super) enum License {
    Named(String),
    Text(Arc<str>),
}

impl Beside {
    pub(super) fn add_files(&mut self, ecosystem: Ecosystem, package: String, files: FileList) {
        self.files.entry((ecosystem, package)).or_insert(files);
    }

    pub(super) fn add_license(&mut self, path: String, license: License) {
        self.licenses.insert(path, license);
    }

    pub(super) fn add_claim(&mut self, path: String, claim: Claim) {
        self.claims.push(Claim { found_in: path, ..claim });
    }

    /// Gives every package what is said about it, and answers what is claimed.
    pub(super) fn join(mut self, packages: &mut [Package], tree: &Tree) -> Vec<Claim> {
        self.join_claims(packages);
        for package in packages.iter_mut().filter(|package| package.ecosystem == Ecosystem::Pypi) {
            let folder = package.found_in.rsplit_once('/').map_or("", |(folder, _)| folder);
            package.files = self.files.remove(&(Ecosystem::Pypi, folder.to_owned())).unwrap_or_default();
        }
        for package in packages.iter_mut().filter(|package| package.ecosystem == Ecosystem::Deb) {
            if package.files.is_empty() {
                package.files = self.files_of(package).unwrap_or_default();
            }
            if package.license.is_none() {
                // The folder may be a link: packages of one source share their documentation.
                let place = format!("usr/share/doc/{}/copyright", package.name);
                let real = tree.follow(place.as_bytes()).unwrap_or_default();
                match self.licenses.get(&*String::from_utf8_lossy(&real)).cloned() {
                    Some(License::Named(names)) => package.license = Some(names),
                    Some(License::Text(text)) => package.license_text = Some(text),
                    None => {}
                }
            }
        }
        self.claims
    }

    fn join_claims(&mut self, packages: &mut [Package]) {
        let mut by_name: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (number, claim) in self.claims.iter().enumerate() {
            by_name.entry((&claim.package, &claim.version)).or_default().push(number);
        }
        let mut matched = Vec::new();
        for package in packages.iter_mut().filter(|package| package.ecosystem == Ecosystem::Apk) {
            for &number in by_name.get(&(package.name.as_str(), package.version.as_str())).into_iter().flatten() {
                package.made_from.extend(self.claims[number].sources.iter().cloned());
                matched.push(number);
            }
            package.made_from.sort();
            package.made_from.dedup();
        }
        for number in matched {
            self.claims[number].matches = true;
        }
    }

    fn files_of(&mut self, package: &Package) -> Option<FileList> {
        let architecture = package.architecture.as_deref().unwrap_or_default();
        let of = |name: String| (package.ecosystem, name);
        let qualified = self.files.remove(&of(format!("{}:{architecture}", package.name)));
        qualified.or_else(|| self.files.remove(&of(package.name.clone())))
    }
}
