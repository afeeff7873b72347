//! Provenance to sign, of the shapes that real builders write.

use cg_attest::image::Descriptor;
use cg_attest::testing::Statement;
use serde_json::{Value, json};

pub(crate) const V1: &str = "https://slsa.dev/provenance/v1";
pub(crate) const V02: &str = "https://slsa.dev/provenance/v0.2";
/// The commit of every workflow of `Identity::github_workflow`.
pub(crate) const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";
/// The workflow and the branch of the usual signers.
pub(crate) const WORKFLOW: &str = ".github/workflows/release.yaml";
pub(crate) const MAIN: &str = "refs/heads/main";
pub(crate) const GITHUB: &str = "https://actions.github.io/buildtypes/workflow/v1";

/// What GitHub's artifact attestations write in the workflow that `Identity::github_workflow` names.
pub(crate) fn github(repository: &str, workflow: &str, git_ref: &str) -> Value {
    let home = format!("https://github.com/{repository}");
    json!({
        "buildDefinition": {
            "buildType": GITHUB,
            "externalParameters": { "workflow": { "ref": git_ref, "repository": home, "path": workflow } },
            "resolvedDependencies": [{ "uri": format!("git+{home}@{git_ref}"), "digest": { "gitCommit": COMMIT } }],
        },
        "runDetails": {
            "builder": { "id": format!("{home}/{workflow}@{git_ref}") },
            "metadata": { "invocationId": format!("{home}/actions/runs/17512345678/attempts/1") },
        },
    })
}

/// What slsa-github-generator writes, called by a workflow of `repository`.
pub(crate) fn generator(builder: &str, repository: &str, git_ref: &str) -> Value {
    let source = json!({
        "uri": format!("git+https://github.com/{repository}@{git_ref}"), "digest": { "sha1": COMMIT },
    });
    json!({
        "builder": { "id": builder },
        "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        "invocation": { "configSource": {
            "uri": source["uri"], "digest": source["digest"], "entryPoint": ".github/workflows/release.yaml",
        } },
        "metadata": { "buildInvocationID": "17512345678-1" },
        "materials": [source],
    })
}

/// A statement about `subject` with this provenance.
pub(crate) fn statement(subject: &Descriptor, kind: &str, predicate: &Value) -> Vec<u8> {
    Statement::about(&subject.digest).predicate(kind, &predicate.to_string())
}

/// A predicate with another text at one place.
pub(crate) fn changed(mut predicate: Value, pointer: &str, value: &str) -> Value {
    *predicate.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = json!(value);
    predicate
}
