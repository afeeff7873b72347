//! Provenance through the command: the flags that ask, what `provenance` shows and what it generates.

use cg_attest::digest::Digest;
use cg_attest::statement::BuildType;
use cg_attest::testing::{Statement, Upload, VirtualSigstore};
use serde_json::json;

use crate::schema::problems;
use crate::support::command::{cg_attest, cg_attest_with};
use crate::support::provenance::{COMMIT, MAIN, V1, WORKFLOW, changed, github};
use crate::support::scene::{IDENTITY, ISSUER, Scene};

/// The scene's image, with provenance of GitHub's kind on both platforms.
async fn scene() -> Scene {
    let scene = Scene::bare().await;
    scene.attach(&scene.image.index, |about| about.signature()).await;
    for (_, platform) in &scene.image.platforms {
        let predicate = github("org/repo", WORKFLOW, MAIN).to_string();
        scene.attach(platform, |about| about.predicate(V1, &predicate)).await;
    }
    scene
}

#[tokio::test]
async fn the_flags_ask_and_the_report_says_so() {
    let scene = scene().await;
    let plain = scene.verify(&[]).json();
    assert!(plain["policy"]["provenance"].is_null());
    let ran = scene.verify(&["--source-repo", "https://github.com/org/repo", "--source-branch", "main"]);
    assert_eq!((ran.code, ran.state("linux/amd64", "slsa").as_str()), (0, "ok"), "{}", ran.stdout);
    let report = ran.json();
    assert_ne!(report["policy"]["digest"], plain["policy"]["digest"]);
    assert_eq!(report["policy"]["provenance"]["sourceRepository"], "https://github.com/org/repo");
    assert_eq!(report["policy"]["provenance"]["sourceRef"], MAIN);
    // The spellings of other programs.
    let others = ["--source-uri", "github.com/org/repo", "--source-digest", COMMIT, "--slsa-level", "2"];
    assert_eq!(scene.verify(&others).code, 0);

    let ran = scene.verify(&["--source-tag", "v1"]);
    assert_eq!((ran.code, ran.state("linux/arm64", "slsa").as_str()), (1, "mismatch"));
    let report = ran.json();
    assert_eq!(problems(&report), Vec::<String>::new());
    let cell = report["cells"].as_array().expect("cells").iter().find(|c| c["state"] == "mismatch").expect("a cell");
    assert_eq!(cell["code"], "source-mismatch");
    assert_eq!((&cell["wanted"], &cell["found"]), (&json!(["refs/tags/v1"]), &json!(MAIN)));
    let number = usize::try_from(cell["candidates"][0].as_u64().expect("a number")).expect("small");
    let rows = report["candidates"][number]["checks"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == "source").expect("a row");
    assert_eq!((&row["wanted"], &row["found"]), (&json!("refs/tags/v1"), &json!(MAIN)));
    assert_eq!(cg_attest(["explain", "source-mismatch"]).code, 0);

    let mut args = vec!["verify".to_owned(), scene.name(), "--slsa-level".to_owned(), "3".to_owned()];
    args.extend(scene.trusting());
    let ran = cg_attest(args);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("level-not-shown") && ran.stdout.contains("shown is level 2"), "{}", ran.stdout);
}

