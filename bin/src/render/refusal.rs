//! Why cells are not satisfied, and what to do.

use cg_attest::code::Code;
use cg_attest::report::{Report, Verdict};
use cg_attest::statement::Family;
use cg_attest::verify::{Assessed, Cell, State};

use super::text::quoted;
use crate::printer::{Tone, WIDTH, escape, paint};

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
            out.push_str(&format!("  → {}\n", advice(report, first, code)));
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
    // Two digests differ in almost all of their digits: marks would say nothing.
    if part.len() * 4 <= found.len() * 3 {
        out.push_str(&marked(&before, &part, &after, colored));
    }
    out
}

/// Marks below the part that differs. A terminal breaks a line that is too long for it, and marks would stand below
/// something else then: the part is shown again with what is around it.
fn marked(before: &str, part: &str, after: &str, colored: bool) -> String {
    let room = WIDTH - "  found  ".len();
    let width = |text: &str| text.chars().count();
    let marks =
        |column: usize, part: &str| format!("         {}{}\n", " ".repeat(column), "^".repeat(width(part).max(1)));
    if width(before) + width(part) + width(after) <= room {
        return marks(width(before), part);
    }
    let part = first(part, room * 2 / 3);
    let around = (room - width(&part)) / 2;
    let (before, after) = (last(before, around), first(after, around));
    let excerpt = format!("  where  {before}{}{after}\n", paint(colored, Tone::Bad, &part));
    excerpt + &marks(width(&before), &part)
}

/// The first characters of a text, with a sign that there are more.
fn first(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The last ones.
fn last(text: &str, most: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    first(&reversed, most).chars().rev().collect()
}

/// The byte range of `found` between the start and the end that it has in common with `wanted`.
fn differing(wanted: &str, found: &str) -> (usize, usize) {
    let start: usize = wanted.chars().zip(found.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let rest = wanted[start..].chars().rev().zip(found[start..].chars().rev());
    let end: usize = rest.take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    (start, found.len() - end)
}

fn advice(report: &Report, cell: &Cell, code: Code) -> String {
    let general = match code {
        Code::IdentityMismatch | Code::IssuerMismatch => {
            format!("{} `cg-attest inspect IMAGE` shows who claims to have signed.", code.remedy())
        }
        Code::NoSignature | Code::NoAttestation => match other_version(report, cell) {
            Some((family, found)) => {
                format!("{} is attached; `--require {family}` takes every version.", escape(found))
            }
            None => "`cg-attest tree IMAGE` shows what is attached where.".to_owned(),
        },
        _ => code.remedy().to_owned(),
    };
    // A command to copy has the name of this image in it, if that can be copied.
    quoted(report.reference()).map_or(general.clone(), |reference| general.replace("IMAGE", &reference))
}

/// What is attached here of the family of a requirement that is for one version: cosign's `slsaprovenance`, for
/// example, is v0.2 and no other.
fn other_version<'a>(report: &'a Report, cell: &Cell) -> Option<(&'static str, &'a str)> {
    let family = Family::name_of(&cell.requirement)?;
    let targets = report.facts().ok()?.targets.as_slice();
    let here =
        |candidate: &&Assessed| targets.get(candidate.target()).is_some_and(|t| t.name.to_string() == cell.target);
    let mut types = report.candidates().iter().filter(here).filter_map(Assessed::predicate_type);
    types.find(|found| Family::name_of(found) == Some(family)).map(|found| (family, found))
}

/// The last line when only attestations are missing.
fn signature_is_ok(report: &Report) -> Option<&'static str> {
    let of_signature = |cell: &&Cell| cell.requirement == "signature";
    let ok = report.cells().iter().any(|cell| of_signature(&cell))
        && report.cells().iter().filter(of_signature).all(|cell| cell.state.is_satisfied());
    let only_missing = report.cells().iter().filter(|cell| !cell.state.is_satisfied()).all(|cell| {
        let is_open = matches!(cell.state, State::Missing | State::OnIndex | State::Undecided);
        is_open && cell.digest.is_some() && cell.requirement != "base"
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
        // What would not fit a terminal is shown again in part, and nothing of that is wider.
        let workflow = ".github/workflows/release.yaml@refs/heads/main";
        for part in ["evil", &"evil-".repeat(40)] {
            let (wanted, found) = (
                format!("https://github.com/org-name/a-repository/{workflow}"),
                format!("https://github.com/org-name{part}/a-repository/{workflow}"),
            );
            let text = comparison(&[wanted], &found, false);
            let lines: Vec<&str> = text.lines().skip(2).collect();
            assert!(lines[0].starts_with("  where  ") && lines[0].contains("org-name"), "{text}");
            assert!(lines.len() == 2 && lines.iter().all(|line| line.chars().count() <= 80), "{text}");
            let marked: String =
                lines[0].chars().zip(lines[1].chars()).filter(|(_, mark)| *mark == '^').map(|(c, _)| c).collect();
            assert!(part.starts_with(marked.trim_end_matches('…')), "{text}");
        }
    }
}
