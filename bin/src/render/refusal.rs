//! Why cells are not satisfied, and what to do.

use cg_attest::code::Code;
use cg_attest::report::{Report, Verdict};
use cg_attest::verify::{Cell, State};

use crate::printer::{Tone, escape, paint};

/// One paragraph per reason; cells with the same reason share one.
pub(crate) fn refusals(report: &Report, colored: bool) -> String {
    let mut groups: Vec<(Vec<&Cell>, &Cell)> = Vec::new();
    for cell in report.cells().iter().filter(|cell| !cell.state.is_satisfied()) {
        let same = |other: &Cell| {
            (&other.requirement, other.state, other.code, &other.message, &other.found)
                == (&cell.requirement, cell.state, cell.code, &cell.message, &cell.found)
        };
        match groups.iter_mut().find(|(_, first)| same(first)) {
            Some((cells, _)) => cells.push(cell),
            None => groups.push((vec![cell], cell)),
        }
    }
    let mut out = String::new();
    let mut advised: Vec<Code> = Vec::new();
    for (cells, first) in groups {
        out.push('\n');
        out.push_str(&paragraph(&cells, first, colored));
        if let Some(code) = first.code.filter(|code| !advised.contains(code)) {
            advised.push(code);
            out.push_str(&format!("  → {}\n", advice(report, code)));
        }
    }
    if let Some(line) = signature_is_ok(report) {
        out.push_str(&format!("\n{line}\n"));
    }
    out
}

fn paragraph(cells: &[&Cell], first: &Cell, colored: bool) -> String {
    let targets: Vec<&str> = cells.iter().map(|cell| cell.target.as_str()).collect();
    let tone = if first.state == State::Undecided { Tone::Doubt } else { Tone::Bad };
    let state = paint(colored, tone, first.state.as_str());
    let code = first.code.map(|code| format!(" ({code})")).unwrap_or_default();
    let mut out = format!("{} × {}: {state}{code}\n", targets.join(", "), escape(&first.requirement));
    let not_anchored = first.code == Some(Code::PatternNotAnchored);
    match &first.found {
        // The message has the pattern to copy; marks would say nothing.
        Some(found) if !not_anchored => out.push_str(&comparison(&first.wanted, found, colored)),
        _ => {
            if let Some(message) = &first.message {
                out.push_str(&format!("  {}\n", escape(message)));
            }
        }
    }
    if first.found.is_some()
        && first.state == State::Elsewhere
        && let Some(message) = &first.message
    {
        out.push_str(&format!("  {}\n", escape(message)));
    }
    out
}

/// Wanted and found below each other, with the part of `found` that differs from the nearest wanted one marked.
pub(super) fn comparison(wanted: &[String], found: &str, colored: bool) -> String {
    let mut out = String::new();
    for text in wanted {
        out.push_str(&format!("  wanted {}\n", escape(text)));
    }
    let nearest = wanted.iter().max_by_key(|text| {
        let (start, end) = differing(text, found);
        found.len() - (end - start)
    });
    let Some(nearest) = nearest else { return format!("{out}  found  {}\n", escape(found)) };
    let (start, end) = differing(nearest, found);
    let (before, part, after) = (escape(&found[..start]), escape(&found[start..end]), escape(&found[end..]));
    out.push_str(&format!("  found  {before}{}{after}\n", paint(colored, Tone::Bad, &part)));
    let marks = "^".repeat(part.chars().count().max(1));
    out.push_str(&format!("         {}{marks}\n", " ".repeat(before.chars().count())));
    out
}

/// The byte range of `found` between the start and the end that it has in common with `wanted`.
fn differing(wanted: &str, found: &str) -> (usize, usize) {
    let start: usize = wanted.chars().zip(found.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let rest = wanted[start..].chars().rev().zip(found[start..].chars().rev());
    let end: usize = rest.take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    (start, found.len() - end)
}

fn advice(report: &Report, code: Code) -> String {
    let reference = escape(report.reference());
    match code {
        Code::IdentityMismatch | Code::IssuerMismatch => {
            format!("{} `cg-attest inspect {reference}` shows who claims to have signed.", code.remedy())
        }
        Code::NoSignature | Code::NoAttestation => {
            format!("`cg-attest tree {reference}` shows what is attached where.")
        }
        _ => code.remedy().to_owned(),
    }
}

/// The last line when only attestations are missing.
fn signature_is_ok(report: &Report) -> Option<&'static str> {
    let of_signature = |cell: &&Cell| cell.requirement == "signature";
    let ok = report.cells().iter().any(|cell| of_signature(&cell))
        && report.cells().iter().filter(of_signature).all(|cell| cell.state.is_satisfied());
    let only_missing =
        report.cells().iter().filter(|cell| !cell.state.is_satisfied()).all(|cell| {
            matches!(cell.state, State::Missing | State::OnIndex | State::Undecided) && cell.digest.is_some()
        });
    (ok && only_missing && report.verdict() != Verdict::Accept)
        .then_some("The signature is ok; `--require signature` checks what `cosign verify` checks.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_differs_is_marked() {
        assert_eq!(differing("https://a/b/c", "https://a/evil/c"), (10, 14));
        assert_eq!(differing("same", "same"), (4, 4));
        assert_eq!(differing("aa", "aaa"), (2, 3));
        let text = comparison(&["https://a/b/c".to_owned()], "https://a/evil/c", false);
        assert_eq!(text, "  wanted https://a/b/c\n  found  https://a/evil/c\n                   ^^^^\n");
    }
}
