//! What is in an image, as a table for people.

use std::fmt::Write as _;

use cg_attest::scan::{Contents, Package};

use super::text::size;
use crate::printer::{Tone, escape, paint};

/// Unowned executables that are shown.
const SHOWN: usize = 20;

/// Packages as a table, then what they cover.
pub(crate) fn contents(contents: &Contents, colored: bool) -> String {
    let mut rows: Vec<[String; 5]> = vec![["PACKAGE", "VERSION", "TYPE", "LICENSE", "LAYER"].map(str::to_owned)];
    for package in &contents.packages {
        rows.push([
            escape(&name(package)),
            escape(&package.version),
            package.ecosystem.purl_type().to_owned(),
            escape(license(package)),
            (package.layer + 1).to_string(),
        ]);
    }
    table(&rows, colored) + "\n" + &coverage(contents)
}

/// What layers brought and the image does not show, as a table.
pub(crate) fn history(contents: &Contents, colored: bool) -> String {
    if contents.history.is_empty() {
        return "no layer hides a package of another\n".to_owned();
    }
    let mut rows: Vec<[String; 5]> =
        vec![["HIDDEN", "VERSION", "TYPE", "LAYER", "WHAT BECAME OF IT"].map(str::to_owned)];
    for hidden in &contents.history {
        let package = &hidden.package;
        let layer = hidden.gone_in.map_or_else(String::new, |layer| format!(" in layer {}", layer + 1));
        rows.push([
            escape(&name(package)),
            escape(&package.version),
            package.ecosystem.purl_type().to_owned(),
            (package.layer + 1).to_string(),
            match &hidden.replaced_by {
                Some(version) => format!("{}{layer}", escape(version)),
                None => format!("removed{layer}"),
            },
        ]);
    }
    table(&rows, colored)
}

/// The name, after its namespace where the ecosystem has such.
fn name(package: &Package) -> String {
    match &package.namespace {
        Some(namespace) => format!("{namespace}/{}", package.name),
        None => package.name.clone(),
    }
}

/// The licence in the words of the package; where it is a text, that there is one.
fn license(package: &Package) -> &str {
    let text = package.license_text.as_ref().map_or("-", |_| "(text)");
    package.license.as_deref().unwrap_or(text)
}

/// Rows under a head, each column as wide as its widest text.
fn table(rows: &[[String; 5]], colored: bool) -> String {
    let mut out = String::new();
    let widths: Vec<usize> = (0..5).map(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0)).collect();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (text, width) in row.iter().zip(&widths) {
            // The widest licence would push the layers out of sight.
            let width = (*width).min(48);
            let short: String = text.chars().take(width).collect();
            let _ = write!(line, "{short:width$}  ");
        }
        let tone = if number == 0 { Tone::Strong } else { Tone::Plain };
        out.push_str(&paint(colored, tone, line.trim_end()));
        out.push('\n');
    }
    out
}

fn coverage(contents: &Contents) -> String {
    let coverage = &contents.coverage;
    let system = contents.system.as_ref().map_or("no os-release", |system| {
        system.pretty_name.as_deref().or(system.name.as_deref()).unwrap_or(&system.id)
    });
    let mut out = format!(
        "{} packages · {} · {} layers\n{} of {} files and {} of {} belong to a package\n",
        contents.packages.len(),
        escape(system),
        contents.layers.len(),
        coverage.owned_files,
        coverage.files,
        size(coverage.owned_bytes),
        size(coverage.bytes),
    );
    let _ = writeln!(out, "{} of {} executables belong to no package", coverage.unowned_count, coverage.executables);
    for path in coverage.unowned_executables.iter().take(SHOWN) {
        let _ = writeln!(out, "  {}", escape(path));
    }
    if coverage.unowned_count > SHOWN as u64 {
        let _ = writeln!(out, "  … and {} more", coverage.unowned_count - SHOWN as u64);
    }
    out
}
