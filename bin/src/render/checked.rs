//! What `check` found, as text and JSON.

use cg_attest::audit::{CheckReport, Silent};
use cg_attest::report::{Unresolved, Verdict};
use serde_json::json;

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

/// For programs. `verified` says whether a policy accepted what is held against the layers.
pub(crate) fn checked_document(image: &str, verified: bool, report: &CheckReport) -> Result<String, CliError> {
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
    let content = json!({
        "verdict": report.verdict(),
        "exitCode": report.verdict().exit_code(),
        "verified": verified,
        "image": { "reference": image, "digest": report.digest },
        "error": null,
        "platforms": platforms.collect::<Vec<_>>(),
    });
    Document::new("CheckReport", content).pretty()
}

/// For programs, of an image that could not be looked at.
pub(crate) fn unchecked_document(image: &str, why: &Unresolved, verdict: Verdict) -> Result<String, CliError> {
    let content = json!({
        "verdict": verdict,
        "exitCode": verdict.exit_code(),
        "verified": false,
        "image": { "reference": image, "digest": null },
        "error": { "code": why.code, "message": why.message },
        "platforms": [],
    });
    Document::new("CheckReport", content).pretty()
}
