//! Addresses of repositories, in one form, so that they can be compared.

/// A repository and what was taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitUri<'a> {
    /// As it was written.
    pub(super) repository: &'a str,
    /// `refs/…`, if it was written so. A bare `main` may be a branch, a tag or
    /// the beginning of a commit, so it is no ref that can be compared.
    pub(super) reference: Option<&'a str>,
}

/// The address of a repository in the form in which addresses are compared:
/// `https://HOST/PATH`, the host in lower case, without user, `.git` and slash
/// at the end. `git+https:`, `ssh:`, `git@HOST:PATH` and `HOST/PATH` say the
/// same. The path is compared as it stands (scenario F-10). `None` if it is no such address.
pub(crate) fn canonical_repository(text: &str) -> Option<String> {
    let text = text.strip_prefix("git+").unwrap_or(text);
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\".contains(c)) {
        return None;
    }
    let (scheme, rest) = match text.split_once("://") {
        Some(("https" | "ssh", rest)) => ("https", rest),
        Some(("http", rest)) => ("http", rest),
        Some(_) => return None,
        None => ("https", text),
    };
    let (host, path) = match (text.contains("://"), rest.split_once('/'), rest.split_once(':')) {
        // scp's form: the host ends at the first colon.
        (false, _, Some((host, path))) if !host.contains('/') => (host, path.trim_start_matches('/')),
        (_, Some((host, path)), _) => (host, path),
        _ => return None,
    };
    // What stands before the last @ of the authority is the user, so that
    // `https://github.com@evil.example/` is at evil.example.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host).to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let component = |part: &str| !matches!(part, "" | "." | "..");
    (host.contains(['.', ':']) && path.split('/').all(component)).then(|| format!("{scheme}://{host}/{path}"))
}

/// The form of in-toto (SPDX's download location): `git+https://HOST/PATH@REF`.
pub(super) fn in_toto(uri: &str) -> Option<GitUri<'_>> {
    let path = uri.strip_prefix("git+")?.find("://").map(|n| n + "git+://".len())?;
    let path = path + uri[path..].find('/')?;
    // A ref may have an @ in it, a path does not.
    let end = uri[path..].find('@').map_or(uri.len(), |n| path + n);
    let reference = uri.get(end + 1..).filter(|reference| reference.starts_with("refs/"));
    Some(GitUri { repository: &uri[..end], reference })
}

/// `BuildKit`'s form: `https://HOST/PATH.git#REF:FOLDER`. Other addresses are
/// archives and not repositories.
pub(super) fn buildkit(uri: &str) -> Option<GitUri<'_>> {
    let (address, fragment) = uri.split_once('#').map_or((uri, ""), |(address, fragment)| (address, fragment));
    let repository = address.split_once('?').map_or(address, |(address, _)| address);
    if !(repository.ends_with(".git") || repository.starts_with("git@") || !fragment.is_empty()) {
        return None;
    }
    let reference = fragment.split_once(':').map_or(fragment, |(reference, _)| reference);
    Some(GitUri { repository, reference: Some(reference).filter(|reference| reference.starts_with("refs/")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_address() {
        for same in [
            "https://github.com/org/repo",
            "git+https://github.com/org/repo",
            "https://GitHub.com/org/repo.git",
            "https://token@github.com:443/org/repo/",
            "ssh://git@github.com/org/repo.git",
            "git@github.com:org/repo.git",
            "github.com/org/repo",
        ] {
            assert_eq!(canonical_repository(same).as_deref(), Some("https://github.com/org/repo"), "{same}");
        }
        for other in [
            "https://github.com/org/repo-evil",
            "https://github.com/Org/repo",
            "https://github.com/org/repo/more",
            "https://github.com.evil.example/org/repo",
            "https://github.com@evil.example/org/repo",
            "http://github.com/org/repo",
            "https://evil.example/github.com/org/repo",
        ] {
            assert_ne!(canonical_repository(other).as_deref(), Some("https://github.com/org/repo"), "{other}");
        }
        for none in [
            "",
            "org/repo",
            "https://github.com",
            "https://github.com/",
            "https://github.com/org/../repo",
            "ftp://a.b/c",
            "https://a.b/c?d",
            "a b.c/d",
        ] {
            assert_eq!(canonical_repository(none), None, "{none}");
        }
    }

    #[test]
    fn addresses_carry_refs() {
        let read = in_toto("git+https://github.com/org/repo@refs/tags/pkg@1.0").expect("an address");
        assert_eq!((read.repository, read.reference), ("git+https://github.com/org/repo", Some("refs/tags/pkg@1.0")));
        let bare = in_toto("git+https://user@github.com/org/repo@main").expect("an address");
        assert_eq!((bare.repository, bare.reference), ("git+https://user@github.com/org/repo", None));
        assert_eq!(in_toto("https://github.com/org/repo"), None);
        assert_eq!(in_toto("git+https://"), None);
        let read = buildkit("https://github.com/moby/buildkit.git#refs/tags/v0.11.0:sub").expect("an address");
        assert_eq!(
            (read.repository, read.reference),
            ("https://github.com/moby/buildkit.git", Some("refs/tags/v0.11.0"))
        );
        assert_eq!(buildkit("https://example.com/context.tar.gz"), None);
    }
}
