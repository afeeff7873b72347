//! What tells two images apart, for people, for a review, and as JSON.

use std::fmt::Write as _;

use cg_attest::digest::Digest;
use cg_attest::sbom::diff::{Difference, Direction, PackageChange, Vulnerabilities, Vulnerability};
use serde::Serialize;

use super::document::one_or_lines;
use crate::error::CliError;
use crate::printer::{Tone, escape, paint};

/// Two images of one platform, and what tells them apart.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) platform: String,
    pub(crate) from: Read,
    pub(crate) to: Read,
    #[serde(flatten)]
    pub(crate) difference: Difference,
    /// An empty object where no reports were given, as `chainctl images diff` writes it.
    #[serde(serialize_with = "or_empty")]
    pub(crate) vulnerabilities: Option<Vulnerabilities>,
}

/// A side, and how it was read.
#[derive(Debug, Serialize)]
pub(crate) struct Read {
    pub(crate) image: String,
    /// None of a folder.
    pub(crate) digest: Option<Digest>,
    /// `attached` or `content`.
    pub(crate) source: &'static str,
    /// Whether nobody vouches for the packages: they are what the layers say.
    pub(crate) unverified: bool,
    /// Packages that were compared.
    pub(crate) packages: usize,
}

fn or_empty<S: serde::Serializer>(found: &Option<Vulnerabilities>, serializer: S) -> Result<S::Ok, S::Error> {
    match found {
        Some(found) => found.serialize(serializer),
        None => serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?),
    }
}

/// One document, or one line for each of several platforms.
pub(crate) fn difference_json(compared: &[Compared]) -> Result<String, CliError> {
    one_or_lines("Difference", compared)
}

/// For people.
pub(crate) fn difference_text(compared: &[Compared], colored: bool) -> String {
    let all: Vec<String> = compared.iter().map(|one| text(one, colored)).collect();
    all.join("\n")
}

fn text(one: &Compared, colored: bool) -> String {
    let mut out = format!("{}\n", paint(colored, Tone::Strong, &escape(&one.platform)));
    for (name, side) in [("A", &one.from), ("B", &one.to)] {
        let _ = writeln!(out, "  {name}  {}  {}", escape(&side.image), described(side));
    }
    for Section { title, rows } in sections(one) {
        let _ = writeln!(out, "{}", paint(colored, Tone::Strong, title));
        for Row { sign, text } in rows {
            let tone = match sign {
                '+' => Tone::Good,
                '-' => Tone::Bad,
                _ => Tone::Plain,
            };
            let _ = writeln!(out, "{}", paint(colored, tone, &format!("  {sign} {}", escape(&text))));
        }
    }
    out + &closing(one)
}

/// For a review: one heading per platform, one list per kind.
pub(crate) fn difference_markdown(compared: &[Compared]) -> String {
    let mut out = String::new();
    for one in compared {
        let _ = writeln!(out, "## {}\n", code(&one.platform));
        for (name, side) in [("A", &one.from), ("B", &one.to)] {
            let _ = writeln!(out, "- {name}: {} ({})", code(&side.image), described(side));
        }
        for Section { title, rows } in sections(one) {
            let _ = writeln!(out, "\n### {title}\n");
            for Row { sign, text } in rows {
                let word = match sign {
                    '+' => "added",
                    '-' => "removed",
                    _ => "changed",
                };
                let _ = writeln!(out, "- {word} {}", code(&text));
            }
        }
        let _ = writeln!(out, "\n{}", closing(one));
    }
    out
}

/// As code, so that no name becomes markup.
fn code(text: &str) -> String {
    format!("`{}`", escape(text).replace('`', "'"))
}

fn described(side: &Read) -> String {
    let digest = match &side.digest {
        Some(digest) => format!("@{}:{}…", digest.algorithm().as_str(), digest.short()),
        None => "a folder".to_owned(),
    };
    match side.unverified {
        true => format!("{digest}, unverified: read from its layers"),
        false => format!("{digest}, by its verified SBOM"),
    }
}

struct Section {
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    sign: char,
    text: String,
}

/// What differs, without the kinds in which nothing does.
fn sections(one: &Compared) -> Vec<Section> {
    let Difference { packages, executables, licenses, configuration, provenance, .. } = &one.difference;
    let row = |sign, text: String| Row { sign, text };
    let entry = |entry: &cg_attest::sbom::diff::PackageEntry| format!("{} {}", entry.name, entry.version);
    let change = |name: &str, from: &Option<String>, to: &Option<String>| {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        row('~', format!("{name}: {} → {}", text(from), text(to)))
    };
    let mut sections = vec![Section { title: "packages", rows: Vec::new() }];
    let rows = &mut sections[0].rows;
    rows.extend(packages.added.iter().map(|one| row('+', entry(one))));
    rows.extend(packages.removed.iter().map(|one| row('-', entry(one))));
    rows.extend(packages.changed.iter().map(|one| row('~', moved(one))));
    let mut add = |title, rows| sections.push(Section { title, rows });
    if let Some(found) = executables {
        let added = found.added.iter().map(|path| row('+', path.clone()));
        add(
            "executables of no package",
            added.chain(found.removed.iter().map(|path| row('-', path.clone()))).collect(),
        );
    }
    let added = licenses.added.iter().map(|text| row('+', text.clone()));
    let removed = licenses.removed.iter().map(|text| row('-', text.clone()));
    let changed = licenses.changed.iter().map(|one| change(&one.name, &one.from, &one.to));
    add("licences", added.chain(removed).chain(changed).collect());
    let settings = configuration.iter().flatten().map(|one| change(&one.name, &one.from, &one.to));
    add("configuration", settings.collect());
    add("provenance", provenance.iter().flatten().map(|one| change(one.name, &one.from, &one.to)).collect());
    if let Some(found) = &one.vulnerabilities {
        let added = found.added.iter().map(|one| row('+', vulnerability(one)));
        add("vulnerabilities", added.chain(found.removed.iter().map(|one| row('-', vulnerability(one)))).collect());
    }
    sections.retain(|section| !section.rows.is_empty());
    sections
}

fn moved(change: &PackageChange) -> String {
    let direction = match change.direction {
        Some(Direction::Up) => " (up)",
        Some(Direction::Down) => " (down)",
        None => "",
    };
    format!("{} {} → {}{direction}", change.name, change.from, change.to)
}

fn vulnerability(one: &Vulnerability) -> String {
    let because = match one.package_is {
        "same" => String::new(),
        other => format!(", package {other}"),
    };
    format!("{} {} in {} {}{because}", one.id, one.severity, one.package, one.version)
}

/// How much it is, and what could not be compared.
fn closing(one: &Compared) -> String {
    let Difference { packages, executables, provenance, .. } = &one.difference;
    let counts = match one.difference.is_empty() {
        true => format!("no difference between {} and {} packages", one.from.packages, one.to.packages),
        false => format!(
            "packages: {} added, {} removed, {} changed",
            packages.added.len(),
            packages.removed.len(),
            packages.changed.len()
        ),
    };
    let mut missing = Vec::new();
    if executables.is_none() {
        missing.push("executables (an SBOM lists none)");
    }
    if provenance.is_none() {
        missing.push("provenance (not verified on both sides)");
    }
    match missing.as_slice() {
        [] => format!("{counts}\n"),
        _ => format!("{counts}; not compared: {}\n", missing.join(", ")),
    }
}
