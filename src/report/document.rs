//! The report as JSON, `cg-attest/v1`. Fields are only ever added; a reader
//! treats a state that it does not know as not ok. `docs/report.schema.json` describes it.

use serde::Serialize;

use super::{BaseRecord, BlobReport, Report, Stats, Unresolved, Verdict, Warning};
use crate::check::Check;
use crate::digest::Digest;
use crate::evidence::{Origin, Unread};
use crate::policy::{Policy, PolicyDocument};
use crate::signer::Signer;
use crate::verify::{Assessed, Cell, LogRecord, VerifiedTime};

const API_VERSION: &str = "cg-attest/v1";
const TOOL: Tool = Tool { name: "cg-attest", version: env!("CARGO_PKG_VERSION") };

/// The JSON document of one image. It can be written and never read back into evidence.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    verdict: Verdict,
    exit_code: u8,
    image: Image<'a>,
    error: Option<&'a Unresolved>,
    tool: Tool,
    warnings: &'a [Warning],
    policy: Option<PolicyDocument>,
    trust_root: TrustRootDocument<'a>,
    time: String,
    cells: &'a [Cell],
    candidates: Vec<Candidate<'a>>,
    /// Only where it was asked what the image is built on.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    bases: &'a [BaseRecord],
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<&'a Stats>,
}

/// The JSON document of one file: as for an image, with the file in its place and one candidate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobDocument<'a> {
    api_version: &'static str,
    kind: &'static str,
    verdict: Verdict,
    exit_code: u8,
    file: File<'a>,
    tool: Tool,
    warnings: &'a [Warning],
    policy: PolicyDocument,
    trust_root: TrustRootDocument<'a>,
    time: String,
    cells: &'a [Cell],
    candidates: [Candidate<'a>; 1],
}

#[derive(Debug, Serialize)]
struct File<'a> {
    name: &'a str,
    digest: &'a Digest,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    reference: &'a str,
    source: Option<&'a str>,
    evidence_repository: Option<&'a str>,
    digest: Option<&'a Digest>,
    media_type: Option<&'a str>,
    platforms: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct TrustRootDocument<'a> {
    source: &'a str,
    date: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    target: String,
    origin: &'a Origin,
    also_at: &'a [Origin],
    digest: Option<&'a Digest>,
    manifest_digest: Option<&'a Digest>,
    size: u64,
    subject: Option<&'a Digest>,
    predicate_type: Option<&'a str>,
    /// `read`, `skipped` (nothing asks for it), `unread` (it failed) or `unsigned`.
    reading: &'static str,
    unread: Option<&'a Unread>,
    checks: &'a [Check],
    signer: Option<&'a Signer>,
    verified_times: &'a [VerifiedTime],
    logs: &'a [LogRecord],
    instance: Option<&'a str>,
    /// The newer one of the same type by the same signer.
    superseded_by: Option<&'a Digest>,
}

impl<'a> Document<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let facts = report.facts().ok();
        let verdict = report.verdict();
        Self {
            api_version: API_VERSION,
            kind: "VerificationReport",
            verdict,
            exit_code: verdict.exit_code(),
            image: Image {
                reference: report.reference(),
                source: facts.and_then(|facts| facts.source.as_deref()),
                evidence_repository: facts.and_then(|facts| facts.evidence_repository.as_deref()),
                digest: facts.map(|facts| &facts.digest),
                media_type: facts.map(|facts| facts.media_type.as_str()),
                platforms: facts.map_or_else(Vec::new, |f| f.platforms.iter().map(ToString::to_string).collect()),
            },
            error: report.facts().err(),
            tool: TOOL,
            warnings: report.warnings(),
            policy: report.policy().map(Policy::document),
            trust_root: TrustRootDocument { source: report.trust_root().0, date: report.trust_root().1 },
            time: report.time().to_string(),
            cells: report.cells(),
            candidates: report.candidates().iter().map(|candidate| Candidate::of(report, candidate)).collect(),
            bases: report.bases(),
            stats: report.stats(),
        }
    }
}

impl<'a> BlobDocument<'a> {
    pub(super) fn of(report: &'a BlobReport) -> Self {
        let verdict = report.verdict();
        Self {
            api_version: API_VERSION,
            kind: "BlobVerificationReport",
            verdict,
            exit_code: verdict.exit_code(),
            file: File { name: &report.name, digest: &report.digest },
            tool: TOOL,
            warnings: &report.warnings,
            policy: report.policy.document(),
            trust_root: TrustRootDocument { source: &report.trust_source, date: report.trust_date.as_deref() },
            time: report.time.to_string(),
            cells: &report.cells,
            candidates: [Candidate::at("file".to_owned(), &report.candidate)],
        }
    }
}

impl<'a> Candidate<'a> {
    fn of(report: &'a Report, candidate: &'a Assessed) -> Self {
        let target = report.facts().ok().and_then(|facts| facts.targets.get(candidate.target()));
        let target = target.map(|target| target.name.to_string()).unwrap_or_default();
        let superseded_by = report.superseded_by(candidate).and_then(Assessed::digest);
        Self { superseded_by, ..Self::at(target, candidate) }
    }

    fn at(target: String, candidate: &'a Assessed) -> Self {
        let reading = match (candidate.unread(), candidate.is_skipped(), candidate.is_unsigned()) {
            (Some(_), ..) => "unread",
            (None, true, _) => "skipped",
            (None, false, true) => "unsigned",
            (None, false, false) => "read",
        };
        let verified = candidate.verified();
        Self {
            target,
            origin: candidate.origin(),
            also_at: candidate.also_at(),
            digest: candidate.digest(),
            manifest_digest: candidate.manifest_digest(),
            size: candidate.size(),
            subject: candidate.subject(),
            predicate_type: candidate.predicate_type(),
            reading,
            unread: candidate.unread(),
            checks: candidate.checks(),
            signer: verified.map(|bundle| bundle.signer()),
            verified_times: verified.map(|bundle| bundle.times()).unwrap_or_default(),
            logs: verified.map(|bundle| bundle.logs()).unwrap_or_default(),
            instance: verified.map(|bundle| bundle.instance()),
            superseded_by: None,
        }
    }
}
