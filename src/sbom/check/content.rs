//! The SBOM against the image.

use std::collections::{BTreeMap, BTreeSet};

use super::claimed::{Claimed, Entry, Key};
use super::{Evidence, Finding, Outcome};
use crate::code::Code;
use crate::scan::Ecosystem;

/// Which image the document is about.
pub(super) fn subject(evidence: &Evidence<'_>, sbom: &Claimed, out: &mut Outcome) {
    let digest = evidence.manifest.blob().digest();
    if !sbom.digests.is_empty() {
        out.compared("digest: sbom = manifest");
        if !sbom.digests.iter().all(|named| named == digest) {
            let named = words(sbom.digests.iter().filter(|named| *named != digest));
            out.add(Finding::new(Code::SbomDigestDiffers, "image").wanted(digest.to_string()).found(named));
        }
    }
    let configured = evidence.contents.and_then(|contents| contents.platform.as_ref());
    if let Some(platform) = configured.or(evidence.platform).filter(|_| !sbom.platforms.is_empty()) {
        out.compared("platform: sbom = image");
        // A purl has no place for the variant, so one that is not named is not another one.
        let short = |platform: &crate::image::Platform| {
            platform.to_string().splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
        };
        for named in sbom.platforms.iter().filter(|named| short(named) != short(platform)) {
            let finding = Finding::new(Code::SbomPlatformDiffers, "image");
            out.add(finding.wanted(platform.to_string()).found(named.to_string()));
        }
    }
    if !sbom.layers.is_empty() {
        out.compared("layers: sbom = manifest");
        let layers: BTreeSet<_> = evidence.manifest.layers().iter().map(|layer| layer.digest.clone()).collect();
        if layers != sbom.layers {
            let finding = Finding::new(Code::SbomLayersDiffer, "layers");
            let (missing, extra) = (words(layers.difference(&sbom.layers)), words(sbom.layers.difference(&layers)));
            let of = |text: String| if text.is_empty() { "no other".to_owned() } else { text };
            out.add(finding.wanted(of(missing)).found(of(extra)));
        }
    }
}

/// What a document lists, and what was found in the layers.
pub(super) fn packages(listed: &[Entry], found: &[Entry], out: &mut Outcome) {
    out.compared("packages: sbom = layers");
    let kinds: BTreeSet<_> = listed.iter().filter_map(|entry| entry.key.kind.as_deref()).collect();
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut by_key, mut unnamed) = (BTreeMap::<&Key, (Vec<&Entry>, Vec<&Entry>)>::new(), Vec::new());
    for entry in listed {
        match entry.key.kind {
            Some(_) => by_key.entry(&entry.key).or_default().0.push(entry),
            None => unnamed.push(entry),
        }
    }
    for entry in found {
        by_key.entry(&entry.key).or_default().1.push(entry);
    }
    // Packages without a purl are whatever is still without a partner of their name.
    for entry in unnamed {
        let partner = by_key.iter_mut().filter(|(key, _)| key.name == entry.key.name).map(|(_, lists)| lists);
        match partner.max_by_key(|(_, found)| found.iter().any(|other| other.version == entry.version)) {
            Some((listed, _)) => listed.push(entry),
            None => by_key.entry(&entry.key).or_default().0.push(entry),
        }
    }
    for (key, (listed, found)) in by_key {
        let kind = key.kind.as_deref().unwrap_or_default();
        let is_distribution = Ecosystem::of_purl_type(kind).is_some_and(Ecosystem::is_distribution);
        // Some writers list the packages of the distribution alone. Of whoever
        // lists one package of an ecosystem, all are expected.
        if listed.is_empty() && !is_distribution && !kinds.contains(kind) {
            *skipped.entry(kind).or_default() += found.len();
            continue;
        }
        group(key, listed, found, out);
    }
    out.skipped.extend(
        skipped
            .iter()
            .map(|(kind, count)| format!("{count} packages of type {kind}: the document lists none of that type")),
    );
}

/// The versions of one package: equal ones first, then the nearest of those that are left.
fn group<'a>(key: &Key, mut listed: Vec<&'a Entry>, mut found: Vec<&'a Entry>, out: &mut Outcome) {
    let architecture = |entry: &Entry| entry.architecture.clone().unwrap_or_else(|| "none".to_owned());
    pair(&mut listed, &mut found, |a, b| a.version == b.version && same_architecture(a, b));
    for (said, is) in pair(&mut listed, &mut found, |a, b| a.version == b.version) {
        let finding = Finding::new(Code::SbomArchitectureDiffers, format!("{key} {}", is.version));
        out.add(finding.wanted(architecture(is)).found(architecture(said)));
    }
    for (said, is) in pair(&mut listed, &mut found, |_, _| true) {
        out.add(Finding::new(Code::SbomVersionDiffers, key.to_string()).wanted(&*is.version).found(&*said.version));
    }
    for is in found {
        out.add(Finding::new(Code::SbomPackageMissing, key.to_string()).wanted(&*is.version));
    }
    for said in listed {
        out.add(Finding::new(Code::SbomPackageExtra, key.to_string()).found(&*said.version));
    }
}

/// Takes out of both lists what belongs together.
fn pair<'a>(
    listed: &mut Vec<&'a Entry>,
    found: &mut Vec<&'a Entry>,
    fits: impl Fn(&Entry, &Entry) -> bool,
) -> Vec<(&'a Entry, &'a Entry)> {
    let mut pairs = Vec::new();
    listed.retain(|said| match found.iter().position(|is| fits(said, is)) {
        Some(at) => {
            pairs.push((*said, found.remove(at)));
            false
        }
        None => true,
    });
    pairs
}

fn same_architecture(a: &Entry, b: &Entry) -> bool {
    a.architecture.is_none() || b.architecture.is_none() || a.architecture == b.architecture
}

fn words<T: ToString>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
