//! Which of two versions is the newer one, by the rules of who numbers them.

use std::cmp::Ordering;
use std::iter::Peekable;

use serde::Serialize;

/// Where a version went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To a newer one.
    Up,
    /// To an older one.
    Down,
}

/// Whether `to` is newer or older than `from`, by the rules of a purl type.
/// `None` where the two are equal, are not versions by these rules, or where
/// the ecosystem has no rules that are known here: no order is guessed.
#[must_use]
pub fn direction(purl_type: &str, from: &str, to: &str) -> Option<Direction> {
    let order = match purl_type {
        "apk" => apk(from, to)?,
        "deb" => dpkg(from, to),
        _ => return None,
    };
    match order {
        Ordering::Less => Some(Direction::Up),
        Ordering::Greater => Some(Direction::Down),
        Ordering::Equal => None,
    }
}

/// A piece of a version of apk (apk-package(5), versions). An earlier variant makes
/// the greater version where two versions have different pieces at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    First(&'a str),
    Number(&'a str),
    Letter(u8),
    /// `_alpha` to `_rc` are below none, `_cvs` to `_p` above.
    Suffix(i8),
    SuffixNumber(&'a str),
    Commit(&'a str),
    Revision(&'a str),
    End,
}

impl Piece<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Commit(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }

    fn is_before_release(self) -> bool {
        matches!(self, Self::Suffix(value) if value < 0)
    }
}

/// The order of two versions of apk, `None` if one is none.
fn apk(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (pieces(left)?, pieces(right)?);
    for (&a, &b) in left.iter().zip(&right) {
        let order = match (a, b) {
            (Piece::First(a), Piece::First(b))
            | (Piece::SuffixNumber(a), Piece::SuffixNumber(b))
            | (Piece::Revision(a), Piece::Revision(b)) => numbers(a, b),
            // As a fraction: 1.01 is before 1.1.
            (Piece::Number(a), Piece::Number(b)) if a.starts_with('0') || b.starts_with('0') => a.cmp(b),
            (Piece::Number(a), Piece::Number(b)) => numbers(a, b),
            (Piece::Letter(a), Piece::Letter(b)) => a.cmp(&b),
            (Piece::Suffix(a), Piece::Suffix(b)) => a.cmp(&b),
            // Commits have no order; they are only not the same.
            (Piece::Commit(a), Piece::Commit(b)) if a != b => return None,
            (Piece::Commit(_), Piece::Commit(_)) | (Piece::End, Piece::End) => Ordering::Equal,
            (a, _) if a.is_before_release() => Ordering::Less,
            (_, b) if b.is_before_release() => Ordering::Greater,
            (a, b) => b.rank().cmp(&a.rank()),
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    // Both end with `End`, which differs from everything else.
    Some(Ordering::Equal)
}

/// The pieces of a version: `1.2.3b_rc4_p5~0a1b-r6`.
fn pieces(version: &str) -> Option<Vec<Piece<'_>>> {
    let (first, mut rest) = digits(version)?;
    let mut pieces = vec![Piece::First(first)];
    while let Some((number, more)) = rest.strip_prefix('.').and_then(digits) {
        pieces.push(Piece::Number(number));
        rest = more;
    }
    if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
        pieces.push(Piece::Letter(letter));
        rest = &rest[1..];
    }
    while let Some(suffixed) = rest.strip_prefix('_') {
        let known = [("alpha", -4), ("beta", -3), ("pre", -2), ("rc", -1)];
        let known = known.into_iter().chain([("cvs", 0), ("svn", 1), ("git", 2), ("hg", 3), ("p", 4)]);
        let mut found = known.filter_map(|(name, value)| Some((value, suffixed.strip_prefix(name)?)));
        let (value, more) = found.next()?;
        pieces.push(Piece::Suffix(value));
        rest = more;
        if let Some((number, more)) = digits(rest) {
            pieces.push(Piece::SuffixNumber(number));
            rest = more;
        }
    }
    if let Some(commit) = rest.strip_prefix('~') {
        let end = commit.bytes().take_while(u8::is_ascii_hexdigit).count();
        pieces.push(Piece::Commit(&commit[..end]));
        rest = &commit[end..];
    }
    if let Some((revision, more)) = rest.strip_prefix("-r").and_then(digits) {
        pieces.push(Piece::Revision(revision));
        rest = more;
    }
    pieces.push(Piece::End);
    rest.is_empty().then_some(pieces)
}

/// The digits that a text begins with, and the rest.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| text.split_at(end))
}

/// The order of two numbers of any length.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The order of two versions of dpkg (deb-version(7)): epoch, upstream version, revision.
fn dpkg(left: &str, right: &str) -> Ordering {
    let (left, right) = (split(left), split(right));
    numbers(left.0, right.0).then_with(|| run(left.1, right.1)).then_with(|| run(left.2, right.2))
}

/// Epoch, upstream version and revision.
fn split(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Texts and numbers by turns; `~` is before everything, even before the end.
fn run(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.bytes().peekable(), right.bytes().peekable());
    while left.peek().is_some() || right.peek().is_some() {
        loop {
            let (a, b) = (text_byte(&mut left), text_byte(&mut right));
            match weight(a).cmp(&weight(b)) {
                Ordering::Equal if a.is_none() => break,
                Ordering::Equal => {}
                order => return order,
            }
        }
        let order = numbers(&number(&mut left), &number(&mut right));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn text_byte(bytes: &mut Peekable<std::str::Bytes<'_>>) -> Option<u8> {
    bytes.next_if(|byte| !byte.is_ascii_digit())
}

fn number(bytes: &mut Peekable<std::str::Bytes<'_>>) -> String {
    std::iter::from_fn(|| bytes.next_if(u8::is_ascii_digit)).map(char::from).collect()
}

/// Letters before other characters, the end of the text before both.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each version is older than the next one.
    fn ascending(purl_type: &str, versions: &[&str]) {
        for (at, from) in versions.iter().enumerate() {
            assert_eq!(direction(purl_type, from, from), None, "{from}");
            for to in &versions[at + 1..] {
                assert_eq!(direction(purl_type, from, to), Some(Direction::Up), "{from} {to}");
                assert_eq!(direction(purl_type, to, from), Some(Direction::Down), "{to} {from}");
            }
        }
    }

    #[test]
    fn versions_of_apk_are_ordered_by_its_rules() {
        let wanted = ["0.9", "1.2_alpha", "1.2_rc1", "1.2_rc2-r1", "1.2", "1.2-r0", "1.2-r2", "1.2-r10", "1.2_p1"];
        ascending("apk", &wanted);
        ascending("apk", &["1.2a", "1.2b", "1.2.3", "1.10", "2.0", "20230201-r29"]);
        ascending("apk", &["1.01", "1.1"]);
        assert_eq!(direction("apk", "1.0_git20~aa-r0", "1.0_git20~bb-r0"), None, "commits have no order");
        for odd in ["", "latest", "1..2", "1.2_x", "1.2-r", "1.2-3"] {
            assert_eq!(direction("apk", odd, "1"), None, "{odd}");
        }
    }

    #[test]
    fn versions_of_dpkg_are_ordered_by_its_rules() {
        ascending(
            "deb",
            &["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-10", "1.0a-1", "1.0+dfsg-1", "1.2", "1:0.1"],
        );
        assert_eq!(direction("deb", "0:1.0", "1.0"), None);
        assert_eq!(direction("deb", "1.00", "1.0"), None);
    }

    #[test]
    fn nothing_is_guessed_for_others() {
        assert_eq!(direction("npm", "1.0.0", "2.0.0"), None);
    }
}
