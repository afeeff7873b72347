//! What `check` found, as text and JSON.

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::sbom::check::Outcome;
use serde_json::{Value, json};

use crate::exit::ExitStatus;
use crate::printer::escape;

/// One platform.
pub(crate) struct Checked {
    pub(crate) target: String,
    pub(crate) digest: String,
    pub(crate) outcome: Outcome,
    pub(crate) unchecked: Vec<Unchecked>,
}

/// A witness that could not be heard.
pub(crate) struct Unchecked {
    pub(crate) what: &'static str,
    pub(crate) code: Option<Code>,
    pub(crate) message: String,
    /// What the command ends with for it alone.
    pub(crate) status: ExitStatus,
}

/// For people: findings first, then what was compared and what was not.
pub(crate) fn checked(image: &str, digest: &Digest, all: &[Checked]) -> String {
    let mut out = format!("{} @{}\n", escape(image), digest.short());
    for one in all {
        let findings = &one.outcome.findings;
        out.push_str(&format!("\n{}   {} findings\n", one.target, findings.len()));
        for finding in findings {
            out.push_str(&format!("  error[{}]: {}\n", finding.code, escape(&finding.to_string())));
        }
        for unchecked in &one.unchecked {
            let code = unchecked.code.map(|code| format!("[{code}]")).unwrap_or_default();
            out.push_str(&format!("  not checked{code}: {}: {}\n", unchecked.what, escape(&unchecked.message)));
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

/// For programs; fields are only ever added.
pub(crate) fn checked_document(image: &str, digest: &Digest, all: &[Checked], exit: u8) -> String {
    let platforms: Vec<Value> = all
        .iter()
        .map(|one| {
            let unchecked = |u: &Unchecked| json!({ "what": u.what, "code": u.code, "message": u.message });
            json!({
                "target": one.target,
                "digest": one.digest,
                "findings": one.outcome.findings,
                "compared": one.outcome.compared,
                "notCompared": one.outcome.skipped,
                "notChecked": one.unchecked.iter().map(unchecked).collect::<Vec<_>>(),
            })
        })
        .collect();
    let image = json!({ "reference": image, "digest": digest });
    let document = json!({
        "apiVersion": "cg-attest/v1", "kind": "CheckReport", "image": image, "exitCode": exit, "platforms": platforms,
    });
    format!("{document:#}\n")
}
