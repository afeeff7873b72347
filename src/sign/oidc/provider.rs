//! The providers of identity tokens that need nobody to log in, by the names that cosign has for them.

use std::fmt;
use std::str::FromStr;

use super::Environment;
use crate::net::Secret;

/// Where an ambient token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider {
    /// The variable `SIGSTORE_ID_TOKEN`; on GitLab it is made by `id_tokens`.
    Variable,
    /// A file that the platform keeps fresh, where cosign looks for it.
    File,
    /// GitHub Actions with `permissions: id-token: write`.
    GitHub,
    /// A Buildkite agent.
    Buildkite,
    /// CircleCI, by its own command.
    CircleCi,
    /// GitLab CI, which puts the token into `SIGSTORE_ID_TOKEN`.
    GitLab,
    /// A SPIFFE workload API, which is not spoken here.
    Spiffe,
}

/// A provider that did not give the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which one.
    pub provider: Provider,
    /// What is missing.
    pub reason: String,
}

/// A text that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no provider: wanted envvar, filesystem, github-actions, gitlab, buildkite-agent, circleci or spiffe")]
pub struct UnknownProvider(String);

/// What a provider's part of the environment leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lead {
    /// The token is here.
    Text(Secret),
    /// The token is in this file.
    File(String),
    /// A service gives it: the address, and the value of `Authorization`.
    GitHub {
        url: String,
        authorization: Secret,
    },
    Buildkite {
        endpoint: String,
        job: String,
        authorization: Secret,
    },
    /// A command gives it.
    CircleCi,
}

/// Where platforms put a token for cosign.
pub(super) const FILE: &str = "/var/run/sigstore/cosign/oidc-token";
/// Where SPIRE's agent listens unless it is told otherwise.
const SPIRE: &str = "SPIFFE_ENDPOINT_SOCKET";

impl Provider {
    /// Every provider, in the order in which they are looked for: what somebody
    /// set on purpose comes before what a platform offers.
    pub const ALL: [Self; 7] =
        [Self::GitLab, Self::Variable, Self::File, Self::GitHub, Self::Buildkite, Self::CircleCi, Self::Spiffe];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "envvar",
            Self::File => "filesystem",
            Self::GitHub => "github-actions",
            Self::GitLab => "gitlab",
            Self::Buildkite => "buildkite-agent",
            Self::CircleCi => "circleci",
            Self::Spiffe => "spiffe",
        }
    }

    /// What the environment says of this provider: how to get the token, or what is missing.
    pub(super) fn lead(self, environment: &Environment) -> Result<Lead, String> {
        let has = |name: &str| environment.get(name).map(str::to_owned);
        let lacks = |name: &str| format!("{name} is not set");
        match self {
            Self::Variable => {
                has("SIGSTORE_ID_TOKEN").map(Secret::new).map(Lead::Text).ok_or_else(|| lacks("SIGSTORE_ID_TOKEN"))
            }
            Self::File => Ok(Lead::File(FILE.to_owned())),
            Self::GitHub => {
                if !environment.says_yes("GITHUB_ACTIONS") {
                    return Err("not on GitHub Actions (GITHUB_ACTIONS is not true)".to_owned());
                }
                let ask = (has("ACTIONS_ID_TOKEN_REQUEST_URL"), has("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
                let (Some(url), Some(token)) = ask else {
                    let why = "on GitHub Actions, and the job has no `permissions: id-token: write` (pull requests of forks never have it)";
                    return Err(why.to_owned());
                };
                Ok(Lead::GitHub { url, authorization: Secret::new(format!("bearer {token}")) })
            }
            Self::GitLab => match (environment.says_yes("GITLAB_CI"), has("SIGSTORE_ID_TOKEN")) {
                (false, _) => Err("not on GitLab CI (GITLAB_CI is not true)".to_owned()),
                (true, Some(token)) => Ok(Lead::Text(Secret::new(token))),
                (true, None) => {
                    Err("on GitLab CI, and the job has no `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`".to_owned())
                }
            },
            Self::Buildkite => {
                if !environment.says_yes("BUILDKITE") {
                    return Err("not on Buildkite (BUILDKITE is not true)".to_owned());
                }
                let endpoint = has("BUILDKITE_AGENT_ENDPOINT").unwrap_or("https://agent.buildkite.com/v3".to_owned());
                let job = has("BUILDKITE_JOB_ID").ok_or_else(|| lacks("BUILDKITE_JOB_ID"))?;
                let token = has("BUILDKITE_AGENT_ACCESS_TOKEN").ok_or_else(|| lacks("BUILDKITE_AGENT_ACCESS_TOKEN"))?;
                Ok(Lead::Buildkite { endpoint, job, authorization: Secret::new(format!("Token {token}")) })
            }
            Self::CircleCi if environment.says_yes("CIRCLECI") => Ok(Lead::CircleCi),
            Self::CircleCi => Err("not on CircleCI (CIRCLECI is not true)".to_owned()),
            Self::Spiffe if has(SPIRE).is_some() => {
                let how = "its workload API is not spoken here: write a JWT-SVID for the audience into a file (`spire-agent api fetch jwt`) and pass that";
                Err(how.to_owned())
            }
            Self::Spiffe => Err(lacks(SPIRE)),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        let found = Self::ALL.iter().find(|provider| provider.as_str() == text);
        found.copied().ok_or_else(|| UnknownProvider(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(provider: Provider, variables: &[(&str, &str)]) -> Result<Lead, String> {
        provider.lead(&variables.iter().copied().collect())
    }

    #[test]
    fn each_provider_says_what_it_lacks() {
        let actions = [
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://a.test/?b=c"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
        ];
        let found = Lead::GitHub { url: "https://a.test/?b=c".to_owned(), authorization: Secret::new("bearer t") };
        assert_eq!(lead(Provider::GitHub, &actions), Ok(found));
        assert!(lead(Provider::GitHub, &actions[..2]).is_err_and(|why| why.contains("id-token: write")));
        assert!(lead(Provider::GitHub, &actions[1..]).is_err_and(|why| why.contains("not on GitHub")));
        let gitlab = [("GITLAB_CI", "true"), ("SIGSTORE_ID_TOKEN", "t")];
        assert_eq!(lead(Provider::GitLab, &gitlab), Ok(Lead::Text(Secret::new("t"))));
        assert!(lead(Provider::GitLab, &gitlab[..1]).is_err_and(|why| why.contains("id_tokens")));
        let agent = [("BUILDKITE", "true"), ("BUILDKITE_JOB_ID", "j"), ("BUILDKITE_AGENT_ACCESS_TOKEN", "t")];
        assert!(lead(Provider::Buildkite, &agent).is_ok());
        assert!(lead(Provider::Buildkite, &agent[..2]).is_err_and(|why| why.contains("ACCESS_TOKEN")));
        assert_eq!(lead(Provider::CircleCi, &[("CIRCLECI", "true")]), Ok(Lead::CircleCi));
        assert!(lead(Provider::Variable, &[("SIGSTORE_ID_TOKEN", "")]).is_err());
        assert!(
            lead(Provider::Spiffe, &[("SPIFFE_ENDPOINT_SOCKET", "unix:///s")])
                .is_err_and(|why| why.contains("JWT-SVID"))
        );
    }

    #[test]
    fn names_round_trip() {
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
        }
        assert!("github".parse::<Provider>().is_err());
    }
}
