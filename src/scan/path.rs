//! Paths inside an image.

/// Bytes of a path, and of one name in it: what Linux takes (`PATH_MAX`, `NAME_MAX`).
pub(super) const LONGEST_PATH: usize = 4096;
const LONGEST_NAME: usize = 255;

/// Folders above a file.
pub(super) const DEEPEST: usize = 256;

/// Why a path in a layer is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadPath {
    #[error("it leads out of the image")]
    Outside,
    #[error("it contains a NUL")]
    Nul,
    #[error("it is longer than {LONGEST_PATH} bytes, or a name in it than {LONGEST_NAME}")]
    TooLong,
    #[error("it is deeper than {DEEPEST} folders")]
    TooDeep,
}

/// The names in a path, without empty ones and `.`.
pub(super) fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

/// A path of a layer as container runtimes take it: from the root of the image,
/// whether or not it begins with a slash, `.`, `..` and repeated slashes resolved
/// as text (scenario N-08). The root itself is empty.
///
/// What climbs above the root is refused: one runtime refuses it as well, another
/// stops at the root, so the image would be two images (scenario N-01).
pub(super) fn normal(path: &[u8]) -> Result<Vec<u8>, BadPath> {
    if path.len() > LONGEST_PATH {
        return Err(BadPath::TooLong);
    }
    if path.contains(&0) {
        return Err(BadPath::Nul);
    }
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut depth = 0;
    for name in names(path) {
        if name == b".." {
            if depth == 0 {
                return Err(BadPath::Outside);
            }
            depth -= 1;
            out.truncate(out.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
            continue;
        }
        if name.len() > LONGEST_NAME {
            return Err(BadPath::TooLong);
        }
        depth += 1;
        if depth > DEEPEST {
            return Err(BadPath::TooDeep);
        }
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(name);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_one_path() {
        for spelling in ["lib/apk", "/lib/apk", "./lib/apk/", "//lib//apk", "lib/./apk", "x/../lib/apk", "lib/apk/x/.."]
        {
            assert_eq!(normal(spelling.as_bytes()), Ok(b"lib/apk".to_vec()), "{spelling}");
        }
        assert_eq!(normal(b"./"), Ok(Vec::new()));
        assert_eq!(normal(b"a/.."), Ok(Vec::new()));
    }

    #[test]
    fn what_leads_out_or_is_too_long_is_refused() {
        assert_eq!(normal(b"a/../b"), Ok(b"b".to_vec()));
        for outside in ["..", "../b", "a/../../b", "/../b"] {
            assert_eq!(normal(outside.as_bytes()), Err(BadPath::Outside), "{outside}");
        }
        assert_eq!(normal(b"a\0b"), Err(BadPath::Nul));
        assert!(normal("n".repeat(255).as_bytes()).is_ok());
        assert_eq!(normal("n".repeat(256).as_bytes()), Err(BadPath::TooLong));
        assert!(normal("n/".repeat(256).as_bytes()).is_ok());
        assert_eq!(normal("n/".repeat(257).as_bytes()), Err(BadPath::TooDeep));
        assert_eq!(normal("n/".repeat(2049).as_bytes()), Err(BadPath::TooLong));
    }
}
