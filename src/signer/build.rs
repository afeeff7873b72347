//! What a certificate says of a build, in one form for old and new certificates.

use super::{Claim, IdentityKind, Signer};

/// The issuer of the certificates that have GitHub's old claims (1.2 to 1.6) and no others.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// The build that a certificate was issued in, as far as the issuer vouches for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildClaims {
    /// The repository, an URL.
    pub repository: Option<String>,
    /// The branch or tag, `refs/…`.
    pub reference: Option<String>,
    /// The commit, hex.
    pub commit: Option<String>,
    /// The file that describes the build, by its path in the repository.
    pub entry_point: Option<String>,
    /// The run, an URL.
    pub invocation: Option<String>,
    /// The workflow that signed, which a called (reusable) one is by itself.
    pub builder: Option<String>,
    /// Who runs the machine: `github-hosted`, for example.
    pub runner: Option<String>,
}

impl Signer {
    /// What the certificate says of the build that signed. Certificates until
    /// 2023 have GitHub's own claims only; newer ones repeat them for compatibility.
    #[must_use]
    pub fn build(&self) -> BuildClaims {
        let claim = |claim: Claim| self.claims().get(claim).map(str::to_owned);
        let from_github = self.issuer() == Some(GITHUB);
        let old = |old: Claim| claim(old).filter(|_| from_github);
        let repository = claim(Claim::SOURCE_REPOSITORY)
            .or_else(|| old(Claim::GITHUB_REPOSITORY).map(|name| format!("https://github.com/{name}")));
        let workflow =
            (from_github && self.identity().kind == IdentityKind::Uri).then(|| self.identity().value.clone());
        let entry_point = claim(Claim::BUILD_CONFIG).and_then(|uri| {
            let path = uri.strip_prefix(repository.as_deref()?)?.strip_prefix('/')?;
            let (path, _) = path.split_once('@')?;
            // GitLab puts two slashes before the file.
            Some(path.trim_start_matches('/').to_owned())
        });
        BuildClaims {
            entry_point,
            repository,
            reference: claim(Claim::SOURCE_REF).or_else(|| old(Claim::GITHUB_REF)),
            commit: claim(Claim::SOURCE_DIGEST).or_else(|| old(Claim::GITHUB_SHA)),
            invocation: claim(Claim::RUN_INVOCATION),
            builder: claim(Claim::BUILD_SIGNER).or(workflow),
            runner: claim(Claim::RUNNER_ENVIRONMENT),
        }
    }
}
