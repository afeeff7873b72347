//! The matrix: targets down, requirements across, then what else is attached.

use cg_attest::report::Report;
use cg_attest::statement::{COSIGN_SIGN, Family};
use cg_attest::verify::{Assessed, State};

use crate::printer::{Tone, WIDTH, escape, paint};

/// What stands behind the title of a column that is only shown.
const NOT_REQUIRED: &str = " (not required)";

struct Column {
    title: String,
    /// One entry per row.
    entries: Vec<(String, Tone)>,
}

impl Column {
    fn width(&self) -> usize {
        self.entries.iter().map(|(text, _)| text.chars().count()).chain([self.title.chars().count()]).max().unwrap_or(0)
    }
}

/// The matrix, and below it the types that are attached and did not fit.
pub(crate) fn matrix(report: &Report, colored: bool) -> String {
    let rows = rows(report);
    let first = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0).max(12) + 3;
    let mut columns = required(report, &rows);
    let mut width = first + columns.iter().map(|c| c.width() + 3).sum::<usize>();
    let mut left_out = Vec::new();
    for column in others(report, &rows) {
        if width + column.width() + 3 <= WIDTH {
            width += column.width() + 3;
            columns.push(column);
        } else {
            left_out.push(column.title.trim_end_matches(NOT_REQUIRED).to_owned());
        }
    }
    let mut out = " ".repeat(first);
    out.push_str(&line(columns.iter().map(|c| (c.title.clone(), c.width(), Tone::Strong)), colored));
    for (n, row) in rows.iter().enumerate() {
        out.push_str(&format!("{row:first$}"));
        out.push_str(&line(columns.iter().map(|c| (c.entries[n].0.clone(), c.width(), c.entries[n].1)), colored));
    }
    if !left_out.is_empty() {
        out.push_str(&format!("also attached, not required: {}\n", left_out.join(", ")));
    }
    out
}

fn line(cells: impl Iterator<Item = (String, usize, Tone)>, colored: bool) -> String {
    let mut text = String::new();
    let mut pending = 0;
    for (cell, width, tone) in cells {
        // Padding before a cell, so that no line ends in blanks; colours take no room.
        text.push_str(&" ".repeat(pending));
        pending = width + 3 - cell.chars().count();
        text.push_str(&paint(colored, tone, &cell));
    }
    text.push('\n');
    text
}

/// The targets, and platforms that are required and absent.
fn rows(report: &Report) -> Vec<String> {
    let targets = report.facts().map(|facts| facts.targets.as_slice()).unwrap_or_default();
    let mut rows: Vec<String> = targets.iter().map(|target| target.name.to_string()).collect();
    for cell in report.cells() {
        if !rows.contains(&cell.target) {
            rows.push(cell.target.clone());
        }
    }
    rows
}

fn required(report: &Report, rows: &[String]) -> Vec<Column> {
    let mut titles: Vec<String> = Vec::new();
    for cell in report.cells() {
        if !titles.contains(&cell.requirement) {
            titles.push(cell.requirement.clone());
        }
    }
    let entry = |title: &str, row: &String| {
        let cell = report.cells().iter().find(|cell| cell.target == *row && cell.requirement == title);
        cell.map_or(("-".to_owned(), Tone::Quiet), |cell| (cell.state.as_str().to_owned(), tone(cell.state)))
    };
    let column = |title: String| Column {
        entries: rows.iter().map(|row| entry(&title, row)).collect(),
        title: of_one_version(&title).unwrap_or_else(|| short(&title)),
    };
    titles.into_iter().map(column).collect()
}

/// The types that are attached and that nothing requires.
fn others(report: &Report, rows: &[String]) -> Vec<Column> {
    let required = |predicate: &str| {
        report.policy().is_some_and(|p| p.requirements().iter().any(|r| r.wanted().is_met_by(predicate)))
            || predicate == "signature"
    };
    let mut types: Vec<&str> =
        report.candidates().iter().filter_map(Assessed::predicate_type).filter(|t| !required(t)).collect();
    types.sort_unstable();
    types.dedup();
    let targets = report.facts().map(|facts| facts.targets.as_slice()).unwrap_or_default();
    let entry = |predicate: &str, row: &String| {
        let target = targets.iter().position(|t| t.name.to_string() == *row);
        let here: Vec<&Assessed> = report
            .candidates()
            .iter()
            .filter(|c| Some(c.target()) == target && c.predicate_type() == Some(predicate))
            .collect();
        let best = here.iter().map(|c| (c.is_skipped(), c.standing())).min_by_key(|(_, standing)| *standing);
        let word = match best {
            None => "missing",
            Some((true, _)) => "listed",
            Some((false, State::Undecided)) => "unread",
            Some((false, standing)) => standing.as_str(),
        };
        (word.to_owned(), Tone::Quiet)
    };
    let column = |predicate: &str| Column {
        title: short(predicate) + NOT_REQUIRED,
        entries: rows.iter().map(|row| entry(predicate, row)).collect(),
    };
    types.into_iter().map(column).collect()
}

/// `slsa v0.2` of a requirement for one version of a family, whose other versions do not satisfy it.
fn of_one_version(requirement: &str) -> Option<String> {
    let version = requirement.rsplit_once('/').map(|(_, last)| last).filter(|last| last.starts_with('v'))?;
    Some(escape(&format!("{} {version}", Family::name_of(requirement)?)))
}

/// The family's name, or the end of a URI that is not of one.
pub(super) fn short(predicate: &str) -> String {
    if predicate == COSIGN_SIGN {
        return "signature".to_owned();
    }
    if let Some(family) = Family::name_of(predicate) {
        return family.to_owned();
    }
    let path = predicate.split_once("://").map_or(predicate, |(_, path)| path);
    let text = if path.chars().count() > 24 {
        let tail: Vec<char> = path.chars().rev().take(23).collect();
        format!("…{}", tail.into_iter().rev().collect::<String>())
    } else {
        path.to_owned()
    };
    escape(&text)
}

fn tone(state: State) -> Tone {
    match state {
        State::Ok | State::ViaIndex => Tone::Good,
        State::Undecided => Tone::Doubt,
        _ => Tone::Bad,
    }
}
