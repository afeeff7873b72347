//! Everything that is known of one platform, compared.

use std::collections::BTreeMap;

use super::claimed::Entry;
use super::{Claimed, Finding, Rule, apko, content, rules, statements};
use crate::code::Code;
use crate::image::{Manifest, Platform};
use crate::scan::{Contents, Ecosystem, Package};
use crate::signer::BuildClaims;
use crate::statement::{ApkoConfiguration, Provenance};

/// What is known of one platform of an image. What is `None` is not compared.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// The manifest of the platform.
    pub manifest: &'a Manifest,
    /// The platform by which the index lists it.
    pub platform: Option<&'a Platform>,
    /// What is in the layers.
    pub contents: Option<&'a Contents>,
    /// What the SBOM says.
    pub sbom: Option<&'a Claimed>,
    /// The provenance.
    pub provenance: Option<&'a Provenance>,
    /// The apk packages that apko's provenance says it installed ([`apko_installed`](crate::statement::apko_installed)).
    pub installed: Option<&'a BTreeMap<String, String>>,
    /// The configuration that apko was given, as it was signed. The one that apko left
    /// in the image is in the contents.
    pub apko: Option<&'a ApkoConfiguration>,
    /// What the certificate of whoever signed the provenance says of the build.
    pub certificate: Option<&'a BuildClaims>,
}

impl<'a> Evidence<'a> {
    /// Only a manifest.
    #[must_use]
    pub fn new(manifest: &'a Manifest) -> Self {
        Self {
            manifest,
            platform: None,
            contents: None,
            sbom: None,
            provenance: None,
            installed: None,
            apko: None,
            certificate: None,
        }
    }
}

/// What comparing gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Contradictions, in a stable order.
    pub findings: Vec<Finding>,
    /// What was compared with what; a check that compared nothing found nothing.
    pub compared: Vec<&'static str>,
    /// What a witness is silent about, for which it is not blamed.
    pub skipped: Vec<String>,
}

impl Outcome {
    pub(super) fn compared(&mut self, what: &'static str) {
        self.compared.push(what);
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Compares what is known with each other, and with the rules.
#[must_use]
pub fn compare(evidence: &Evidence<'_>, rules: &[Rule]) -> Outcome {
    let mut out = Outcome::default();
    platform(evidence, &mut out);
    if let Some(sbom) = evidence.sbom {
        content::subject(evidence, sbom, &mut out);
    }
    let found = evidence.contents.map(Claimed::of_contents);
    if let (Some(sbom), Some(found)) = (evidence.sbom, &found) {
        content::packages(&sbom.packages, found, &mut out);
    }
    // The layers are the better witness; without them it is the SBOM.
    let listed: Option<&[Entry]> = found.as_deref().or(evidence.sbom.map(|sbom| sbom.packages.as_slice()));
    if let Some(listed) = listed {
        statements::packages(evidence, listed, &mut out);
    }
    claims(evidence, &mut out);
    let file = apko_file(evidence, &mut out);
    statements::architecture(evidence, &mut out);
    apko::compare(evidence, file.as_ref(), found.as_deref(), &mut out);
    statements::annotations(evidence, &mut out);
    statements::certificate(evidence, &mut out);
    for rule in rules {
        rules::apply(*rule, evidence, &mut out);
    }
    out
}

/// What melange wrote of packages into the image, against the database.
fn claims(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(contents) = evidence.contents.filter(|contents| !contents.claims.is_empty()) else { return };
    out.compared("packages: var/lib/db/sbom = image");
    for claim in contents.claims.iter().filter(|claim| !claim.matches) {
        let is_it = |package: &&Package| package.ecosystem == Ecosystem::Apk && package.name == claim.package;
        let finding = Finding::new(Code::ClaimPackageDiffers, format!("apk {}", claim.package)).found(&*claim.version);
        out.add(match contents.packages.iter().find(is_it) {
            Some(package) => finding.wanted(&*package.version),
            None => finding,
        });
    }
}

/// The configuration that apko left in the image; one that cannot be read is no witness.
fn apko_file(evidence: &Evidence<'_>, out: &mut Outcome) -> Option<ApkoConfiguration> {
    let found = evidence.contents?.apko_json.as_ref()?;
    let parsed = found.as_deref().map_err(Clone::clone);
    let parsed = parsed.and_then(|text| ApkoConfiguration::parse(text).map_err(|error| error.to_string()));
    parsed.map_err(|why| out.skipped.push(format!("etc/apko.json cannot be read: {why}"))).ok()
}

/// The index against the configuration: the platform that a runtime chose is the one it gets.
fn platform(evidence: &Evidence<'_>, out: &mut Outcome) {
    let configured = evidence.contents.and_then(|contents| contents.platform.as_ref());
    let (Some(listed), Some(configured)) = (evidence.platform, configured) else { return };
    out.compared("platform: index = configuration");
    if !configured.matches(listed) {
        out.add(
            Finding::new(Code::ImagePlatformDiffers, "image").wanted(configured.to_string()).found(listed.to_string()),
        );
    }
}
