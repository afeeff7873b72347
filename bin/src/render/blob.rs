//! The report on a file as text.

use cg_attest::code::Code;
use cg_attest::report::{BlobReport, Verdict};
use cg_attest::statement::Family;
use cg_attest::verify::{Cell, State, TimeSource, VerifiedBundle};

use super::refusal::comparison;
use super::report::{policy_name, verdict};
use super::signer;
use crate::printer::{Tone, escape, paint};

/// The whole text of one report.
pub(crate) fn blob(report: &BlobReport, colored: bool) -> String {
    let mut out = header(report, colored);
    if let Some(bundle) = report.candidate().verified().filter(|_| report.verdict() == Verdict::Accept) {
        out.push_str(&format!("signed by {}\n", signer(bundle, report.time())));
        out.push_str(&times(bundle));
    }
    for cell in report.cells().iter().filter(|cell| !cell.state.is_satisfied()) {
        out.push_str(&paragraph(cell, colored));
        out.push_str(&format!("  → {}\n", advice(cell)));
    }
    for warning in report.warnings() {
        out.push_str(&format!("warning[{}]: {}\n", warning.code, escape(&warning.message)));
    }
    out
}

/// `NAME @sha256:…   policy NAME   signature   ACCEPTED`
fn header(report: &BlobReport, colored: bool) -> String {
    let name = match report.name() {
        "-" => "standard input".to_owned(),
        name => escape(name),
    };
    let digest = report.digest().to_string();
    // A file that was named by its digest has no other name.
    let digest = if name == digest { String::new() } else { format!(" @sha256:{}…", report.digest().short()) };
    let wanted: Vec<String> = report.cells().iter().map(|cell| escape(&cell.requirement)).collect();
    let (policy, wanted) = (policy_name(report.policy()), wanted.join(", "));
    format!("{name}{digest}   {policy}   {wanted}   {}\n", verdict(report.verdict(), colored))
}

/// Each verified time with what vouches for it.
fn times(bundle: &VerifiedBundle) -> String {
    let line = |time: &cg_attest::verify::VerifiedTime| {
        let source = match time.source {
            TimeSource::TransparencyLog => "the transparency log",
            _ => "a timestamp authority",
        };
        format!("signed at {}, according to {source}\n", time.time)
    };
    bundle.times().iter().map(line).collect()
}

fn paragraph(cell: &Cell, colored: bool) -> String {
    let tone = if cell.state == State::Undecided { Tone::Doubt } else { Tone::Bad };
    let code = cell.code.map(|code| format!(" ({code})")).unwrap_or_default();
    let mut out = format!("{}: {}{code}\n", escape(&cell.requirement), paint(colored, tone, cell.state.as_str()));
    match (&cell.found, &cell.message) {
        (Some(found), _) if cell.code == Some(Code::PredicateMismatch) => {
            out.push_str(&format!("  wanted {}\n  found  {}\n", escape(&cell.requirement), escape(found)));
        }
        // The message has the pattern to copy; marks would say nothing.
        (Some(found), _) if cell.code != Some(Code::PatternNotAnchored) => {
            out.push_str(&comparison(&cell.wanted, found, colored));
        }
        (_, Some(message)) => out.push_str(&format!("  {}\n", escape(message))),
        _ => {}
    }
    out
}

fn advice(cell: &Cell) -> String {
    let Some(code) = cell.code else { return Code::Internal.remedy().to_owned() };
    match (code, cell.found.as_deref()) {
        (Code::PredicateMismatch, Some("signature")) => {
            "the bundle holds a signature of the file; leave out --type to accept it".to_owned()
        }
        (Code::PredicateMismatch, Some(found)) => {
            let name = Family::name_of(found).map_or_else(|| escape(found), str::to_owned);
            format!("the bundle holds an attestation about the file; `--type {name}` accepts it")
        }
        (Code::BundleInvalid, _) => {
            "what is wanted is a Sigstore bundle; `cosign bundle create` makes one of a detached signature".to_owned()
        }
        (Code::SubjectMismatch, _) => "the bundle is for another file; compare the names and versions".to_owned(),
        _ => code.remedy().to_owned(),
    }
}
