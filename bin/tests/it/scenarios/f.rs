//! F. Who is trusted is named exactly, or matched in full.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::policy::{Pattern, Policy, PolicyError};
use cg_attest::testing::{Identity, Statement, SubjectName};
use cg_attest::verify::State;

use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_refused_by, cell, failed, only_candidate, requiring, trusting,
};
use crate::support::command::{Ran, cg_attest};
use crate::support::scene::{ISSUER, Scene};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const RELEASE: &str = "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main";

/// A signature of the index by `signer`, under a policy.
async fn signed_by(signer: Identity, policy: Policy) -> cg_attest::report::Report {
    let mut bench = Bench::new().await;
    bench.signer = signer;
    bench.push(&bench.signature(bench.index())).await;
    bench.verify(&policy).await
}

fn regexp(identity: &str) -> Policy {
    let identity = Pattern::regexp(identity).expect("a pattern");
    let builder = Policy::builder().identity(identity).issuer(Pattern::exact(GITHUB).expect("a pattern"));
    requiring(builder, &["signature"]).build().expect("a policy")
}

fn exactly(identity: &str, issuer: &str) -> Policy {
    requiring(trusting(identity, issuer), &["signature"]).build().expect("a policy")
}

fn wrong_command_line(ran: &Ran, code: &str) {
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
}

#[tokio::test]
async fn f_01_without_a_named_signer_nothing_is_verified() {
    assert_eq!(requiring(Policy::builder(), &["signature"]).build().map(|_| ()), Err(PolicyError::NoSigner));
    let scene = Scene::complete().await;
    scene.registry.clear_log();
    let root = scene.root();
    let ran = cg_attest(["verify", &scene.name(), "--trusted-root", &root]);
    wrong_command_line(&ran, "policy-missing");
    assert!(scene.registry.lines().is_empty(), "nothing is asked before the policy is known");
    assert_eq!(scene.verify(&[]).code, 0);
}

#[tokio::test]
async fn f_02_a_pattern_matches_the_whole_name() {
    let pattern = "https://github.com/chainguard-images/images/.*";
    assert_accepted(&signed_by(Identity::chainguard_images(), regexp(pattern)).await);
    let evil = "https://evil.example/?x=https://github.com/chainguard-images/images/y";
    let report = signed_by(Identity::uri(evil, GITHUB), regexp(pattern)).await;
    assert_refused_by(&report, CheckName::Identity, Code::PatternNotAnchored);
    assert_eq!(cell(&report, "index", "signature").0, State::WrongSigner);
}

#[tokio::test]
async fn f_03_an_alternation_is_anchored_as_a_whole() {
    let pattern = format!("^{RELEASE}|evil$");
    assert_accepted(&signed_by(Identity::chainguard_images(), regexp(&pattern)).await);
    for name in ["https://x.example/evil".to_owned(), format!("{RELEASE}/more")] {
        let report = signed_by(Identity::uri(&name, GITHUB), regexp(&pattern)).await;
        assert_refused_by(&report, CheckName::Identity, Code::PatternNotAnchored);
    }
}

