//! Every report is as `docs/report.schema.json` says, whatever the verdict.

use cg_attest::check::CheckName;
use cg_attest::testing::{Answer, RegistryFault as Fault, Statement};
use serde_json::Value;

use crate::support::command::{cg_attest, cg_attest_with};
use crate::support::scene::Scene;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/report.schema.json")).expect("JSON")
}

/// The schema with every object closed: a field that the schema does not name is a field without documentation.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        if let Value::Object(fields) = value {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        } else if let Value::Array(items) = value {
            items.iter_mut().for_each(close);
        }
    }
    close(&mut schema);
    schema
}

pub(crate) fn problems(document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&closed(schema())).expect("a schema");
    validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[tokio::test]
async fn accepted_refused_and_undecided_reports_have_the_documented_shape() {
    let scene = Scene::complete().await;
    let accepted = scene.verify(&["--require", "signature,spdx,slsa", "--stats", "--all"]);
    assert_eq!((accepted.code, problems(&accepted.json())), (0, vec![]));
    let stale = scene.verify(&["--max-age", "1s", "--claim", "buildTrigger=push", "--require-platform", "linux/s390x"]);
    assert_eq!((stale.code, problems(&stale.json())), (1, vec![]));
    scene.attach(scene.platform("linux/amd64"), Statement::apko).await;
    scene.registry.fault(Fault::on("/blobs/").answer(Answer::status(503)));
    let undecided = scene.verify(&["--timeout", "1s"]);
    assert_eq!((undecided.code, problems(&undecided.json())), (3, vec![]));
    scene.registry.fault(Fault::on("/manifests/latest").answer(Answer::status(404)));
    let unresolved = cg_attest_with(
        [
            "verify",
            "--images",
            "-",
            "-o",
            "jsonl",
            "--identity",
            "x",
            "--issuer",
            "https://x",
            "--trusted-root",
            "embedded",
        ],
        &[],
        "not a name\n",
    );
    let line: Value = serde_json::from_str(&unresolved.stdout).expect("one line of JSON");
    assert_eq!((unresolved.code, problems(&line)), (3, vec![]));
    assert_eq!(line["error"]["code"], "reference-invalid");
}

#[tokio::test]
async fn the_same_evidence_gives_the_same_report_but_for_time() {
    let scene = Scene::complete().await;
    let run = || {
        let mut report = scene.verify(&["--require", "signature,spdx,slsa"]).json();
        report["time"] = Value::Null;
        report
    };
    assert_eq!(run(), run());
}

#[test]
fn the_schema_names_every_check_and_refuses_another_shape() {
    let names = &schema()["$defs"]["candidate"]["properties"]["checks"]["items"]["properties"]["name"]["enum"];
    let ours: Vec<Value> = CheckName::ALL.iter().map(|name| name.as_str().into()).collect();
    assert_eq!(names, &Value::Array(ours));
    assert!(!problems(&serde_json::json!({})).is_empty());
}

#[test]
fn every_code_is_explained() {
    let list = cg_attest(["explain"]);
    assert_eq!(list.code, 0);
    for line in list.stdout.lines() {
        let code = line.split(' ').next().expect("a code");
        let one = cg_attest(["explain", code]);
        assert_eq!(one.code, 0, "{}", one.stderr);
        assert!(one.stdout.contains("What to do"), "{}", one.stdout);
    }
    let unknown = cg_attest(["explain", "identity-missmatch"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("identity-mismatch"), "{}", unknown.stderr);
}
