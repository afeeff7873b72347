//! The shape that `cosign verify -o json` prints, for pipelines that read it.

use cg_attest::report::Report;
use cg_attest::signer::Signer;
use cg_attest::verify::VerifiedBundle;
use serde_json::{Map, Value, json};

/// One entry per accepted signature of the digest that was named.
pub(crate) fn cosign(report: &Report) -> Value {
    let Ok(facts) = report.facts() else { return json!([]) };
    let name = report.reference().split(['@']).next().unwrap_or_default();
    let signatures = report.candidates().iter().filter_map(|candidate| candidate.signature());
    let entries = signatures.map(|signature| {
        let bundle = signature.bundle();
        let (reference, kind) = match signature.document() {
            Some(document) => (document.docker_reference.as_str(), "cosign container image signature"),
            None => (name, "https://sigstore.dev/cosign/sign/v1"),
        };
        json!({
            "critical": {
                "identity": { "docker-reference": reference },
                "image": { "docker-manifest-digest": signature.subject() },
                "type": kind,
            },
            "optional": optional(bundle),
        })
    });
    let entries: Vec<Value> = entries.collect();
    // cosign prints the digest that was named and no other; where platforms were picked, theirs.
    let named = facts.digest.to_string();
    let is_named = |entry: &Value| entry["critical"]["image"]["docker-manifest-digest"] == named;
    let about_named: Vec<Value> = entries.iter().filter(|entry| is_named(entry)).cloned().collect();
    Value::Array(if about_named.is_empty() { entries } else { about_named })
}

fn optional(bundle: &VerifiedBundle) -> Value {
    let signer: &Signer = bundle.signer();
    let mut fields = Map::new();
    fields.insert("Subject".to_owned(), json!(signer.identity().value));
    fields.insert("Issuer".to_owned(), json!(signer.issuer()));
    for (name, value) in signer.claims().iter() {
        match name {
            "githubWorkflowTrigger" | "githubWorkflowName" | "githubWorkflowRepository" | "githubWorkflowRef" => {
                fields.insert(name.to_owned(), json!(value));
            }
            "githubWorkflowSHA" => {
                fields.insert("githubWorkflowSha".to_owned(), json!(value));
            }
            _ => {}
        }
        if let Ok(claim) = name.parse::<cg_attest::signer::Claim>() {
            fields.insert(claim.oid(), json!(value));
        }
    }
    Value::Object(fields)
}
