//! Who signs: the names and claims that a certificate carries.

use std::collections::BTreeMap;

use super::der;

/// The arc of Fulcio's certificate extensions.
pub(super) const FULCIO: [u32; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 0];

/// One name in the subject alternative name extension.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectName {
    /// A URI: what workloads have.
    Uri(String),
    /// An email address: what people have.
    Email(String),
    /// A DNS name, which Fulcio gives to nobody.
    Dns(String),
    /// An otherName of Fulcio's username type (extension 1.7), for example `alice!example.com`.
    Username(String),
}

/// A signer as the certificate authority knows it: a name, the OIDC issuer that
/// vouches for it, and claims (Fulcio's extensions `1.3.6.1.4.1.57264.1.N`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub(super) name: SubjectName,
    /// By the last arc; the values as they stand inside the extension.
    pub(super) extensions: BTreeMap<u32, Vec<u8>>,
}

impl Identity {
    /// A signer with this name, vouched for by `issuer` (in both its extensions, 1.1 and 1.8, as Fulcio writes them).
    #[must_use]
    pub fn new(name: SubjectName, issuer: &str) -> Self {
        Self { name, extensions: BTreeMap::new() }.claim(1, issuer).claim(8, issuer)
    }

    /// A workload named by a URI.
    #[must_use]
    pub fn uri(name: &str, issuer: &str) -> Self {
        Self::new(SubjectName::Uri(name.to_owned()), issuer)
    }

    /// A person named by an email address.
    #[must_use]
    pub fn email(name: &str, issuer: &str) -> Self {
        Self::new(SubjectName::Email(name.to_owned()), issuer).claim(24, name)
    }

    /// A signer named by a username, `name!domain`.
    #[must_use]
    pub fn username(name: &str, issuer: &str) -> Self {
        Self::new(SubjectName::Username(name.to_owned()), issuer)
    }

    /// A GitHub Actions workflow: `repository` is `owner/name`, `workflow` the
    /// file's path in it, `git_ref` for example `refs/heads/main`. Every claim
    /// that Fulcio writes for one is there.
    #[must_use]
    pub fn github_workflow(repository: &str, workflow: &str, git_ref: &str) -> Self {
        const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";
        let owner = repository.split('/').next().unwrap_or(repository);
        let home = format!("https://github.com/{repository}");
        let build = format!("{home}/{workflow}@{git_ref}");
        Self::uri(&build, "https://token.actions.githubusercontent.com")
            .claim(2, "schedule")
            .claim(3, COMMIT)
            .claim(4, workflow)
            .claim(5, repository)
            .claim(6, git_ref)
            .claim(9, &build)
            .claim(10, COMMIT)
            .claim(11, "github-hosted")
            .claim(12, &home)
            .claim(13, COMMIT)
            .claim(14, git_ref)
            .claim(15, "501234567")
            .claim(16, &format!("https://github.com/{owner}"))
            .claim(17, "101234567")
            .claim(18, &build)
            .claim(19, COMMIT)
            .claim(20, "schedule")
            .claim(21, &format!("{home}/actions/runs/17512345678/attempts/1"))
            .claim(22, "public")
            .claim(24, &format!("repo:{repository}:ref:{git_ref}"))
    }

    /// The workflow that signs Chainguard's public images, by its name. The virtual instance vouches for it, nobody else.
    #[must_use]
    pub fn chainguard_images() -> Self {
        Self::github_workflow("chainguard-images/images", ".github/workflows/release.yaml", "refs/heads/main")
    }

    /// The same with claim `number` set to `text`, in the form that this
    /// extension has: raw bytes for 1 to 6, a DER `UTF8String` for the others.
    #[must_use]
    pub fn claim(self, number: u32, text: &str) -> Self {
        let value = if number <= 6 { text.as_bytes().to_vec() } else { der::utf8(text) };
        self.claim_bytes(number, value)
    }

    /// The same with extension `number` holding exactly these bytes.
    #[must_use]
    pub fn claim_bytes(mut self, number: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.extensions.insert(number, bytes.into());
        self
    }

    /// The same without claim `number`.
    #[must_use]
    pub fn without_claim(mut self, number: u32) -> Self {
        self.extensions.remove(&number);
        self
    }
}

impl SubjectName {
    /// The `GeneralName` (RFC 5280, 4.2.1.6).
    pub(super) fn general_name(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => der::implicit(1, text.as_bytes()),
            Self::Dns(text) => der::implicit(2, text.as_bytes()),
            Self::Uri(text) => der::implicit(6, text.as_bytes()),
            Self::Username(text) => {
                let kind = der::oid(&fulcio(7));
                der::tagged(0, &[kind, der::tagged(0, &der::utf8(text))].concat())
            }
        }
    }
}

/// The arcs of Fulcio's extension `number`.
pub(super) fn fulcio(number: u32) -> [u32; 9] {
    let mut arcs = FULCIO;
    arcs[8] = number;
    arcs
}
