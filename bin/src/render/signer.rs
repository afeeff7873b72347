//! The signer in one line.

use cg_attest::report::Report;
use cg_attest::signer::Claim;
use cg_attest::time::{Timestamp, human};
use cg_attest::verify::{Assessed, VerifiedBundle};

use crate::printer::escape;

/// `signed by ORG/REPO FILE@BRANCH, TRIGGER, 3 h ago (log 123, promised)`, of
/// the newest accepted signature; `attested by …` of the newest accepted
/// attestation where there is none.
pub(crate) fn signed_by(report: &Report) -> Option<String> {
    let accepted = |signature: bool| {
        let of_kind = move |c: &&Assessed| if signature { c.signature().is_some() } else { c.is_attestation() };
        report
            .candidates()
            .iter()
            .filter(of_kind)
            .filter_map(Assessed::verified)
            .max_by_key(|b| b.times().last().cloned())
    };
    // Who signed an attestation has not signed the image.
    let signed = accepted(true).map(|bundle| ("signed", bundle));
    let (what, bundle) = signed.or_else(|| Some(("attested", accepted(false)?)))?;
    Some(format!("{what} by {}", signer(bundle, report.time())))
}

/// `ORG/REPO FILE@BRANCH, TRIGGER, 3 h ago (log 123, promised)`.
pub(crate) fn signer(bundle: &VerifiedBundle, now: Timestamp) -> String {
    let mut parts = vec![short(&bundle.signer().identity().value)];
    parts.extend(trigger(bundle));
    if let Some(newest) = bundle.times().last() {
        parts.push(format!("{} ago", human(now.since(newest.time))));
    }
    let logs: Vec<String> = bundle
        .logs()
        .iter()
        .map(|log| format!("log {}, {}", log.index, if log.evidence == "proof" { "proven" } else { "promised" }))
        .collect();
    let logs = if logs.is_empty() { "no log".to_owned() } else { logs.join("; ") };
    format!("{} ({logs})", parts.join(", "))
}

fn trigger(bundle: &VerifiedBundle) -> Option<String> {
    let claim = |name: &str| name.parse::<Claim>().ok().and_then(|claim| bundle.signer().claims().get(claim));
    claim("buildTrigger").or_else(|| claim("githubWorkflowTrigger")).map(escape)
}

/// A GitHub workflow as `ORG/REPO FILE@BRANCH`, everything else as it is.
fn short(identity: &str) -> String {
    let shortened = identity.strip_prefix("https://github.com/").and_then(|rest| {
        let (repository, workflow) = rest.split_once("/.github/workflows/")?;
        let (file, reference) = workflow.split_once('@')?;
        let reference = reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/"))?;
        Some(format!("{repository} {file}@{reference}"))
    });
    escape(&shortened.unwrap_or_else(|| identity.to_owned()))
}
