//! What packages say about their licences (Debian policy 12.5; machine-readable
//! copyright files, version 1.0).
//!
//! Nothing is guessed: a machine-readable file has names, prose may refer to the
//! full texts that Debian keeps in one place, and what does neither is kept as the
//! text that it is.

use std::collections::BTreeSet;

use crate::scan::readers::{Fact, Facts, File, Reader, Unreadable};

/// Bytes of a text that stands for a licence; that of Node.js has 120 thousand.
const LONGEST_TEXT: usize = 1 << 20;

/// Where the full texts are that copyright files refer to.
const COMMON: &str = "/usr/share/common-licenses/";

/// Reads `usr/share/doc/PACKAGE/copyright`.
pub(in crate::scan::readers) struct Copyright;

impl Reader for Copyright {
    fn name(&self) -> &'static str {
        "copyright file"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        let package = file.path.strip_prefix("usr/share/doc/").and_then(|rest| rest.strip_suffix("/copyright"));
        package.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let text = String::from_utf8_lossy(content);
        // It is prose to most programs: what is not understood says nothing, and is no damage.
        let licenses = if is_machine_readable(&text) { named(&text) } else { BTreeSet::new() };
        let licenses = if licenses.is_empty() { referred(&text) } else { licenses };
        if !licenses.is_empty() {
            return facts.push(Fact::Licenses(licenses.into_iter().collect::<Vec<_>>().join(" AND ")));
        }
        match whole(&text) {
            Some(text) => facts.push(Fact::LicenseText(text.into())),
            None => Ok(()),
        }
    }
}

/// Whether it has the fields of the format. Some have all of them but `Format`.
fn is_machine_readable(text: &str) -> bool {
    text.lines().take(3).any(|line| line.starts_with("Format") || line.starts_with("Upstream-Name:"))
}

/// The licences that a machine-readable file names. Each field is looked at by
/// itself: many files have a line or a comment that the format does not allow, and
/// what follows it counts all the same.
fn named(text: &str) -> BTreeSet<String> {
    let field = |line: &str| -> Option<String> {
        let (name, value) = line.split_once(':')?;
        let value = Some(value.trim()).filter(|value| name.eq_ignore_ascii_case("License") && !value.is_empty());
        value.map(expression)
    };
    text.lines().filter_map(field).flat_map(all_of).collect()
}

/// The licences of an expression that are each wanted, so that none stands twice.
fn all_of(expression: String) -> Vec<String> {
    match expression.contains('(') {
        true => vec![expression],
        false => expression.split(" AND ").map(str::to_owned).collect(),
    }
}

