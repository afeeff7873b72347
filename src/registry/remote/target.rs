//! Where a repository is: the host behind a registry's name, and URLs on it.

use std::collections::BTreeSet;

use reqwest::Method;
use url::{Host, Url};

use super::address;
use crate::image::{ImageName, Reference, Repository};
use crate::net;
use crate::registry::{Problem, RegistryError};

/// A repository on its host.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) repository: Repository,
    /// The root of the host: `https://cgr.dev/`.
    root: Url,
    /// Whether the user named an address that only this machine can reach, and
    /// so has no protection from being sent to another one.
    private: bool,
}

impl Target {
    pub(super) fn new(repository: Repository, plain_http: &BTreeSet<String>) -> Result<Self, RegistryError> {
        let registry = repository.registry();
        let host = match registry {
            // The one registry whose name is not its host.
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let operation = format!("reaching {registry}");
        let wrong = |detail: &str| RegistryError::new(Problem::Protocol, &operation, detail);
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{host}/")).map_err(|e| wrong(&e.to_string()));
        let mut root = parse("https")?;
        // `1.2:80` and `2130706433:80` are names to us and addresses to a URL.
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let bare = bare.map_or(host, |(bare, _)| bare);
        let same = match root.host() {
            Some(Host::Ipv6(address)) => bare.trim_matches(['[', ']']).parse() == Ok(address),
            _ => root.host_str().is_some_and(|host| host.eq_ignore_ascii_case(bare)),
        };
        if !same {
            return Err(wrong("an address in an unusual spelling; write it with four decimal numbers"));
        }
        if net::is_loopback(&root) || plain_http.contains(registry) {
            root = parse("http")?;
        }
        let private = address::check_written(&root).is_err();
        Ok(Self { repository, root, private })
    }

    /// The host alone.
    pub(super) fn host_name(&self) -> &str {
        self.root.host_str().unwrap_or_default()
    }

    /// The root of the host.
    pub(super) fn root(&self) -> &Url {
        &self.root
    }

    /// The URL of something in the repository: `manifests/latest`.
    pub(super) fn url(&self, rest: &str) -> Url {
        let mut url = self.root.clone();
        // Path and `rest` are made of letters that need no escape, both checked.
        url.set_path(&format!("/v2/{}/{rest}", self.repository.path()));
        url
    }

    /// The URL of a manifest.
    pub(super) fn manifest_url(&self, name: &ImageName) -> Result<Url, RegistryError> {
        // A tag is whatever the caller wrote; in a URL it must be nothing but a tag (scenario I-18).
        if let ImageName::Tag(tag) = name {
            let parsed = format!("x.dev/x:{tag}").parse::<Reference>().ok();
            if parsed.as_ref().and_then(Reference::tag) != Some(tag) {
                let operation = format!("reaching {}", self.repository);
                return Err(RegistryError::new(Problem::Protocol, operation, format!("{tag:?} is not a tag")));
            }
        }
        Ok(self.url(&format!("manifests/{name}")))
    }

    /// Whether `url` is on this very origin: scheme, host and port.
    pub(super) fn owns(&self, url: &Url) -> bool {
        self.root.origin() == url.origin()
    }

    /// Checks that the registry may send us to `url`, as far as it is written.
    pub(super) fn check_address(&self, url: &Url) -> Result<(), address::PrivateAddress> {
        if self.private || url.host() == self.root.host() {
            return Ok(());
        }
        address::check_written(url)
    }

    /// What is done, for messages: `GET cgr.dev/v2/chainguard/nginx/manifests/latest`.
    /// The query is left out; it may hold a signature.
    pub(super) fn operation(&self, method: &Method, url: &Url) -> String {
        format!("{method} {}{}", host_and_port(url), url.path())
    }
}

/// `host`, or `host:port` if the port is not the scheme's own.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether there is a user name or password in a URL: it would be sent as a
/// credential that nobody gave us.
pub(super) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(registry: &str) -> Result<Target, RegistryError> {
        Target::new(Repository::new(registry, "a/b").expect("a repository"), &BTreeSet::from(["x.local".to_owned()]))
    }

    fn url(registry: &str) -> String {
        target(registry).map_or_else(|e| e.to_string(), |t| t.url("tags").to_string())
    }

    #[test]
    fn http_is_for_this_machine_and_what_was_allowed() {
        assert_eq!(url("cgr.dev"), "https://cgr.dev/v2/a/b/tags");
        assert_eq!(url("docker.io"), "https://registry-1.docker.io/v2/a/b/tags");
        assert_eq!(url("127.0.0.1:5000"), "http://127.0.0.1:5000/v2/a/b/tags");
        assert_eq!(url("[::1]:5000"), "http://[::1]:5000/v2/a/b/tags");
        assert_eq!(url("localhost:5000"), "http://localhost:5000/v2/a/b/tags");
        assert_eq!(url("x.local"), "http://x.local/v2/a/b/tags");
        for registry in ["foo.local", "127.0.0.1.nip.io", "localhost.example", "x.local:5000", "10.0.0.1:5000"] {
            assert!(url(registry).starts_with("https://"), "{registry}");
        }
    }

    #[test]
    fn addresses_in_unusual_spellings_are_refused() {
        for registry in ["2130706433:80", "127.1", "0x7f.1", "010.0.0.1"] {
            assert!(target(registry).is_err(), "{registry}");
        }
        assert!(target("127.0.0.1").is_ok() && target("CGR.dev").is_ok());
    }

    #[test]
    fn a_tag_cannot_change_the_path() {
        let target = target("cgr.dev").expect("a target");
        let of = |tag: &str| target.manifest_url(&ImageName::Tag(tag.to_owned()));
        assert!(of("v1.0_x").is_ok());
        for tag in ["", "../x", "a/b", "a?b", "a#b", "%2e", "a:b", "a@b", ".a"] {
            assert!(of(tag).is_err(), "{tag}");
        }
    }
}