#[tokio::test]
async fn f_06_a_misspelt_flag_is_never_ignored() {
    let scene = Scene::complete().await;
    let root = scene.root();
    let name = scene.name();
    for flag in ["--identity-regex", "--certificate-identity-regexps", "--issuer-glob", "--subject"] {
        let ran = cg_attest(["verify", &name, "--trusted-root", &root, "--issuer", ISSUER, flag, "x"]);
        assert_eq!(ran.code, 2, "{flag}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(flag), "{}", ran.stderr);
    }
    // An exact name and a pattern are alternatives, both of them looked at.
    let with = |identity: &str, pattern: &str| {
        let flags = ["--identity", identity, "--identity-regexp", pattern, "--issuer", ISSUER, "--trusted-root", &root];
        cg_attest([&["verify", &name][..], &flags].concat()).code
    };
    assert_eq!(with("https://nobody.example/", "https://github.com/org/repo/.*"), 0);
    assert_eq!(with("https://nobody.example/", "https://github.com/other/.*"), 1);
}

#[tokio::test]
async fn f_08_an_empty_name_is_no_name() {
    let scene = Scene::complete().await;
    let (root, name) = (scene.root(), scene.name());
    let with = |flags: &[&str]| cg_attest([&["verify", &name, "--trusted-root", &root], flags].concat());
    wrong_command_line(&with(&["--identity", "", "--issuer", ISSUER]), "policy-invalid");
    wrong_command_line(&with(&["--certificate-identity", " ", "--issuer", ISSUER]), "policy-invalid");
    wrong_command_line(&with(&["--identity-regexp", ".*", "--issuer", ISSUER]), "policy-invalid");
    wrong_command_line(&with(&["--identity", "x", "--issuer", ""]), "policy-invalid");
    assert_eq!(scene.verify(&[]).code, 0);
}

#[tokio::test]
async fn f_09_an_issuer_is_compared_as_it_stands() {
    assert_accepted(&signed_by(Identity::chainguard_images(), exactly(RELEASE, GITHUB)).await);
    for issuer in [
        "https://token.actions.githubusercontent.com.evil.example",
        "https://token.actions.githubusercontent.com/org",
        "https://token.actions.githubusercontent.com/",
        "https://TOKEN.actions.githubusercontent.com",
        "http://token.actions.githubusercontent.com",
    ] {
        let report = signed_by(Identity::uri(RELEASE, issuer), exactly(RELEASE, GITHUB)).await;
        assert_refused_by(&report, CheckName::Issuer, Code::IssuerMismatch);
    }
}

#[tokio::test]
async fn f_10_a_name_is_compared_as_it_stands() {
    for name in [
        "https://github.com/chainguard-images/images-evil/.github/workflows/release.yaml@refs/heads/main",
        "https://github.com/chainguard-imagesX/images/.github/workflows/release.yaml@refs/heads/main",
        "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main/../x",
        "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/tags/refs/heads/main",
        "https://github.com/Chainguard-images/images/.github/workflows/release.yaml@refs/heads/main",
    ] {
        let report = signed_by(Identity::uri(name, GITHUB), exactly(RELEASE, GITHUB)).await;
        assert_refused_by(&report, CheckName::Identity, Code::IdentityMismatch);
    }
    assert_accepted(&signed_by(Identity::uri(RELEASE, GITHUB), exactly(RELEASE, GITHUB)).await);
}

#[tokio::test]
async fn f_12_the_same_text_is_another_name_of_another_kind() {
    let email = "release@example.com";
    let accepted = signed_by(Identity::email(email, GITHUB), exactly(email, GITHUB)).await;
    assert_accepted(&accepted);
    let of_kind = async |name: SubjectName, wanted: &str| {
        let report = signed_by(Identity::new(name, GITHUB), exactly(wanted, GITHUB)).await;
        assert_refused(&report);
        failed(only_candidate(&report))[0]
    };
    let as_uri = of_kind(SubjectName::Uri(email.to_owned()), email).await;
    assert_eq!(as_uri, (CheckName::Identity, Code::IdentityMismatch));
    let as_email = of_kind(SubjectName::Email(RELEASE.to_owned()), RELEASE).await;
    assert_eq!(as_email, (CheckName::Identity, Code::IdentityMismatch));
    let as_dns = of_kind(SubjectName::Dns("example.com".to_owned()), "example.com").await;
    assert_eq!(as_dns, (CheckName::Signer, Code::SignerInvalid));
}

#[tokio::test]
async fn f_14_a_key_and_a_name_do_not_go_together() {
    let bench = Bench::new().await;
    let key = bench.key.public_key_pem();
    let both = requiring(trusting(RELEASE, GITHUB), &["signature"]).key(&key);
    assert!(matches!(both.build(), Err(PolicyError::KeyAnd(_))));
    let keyed = requiring(Policy::builder().key(&key), &["signature"]).build().expect("a policy");
    let statement = Statement::about(&bench.index().digest).signature();
    bench.push_bundle(&bench.sigstore.sign_with_key(&bench.key).statement(&statement)).await;
    assert_accepted(&bench.verify(&keyed).await);

    let scene = Scene::complete().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key.pem");
    std::fs::write(&path, key).expect("a file");
    let ran = scene.verify(&["--key", &path.display().to_string()]);
    wrong_command_line(&ran, "policy-invalid");
}
