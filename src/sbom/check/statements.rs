//! Statements against what is in the image, and against its annotations.

use super::claimed::Entry;
use super::{Evidence, Finding, Outcome};
use crate::code::Code;
use crate::image::Platform;
use crate::policy::{Agreement, FieldAgreement};
use crate::statement::{ApkoConfiguration, Provenance, canonical_repository};

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
pub(super) fn pin(package: &str) -> Option<(&str, &str)> {
    let (name, version) = package.split_once('=')?;
    let version = version.split_once('@').map_or(version, |(version, _)| version);
    (!name.ends_with(['<', '>', '~', '!']) && !version.starts_with('~')).then_some((name, version))
}

pub(super) fn each<'a>(
    stated: impl Iterator<Item = (&'a str, &'a str)>,
    listed: &[Entry],
    code: Code,
    out: &mut Outcome,
) {
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
    let Some(apko) = evidence.apko.filter(|apko| !apko.architectures.is_empty()) else { return };
    let Some(platform) = platform(evidence) else { return };
    out.compared("architecture: apko configuration = image");
    if !is_for(apko, platform) {
        let finding = Finding::new(Code::ApkoArchitectureDiffers, "image");
        out.add(finding.wanted(platform.to_string()).found(apko.architectures.join(", ")));
    }
}

/// What the image runs on: its own word, else the index's.
pub(super) fn platform<'a>(evidence: &Evidence<'a>) -> Option<&'a Platform> {
    evidence.contents.and_then(|contents| contents.platform.as_ref()).or(evidence.platform)
}

/// Whether a configuration asks for this architecture. `Platform` knows the names that apk has for them.
pub(super) fn is_for(apko: &ApkoConfiguration, platform: &Platform) -> bool {
    apko.architectures.iter().any(|name| {
        let (name, variant) =
            name.split_once('/').map_or((name.as_str(), None), |(name, variant)| (name, Some(variant)));
        Platform::new("linux", name, variant).is_some_and(|named| platform.matches(&named))
    })
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

/// The certificate of whoever signed the provenance, where the build type makes a field of both the same.
/// With the annotations, which nobody defines to be the same, it is not compared.
pub(super) fn certificate(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(claims) = evidence.certificate else { return };
    let beside = evidence.provenance.map(|provenance| provenance.beside_claims(claims)).unwrap_or_default();
    let is_compared = |one: &&FieldAgreement| matches!(one.agreement, Agreement::Equal | Agreement::Differs);
    if beside.iter().any(|one| is_compared(&one)) {
        out.compared("build: provenance = certificate");
    }
    for one in &beside {
        let (name, ours) = (one.field.as_str(), one.provenance.value().unwrap_or_default());
        let theirs = one.certificate.as_deref().unwrap_or_default();
        match one.agreement {
            Agreement::Differs => out.add(Finding::new(Code::ProvenanceMismatch, name).wanted(theirs).found(ours)),
            Agreement::NotComparable => {
                let text = format!("{name}: {ours} in the provenance and {theirs} in the certificate");
                out.skipped.push(format!("{text}, which the build type does not make the same"));
            }
            _ => {}
        }
    }
    for (key, claim) in [(SOURCE, &claims.repository), (REVISION, &claims.commit)] {
        if let (Some(annotated), Some(claim)) = (evidence.manifest.annotations().get(key), claim) {
            let text = format!("{key}: {annotated} in the annotation and {claim} in the certificate");
            out.skipped.push(format!("{text}, which nothing makes the same"));
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
