//! Statements against what is in the image, and against its annotations.

use super::claimed::Entry;
use super::{Evidence, Finding, Outcome};
use crate::code::Code;
use crate::statement::{Provenance, canonical_repository};

/// The apk packages that statements name, against those that are there.
pub(super) fn packages(evidence: &Evidence<'_>, listed: &[Entry], out: &mut Outcome) {
    if let Some(apko) = evidence.apko {
        out.compared("packages: apko configuration = image");
        let pinned = apko.packages().iter().filter_map(|package| pin(package));
        each(pinned, listed, Code::ApkoPackageDiffers, out);
    }
    if let Some(installed) = evidence.installed {
        out.compared("packages: provenance = image");
        let stated = installed.iter().map(|(name, version)| (name.as_str(), version.as_str()));
        each(stated, listed, Code::ProvenancePackageDiffers, out);
    }
}

/// A package that is fixed to one version; `@` names a repository (apk-world, package selection).
fn pin(package: &str) -> Option<(&str, &str)> {
    let (name, version) = package.split_once('=')?;
    let version = version.split_once('@').map_or(version, |(version, _)| version);
    (!name.ends_with(['<', '>', '~', '!']) && !version.starts_with('~')).then_some((name, version))
}

fn each<'a>(stated: impl Iterator<Item = (&'a str, &'a str)>, listed: &[Entry], code: Code, out: &mut Outcome) {
    for (name, version) in stated {
        let is_named =
            |entry: &&Entry| entry.key.name == name && matches!(entry.key.kind.as_deref(), None | Some("apk"));
        let versions: Vec<&str> = listed.iter().filter(is_named).map(|entry| entry.version.as_str()).collect();
        if !versions.contains(&version) {
            let finding = Finding::new(code, format!("apk {name}")).found(version);
            out.add(if versions.is_empty() { finding } else { finding.wanted(versions.join(", ")) });
        }
    }
}

/// Whether apko was asked for an image of this architecture at all.
pub(super) fn architecture(evidence: &Evidence<'_>, out: &mut Outcome) {
    let configured = evidence.contents.and_then(|contents| contents.platform.as_ref());
    let Some(platform) = configured.or(evidence.platform) else { return };
    let asked = evidence.apko.map(|apko| apko.architectures.as_slice()).unwrap_or_default();
    if asked.is_empty() {
        return;
    }
    out.compared("architecture: apko configuration = image");
    // `Platform` knows the names that apk has for architectures.
    let is_asked = |name: &String| {
        let (name, variant) =
            name.split_once('/').map_or((name.as_str(), None), |(name, variant)| (name, Some(variant)));
        crate::image::Platform::new("linux", name, variant).is_some_and(|named| platform.matches(&named))
    };
    if !asked.iter().any(is_asked) {
        let finding = Finding::new(Code::ApkoArchitectureDiffers, "image");
        out.add(finding.wanted(platform.to_string()).found(asked.join(", ")));
    }
}

/// The annotations of the image, where provenance says the same thing (OCI image specification, annotations).
///
/// A certificate names the workflow's repository, which is by no definition the source
/// of what is packaged; where provenance makes both the same, the policy compares these.
pub(super) fn annotations(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(provenance) = evidence.provenance else { return };
    let annotation = |key| evidence.manifest.annotations().get(key).filter(|text| !text.is_empty());
    if let (Some(annotated), Some(built)) = (annotation(SOURCE), provenance.source.repository.value()) {
        out.compared("source: annotation = provenance");
        if !is_within(annotated, built) {
            out.add(Finding::new(Code::AnnotationSourceDiffers, SOURCE).wanted(built).found(annotated));
        }
    }
    if let (Some(annotated), Some(built)) = (annotation(REVISION), commit(provenance)) {
        out.compared("revision: annotation = provenance");
        if !annotated.eq_ignore_ascii_case(built) {
            out.add(Finding::new(Code::AnnotationRevisionDiffers, REVISION).wanted(built).found(annotated));
        }
    }
}

const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";

fn commit(provenance: &Provenance) -> Option<&str> {
    provenance.source.commit.value()
}

/// Whether an address is a repository or a place in it, as `…/tree/main/images/nginx` is.
fn is_within(address: &str, repository: &str) -> bool {
    let (Some(address), Some(repository)) = (canonical_repository(address), canonical_repository(repository)) else {
        return false;
    };
    address.strip_prefix(&repository).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