/// The text itself, as far as it is kept.
fn whole(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() <= LONGEST_TEXT {
        return Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let kept = &text[..end];
    Some(format!("{kept}\n[{} bytes more]", text.len() - kept.len()))
}

/// The licences whose full text a file refers to.
fn referred(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| -> Option<String> {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-.+".contains(c))).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches('.').to_owned()).filter(|name| !name.is_empty())
    };
    // Whether `or later` is written beside it, only a person can tell: the names stay as they are.
    text.split(COMMON).skip(1).filter_map(name).collect()
}

/// A licence field in the words of SPDX, as far as its short names are known.
fn expression(field: &str) -> String {
    let groups: Vec<String> = field.replace(", and ", "\n").split('\n').map(group).collect();
    groups.join(" AND ")
}

/// Short names joined by `and` and `or`.
fn group(text: &str) -> String {
    let words: Vec<&str> = text.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect();
    let mut out: Vec<String> = Vec::new();
    let mut alternatives = false;
    for part in words.split_inclusive(|word| matches!(word.to_ascii_lowercase().as_str(), "and" | "or" | "and/or")) {
        let (name, operator) = match part.split_last() {
            Some((last, name)) if last.eq_ignore_ascii_case("and") => (name, Some("AND")),
            Some((last, name)) if last.eq_ignore_ascii_case("or") || last.eq_ignore_ascii_case("and/or") => {
                alternatives = true;
                (name, Some("OR"))
            }
            _ => (part, None),
        };
        match name {
            [] => {}
            [one] => out.push(short_name(one)),
            // `GPL-2+ with OpenSSL exception`: one licence of several words.
            several => out.push(several.join("-")),
        }
        out.extend(operator.map(str::to_owned));
    }
    while out.last().is_some_and(|word| word == "AND" || word == "OR") {
        out.pop();
    }
    let joined = out.join(" ");
    if alternatives { format!("({joined})") } else { joined }
}

/// A short name in the words of SPDX (machine-readable copyright files, section 7.1).
fn short_name(name: &str) -> String {
    let (plain, later) = name.strip_suffix('+').map_or((name, false), |plain| (plain, true));
    let lower = plain.to_ascii_lowercase();
    if let Some((family, version)) = lower.split_once('-')
        && matches!(family, "gpl" | "lgpl" | "agpl" | "gfdl")
        && !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let version = if version.contains('.') { version.to_owned() } else { format!("{version}.0") };
        let suffix = if later { "or-later" } else { "only" };
        return format!("{}-{version}-{suffix}", family.to_ascii_uppercase());
    }
    let known = match lower.as_str() {
        "expat" => Some("MIT"),
        "apache-2" => Some("Apache-2.0"),
        "cc0" => Some("CC0-1.0"),
        "psf-2" => Some("PSF-2.0"),
        "mpl-2" => Some("MPL-2.0"),
        _ => spdx::identifiers::LICENSES.iter().map(|license| license.name).find(|id| id.eq_ignore_ascii_case(plain)),
    };
    let plus = if later { "+" } else { "" };
    known.map_or_else(|| name.to_owned(), |id| format!("{id}{plus}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;

    fn fact(text: &str) -> Option<Fact> {
        let file = File { path: "usr/share/doc/a/copyright", size: 0, mode: 0, head: &[] };
        let total = Total::default();
        let mut facts = Facts::new(&total, 10);
        Copyright.read(&file, text.as_bytes(), &mut facts).expect("never an error");
        facts.into_list().pop()
    }

    fn read(text: &str) -> Option<String> {
        if let Some(Fact::Licenses(text)) = fact(text) { Some(text) } else { None }
    }

    fn kept(text: &str) -> Option<String> {
        if let Some(Fact::LicenseText(text)) = fact(text) { Some(text.to_string()) } else { None }
    }

    #[test]
    fn short_names_become_spdx() {
        let format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";
        let of = |field: &str| read(&format!("{format}Files: *\nLicense: {field}\n text\n")).expect("a licence");
        assert_eq!(of("GPL-2+"), "GPL-2.0-or-later");
        assert_eq!(of("LGPL-2.1"), "LGPL-2.1-only");
        assert_eq!(of("Expat"), "MIT");
        assert_eq!(of("BSD-3-clause"), "BSD-3-Clause");
        assert_eq!(of("public-domain"), "public-domain");
        assert_eq!(of("GPL-3 or Expat, and ISC"), "(GPL-3.0-only OR MIT) AND ISC");
        assert_eq!(of("GPL-2+ with OpenSSL exception"), "GPL-2+-with-OpenSSL-exception");
        let two = read(&format!("{format}Files: a\nLicense: ISC\n\nFiles: b\nLicense: Expat\n\nLicense: ISC\n long\n"));
        assert_eq!(two.as_deref(), Some("ISC AND MIT"));
    }

    #[test]
    fn a_file_that_is_not_quite_of_the_form_is_read_to_its_end() {
        let fields = "Files: a\nLicense: ISC\n\n### others ###\n\nFiles: b\nLicense: Expat\nLicense:\n";
        for head in ["Format: x\n", "Format-Specification: x\n", "Upstream-Name: a\n"] {
            assert_eq!(read(&format!("{head}{fields}")).as_deref(), Some("ISC AND MIT"), "{head}");
        }
        let twice = read("Format: x\nLicense: Expat and ISC\nLicense: ISC\nLicense: ISC or Zlib\n");
        assert_eq!(twice.as_deref(), Some("(ISC OR Zlib) AND ISC AND MIT"));
        // Prose may have a heading of that name.
        assert_eq!(read(&format!("This package was made by A.\n{fields}")), None);
        let many: String = (0..1000).map(|n| format!("License: own-{n}\n")).collect();
        assert_eq!(read(&format!("Format: x\n{many}")).map(|all| all.split(" AND ").count()), Some(1000));
    }

    #[test]
    fn prose_says_what_it_refers_to() {
        let prose =
            "On Debian systems see `/usr/share/common-licenses/GPL-2'. And /usr/share/common-licenses/Artistic.\n";
        assert_eq!(read(prose).as_deref(), Some("Artistic AND GPL-2"));
    }

    #[test]
    fn prose_that_names_nothing_is_kept_as_it_is() {
        assert_eq!(
            kept("\n  Copyright A\n\nAll rights reserved.\n").as_deref(),
            Some("Copyright A\n\nAll rights reserved.")
        );
        assert_eq!(kept("Format: x\nnot a field\n").as_deref(), Some("Format: x\nnot a field"));
        assert_eq!(fact(" \n\n"), None);
        let long = "ä".repeat(LONGEST_TEXT / 2);
        assert_eq!(kept(&long), Some(long.clone()));
        assert_eq!(kept(&format!("x{long}")), Some(format!("x{}\n[2 bytes more]", &long[2..])));
    }
}
