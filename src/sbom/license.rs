//! Licences as packages write them, made into valid SPDX expressions.

use std::collections::{BTreeMap, BTreeSet};

use spdx::{Expression, ParseMode};

use super::ids::word;
use crate::digest::Digest;
use crate::scan::Package;

/// What is taken as a valid expression: also identifiers that the list calls
/// deprecated, which most databases still use. Loose names are not: a tool that
/// reads `gpl` as `GPL-2.0-only` says more than the package does.
const READ: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// Bytes of a licence that are still one: some packages put the whole text there.
const LONGEST: usize = 64 << 10;

/// The version of the licence list.
pub(super) fn list_version() -> &'static str {
    // The list is numbered by two numbers; the crate writes three or a `v`.
    let version = spdx::license_version().trim_start_matches('v');
    match version.match_indices('.').nth(1) {
        Some((end, _)) => &version[..end],
        None => version,
    }
}

/// Licences that the list does not have, by their identifier in the document.
#[derive(Debug, Default)]
pub(super) struct Extracted(BTreeMap<String, String>);

impl Extracted {
    /// What a package declares: an expression, or a reference to the text that stands in its place.
    pub(super) fn declared(&mut self, package: &Package) -> Option<String> {
        let named = package.license.as_deref().map(|license| self.expression(license));
        named.or_else(|| package.license_text.as_deref().map(|text| self.text(text)))
    }

    /// A valid expression for `text`; what the list does not have gets a `LicenseRef-`.
    fn expression(&mut self, text: &str) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_valid(&text) && !text.contains("Ref-") {
            return text;
        }
        match self.word_by_word(&text).filter(|expression| is_valid(expression)) {
            Some(expression) => expression,
            None => self.refer(&text),
        }
    }

    /// The identifier of a text that may be licences or not: it is given as it is, lines and all.
    fn text(&mut self, text: &str) -> String {
        let id = format!("LicenseRef-text-{}", Digest::sha256(text.as_bytes()).short());
        self.0.entry(id.clone()).or_insert_with(|| text.to_owned());
        id
    }

    /// What has to be explained in the document: identifier and text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, text)| (id.as_str(), text.as_str()))
    }

    /// The expression with every unknown word replaced, if that leaves one. Nothing
    /// is kept of an attempt that fails.
    fn word_by_word(&mut self, text: &str) -> Option<String> {
        if text.len() > LONGEST {
            return None;
        }
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let known = |word: &str| matches!(word, "AND" | "OR" | "WITH" | "(" | ")") || is_known(word);
        // Words side by side are a sentence, not licences.
        let joined: Vec<String> =
            words.iter().map(|word| if known(word) { (*word).to_owned() } else { "LicenseRef-x".to_owned() }).collect();
        if !is_valid(&joined.join(" ")) {
            return None;
        }
        let replaced: Vec<String> =
            words.iter().map(|word| if known(word) { (*word).to_owned() } else { self.refer(word) }).collect();
        Some(replaced.join(" ").replace("( ", "(").replace(" )", ")"))
    }

    /// The identifier of a text that is no licence of the list.
    fn refer(&mut self, text: &str) -> String {
        // What a package calls `LicenseRef-x` keeps that name, unless it is another's already.
        let name = text.strip_prefix("LicenseRef-").unwrap_or(text);
        let short: String = word(name).chars().take(48).collect();
        let plain = format!("LicenseRef-{short}");
        let is_plain = short == name && !short.is_empty() && self.0.get(&plain).is_none_or(|known| known == text);
        let id = if is_plain { plain } else { format!("{plain}-{}", Digest::sha256(text.as_bytes()).short()) };
        self.0.insert(id.clone(), text.to_owned());
        id
    }
}

/// Whether a text is a valid expression of the list and of references.
pub(super) fn is_valid(text: &str) -> bool {
    text.len() <= LONGEST && Expression::parse_mode(text, READ).is_ok()
}

/// What an expression refers to that the list does not have: `LicenseRef-…`, each once.
pub(super) fn references(expression: &str) -> BTreeSet<&str> {
    expression.split([' ', '(', ')', '+']).filter(|word| word.starts_with("LicenseRef-")).collect()
}

fn is_known(word: &str) -> bool {
    let plain = word.strip_suffix('+').unwrap_or(word);
    spdx::license_id(word).is_some() || spdx::license_id(plain).is_some() || spdx::exception_id(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(texts: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
        let mut extracted = Extracted::default();
        let found = texts.iter().map(|text| extracted.expression(text)).collect();
        (found, extracted.iter().map(|(id, text)| (id.to_owned(), text.to_owned())).collect())
    }

    #[test]
    fn a_valid_expression_stays_as_it_is() {
        for text in ["MIT", "MPL-2.0 AND MIT", "GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-2.0+", "(MIT OR ISC)"] {
            assert_eq!(expressions(&[text]), (vec![text.to_owned()], Vec::new()));
        }
    }

    #[test]
    fn what_the_list_does_not_have_is_a_reference_with_its_text() {
        let (found, extracted) = expressions(&["MIT AND custom", "PD", "gpl", "BSD like, see COPYING", "NONE"]);
        assert_eq!(found[..3], ["MIT AND LicenseRef-custom", "LicenseRef-PD", "LicenseRef-gpl"]);
        assert!(found[3].starts_with("LicenseRef-BSD-like--see-COPYING-"), "{found:?}");
        assert_eq!(found[4], "LicenseRef-NONE");
        assert_eq!(extracted.len(), 5);
        for expression in &found {
            assert!(is_valid(expression), "{expression}");
        }
        assert!(extracted.contains(&("LicenseRef-custom".to_owned(), "custom".to_owned())));
    }

    #[test]
    fn a_text_is_given_whole() {
        let mut extracted = Extracted::default();
        let long = "x ".repeat(LONGEST);
        let (prose, id) = (extracted.text("one\ntwo\n"), extracted.expression(&long));
        assert_eq!(extracted.text("one\ntwo\n"), prose);
        assert_ne!(extracted.text("one two\n"), prose);
        assert!(is_valid(&prose) && is_valid(&id), "{prose} {id}");
        let text = |id: &str| extracted.iter().find(|(known, _)| *known == id).map(|(_, text)| text);
        assert_eq!((text(&prose), text(&id)), (Some("one\ntwo\n"), Some(long.trim_end())));
    }

    #[test]
    fn two_texts_never_share_a_reference() {
        let (found, extracted) = expressions(&["a b", "a-b", "LicenseRef-a-b", "a/b", "a b"]);
        assert_eq!(found[0], found[4]);
        assert_eq!(extracted.len(), 4, "{extracted:?}");
        let odd = ["", "(", "AND", "LicenseRef-", "DocumentRef-x:LicenseRef-y", "\u{1b}[31m", "MIT AND", "\n"];
        for expression in expressions(&odd).0 {
            assert!(is_valid(&expression), "{expression:?}");
        }
    }
}
