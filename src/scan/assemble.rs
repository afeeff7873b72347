//! Facts of files become the packages of an image.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::beside::{Beside, License};
use super::contents::{Contents, Coverage, FileFacts, Problem};
use super::history::history;
use super::layer::Finding;
use super::package::Identity;
use super::readers::{self, Fact};
use super::select::{Selection, Visible};
use super::sums::Sums;
use super::tree::{Content, Node, Tree};
use super::{Ecosystem, OperatingSystem, Package};

/// Paths of unowned executables that are kept.
const PATHS: usize = 10_000;

/// Packages that may satisfy one dependency by providing its name.
const PROVIDERS: usize = 16;

/// The checksums of all files of all layers.
pub(super) type AllSums = BTreeMap<Content, Sums>;

/// Puts together what was found, as the contents of a folder: of a whole image, the
/// caller knows more.
pub(super) fn assemble(mut tree: Tree, mut selection: Selection, sums: Option<AllSums>) -> Contents {
    selection.sort();
    let Selection { visible, hidden, problems, .. } = selection;
    let mut all = Contents { problems, ..Contents::default() };
    let earlier = Earlier::of(&hidden);
    let mut beside = Beside::default();
    for Visible { layer, path, finding } in visible {
        let reader = readers::all()[finding.reader].name();
        if let Some(detail) = finding.problem {
            all.problems.push(Problem { path: path.clone(), reader, detail });
        }
        for fact in finding.facts {
            match fact {
                Fact::Package(package) => {
                    let layer = earlier.first(finding.reader, &path, layer, package.identity());
                    all.packages.push(Package { found_in: path.clone(), layer, ..*package });
                }
                Fact::OperatingSystem(system) => {
                    // `etc` stands before `usr/lib`, also in the specification.
                    all.system.get_or_insert(OperatingSystem { found_in: path.clone(), layer, ..*system });
                }
                Fact::Files { ecosystem, package, files } => beside.add_files(ecosystem, package, files),
                Fact::Claim(claim) => beside.add_claim(path.clone(), claim),
                Fact::Apko(found) => all.apko_json = Some(found),
                Fact::Licenses(licenses) => beside.add_license(path.clone(), License::Named(licenses)),
                Fact::LicenseText(text) => beside.add_license(path.clone(), License::Text(text)),
            }
        }
    }
    all.claims = beside.join(&mut all.packages, &tree);
    all.packages.sort_by(|a, b| (a.identity(), &a.found_in).cmp(&(b.identity(), &b.found_in)));
    all.packages.dedup_by(|later, first| later.identity() == first.identity());
    all.problems.extend(contradictions(&all.packages));
    all.problems.sort();
    all.dependencies = dependencies(&all.packages);
    for (number, package) in all.packages.iter().enumerate() {
        package.files.iter().for_each(|path| tree.own(path.as_bytes(), number));
        if package.sha256.is_some() {
            tree.own(package.found_in.as_bytes(), number);
        }
        if package.ecosystem == Ecosystem::Deb {
            readers::kept_by_dpkg(package).for_each(|path| tree.own(path.as_bytes(), number));
        }
    }
    all.coverage = coverage(&tree);
    all.files = sums.map(|sums| files(&tree, &sums));
    all.history = history(&hidden, &all.packages, &tree);
    all
}

/// What earlier versions of a database said, by reader and path: who looks for
/// the layer of a package goes down through them.
struct Earlier<'a>(BTreeMap<(usize, &'a str), Vec<Version<'a>>>);

/// A layer, and the packages that its version of a database has.
type Version<'a> = (usize, BTreeSet<Identity<'a>>);

impl<'a> Earlier<'a> {
    fn of(hidden: &'a [(usize, Finding)]) -> Self {
        let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (layer, finding) in hidden {
            let package =
                |fact: &'a Fact| if let Fact::Package(package) = fact { Some(package.identity()) } else { None };
            let identities: BTreeSet<Identity<'_>> = finding.facts.iter().filter_map(package).collect();
            versions.entry((finding.reader, finding.path.as_str())).or_default().push((*layer, identities));
        }
        versions.values_mut().for_each(|versions| versions.sort_by_key(|(layer, _)| std::cmp::Reverse(*layer)));
        Self(versions)
    }

