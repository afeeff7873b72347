//! Ruby gems: `specifications/**/*.gemspec`, read as text. They are programs, and
//! nothing of an image is run; RubyGems writes installed ones in one fixed way.

use super::{Facts, File, Reader, Unreadable};
use crate::scan::{Ecosystem, Package};

/// Bytes of a gemspec that are looked at.
const LONGEST: usize = 4 << 20;

/// Reads the specifications of installed gems.
pub(super) struct Gem;

impl Reader for Gem {
    fn name(&self) -> &'static str {
        "Ruby gem"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.path.ends_with(".gemspec") && file.path.split('/').any(|folder| folder == "specifications")
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if content.len() > LONGEST {
            return Err(Unreadable::new(format!("it is longer than {LONGEST} bytes")));
        }
        let mut package = Package::new(Ecosystem::Gem, "", "");
        for line in String::from_utf8_lossy(content).lines() {
            let Some((field, value)) = assignment(line.trim()) else { continue };
            let mut values = texts(value);
            match field {
                "name" if package.name.is_empty() => package.name = values.next().unwrap_or_default(),
                "version" if package.version.is_empty() => package.version = values.next().unwrap_or_default(),
                "license" | "licenses" => package.license = joined(values, " OR "),
                "authors" | "author" => package.originator = joined(values, ", "),
                "homepage" => package.homepage = values.next().filter(|text| !text.contains("#{")),
                "summary" => package.summary = values.next().filter(|text| !text.contains("#{")),
                "add_runtime_dependency" | "add_dependency" => {
                    package.depends.extend(values.next().map(|name| vec![name]));
                }
                _ => {}
            }
        }
        // The file is called name-version, or name-version-platform. A version that
        // is computed, as in some gems that come with Ruby, is only there.
        let stem = file.name().strip_suffix(".gemspec").unwrap_or_default();
        if package.name.is_empty() || package.version.is_empty() || package.version.contains("#{") {
            let (name, version) = split(stem).ok_or_else(|| Unreadable::new("it names no gem and no version"))?;
            name.clone_into(&mut package.name);
            version.clone_into(&mut package.version);
        }
        facts.push(package)?;
        Ok(())
    }
}

/// The field and the value in `s.field = value`, or the method and its arguments in `s.method(…)`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (variable, rest) = line.split_once('.')?;
    if variable.is_empty() || !variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (field, value) = rest.split_at(end);
    let value = value.trim_start();
    let value = value
        .strip_prefix('=')
        .or_else(|| value.strip_prefix('('))
        .or_else(|| value.starts_with('%').then_some(value))?;
    Some((field, value))
}

/// The texts in a value: between quotes, or as `%q<text>`.
fn texts(value: &str) -> impl Iterator<Item = String> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let at = rest.find(['"', '\'', '%'])?;
        let opened = &rest[at..];
        let (close, start) = match opened.as_bytes()[0] {
            b'"' => ('"', 1),
            b'\'' => ('\'', 1),
            _ if opened.starts_with("%q<") => ('>', 3),
            _ => {
                rest = "";
                return None;
            }
        };
        let (text, after) = closed(&opened[start..], close)?;
        rest = after;
        Some(text)
    })
}

/// The text up to `close`, with the escapes of Ruby that RubyGems writes, and what follows.
fn closed(text: &str, close: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == close => return Some((out, &text[at + c.len_utf8()..])),
            '\\' => match chars.next()? {
                (at, 'u') => {
                    let code = text.get(at + 1..at + 5).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                    out.extend(code.and_then(char::from_u32));
                    chars = text.char_indices();
                    chars.by_ref().take_while(|(place, _)| *place < at + 4).for_each(drop);
                }
                (_, other) => out.push(other),
            },
            _ => out.push(c),
        }
    }
    None
}

fn joined(values: impl Iterator<Item = String>, between: &str) -> Option<String> {
    let all: Vec<String> = values.filter(|value| !value.is_empty()).collect();
    Some(all.join(between)).filter(|all| !all.is_empty())
}

/// Name and version of a file name: the version is what follows the first dash before a digit.
fn split(stem: &str) -> Option<(&str, &str)> {
    let dashes = stem.match_indices('-').map(|(at, _)| at);
    let at = dashes.into_iter().find(|at| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
    Some((&stem[..at], &stem[at + 1..])).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const GOOD: &str = r##"# -*- encoding: utf-8 -*-
Gem::Specification.new do |s|
  s.name = "bundler".freeze
  s.version = "2.4.19"
  s.authors = ["Andr\u00E9 Arko".freeze, "O'B".freeze]
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.homepage = "https://bundler.io".freeze
  s.required_ruby_version = Gem::Requirement.new(">= 3.0.0".freeze)
  s.add_runtime_dependency(%q<rake>.freeze, ["~> 13.0"])
end
"##;

    fn read(path: &str, text: &str) -> Result<Package, String> {
        testing::read(&Gem, path, text.as_bytes()).map(|mut found| found.pop().expect("a gem"))
    }

    #[test]
    fn a_gem_is_its_specification() {
        let gem = read("specifications/default/bundler-2.4.19.gemspec", GOOD).expect("it is read");
        assert_eq!((gem.name.as_str(), gem.version.as_str()), ("bundler", "2.4.19"));
        assert_eq!(gem.originator.as_deref(), Some("André Arko, O'B"));
        assert_eq!(gem.license.as_deref(), Some("MIT OR Ruby"));
        assert_eq!(gem.homepage.as_deref(), Some("https://bundler.io"));
        assert_eq!(gem.depends, [["rake"]]);
    }

    #[test]
    fn what_is_computed_is_taken_from_the_file_name() {
        let computed = GOOD.replace("\"2.4.19\"", "VERSION");
        let gem = read("specifications/net-http-0.3.2-x86_64-linux.gemspec", &computed).expect("it is read");
        assert_eq!((gem.name.as_str(), gem.version.as_str()), ("net-http", "0.3.2-x86_64-linux"));
        assert_eq!(
            read("specifications/x.gemspec", &computed).expect_err("it is refused"),
            "it names no gem and no version"
        );
        assert!(read("specifications/x.gemspec", GOOD).is_ok());
    }

    #[test]
    fn text_that_never_ends_ends() {
        for value in ["\"abc", "\"\\", "\"\\u12", "'\\u00E9\\u00E9'", "%q<", "%w[a b]", "\"a\" \"b\" '"] {
            let _ = texts(value).count();
        }
        assert_eq!(texts(r#""\u00E9x", 'b'"#).collect::<Vec<_>>(), ["éx", "b"]);
    }
}
