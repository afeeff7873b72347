//! The configuration of apko in the image, against the image and against the one that was signed.
//!
//! apko writes what it was given to `/etc/apko.json`, installs every package that
//! is fixed in it in that version, and puts its annotations on the image as they are.

use std::collections::BTreeMap;

use super::claimed::Entry;
use super::statements::{each, is_for, pin, platform};
use super::{Evidence, Finding, Outcome};
use crate::code::Code;
use crate::statement::ApkoConfiguration;

/// `found` are the packages in the layers.
pub(super) fn compare(
    evidence: &Evidence<'_>,
    file: Option<&ApkoConfiguration>,
    found: Option<&[Entry]>,
    out: &mut Outcome,
) {
    if let Some(file) = file {
        if let Some(found) = found {
            out.compared("packages: etc/apko.json = image");
            each(pins(file).into_iter(), found, Code::ApkoFilePackageDiffers, out);
        }
        if let Some(platform) = platform(evidence).filter(|_| !file.architectures.is_empty()) {
            out.compared("architecture: etc/apko.json = image");
            if !is_for(file, platform) {
                let finding = Finding::new(Code::ApkoFileArchitectureDiffers, "image");
                out.add(finding.wanted(platform.to_string()).found(file.architectures.join(", ")));
            }
        }
    }
    if let (Some(file), Some(signed)) = (file, evidence.apko) {
        out.compared("packages: apko configuration = etc/apko.json");
        let own = pins(file);
        for (name, version) in pins(signed) {
            if let Some(other) = own.get(name).filter(|other| **other != version) {
                out.add(Finding::new(Code::ApkoFileDiffers, format!("apk {name}")).wanted(*other).found(version));
            }
        }
    }
    // The signed one is the better witness of what the image was to be.
    if let Some(configuration) = evidence.apko.or(file) {
        annotations(evidence, configuration, out);
    }
}

/// The packages that are fixed to one version.
fn pins(configuration: &ApkoConfiguration) -> BTreeMap<&str, &str> {
    configuration.packages().iter().filter_map(|package| pin(package)).collect()
}

fn annotations(evidence: &Evidence<'_>, configuration: &ApkoConfiguration, out: &mut Outcome) {
    let of_image = evidence.manifest.annotations();
    let (both, absent): (Vec<_>, Vec<_>) =
        configuration.annotations.iter().partition(|(key, _)| of_image.contains_key(*key));
    if !both.is_empty() {
        out.compared("annotations: apko configuration = image");
    }
    for (key, value) in both {
        let annotated = of_image.get(key).map(String::as_str).unwrap_or_default();
        if annotated != value {
            out.add(Finding::new(Code::AnnotationApkoDiffers, key).wanted(value).found(annotated));
        }
    }
    if !absent.is_empty() {
        let keys: Vec<&str> = absent.into_iter().map(|(key, _)| key.as_str()).collect();
        out.skipped.push(format!("the image has no annotation {}, which apko was given", keys.join(", ")));
    }
}