    /// The lowest layer from which on, up to `layer`, the database has had the package.
    fn first(&self, reader: usize, path: &str, layer: usize, identity: Identity<'_>) -> usize {
        let versions = self.0.get(&(reader, path)).map(Vec::as_slice).unwrap_or_default();
        let below = versions.iter().filter(|(number, _)| *number < layer);
        below.take_while(|(_, packages)| packages.contains(&identity)).last().map_or(layer, |(number, _)| *number)
    }
}

/// Packages of which apk has one version in one database and another in another:
/// it uses one of the two, and which, the image does not say (scenario N-15).
fn contradictions(packages: &[Package]) -> impl Iterator<Item = Problem> {
    let pairs = packages.iter().zip(packages.iter().skip(1));
    let differ = |(a, b): &(&Package, &Package)| {
        a.ecosystem == Ecosystem::Apk && (a.ecosystem, &a.name) == (b.ecosystem, &b.name) && a.found_in != b.found_in
    };
    pairs.filter(differ).map(|(a, b)| Problem {
        path: b.found_in.clone(),
        reader: "apk database",
        detail: format!("{} is {} here and {} in {}", b.name, b.version, a.version, a.found_in),
    })
}

/// Which package needs which, as far as the packages of one ecosystem name each other.
fn dependencies(packages: &[Package]) -> Vec<(usize, usize)> {
    let mut providers: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, package) in packages.iter().enumerate() {
        // A name alone is not one where names have namespaces: `core` is not `@babel/core`.
        let name = package.namespace.is_none().then_some(&package.name);
        let names = name.into_iter().chain(&package.provides);
        for name in names {
            let here = providers.entry((package.ecosystem, name.as_str())).or_default();
            if here.last() != Some(&number) && here.len() < PROVIDERS {
                here.push(number);
            }
        }
    }
    let mut found = BTreeSet::new();
    for (number, package) in packages.iter().enumerate() {
        for alternatives in &package.depends {
            // Of alternatives, the first that is installed is what the package uses.
            let mut names = alternatives.iter().map(String::as_str);
            let Some(here) = names.find_map(|name| providers.get(&(package.ecosystem, name))) else { continue };
            let others = here.iter().filter(|other| **other != number);
            found.extend(others.map(|other| (number, *other)));
        }
    }
    found.into_iter().collect()
}

/// What the image shows, by path.
fn files(tree: &Tree, sums: &AllSums) -> Vec<FileFacts> {
    let mut files = Vec::new();
    tree.for_each(|path, node| {
        let Node::File(file) = node else { return };
        // Every regular file of every layer has its checksums.
        let Some(Sums { sha1, sha256 }) = sums.get(&file.content).copied() else { return };
        let (path, layer) = (String::from_utf8_lossy(path).into_owned(), usize::from(file.content.layer));
        files.push(FileFacts { path, size: file.size, sha1, sha256, package: file.owner(), layer });
    });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn coverage(tree: &Tree) -> Coverage {
    let mut coverage = Coverage::default();
    let mut counted = HashSet::new();
    let mut owned_links = HashSet::new();
    tree.for_each(|_, node| {
        if let Node::File(file) = node
            && file.linked
            && file.owner().is_some()
        {
            owned_links.insert(file.content);
        }
    });
    tree.for_each(|path, node| {
        let Node::File(file) = node else { return };
        if file.linked && !counted.insert(file.content) {
            return;
        }
        let owned = file.owner().is_some() || owned_links.contains(&file.content);
        coverage.files += 1;
        coverage.bytes += file.size;
        coverage.executables += u64::from(file.executable);
        if owned {
            coverage.owned_files += 1;
            coverage.owned_bytes += file.size;
        } else if file.executable {
            coverage.unowned_count += 1;
            if coverage.unowned_executables.len() < PATHS {
                coverage.unowned_executables.push(String::from_utf8_lossy(path).into_owned());
            }
        }
    });
    coverage.unowned_executables.sort();
    coverage
}
