//! The environments of CI systems. Only the variables named here are read.

use std::fmt;
use std::str::FromStr;

use super::{Build, BuildError};
use crate::time::Timestamp;

/// A CI system whose environment is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ci {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Buildkite.
    Buildkite,
    /// `CircleCI`.
    CircleCi,
}

impl Ci {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::GitHub, "github", "GITHUB_ACTIONS"),
        (Self::GitLab, "gitlab", "GITLAB_CI"),
        (Self::Buildkite, "buildkite", "BUILDKITE"),
        (Self::CircleCi, "circleci", "CIRCLECI"),
    ];

    /// The one system that the environment is of; none if there is none, or several say so.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is_set = |name: &str| variable(name).is_some_and(|value| value == "true");
        let mut found = Self::ALL.into_iter().filter(|(.., name)| is_set(name));
        let first = found.next();
        first.filter(|_| found.next().is_none()).map(|(ci, ..)| ci)
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let row = Self::ALL.into_iter().find(|(ci, ..)| *ci == self);
        row.expect("every system has a row").1
    }
}

impl fmt::Display for Ci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no CI system whose environment is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no CI system that is known: wanted github, gitlab, buildkite or circleci")]
pub struct CiError(String);

impl FromStr for Ci {
    type Err = CiError;

    fn from_str(text: &str) -> Result<Self, CiError> {
        let found = Self::ALL.into_iter().find(|(_, name, _)| *name == text).map(|(ci, ..)| ci);
        found.ok_or_else(|| CiError(text.chars().take(40).collect()))
    }
}

/// One environment, for messages and for what may be absent.
struct Variables<F> {
    ci: Ci,
    variable: F,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// An empty variable is as good as none.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &'static str) -> Result<String, BuildError> {
        self.get(name).ok_or(BuildError::Variable { ci: self.ci.as_str(), name })
    }

    /// A fact of the platform, if it is there.
    fn internal(&self, build: &mut Build, key: &'static str, name: &str) {
        if let Some(value) = self.get(name) {
            build.internal.insert(key, value);
        }
    }

    fn reference(&self, tag: &str, branch: &str) -> Option<String> {
        let tag = self.get(tag).map(|name| format!("refs/tags/{name}"));
        tag.or_else(|| self.get(branch).map(|name| format!("refs/heads/{name}")))
    }
}

impl Build {
    /// What the environment of a CI system says of the build that it runs.
    ///
    /// # Errors
    /// When a variable that the system always sets is not there, or has a form that cannot be compared.
    pub fn of_environment(ci: Ci, variable: impl Fn(&str) -> Option<String>) -> Result<Self, BuildError> {
        let variables = Variables { ci, variable };
        let mut build = match ci {
            Ci::GitHub => github(&variables),
            Ci::GitLab => gitlab(&variables),
            Ci::Buildkite => buildkite(&variables),
            Ci::CircleCi => circleci(&variables),
        }?;
        build.internal.insert("ci", ci.as_str().to_owned());
        Ok(build)
    }
}

