//! Decoded evidence as JSON. All of it is marked as unverified.

use cg_attest::digest::Digest;
use cg_attest::evidence::{Decoded, ListingKind, Reading, Unread};
use cg_attest::policy::Preset;
use serde::Serialize;

use super::Inspection;
use super::claimed::{ClaimedSigner, signers};
use super::document::Document;
use super::unverified::Unverified;
use crate::error::CliError;

/// The JSON document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectionDocument<'a> {
    #[serde(flatten)]
    head: Unverified<'a>,
    digest: Option<&'a Digest>,
    media_type: Option<&'a str>,
    failed_listings: Vec<FailedListing<'a>>,
    evidence: Vec<Evidence<'a>>,
    signers: Vec<ClaimedSigner<'a>>,
    preset: Option<&'static str>,
}

#[derive(Serialize)]
struct FailedListing<'a> {
    target: String,
    kind: ListingKind,
    #[serde(flatten)]
    failure: &'a Unread,
}

#[derive(Serialize)]
struct Evidence<'a> {
    /// Said again here, for whoever takes one piece out of the document.
    verified: bool,
    target: Option<String>,
    #[serde(flatten)]
    decoded: &'a Decoded,
}

/// The JSON document of an inspection.
pub(crate) fn inspection_document(inspection: &Inspection) -> Result<String, CliError> {
    let facts = inspection.facts.as_ref();
    let target = |n: usize| facts.and_then(|facts| facts.targets.get(n)).map(|target| target.name.to_string());
    let failed = inspection.listings.iter().filter_map(|listing| {
        let target = target(listing.target).unwrap_or_default();
        listing.failure.as_ref().map(|failure| FailedListing { target, kind: listing.kind, failure })
    });
    let failed: Vec<_> = failed.collect();
    let unread = inspection.found.iter().any(|found| found.reading == Reading::Unread);
    let evidence = inspection.found.iter();
    let reference = facts.map_or(inspection.argument.as_str(), |facts| facts.reference.as_str());
    let source = facts.and_then(|facts| facts.source.as_deref());
    let content = InspectionDocument {
        head: Unverified::new(failed.is_empty() && !unread, reference, source),
        digest: facts.map(|facts| &facts.digest),
        media_type: facts.map(|facts| facts.media_type.as_str()),
        failed_listings: failed,
        evidence: evidence
            .map(|decoded| Evidence { verified: false, target: target(decoded.target), decoded })
            .collect(),
        signers: signers(&inspection.found),
        preset: inspection.preset.as_ref().map(Preset::name),
    };
    Document::new("Inspection", content).pretty()
}
