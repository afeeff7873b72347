//! Small pieces of text that several commands print.

use crate::printer::escape;

/// A number of bytes, the way people say it: `468 B`, `12.3 kB`, `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    let mut value = bytes;
    for unit in ["kB", "MB", "GB"] {
        // One digit after the point, in whole numbers: a float would not be exact.
        let tenths = value.saturating_add(50) / 100;
        if bytes < 1000 {
            return format!("{bytes} B");
        }
        if tenths < 10_000 || unit == "GB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        value /= 1000;
    }
    format!("{bytes} B")
}

/// A text as one word of a POSIX shell. `None` if it would not look like what
/// it is, because a part of it cannot be seen: such a text is not for copying.
pub(super) fn quoted(text: &str) -> Option<String> {
    if escape(text) != text || text.is_empty() {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:@._-+=,".contains(c);
    if text.chars().all(plain) && !text.starts_with('-') && !text.contains("://") {
        return Some(text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::{quoted, size};

    #[test]
    fn a_quoted_text_is_one_word() {
        assert_eq!(quoted("oci:./a-b:1.2@sha256:00").as_deref(), Some("oci:./a-b:1.2@sha256:00"));
        assert_eq!(quoted("https://a/b@c").as_deref(), Some("'https://a/b@c'"));
        assert_eq!(quoted("x'; rm -r $HOME #").as_deref(), Some(r"'x'\''; rm -r $HOME #'"));
        assert_eq!(quoted("--key").as_deref(), Some("'--key'"));
        for hidden in ["", "a\nb", "a\u{202e}b", "\u{1b}[8m"] {
            assert_eq!(quoted(hidden), None, "{hidden:?}");
        }
    }

    #[test]
    fn sizes_are_short_and_rounded() {
        let cases = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12.3 kB"), (999_949, "999.9 kB")];
        for (bytes, text) in cases.into_iter().chain([(1_000_000, "1.0 MB"), (2_500_000_000_000, "2500.0 GB")]) {
            assert_eq!(size(bytes), text);
        }
    }
}