/// docs.github.com: variables reference. The workflow's own file and ref stand before and behind an @.
fn github(variables: &Variables<impl Fn(&str) -> Option<String>>) -> Result<Build, BuildError> {
    let server = variables.need("GITHUB_SERVER_URL")?;
    let repository = variables.need("GITHUB_REPOSITORY")?;
    let workflow = variables.need("GITHUB_WORKFLOW_REF")?;
    let run = variables.need("GITHUB_RUN_ID")?;
    let attempt = variables.get("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
    let home = format!("{server}/{repository}");
    let mut build = Build::new()
        .repository(&home)?
        .reference(&variables.need("GITHUB_REF")?)?
        .commit(&variables.need("GITHUB_SHA")?)?
        .builder(&format!("{server}/{workflow}"))?
        .invocation(&format!("{home}/actions/runs/{run}/attempts/{attempt}"));
    let file = workflow.split_once('@').and_then(|(path, _)| path.strip_prefix(&repository)?.strip_prefix('/'));
    if let Some(file) = file {
        build = build.entry_point(file);
    }
    variables.internal(&mut build, "trigger", "GITHUB_EVENT_NAME");
    variables.internal(&mut build, "repositoryId", "GITHUB_REPOSITORY_ID");
    variables.internal(&mut build, "repositoryOwnerId", "GITHUB_REPOSITORY_OWNER_ID");
    variables.internal(&mut build, "runner", "RUNNER_ENVIRONMENT");
    Ok(build)
}

/// docs.gitlab.com: predefined variables. `CI_REPOSITORY_URL` has a token in it and is not read.
fn gitlab(variables: &Variables<impl Fn(&str) -> Option<String>>) -> Result<Build, BuildError> {
    let home = variables.need("CI_PROJECT_URL")?;
    let runner = variables.need("CI_RUNNER_ID")?;
    let mut build = Build::new()
        .repository(&home)?
        .commit(&variables.need("CI_COMMIT_SHA")?)?
        .builder(&format!("{home}/-/runners/{runner}"))?
        .invocation(&variables.need("CI_JOB_URL")?)
        .entry_point(&variables.get("CI_CONFIG_PATH").unwrap_or_else(|| ".gitlab-ci.yml".to_owned()));
    let merge_request = || variables.get("CI_MERGE_REQUEST_REF_PATH");
    if let Some(reference) = variables.reference("CI_COMMIT_TAG", "CI_COMMIT_BRANCH").or_else(merge_request) {
        build = build.reference(&reference)?;
    }
    if let Some(started) = variables.get("CI_JOB_STARTED_AT") {
        let wrong = |_| BuildError::form("CI_JOB_STARTED_AT", &started, "an RFC 3339 time");
        build = build.started_on(started.parse::<Timestamp>().map_err(wrong)?);
    }
    variables.internal(&mut build, "trigger", "CI_PIPELINE_SOURCE");
    variables.internal(&mut build, "job", "CI_JOB_NAME");
    variables.internal(&mut build, "repositoryId", "CI_PROJECT_ID");
    Ok(build)
}

/// buildkite.com/docs: environment variables. A commit may be `HEAD` before the checkout, which is none.
fn buildkite(variables: &Variables<impl Fn(&str) -> Option<String>>) -> Result<Build, BuildError> {
    let (organization, pipeline) =
        (variables.need("BUILDKITE_ORGANIZATION_SLUG")?, variables.need("BUILDKITE_PIPELINE_SLUG")?);
    let (url, job) = (variables.need("BUILDKITE_BUILD_URL")?, variables.need("BUILDKITE_JOB_ID")?);
    let mut build = Build::new()
        .repository(&variables.need("BUILDKITE_REPO")?)?
        .commit(&variables.need("BUILDKITE_COMMIT")?)?
        .builder(&format!("https://buildkite.com/{organization}/{pipeline}"))?
        .invocation(&format!("{url}#{job}"));
    if let Some(reference) = variables.reference("BUILDKITE_TAG", "BUILDKITE_BRANCH") {
        build = build.reference(&reference)?;
    }
    variables.internal(&mut build, "trigger", "BUILDKITE_SOURCE");
    variables.internal(&mut build, "job", "BUILDKITE_STEP_KEY");
    Ok(build)
}

/// circleci.com/docs: built-in environment variables.
fn circleci(variables: &Variables<impl Fn(&str) -> Option<String>>) -> Result<Build, BuildError> {
    let project = variables.need("CIRCLE_PROJECT_ID")?;
    let mut build = Build::new()
        .repository(&variables.need("CIRCLE_REPOSITORY_URL")?)?
        .commit(&variables.need("CIRCLE_SHA1")?)?
        .builder(&format!("https://circleci.com/api/v2/projects/{project}"))?
        .invocation(&variables.need("CIRCLE_BUILD_URL")?);
    if let Some(reference) = variables.reference("CIRCLE_TAG", "CIRCLE_BRANCH") {
        build = build.reference(&reference)?;
    }
    variables.internal(&mut build, "job", "CIRCLE_JOB");
    variables.internal(&mut build, "workflow", "CIRCLE_WORKFLOW_ID");
    Ok(build)
}
