//! Which operating system the image is (freedesktop.org, os-release).

use super::{Fact, Facts, File, Reader, Unreadable};
use crate::scan::OperatingSystem;

/// The first of these that is there counts.
const PLACES: &[&str] = &["etc/os-release", "usr/lib/os-release"];

/// Bytes of a file that is still an `os-release`.
const LONGEST: u64 = 64 << 10;

/// Reads `os-release`.
pub(super) struct OsRelease;

impl Reader for OsRelease {
    fn name(&self) -> &'static str {
        "os-release"
    }

    fn places(&self) -> &'static [&'static str] {
        PLACES
    }

    fn wants(&self, file: &File<'_>) -> bool {
        PLACES.contains(&file.path)
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if file.size > LONGEST {
            return Err(Unreadable::new(format!("it is longer than {LONGEST} bytes")));
        }
        let text = std::str::from_utf8(content).map_err(|_| Unreadable::new("it is not UTF-8"))?;
        let mut system = OperatingSystem::default();
        for line in text.lines().map(str::trim) {
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
            let value = Some(unquoted(value)).filter(|value| !value.is_empty());
            match key {
                "ID" => system.id = value.unwrap_or_default(),
                "VERSION_ID" => system.version_id = value,
                "NAME" => system.name = value,
                "PRETTY_NAME" => system.pretty_name = value,
                "HOME_URL" => system.home_url = value,
                _ => {}
            }
        }
        // The default of the specification.
        if system.id.is_empty() {
            "linux".clone_into(&mut system.id);
        }
        facts.push(Fact::OperatingSystem(Box::new(system)))
    }
}

/// A value without its quotes and the backslashes that a shell would take away.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quote != Some('\'') => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;

    fn read(text: &str) -> OperatingSystem {
        let file = File { path: PLACES[0], size: text.len() as u64, mode: 0o644, head: &[] };
        let total = Total::default();
        let mut facts = Facts::new(&total, 1000);
        OsRelease.read(&file, text.as_bytes(), &mut facts).expect("it is read");
        match facts.into_list().pop() {
            Some(Fact::OperatingSystem(system)) => *system,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_may_be_quoted() {
        let system = read("# a comment\nID=wolfi\nNAME=\"Wolfi \\\"OS\\\"\"\nVERSION_ID='20230201'\nHOME_URL=\n");
        assert_eq!(system.id, "wolfi");
        assert_eq!(system.name.as_deref(), Some("Wolfi \"OS\""));
        assert_eq!(system.version_id.as_deref(), Some("20230201"));
        assert_eq!(system.home_url, None);
        assert_eq!(read("NAME=x").id, "linux");
    }
}
