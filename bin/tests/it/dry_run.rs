//! `--dry-run` of `sign` and `attest`: the statements, and which of them would
//! be signed, left out because they are there, or replace others. The run that
//! follows does what was said.

use cg_attest::testing::{Identity, Statement, Upload};
use serde_json::{Value, json};

use crate::support::command::{Ran, cg_attest};
use crate::support::signing::{PERSON, Scene};

const MALLORY: &str = "mallory@example.com";

impl Scene {
    fn plans(&self, command: &str, config: &str, more: &[&str]) -> Value {
        let before = (self.writes().len(), self.server.requests().len());
        let ran = self.signs(command, config, &[more, &["--dry-run", "-o", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!((self.writes().len(), self.server.requests().len()), before, "nobody signs and nothing is written");
        ran.json()
    }

    /// The same command without a word about who signs.
    fn anonymous(&self, command: &str, more: &[&str]) -> Ran {
        let (name, root, config) = (self.name(), self.text("root"), self.text("v2"));
        let flags = [command, &name, "--trusted-root", &root, "--signing-config", &config, "--dry-run"];
        cg_attest([&flags, more].concat())
    }

    /// A signature of the index by somebody, as it was made an hour ago; its manifest.
    fn signed_by(&self, identity: &str, statement: &str) -> String {
        let (subject, who) = (&self.image.index, Identity::email(identity, self.server.url()));
        let bundle = self.server.sigstore().sign(&who).statement(statement.as_bytes());
        let upload = Upload::bundle(subject, &bundle);
        self.push(&upload);
        upload.descriptor().expect("a manifest").digest.to_string()
    }
}

/// Target and action of every statement.
fn actions(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let all = plan["statements"].as_array().expect("statements");
    all.iter().map(|one| (text(&one["target"]), text(&one["action"]))).collect()
}

fn of(actions: &[(&str, &str)]) -> Vec<(String, String)> {
    actions.iter().map(|(target, action)| ((*target).to_owned(), (*action).to_owned())).collect()
}

#[test]
fn what_is_there_is_left_out_of_the_plan_and_of_the_run() {
    let scene = Scene::new();
    let plan = scene.plans("sign", "v2", &[]);
    assert_eq!(plan["kind"], "SigningPlan");
    let everything = [("index", "write"), ("linux/amd64", "write"), ("linux/arm64", "write")];
    assert_eq!(actions(&plan), of(&everything));
    assert_eq!(actions(&scene.plans("sign", "v2", &["--platform", "all"])), of(&everything));
    let twice = scene.plans("sign", "v2", &["--platform", "linux/arm64,linux/amd64,linux/arm64"]);
    assert_eq!(actions(&twice), of(&everything[1..]));
    assert_eq!(plan["signer"], json!({ "identity": PERSON, "issuer": scene.server.url() }));
    assert_eq!(plan["services"]["certificateAuthority"], scene.server.url());
    assert_eq!(plan["services"]["timestampAuthorities"], json!([format!("{}/api/v1/timestamp", scene.server.url())]));

    let ran = scene.signs("sign", "v2", &["--platform", "linux/amd64"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let plan = scene.plans("sign", "v2", &[]);
    assert_eq!(actions(&plan), of(&[everything[0], ("linux/amd64", "skip"), everything[2]]));
    let seen = &plan["statements"][1]["forms"][0]["existing"][0];
    assert_eq!((&seen["identity"], &seen["same"], &seen["ours"]), (&json!(PERSON), &json!(true), &json!(true)));
    // Asked to append, nobody compares.
    assert_eq!(actions(&scene.plans("sign", "v2", &["--conflict", "append"])), of(&everything));
    // Into files goes everything.
    let files = scene.plans("sign", "v2", &["--no-upload", "--bundle-dir", &scene.text("bundles")]);
    assert_eq!((actions(&files), &files["statements"][0]["forms"]), (of(&everything), &json!([])));

    let text = scene.signs("sign", "v2", &["--dry-run"]).stdout;
    for line in [
        format!("signer: {PERSON} ({})\n", scene.server.url()),
        "  + signature\n".to_owned(),
        format!("  = signature  {} is there\n", seen["digest"].as_str().expect("text")),
        "2 would be signed, 1 would not, being there; nothing was signed or written\n".to_owned(),
    ] {
        assert!(text.contains(&line), "{line}{text}");
    }
    // And that is what the run does.
    let ran = scene.signs("sign", "v2", &[]);
    assert!(ran.stdout.ends_with("attached 2, read back and verified; 1 were there already\n"), "{}", ran.stdout);
}

#[test]
fn who_signs_may_decide_and_is_not_guessed() {
    let scene = Scene::new();
    let statement = String::from_utf8(Statement::about(&scene.image.index.digest).signature()).expect("text");
    let theirs = scene.signed_by(MALLORY, &statement);
    // The same, and not by this signer.
    let plan = scene.plans("sign", "v2", &["--no-recursive"]);
    assert_eq!(actions(&plan), of(&[("index", "write")]));
    let seen = &plan["statements"][0]["forms"][0]["existing"][0];
    assert_eq!((&seen["digest"], &seen["same"], &seen["ours"]), (&json!(theirs), &json!(true), &json!(false)));
    // Nobody has logged in yet.
    let ran = scene.anonymous("sign", &["--no-recursive", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(actions(&ran.json()), of(&[("index", "depends-on-signer")]));
    assert_eq!(ran.json()["signer"], json!({ "identity": null, "issuer": null }));
    let text = scene.anonymous("sign", &[]).stdout;
    let line = format!("  ? signature  {theirs} is there, by {MALLORY}\n");
    assert!(text.contains("signer: not known before a login\n") && text.contains(&line), "{text}");
    assert!(
        text.ends_with("2 would be signed, 1 would not if the signer is the same; nothing was signed or written\n")
    );
    // A key is nobody of them.
    let ran = scene.anonymous("sign", &["--no-recursive", "--key", &scene.text("key"), "-o", "json"]);
    assert_eq!(ran.code, 2, "there is no such file: {}", ran.stderr);
    std::fs::write(scene.path("key"), crate::key::PLAIN).expect("a file");
    let ran = scene.anonymous("sign", &["--no-recursive", "--key", &scene.text("key"), "-o", "json"]);
    assert_eq!(actions(&ran.json()), of(&[("index", "write")]), "{}", ran.stderr);
    // An expired token is told before anything is read.
    std::fs::write(scene.path("token"), scene.server.email_token_for(PERSON, std::time::Duration::ZERO))
        .expect("a file");
    let ran = scene.signs("sign", "v2", &["--dry-run"]);
    assert!(ran.code == 2 && ran.stderr.contains("error[token-expired]"), "{}", ran.stderr);
}

#[test]
fn what_would_be_replaced_is_named_and_is_replaced() {
    let scene = Scene::new();
    let newer = scene.documents(false);
    let flags: Vec<&str> = newer.iter().map(String::as_str).chain(["--conflict", "replace"]).collect();
    let older = format!("--sbom=linux/amd64={}", scene.text("older"));
    let text = std::fs::read_to_string(scene.path("amd64")).expect("a file");
    std::fs::write(scene.path("older"), text.replacen('{', r#"{"name":"older","#, 1)).expect("a file");
    assert_eq!(scene.signs("attest", "v2", &[&older]).code, 0);

    let plan = scene.plans("attest", "v2", &flags);
    assert_eq!(actions(&plan), of(&[("linux/amd64", "write"), ("linux/arm64", "write")]));
    let seen = &plan["statements"][0]["forms"][0]["existing"][0];
    assert_eq!((&seen["same"], &seen["replaced"]), (&json!(false), &json!(true)));
    let manifest = seen["digest"].as_str().expect("text").to_owned();
    // Without a word about who signs it may be, and with another conflict it is not.
    let unknown = scene.anonymous("attest", &[&flags[..], &["-o", "json"]].concat()).json();
    assert_eq!(unknown["statements"][0]["forms"][0]["existing"][0]["replaced"], json!(null));
    let kept = scene.plans("attest", "v2", &flags[..2]);
    assert_eq!(kept["statements"][0]["forms"][0]["existing"][0]["replaced"], json!(false));

    let text = scene.signs("attest", "v2", &[&flags[..], &["--dry-run"]].concat()).stdout;
    assert!(text.contains(&format!("  + spdx\n  - replaces {manifest}\n")), "{text}");
    let ran = scene.signs("attest", "v2", &flags);
    assert!(ran.code == 0 && ran.stdout.contains(&format!("{manifest} deleted\n")), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn each_form_has_a_plan_of_its_own() {
    let scene = Scene::new();
    let one = ["--no-recursive", "--signature-format", "both"];
    let forms = |plan: &Value| {
        let forms = plan["statements"][0]["forms"].as_array().expect("forms").clone();
        forms.iter().map(|form| format!("{} {}", form["form"], form["action"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(scene.signs("sign", "v1", &["--no-recursive"]).code, 0);
    let plan = scene.plans("sign", "v1", &one);
    assert_eq!(
        (forms(&plan), actions(&plan)),
        (vec!["bundle skip".into(), "legacy write".into()], of(&[("index", "write")]))
    );
    assert_eq!(scene.signs("sign", "v1", &one).code, 0);
    let plan = scene.plans("sign", "v1", &one);
    assert_eq!(
        (forms(&plan), actions(&plan)),
        (vec!["bundle skip".into(), "legacy skip".into()], of(&[("index", "skip")]))
    );
    let text = scene.signs("sign", "v1", &[&one[..], &["--dry-run"]].concat()).stdout;
    assert!(text.contains("  = signature, legacy  sha256:"), "{text}");
}
