//! The claims of tokens, and the certificates that Fulcio makes of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::testing::Identity;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The claims about a person.
pub(super) fn person(email: &str) -> Value {
    // An issuer's own name for its user: neither a mail address nor secret.
    let subject: String = email.bytes().map(|byte| format!("{byte:02x}")).collect();
    json!({ "sub": subject, "email": email, "email_verified": true })
}

/// The claims about a workflow of GitHub Actions; what is given stands as it is, the rest follows from it.
pub(super) fn workflow(given: &BTreeMap<String, String>) -> Value {
    let get = |name: &str, default: &str| given.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let repository = get("repository", "example-org/example-repo");
    let git_ref = get("ref", "refs/heads/main");
    let sha = get("sha", COMMIT);
    let owner = repository.split('/').next().unwrap_or_default().to_owned();
    let file = format!("{repository}/.github/workflows/release.yml@{git_ref}");
    let mut claims = json!({
        "sub": format!("repo:{repository}:ref:{git_ref}"),
        "repository": repository, "repository_id": "1001", "repository_visibility": "public",
        "repository_owner": owner, "repository_owner_id": "2002",
        "ref": git_ref, "ref_type": "branch", "sha": sha, "event_name": "push", "actor": "octocat",
        "workflow": "release", "workflow_ref": file, "workflow_sha": sha,
        "job_workflow_ref": get("workflow_ref", &file), "job_workflow_sha": sha,
        "run_id": "3003", "run_number": "1", "run_attempt": "1", "runner_environment": "github-hosted",
    });
    for (name, value) in given {
        claims[name] = json!(value);
    }
    claims
}

/// The name over which a client proves that it has its key: a person's address, else the token's subject.
pub(super) fn challenge(claims: &Value) -> Option<&str> {
    match claims["email"].as_str() {
        Some(email) => claims["email_verified"].as_bool()?.then_some(email),
        None => claims["sub"].as_str(),
    }
}

/// The identity in the certificate (Fulcio's documentation of its extensions).
pub(super) fn identity(claims: &Value) -> Option<Identity> {
    let text = |name: &str| claims[name].as_str();
    let (issuer, subject) = (text("iss")?, text("sub")?);
    let Some(job) = text("job_workflow_ref") else {
        return Some(match text("email") {
            Some(email) => Identity::email(email, issuer).claim(24, subject),
            // Workloads of other kinds are named by a URI.
            None if subject.contains("://") => Identity::uri(subject, issuer).claim(24, subject),
            None => return None,
        });
    };
    let on_github = |path: &str| format!("https://github.com/{path}");
    let home = on_github(text("repository")?);
    let run = format!("{home}/actions/runs/{}/attempts/{}", text("run_id")?, text("run_attempt")?);
    // A name in a certificate is ASCII: what a branch has besides is percent-encoded.
    let name = url::Url::parse(&on_github(job)).ok()?;
    let mut identity = Identity::uri(name.as_str(), issuer);
    for (number, value) in [
        (2, text("event_name")?),
        (3, text("sha")?),
        (4, text("workflow")?),
        (5, text("repository")?),
        (6, text("ref")?),
        (9, &on_github(job)),
        (10, text("job_workflow_sha")?),
        (11, text("runner_environment")?),
        (12, &home),
        (13, text("sha")?),
        (14, text("ref")?),
        (15, text("repository_id")?),
        (16, &on_github(text("repository_owner")?)),
        (17, text("repository_owner_id")?),
        (18, &on_github(text("workflow_ref")?)),
        (19, text("workflow_sha")?),
        (20, text("event_name")?),
        (21, &run),
        (22, text("repository_visibility")?),
        (24, subject),
    ] {
        identity = identity.claim(number, value);
    }
    Some(match text("environment") {
        Some(environment) => identity.claim(23, environment),
        None => identity,
    })
}
