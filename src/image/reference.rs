//! Image references, with the grammar and defaults that container users know.

use std::fmt;
use std::str::FromStr;

use crate::code::Code;
use crate::digest::Digest;

/// A repository: a registry's host (and port) and a path in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

/// A name of an image: a repository with a tag, a digest or both.
///
/// With both, the digest decides and the tag is never asked for (scenario H-19).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A repository and the digest of a manifest in it: the one thing that can be verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnedReference {
    repository: Repository,
    digest: Digest,
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageName {
    /// A tag: whatever the registry says it points to now.
    Tag(String),
    /// A digest: these bytes and no others.
    Digest(Digest),
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an image reference: {problem}")]
pub struct ReferenceError {
    text: String,
    problem: &'static str,
}

impl ReferenceError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::ReferenceInvalid
    }
}

impl Repository {
    /// A repository from its two parts.
    ///
    /// # Errors
    /// When a part is outside the grammar of the distribution specification.
    pub fn new(registry: &str, path: &str) -> Result<Self, ReferenceError> {
        let text = format!("{registry}/{path}");
        let wrong = |problem| ReferenceError { text: text.chars().take(200).collect(), problem };
        if !is_registry(registry) {
            return Err(wrong("the registry is not a host name with an optional port"));
        }
        if !is_path(path) {
            return Err(wrong("a repository is lower-case words of letters and digits, joined by / . _ __ or -"));
        }
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => "docker.io",
            other => other,
        };
        Ok(Self { registry: registry.to_owned(), path: path.to_owned() })
    }

    /// The host and, if it is not the usual one, the port: `cgr.dev`, `127.0.0.1:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry: `chainguard/nginx`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    /// Reads `HOST/PATH`; a name without a host is one of Docker Hub, as in docker itself.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.split_once('/') {
            Some((host, path)) if looks_like_host(host) => Self::new(host, path),
            Some(_) => Self::new("docker.io", text),
            None => Self::new("docker.io", &format!("library/{text}")),
        }
        .map_err(|error| ReferenceError { text: text.chars().take(200).collect(), ..error })
    }
}

impl Reference {
    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, if one was written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What the registry is asked for: the digest if there is one, else the tag, else `latest`.
    #[must_use]
    pub fn name(&self) -> ImageName {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => ImageName::Digest(digest.clone()),
            (None, Some(tag)) => ImageName::Tag(tag.clone()),
            (None, None) => ImageName::Tag("latest".to_owned()),
        }
    }

    /// The same image in another repository.
    #[must_use]
    pub fn within(&self, repository: Repository) -> Self {
        Self { repository, ..self.clone() }
    }

    /// This repository at `digest`.
    #[must_use]
    pub fn pin(&self, digest: Digest) -> PinnedReference {
        PinnedReference { repository: self.repository.clone(), digest }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match (&self.digest, &self.tag) {
            (Some(digest), _) => write!(f, "@{digest}"),
            (None, None) => f.write_str(":latest"),
            (None, Some(_)) => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |problem| ReferenceError { text: text.chars().take(200).collect(), problem };
        if text.len() > 1024 {
            return Err(wrong("it is longer than 1024 characters"));
        }
        if text.contains("://") {
            return Err(wrong("leave out the scheme: cgr.dev/chainguard/nginx"));
        }
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((rest, digest)) => {
                let digest = digest
                    .parse()
                    .map_err(|_| wrong("what follows @ is not a digest, sha256:<64 lower-case hex digits>"))?;
                (rest, Some(digest))
            }
        };
        // A colon after the last slash begins a tag; one before it, a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if !tag.is_none_or(is_tag) {
            return Err(wrong("a tag is up to 128 letters, digits, dots, dashes and underscores"));
        }
        let repository = name.parse().map_err(|error: ReferenceError| wrong(error.problem))?;
        Ok(Self { repository, tag: tag.map(str::to_owned), digest })
    }
}

impl PinnedReference {
    /// A repository at a digest.
    #[must_use]
    pub fn new(repository: Repository, digest: Digest) -> Self {
        Self { repository, digest }
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl fmt::Display for PinnedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// docker's rule: the first part is a host if it has a dot or a port or is `localhost`.
fn looks_like_host(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':', '[', '@']) || text.chars().any(|c| c.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        // An IPv6 address in brackets.
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => return false,
                port => (None, port),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let label = |l: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        !l.is_empty() && l.len() <= 63 && l.bytes().all(inner) && !l.starts_with('-') && !l.ends_with('-')
    };
    let good_host = host.is_none_or(|h| h.len() <= 253 && h.split('.').all(label));
    let good_port = port.is_none_or(|p| {
        !p.is_empty() && p.len() <= 5 && p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|n| n > 0)
    });
    good_host && good_port
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` joined by slashes, as in the distribution specification.
fn is_path(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let component = |part: &str| {
        let bytes = part.as_bytes();
        let ends = bytes.first().copied().is_some_and(alphanumeric) && bytes.last().copied().is_some_and(alphanumeric);
        let mut separators = part.split(|c: char| alphanumeric(c as u8) && c.is_ascii()).filter(|s| !s.is_empty());
        ends && separators.all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
    };
    text.len() <= 255 && text.split('/').all(component)
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Reference>().map_or_else(|e| e.to_string(), |r| r.to_string())
    }

    #[test]
    fn references_have_the_defaults_that_docker_users_know() {
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(shown("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(shown("chainguard/nginx:1"), "docker.io/chainguard/nginx:1");
        assert_eq!(shown("index.docker.io/chainguard/nginx"), "docker.io/chainguard/nginx:latest");
        assert_eq!(shown("cgr.dev/chainguard/nginx"), "cgr.dev/chainguard/nginx:latest");
        assert_eq!(shown("localhost:5000/a/b:t"), "localhost:5000/a/b:t");
        assert_eq!(shown("[::1]:5000/a:t"), "[::1]:5000/a:t");
        assert_eq!(shown(&format!("cgr.dev/a/b:t@{digest}")), format!("cgr.dev/a/b:t@{digest}"));
        let both: Reference = format!("cgr.dev/a/b:t@{digest}").parse().expect("a reference");
        assert!(matches!(both.name(), ImageName::Digest(_)));
    }

    #[test]
    fn what_could_change_a_url_is_refused() {
        let bad = [
            "",
            ":",
            "/",
            "cgr.dev/",
            "cgr.dev//x",
            "cgr.dev/../x",
            "cgr.dev/a/%2e%2e",
            "cgr.dev/A",
            "cgr.dev/a:b:c",
            "cgr.dev/a@sha256:abc",
            "cgr.dev/a@",
            "user:pass@cgr.dev/x",
            "user@cgr.dev/x",
            "https://cgr.dev/a",
            "cgr.dev:0/a",
            "cgr.dev:99999/a",
            "cgr.dev:/a",
            "-x.dev/a",
            "cgr.dev/a b",
            "cgr.dev/a?x=1",
            "cgr.dev/a#x",
            "cgr.dev/a___b",
            "cgr.dev/a.",
            "cgr.dev/é",
            "[::1/a",
            "[::1]x/a",
        ];
        for text in bad {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
