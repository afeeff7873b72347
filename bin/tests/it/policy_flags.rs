//! What can be asked of a signer by flags, and by the flags of cosign.

use cg_attest::signer::Claim;
use cg_attest::testing::{Identity, Statement, Upload};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest};
use crate::support::scene::{IDENTITY, ISSUER, Scene};

/// A signature by a workflow whose certificate has every claim that Fulcio writes.
async fn signed() -> Scene {
    let scene = Scene::bare().await;
    let identity = Scene::signer().claim(2, "push").claim(23, "production");
    push(&scene, &identity).await;
    scene
}

async fn push(scene: &Scene, identity: &Identity) {
    let statement = Statement::about(&scene.image.index.digest).signature();
    let bundle = scene.sigstore.sign(identity).statement(&statement);
    scene.push(&Upload::bundle(&scene.image.index, &bundle)).await;
}

fn verify(scene: &Scene, more: &[&str]) -> Ran {
    let mut args = ["verify", &scene.name(), "-o", "json", "--trusted-root", &scene.root()].map(str::to_owned).to_vec();
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    cg_attest(args)
}

/// State and reason of the only cell.
fn cell(ran: &Ran) -> (i32, String, Option<String>) {
    let report = ran.json();
    let cell = &report["cells"][0];
    (ran.code, cell["state"].as_str().expect("a state").to_owned(), cell["code"].as_str().map(str::to_owned))
}

const ACCEPTED: (i32, &str, Option<&str>) = (0, "ok", None);

#[track_caller]
fn assert_cell(ran: &Ran, wanted: (i32, &str, Option<&str>)) {
    let (code, state, reason) = cell(ran);
    assert_eq!((code, state.as_str(), reason.as_deref()), wanted, "{}{}", ran.stdout, ran.stderr);
}

#[tokio::test]
async fn every_claim_of_a_certificate_can_be_asked_for_by_its_name_and_by_its_number() {
    let scene = signed().await;
    let trusting = ["--identity", IDENTITY, "--issuer", ISSUER];
    let claims = {
        let report = verify(&scene, &trusting).json();
        let claims = report["candidates"][0]["signer"]["claims"].as_object().expect("claims").clone();
        claims.into_iter().map(|(name, value)| (name, value.as_str().expect("text").to_owned())).collect::<Vec<_>>()
    };
    let mut names: Vec<&str> = claims.iter().map(|(name, _)| name.as_str()).collect();
    let mut known = Claim::names();
    names.sort_unstable();
    known.sort_unstable();
    assert_eq!(names, known, "the certificate has every claim");

    let asked = |claims: &[(String, String)]| {
        let flags = claims.iter().flat_map(|(name, value)| ["--claim".to_owned(), format!("{name}={value}")]);
        let flags: Vec<String> = flags.collect();
        verify(&scene, &trusting.into_iter().chain(flags.iter().map(String::as_str)).collect::<Vec<_>>())
    };
    assert_cell(&asked(&claims), ACCEPTED);
    let by_number: Vec<(String, String)> =
        claims.iter().map(|(name, value)| (name.parse::<Claim>().expect("a claim").oid(), value.clone())).collect();
    assert_cell(&asked(&by_number), ACCEPTED);
    for n in 0..claims.len() {
        let mut other = claims.clone();
        other[n].1.push('x');
        assert_cell(&asked(&other), (1, "wrong-signer", Some("claim-mismatch")));
    }
}

#[tokio::test]
async fn a_claim_that_the_certificate_lacks_is_not_the_one_asked_for() {
    let scene = Scene::bare().await;
    push(&scene, &Scene::signer().without_claim(20)).await;
    let asked = |claim: &str| verify(&scene, &["--identity", IDENTITY, "--issuer", ISSUER, "--claim", claim]);
    assert_cell(&asked("runnerEnvironment=github-hosted"), ACCEPTED);
    assert_cell(&asked("buildTrigger=schedule"), (1, "wrong-signer", Some("claim-mismatch")));
}