#[test]
fn a_configuration_of_apko_is_yaml_or_json_and_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let generate = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        cg_attest_with(["provenance", "generate", "--apko-config", path.to_str().expect("UTF-8")], JOB, "")
    };
    let yaml = "# An image.\ncontents:\n  repositories: [https://packages.wolfi.dev/os]\n  packages:\n    - bash=5.3-r1\n    - busybox\n\
        environment: {VERSION: 1.10}\narchs: [x86_64]\n";
    let json = json!({ "contents": { "repositories": ["https://packages.wolfi.dev/os"], "packages": ["bash=5.3-r1", "busybox"] },
        "environment": { "VERSION": "1.10" }, "archs": ["x86_64"] });
    let ran = generate("apko.yaml", yaml);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, generate("apko.json", &json.to_string()).stdout);
    assert_eq!(ran.json()["buildDefinition"]["externalParameters"]["apko"], json);
    assert!(ran.stdout.contains("pkg:apk/wolfi/bash@5.3-r1"), "{}", ran.stdout);
    for (wrong, why) in [
        (yaml.replace("archs", "contents"), "line 8: a second \"contents\" in one map"),
        (yaml.replace("contents", "content"), "it has no contents"),
        (yaml.replace("[x86_64]", "[x86_64"), "apko.yaml: "),
        ("\u{0}".to_owned(), "apko.yaml: "),
    ] {
        let ran = generate("apko.yaml", &wrong);
        assert!(ran.code == 2 && ran.stdout.is_empty() && ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn get_takes_the_rules_for_provenance_only() {
    let scene = scene().await;
    let get = |more: &[&str]| {
        let mut args = vec!["get".to_owned(), scene.name(), "--platform".to_owned(), "linux/amd64".to_owned()];
        args.extend(scene.trusting().into_iter().chain(more.iter().map(|&arg| arg.to_owned())));
        cg_attest(args)
    };
    let ran = get(&["--type", "slsa", "--source-repo", "https://github.com/org/repo"]);
    assert_eq!((ran.code, ran.json()), (0, github("org/repo", WORKFLOW, MAIN)));
    let ran = get(&["--type", "slsa", "--source-repo", "https://github.com/org/other"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("source-mismatch"), "{}", ran.stderr);
    let ran = get(&["--type", "spdx", "--source-repo", "https://github.com/org/repo"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[tokio::test]
async fn the_command_shows_verified_provenance_beside_its_certificate() {
    let scene = scene().await;
    let show = |scene: &Scene, more: &[&str]| {
        let mut args = vec!["provenance".to_owned(), scene.name()];
        args.extend(scene.trusting().into_iter().chain(more.iter().map(|&arg| arg.to_owned())));
        cg_attest(args)
    };
    let ran = show(&scene, &["--platform", "linux/amd64"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for line in [
        "signed by     org/repo release.yaml@main, schedule",
        "source        https://github.com/org/repo   (as in the certificate)",
        "ref           refs/heads/main   (as in the certificate)",
        "described in  .github/workflows/release.yaml   (as in the certificate)",
        "SLSA          level 2: GitHub's artifact attestations",
        "built         not stated",
        "dependencies  1",
        "  git+https://github.com/org/repo@refs/heads/main  gitCommit:da283c26",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let json = show(&scene, &["--platform", "linux/amd64", "-o", "json"]).json();
    assert_eq!(json["platform"], "linux/amd64");
    assert_eq!(json["provenance"]["source"]["commit"], COMMIT);
    assert_eq!(json["besideCertificate"][0]["agreement"], "equal");
    assert_eq!(json["slsaLevel"]["number"], 2);
    assert_eq!(show(&scene, &["-o", "json"]).stdout.lines().count(), 2);

    // Nothing is shown of what is refused: another source, another signer, or belied by its certificate.
    let refused = |ran: crate::support::command::Ran, code: &str| {
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(code), "{}", ran.stderr);
    };
    refused(show(&scene, &["--source-repo", "https://github.com/org/other"]), "source-mismatch");
    let other = Scene::bare().await;
    let belied =
        changed(github("org/repo", WORKFLOW, MAIN), "/runDetails/builder/id", "https://example.com").to_string();
    for (_, platform) in &other.image.platforms {
        other.attach(platform, |about| about.predicate(V1, &belied)).await;
    }
    refused(show(&other, &[]), "provenance-mismatch");
    assert_eq!(show(&scene, &["--require", "spdx"]).code, 2);
}

#[test]
fn a_files_provenance_is_asked_as_an_images() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sigstore = VirtualSigstore::new();
    let about = Statement::about(&Digest::sha256(b"a file"));
    let predicate = github("org/repo", WORKFLOW, MAIN).to_string();
    let bundle = sigstore.sign(&Scene::signer()).statement(&about.predicate(V1, &predicate));
    for (name, text) in [("file", "a file"), ("bundle", &bundle), ("root", &sigstore.trusted_root_json())] {
        std::fs::write(path(name), text).expect("written");
    }
    let verify = |more: &[&str]| {
        let (file, bundle, root) = (path("file"), path("bundle"), path("root"));
        let args = ["verify-blob", &file, "--bundle", &bundle, "--trusted-root", &root];
        cg_attest([&args[..], &["--identity", IDENTITY, "--issuer", ISSUER], more].concat())
    };
    // Asking for provenance is asking for it: no --type is needed.
    assert_eq!(verify(&["--source-repo", "https://github.com/org/repo"]).code, 0);
    let ran = verify(&["--source-repo", "https://github.com/org/other"]);
    assert!(ran.code == 1 && ran.stdout.contains("source-mismatch"), "{}{}", ran.stdout, ran.stderr);
    let ran = verify(&["--type", "spdx", "--source-repo", "https://github.com/org/repo"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn wrong_flags_are_refused_before_anything_is_asked() {
    let with = |more: &[&str]| {
        let signer =
            ["verify", "registry.example/app", "--identity", "me@example.org", "--issuer", "https://x.example"];
        cg_attest([&signer[..], more].concat())
    };
    for (more, word) in [
        (&["--source-repo", "org/repo"][..], "HOST/PATH"),
        (&["--source-ref", "main"], "refs/heads"),
        (&["--source-branch", ""], "empty"),
        (&["--source-commit", "da283c2"], "40 or 64"),
        (&["--builder-id", ""], "empty"),
        (&["--build-type", ""], "empty"),
        (&["--slsa-level", "4"], "1, 2 or 3"),
    ] {
        let ran = with(more);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("error[policy-invalid]") && ran.stderr.contains(word), "{}", ran.stderr);
    }
    assert_eq!(with(&["--source-ref", MAIN, "--source-tag", "v1"]).code, 2);
}

/// The environment of a job of the scene's signer.
const JOB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "org/repo"),
    ("GITHUB_REF", MAIN),
    ("GITHUB_SHA", COMMIT),
    ("GITHUB_WORKFLOW_REF", "org/repo/.github/workflows/release.yaml@refs/heads/main"),
    ("GITHUB_RUN_ID", "17512345678"),
    ("GITHUB_RUN_ATTEMPT", "1"),
];

#[tokio::test]
async fn what_is_generated_is_verified_beside_its_certificate() {
    let generate = |more: &[&str], variables: &[(&str, &str)]| {
        cg_attest_with(["provenance", "generate"].iter().chain(more), variables, "")
    };
    let ran = generate(&["--parameter", "tag=1.2"], JOB);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("level 1"), "{}", ran.stderr);
    assert_eq!(ran.stdout, generate(&["--parameter", "tag=1.2", "--from", "github"], JOB).stdout);

    let asks = ["--require", "slsa", "--source-repo", "https://github.com/org/repo", "--source-commit", COMMIT];
    let place = async |predicate: &str| {
        let scene = Scene::bare().await;
        for (_, platform) in &scene.image.platforms {
            scene.attach(platform, |about| about.predicate(V1, predicate)).await;
        }
        scene
    };
    let scene = place(&ran.stdout).await;
    let verified = scene.verify(&asks);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert_eq!(scene.verify(&["--slsa-level", "1"]).code, 1, "the index has no signature, which is asked for as well");
    assert_eq!(scene.verify(&["--require", "slsa", "--slsa-level", "1"]).code, 0);
    assert_eq!(scene.verify(&["--require", "slsa", "--slsa-level", "2"]).code, 1);
    // Flags come before the environment; what they say wrong, the certificate belies.
    let other = generate(&["--commit", &"0".repeat(40)], JOB).stdout;
    let verified = place(&other).await.verify(&["--require", "slsa", "--build-type", BuildType::CG_ATTEST_URI]);
    assert_eq!((verified.code, verified.state("linux/amd64", "slsa").as_str()), (1, "mismatch"));

    let digest = scene.image.index.digest.to_string();
    let statement = generate(&["--subject", &digest], JOB).json();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], scene.image.index.digest.hex());
    assert_eq!(statement["predicateType"], V1);
}

#[test]
fn what_is_not_known_of_a_build_is_asked_for() {
    let generate = |more: &[&str]| cg_attest(["provenance", "generate"].iter().chain(more));
    let source = ["--source", "https://github.com/org/repo", "--commit", COMMIT];
    let builder = ["--builder-id", "https://builds.example.com"];
    assert_eq!(generate(&[&source[..], &builder[..]].concat()).code, 0);
    let refused = |more: &[&str], word: &str| {
        let ran = generate(more);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    };
    refused(&[], "error[build-facts]");
    refused(&source, "builder");
    refused(&["--from", "github"], "GITHUB_");
    refused(&["--from", "jenkins"], "circleci");
    refused(&["--commit", "HEAD"], "40 or 64");
    refused(&["--base", "cgr.dev/chainguard/go:latest"], "NAME@DIGEST");
    refused(&["--parameter", "tag"], "NAME=VALUE");
    refused(&["--metadata-file", "/nonexistent.json"], "file-unreadable");
}

/// The statement that is attached twice, once for each platform, is not the index's.
#[tokio::test]
async fn the_rules_hold_for_each_platform() {
    let scene = scene().await;
    let evil = github("org/repo", WORKFLOW, "refs/heads/evil").to_string();
    let arm64 = scene.platform("linux/arm64").clone();
    let other = Scene::bare().await;
    other
        .attach(other.platform("linux/amd64"), |about| {
            about.predicate(V1, &github("org/repo", WORKFLOW, MAIN).to_string())
        })
        .await;
    other.attach(other.platform("linux/arm64"), |about| about.predicate(V1, &evil)).await;
    let asks = ["--require", "slsa", "--source-ref", MAIN];
    assert_eq!(scene.verify(&asks).code, 0);
    let ran = other.verify(&asks);
    assert_eq!(ran.state("linux/amd64", "slsa"), "ok");
    assert_eq!((ran.code, ran.state("linux/arm64", "slsa").as_str()), (1, "mismatch"));
    scene.push(&Upload::bundle(&arm64, "{}")).await;
    assert_eq!(scene.verify(&asks).code, 0, "garbage beside the good takes nothing away");
}
