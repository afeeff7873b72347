//! What layers brought and later layers hid.

use std::collections::{BTreeMap, BTreeSet};

use super::layer::Finding;
use super::package::Identity;
use super::readers::Fact;
use super::select::content;
use super::tree::Tree;
use super::{FileList, Hidden, Package};

/// The packages of hidden findings that are in none of `packages`, the visible ones.
pub(super) fn history(hidden: &[(usize, Finding)], packages: &[Package], tree: &Tree) -> Vec<Hidden> {
    // Versions of one database or file, the lowest layer first.
    let mut places: BTreeMap<(usize, &str), Vec<(usize, &Finding)>> = BTreeMap::new();
    for (layer, finding) in hidden {
        places.entry((finding.reader, finding.path.as_str())).or_default().push((*layer, finding));
    }
    let there: BTreeSet<Identity<'_>> = packages.iter().map(Package::identity).collect();
    let mut gone: BTreeMap<(Identity<'_>, &str), Hidden> = BTreeMap::new();
    for ((_, path), versions) in &mut places {
        versions.sort_by_key(|(layer, _)| *layer);
        let mut brought: BTreeMap<Identity<'_>, usize> = BTreeMap::new();
        for (number, (layer, finding)) in versions.iter().enumerate() {
            let next = versions.get(number + 1).into_iter().flat_map(|(_, next)| packages_of(next));
            let kept: BTreeSet<Identity<'_>> = next.map(Package::identity).collect();
            for package in packages_of(finding) {
                let identity = package.identity();
                let first = *brought.entry(identity).or_insert(*layer);
                if kept.contains(&identity) || there.contains(&identity) {
                    continue;
                }
                brought.remove(&identity);
                let found_in = (*path).to_owned();
                let package = Package { found_in, layer: first, files: FileList::default(), ..package.clone() };
                let gone_in = tree.gone_in(content(*layer, finding.entry));
                gone.insert((identity, path), Hidden { package, gone_in, replaced_by: instead(identity, packages) });
            }
        }
    }
    gone.into_values().collect()
}

fn packages_of(finding: &Finding) -> impl Iterator<Item = &Package> {
    finding.facts.iter().filter_map(|fact| if let Fact::Package(package) = fact { Some(&**package) } else { None })
}

/// The visible version of the same package; the first of several.
fn instead((ecosystem, namespace, name, _, architecture): Identity<'_>, packages: &[Package]) -> Option<String> {
    let is_same = |other: &&Package| {
        let (its_ecosystem, its_namespace, its_name, _, its_architecture) = other.identity();
        (its_ecosystem, its_namespace, its_name, its_architecture) == (ecosystem, namespace, name, architecture)
    };
    packages.iter().find(is_same).map(|other| other.version.clone())
}
