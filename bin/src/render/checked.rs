//! What `check` found, as text and JSON.

use cg_attest::audit::{CheckReport, Silent};
use cg_attest::digest::Digest;
use cg_attest::report::{Unresolved, Verdict};
use serde_json::{Value, json};

use super::document::Document;
use crate::error::CliError;
use crate::printer::escape;

/// For people: findings first, then what was compared and what was not.
pub(crate) fn checked(image: &str, report: &CheckReport) -> String {
    let digest = &report.digest;
    let mut out = format!("{} @{}:{}…\n", escape(image), digest.algorithm().as_str(), digest.short());
    for one in &report.images {
        let findings = &one.outcome.findings;
        out.push_str(&format!("\n{}   {} findings\n", escape(&one.target), findings.len()));
        for finding in findings {
            out.push_str(&format!("  error[{}]: {}\n", finding.code, escape(&finding.to_string())));
        }
        for silent in &one.silent {
            let code = silent.code.map(|code| format!("[{code}]")).unwrap_or_default();
            out.push_str(&format!("  not checked{code}: {}: {}\n", silent.what, escape(&silent.message)));
        }
        for skipped in &one.outcome.skipped {
            out.push_str(&format!("  not compared: {}\n", escape(skipped)));
        }
        for compared in &one.outcome.compared {
            out.push_str(&format!("  compared: {compared}\n"));
        }
    }
    out
}

/// For programs. `signed` says whether what is held against the layers is what a policy has to accept.
pub(crate) fn checked_document(image: &str, signed: bool, report: &CheckReport) -> Result<String, CliError> {
    let silent = |u: &Silent| json!({ "what": u.what, "code": u.code, "message": u.message });
    let platforms = report.images.iter().map(|one| {
        json!({
            "target": one.target,
            "digest": one.digest,
            "findings": one.outcome.findings,
            "compared": one.outcome.compared,
            "notCompared": one.outcome.skipped,
            "notChecked": one.silent.iter().map(silent).collect::<Vec<_>>(),
        })
    });
    let (digest, platforms) = (Some(&report.digest), platforms.collect());
    document(Content { digest, platforms, signed, ..Content::of(image, report.verdict()) })
}

/// For programs, of an image that could not be looked at.
pub(crate) fn unchecked_document(image: &str, why: &Unresolved, verdict: Verdict) -> Result<String, CliError> {
    document(Content { error: Some(why), ..Content::of(image, verdict) })
}

struct Content<'a> {
    image: &'a str,
    verdict: Verdict,
    digest: Option<&'a Digest>,
    signed: bool,
    error: Option<&'a Unresolved>,
    platforms: Vec<Value>,
}

impl<'a> Content<'a> {
    fn of(image: &'a str, verdict: Verdict) -> Self {
        Self { image, verdict, digest: None, signed: false, error: None, platforms: Vec::new() }
    }
}

fn document(content: Content<'_>) -> Result<String, CliError> {
    let Content { image, verdict, digest, signed, error, platforms } = content;
    let document = json!({
        "verdict": verdict,
        "exitCode": verdict.exit_code(),
        // Where nothing was accepted, or it is belied, nothing is verified.
        "verified": signed && verdict == Verdict::Accept,
        "image": { "reference": image, "digest": digest },
        "error": error.map(|why| json!({ "code": why.code, "message": why.message })),
        "platforms": platforms,
    });
    Document::new("CheckReport", document).pretty()
}
