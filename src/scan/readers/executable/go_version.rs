//! The version of a Go program that was not built from a released module.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the settings of the build say: the version that the linker was told to
/// set a variable to (`-X main.version=1.2.3`), else the commit as a
/// pseudo-version (<https://go.dev/ref/mod#pseudo-versions>), else nothing.
pub(super) fn guess(module: &str, settings: &[(&str, String)]) -> String {
    let setting = |name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    if let Some(version) = setting("-ldflags").and_then(|flags| from_flags(module, flags)) {
        return version;
    }
    match (setting("vcs.revision"), setting("vcs.time").map(str::parse::<Timestamp>)) {
        (Some(revision), Some(Ok(time))) => {
            let time = time.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S");
            let revision = revision.get(..12).unwrap_or(revision);
            format!("{}.0.0-{time}-{revision}", major(module))
        }
        _ => String::new(),
    }
}

/// The first variable of the program itself whose name says that it is the version, or else the tag.
fn from_flags(module: &str, flags: &str) -> Option<String> {
    let variables = || flags.split_whitespace().filter_map(|word| variable(word, module));
    let named = |endings: &[&str]| {
        let mut of_that_name = variables().filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            endings.iter().any(|ending| name.ends_with(ending))
        });
        of_that_name.find_map(|(_, value)| release(value))
    };
    named(&["version", "ver"]).or_else(|| named(&["tag"]))
}

/// The name and the value in `-X=path.name=value`, with or without the flag and
/// quotes, if the path is that of `main` or of a package in `module`.
fn variable<'a>(word: &'a str, module: &str) -> Option<(&'a str, &'a str)> {
    let word = word.trim_matches(['\'', '"']);
    let word = word.strip_prefix("-X=").unwrap_or(word).trim_matches(['\'', '"']);
    let (variable, value) = word.split_once('=')?;
    let (path, name) = variable.rsplit_once('.')?;
    let own = path == "main" || path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    own.then_some((name, value))
}

/// A value that begins as a semantic version, with the `v` that Go wants. What is
/// before a slash is the name of something: `release/1.2.3`.
fn release(value: &str) -> Option<String> {
    let value = value.rsplit_once('/').map_or(value, |(_, value)| value);
    let digits = value.strip_prefix('v').unwrap_or(value);
    let mut parts = digits.splitn(3, '.');
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let good =
        number(parts.next()?) && number(parts.next()?) && parts.next()?.starts_with(|c: char| c.is_ascii_digit());
    good.then(|| format!("v{digits}"))
}

/// `v2` of `example.com/app/v2`, `v0` of a module that is not that far.
fn major(module: &str) -> &str {
    let last = module.rsplit_once('/').map_or("", |(_, last)| last);
    match last.strip_prefix('v').map(str::parse::<u32>) {
        Some(Ok(2..)) => last,
        _ => "v0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(module: &str, settings: &[(&'static str, &str)]) -> String {
        let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        guess(module, &settings)
    }

    #[test]
    fn the_linker_was_told_a_version_of_the_program_itself() {
        let flags = |flags| of("a.b/app", &[("-ldflags", flags)]);
        assert_eq!(flags("-s -w -X main.version=1.2.3"), "v1.2.3");
        assert_eq!(flags("-X 'a.b/app/internal.BuildVersion=v1.2.3-rc.1'"), "v1.2.3-rc.1");
        assert_eq!(flags("-X=main.Ver=release/1.2.3 -X main.version=9.9.9"), "v1.2.3");
        assert_eq!(flags("-X main.gitTag=v1.2.3"), "v1.2.3");
        // Another module's, no version, and a name that only contains the word.
        for other in ["-X a.b/apple.version=1.2.3", "-X main.version=abc", "-X main.versions=1.2.3", "main.version"] {
            assert_eq!(flags(other), "", "{other}");
        }
    }

    #[test]
    fn else_the_commit_is_a_pseudo_version() {
        let commit = [("vcs.revision", "0123456789abcdef0123"), ("vcs.time", "2026-01-02T03:04:05Z")];
        assert_eq!(of("a.b/app", &commit), "v0.0.0-20260102030405-0123456789ab");
        assert_eq!(of("a.b/app/v3", &commit), "v3.0.0-20260102030405-0123456789ab");
        assert_eq!(of("a.b/app", &commit[..1]), "");
        assert_eq!(of("a.b/app", &[commit[0], ("vcs.time", "yesterday")]), "");
    }
}
