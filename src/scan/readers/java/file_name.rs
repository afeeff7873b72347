//! What the file name of an archive says: `commons-io-2.16.1.jar`.

/// The name and the version in the file name `name`; either may be empty.
///
/// The name is made of words that begin with a letter, with dashes between them;
/// the version begins at the first word that begins with a digit, or that is
/// `build7…`, `r7` or `rc7`. Some builders put `_` or `.` between them.
pub(super) fn parse(name: &str) -> (&str, &str) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut from = 0;
    loop {
        let end = stem[from..].find('-').map(|at| from + at);
        let word = &stem[from..end.unwrap_or(stem.len())];
        if !word.is_empty() && !is_word(word) {
            return ("", "");
        }
        let Some(end) = end else { break };
        if is_version(&stem[end + 1..]) {
            return (&stem[..end], &stem[end + 1..]);
        }
        from = end + 1;
    }
    let separators = stem.match_indices(['.', '_', '-']).map(|(at, _)| at);
    match separators.into_iter().find(|at| is_version(&stem[at + 1..])) {
        Some(at) => (&stem[..at], &stem[at + 1..]),
        None => (stem, ""),
    }
}

fn is_word(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

fn is_version(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let release = text.strip_prefix("rc").or_else(|| text.strip_prefix('r'));
    digits(&text)
        || text.strip_prefix("build").is_some_and(digits)
        || release.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        for (file, wanted) in [
            ("commons-io-2.16.1.jar", ("commons-io", "2.16.1")),
            ("prefix.thing-4.jar", ("prefix.thing", "4")),
            ("my-http2-server-5.war", ("my-http2-server", "5")),
            ("jetpack-build235-rc5.jar", ("jetpack", "build235-rc5")),
            ("app-rc2.jar", ("app", "rc2")),
            ("spring-core-6.1.0-SNAPSHOT.jar", ("spring-core", "6.1.0-SNAPSHOT")),
            ("org.eclipse.osgi_3.18.0.v2023.jar", ("org.eclipse.osgi", "3.18.0.v2023")),
            ("app.jar", ("app", "")),
            ("recorder.jar", ("recorder", "")),
            ("1app.jar", ("", "")),
            ("", ("", "")),
        ] {
            assert_eq!(parse(file), wanted, "{file}");
        }
    }
}