/// Each of cosign's flags, with what it accepts and what it refuses.
#[tokio::test]
async fn cosigns_flags_ask_what_they_ask_there() {
    let scene = signed().await;
    let good: &[(&str, &str, &str, &str)] = &[
        ("--certificate-identity", IDENTITY, "https://github.com/org/other", "identity-mismatch"),
        ("--certificate-oidc-issuer", ISSUER, "https://issuer.example", "issuer-mismatch"),
        ("--certificate-github-workflow-trigger", "push", "schedule", "claim-mismatch"),
        (
            "--certificate-github-workflow-sha",
            "da283c26829d46c2d2883de5ff98bee672428696",
            "da283c26829d46c2d2883de5ff98bee672428697",
            "claim-mismatch",
        ),
        ("--certificate-github-workflow-name", ".github/workflows/release.yaml", "release", "claim-mismatch"),
        ("--certificate-github-workflow-repository", "org/repo", "org/other", "claim-mismatch"),
        ("--certificate-github-workflow-ref", "refs/heads/main", "refs/heads/other", "claim-mismatch"),
    ];
    let run = |wrong: Option<usize>| {
        let flags = good
            .iter()
            .enumerate()
            .flat_map(|(n, &(flag, right, other, _))| [flag, if wrong == Some(n) { other } else { right }]);
        verify(&scene, &flags.chain(["--allow-http-registry", "--type", "signature"]).collect::<Vec<_>>())
    };
    assert_cell(&run(None), ACCEPTED);
    for (n, (flag, .., code)) in good.iter().enumerate() {
        let (exit, state, reason) = cell(&run(Some(n)));
        assert_eq!((exit, state.as_str(), reason.as_deref()), (1, "wrong-signer", Some(*code)), "{flag}");
    }
    let patterns = |identity: &str, issuer: &str| {
        verify(&scene, &["--certificate-identity-regexp", identity, "--certificate-oidc-issuer-regexp", issuer])
    };
    assert_cell(&patterns("https://github.com/org/.*", "https://token.actions.*"), ACCEPTED);
    assert_cell(&patterns("https://github.com/other/.*", "https://.*"), (1, "wrong-signer", Some("identity-mismatch")));
    assert_cell(&patterns("https://.*", "https://issuer.example"), (1, "wrong-signer", Some("issuer-mismatch")));
    // cosign finds a pattern anywhere; here a part is no match, and the whole pattern is offered.
    let ran = patterns("github.com/org/", "https://.*");
    assert_cell(&ran, (1, "wrong-signer", Some("pattern-not-anchored")));
    let message: Value = ran.json()["cells"][0]["message"].clone();
    assert!(message.as_str().is_some_and(|text| text.contains("github.com/org/")), "{message}");
}

#[tokio::test]
async fn one_of_several_names_and_issuers_is_enough() {
    let scene = signed().await;
    let run = |more: &[&str]| verify(&scene, more);
    let glob = "https://github.com/org/repo/.github/workflows/*@refs/heads/*";
    assert_cell(
        &run(&["--identity", "me", "--identity", IDENTITY, "--issuer", "https://x", "--issuer", ISSUER]),
        ACCEPTED,
    );
    assert_cell(&run(&["--identity", "me", "--identity-glob", glob, "--issuer", ISSUER]), ACCEPTED);
    let narrow = "https://github.com/org/repo/*@refs/heads/*";
    assert_cell(&run(&["--identity-glob", narrow, "--issuer", ISSUER]), (1, "wrong-signer", Some("identity-mismatch")));
    let neither = ["--identity", "me", "--identity", "you", "--issuer", ISSUER];
    assert_cell(&run(&neither), (1, "wrong-signer", Some("identity-mismatch")));
}

/// What is said of one type is said of it, wherever it stands on the line.
#[tokio::test]
async fn a_level_of_a_type_goes_before_the_level_of_all() {
    let scene = Scene::bare().await;
    scene.attach(&scene.image.index, Statement::spdx).await;
    scene.attach(&scene.image.index, Statement::slsa).await;
    let trusting = ["--identity", IDENTITY, "--issuer", ISSUER, "--require", "spdx,slsa"];
    let run = |more: &[&str]| verify(&scene, &[&trusting[..], more].concat());
    assert_eq!(run(&["--level", "index"]).code, 0);
    for levels in ["index,spdx=platform", "spdx=platform,index"] {
        let ran = run(&["--level", levels]);
        let state = |requirement| ran.state("linux/amd64", requirement);
        assert_eq!((ran.code, state("spdx").as_str()), (1, "on-index"), "{levels}: {}", ran.stdout);
        assert_eq!(ran.state("index", "slsa"), "ok", "{levels}");
    }
}
