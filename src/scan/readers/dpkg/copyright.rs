//! What packages say about their licences (Debian policy 12.5; machine-readable
//! copyright files, version 1.0).

use std::collections::BTreeSet;

use super::control::paragraphs;
use crate::scan::readers::{Fact, Facts, File, Reader, Unreadable};

/// Licences of one package; some have dozens.
const MOST: usize = 200;

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
        let is_machine_readable = text.lines().take(3).any(|line| line.starts_with("Format"));
        let licenses = if is_machine_readable { named(&text) } else { BTreeSet::new() };
        let licenses = if licenses.is_empty() { referred(&text) } else { licenses };
        match licenses.len() {
            0 => Ok(()),
            _ => facts.push(Fact::Licenses(licenses.into_iter().collect::<Vec<_>>().join(" AND "))),
        }
    }
}

/// The licences that a machine-readable file names.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let all = paragraphs::<String>(
        text,
        |name| name.eq_ignore_ascii_case("License"),
        |paragraph, _| {
            found.extend(paragraph.line("License").map(expression));
            if found.len() > MOST { Err(String::new()) } else { Ok(()) }
        },
    );
    // A file that is not quite of the form is read up to there.
    drop(all);
    found
}

/// The licences whose full text a file refers to.
fn referred(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| -> Option<String> {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-.+".contains(c))).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches('.').to_owned()).filter(|name| !name.is_empty())
    };
    // Whether `or later` is written beside it, only a person can tell: the names stay as they are.
    text.split(COMMON).skip(1).filter_map(name).take(MOST).collect()
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

    fn read(text: &str) -> Option<String> {
        let file = File { path: "usr/share/doc/a/copyright", size: 0, mode: 0, head: &[] };
        let total = Total::default();
        let mut facts = Facts::new(&total, 10);
        Copyright.read(&file, text.as_bytes(), &mut facts).expect("never an error");
        match facts.into_list().pop() {
            Some(Fact::Licenses(text)) => Some(text),
            _ => None,
        }
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
    fn prose_says_what_it_refers_to() {
        let prose =
            "On Debian systems see `/usr/share/common-licenses/GPL-2'. And /usr/share/common-licenses/Artistic.\n";
        assert_eq!(read(prose).as_deref(), Some("Artistic AND GPL-2"));
        assert_eq!(read("All rights reserved.\n"), None);
        assert_eq!(read("Format: x\nnot a field\n"), None);
    }
}
