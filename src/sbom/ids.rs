//! Identifiers inside a document.

use std::collections::HashSet;

use crate::digest::Digest;

/// Bytes of the readable part of an identifier.
const LONGEST: usize = 160;

/// Gives out identifiers, none twice: names that differ only in characters an
/// identifier cannot have must not become one package (scenario N-06).
#[derive(Debug, Default)]
pub(super) struct Ids(HashSet<String>);

impl Ids {
    /// An identifier that says `kind` and `name`; `whole` is what tells it from others of that name.
    pub(super) fn give(&mut self, kind: &str, name: &str, whole: &str) -> String {
        let plain = format!("SPDXRef-{kind}-{}", word(name));
        if self.0.insert(plain.clone()) {
            return plain;
        }
        let digest = Digest::sha256(whole.as_bytes());
        let mut hashed = format!("{plain}-{}", digest.short());
        while !self.0.insert(hashed.clone()) {
            hashed.push('x');
        }
        hashed
    }
}

/// The text with only the characters that identifiers have (SPDX 2.3, 7.2): letters, digits, `.` and `-`.
pub(super) fn word(text: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '-' };
    text.chars().take(LONGEST).map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_and_have_only_their_characters() {
        let mut ids = Ids::default();
        assert_eq!(ids.give("Package", "libstdc++-14.2", "a"), "SPDXRef-Package-libstdc---14.2");
        let second = ids.give("Package", "libstdc--\n14.2", "b");
        let third = ids.give("Package", "libstdc-- 14.2", "b");
        assert_ne!(second, "SPDXRef-Package-libstdc---14.2");
        assert_ne!(second, third);
        for id in [&second, &third] {
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'), "{id}");
        }
    }
}
