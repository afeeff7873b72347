//! A wrong command line is exit 2, says what is wrong and what to do, and never follows a request.

use crate::support::command::{cg_attest, cg_attest_with};
use crate::support::scene::Scene;

const SIGNER: &[&str] = &["--identity", "me@example.org", "--issuer", "https://issuer.example"];

fn refused(args: &[&str], code: &str, word: &str) {
    let ran = cg_attest(args);
    assert_eq!(ran.code, 2, "{args:?}\n{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.is_empty(), "{args:?}\n{}", ran.stdout);
    assert!(ran.stderr.contains(&format!("error[{code}]")), "{args:?}\n{}", ran.stderr);
    assert!(ran.stderr.contains(word), "{args:?}\n{}", ran.stderr);
    assert!(ran.stderr.contains("→"), "{args:?}\n{}", ran.stderr);
}

#[test]
fn a_policy_without_a_signer_is_refused_before_anything_is_asked() {
    refused(&["verify", "registry.example/app"], "policy-missing", "inspect registry.example/app");
    refused(&["verify", "registry.example/app", "--identity", "me"], "policy-missing", "issuer");
    refused(&["verify", "registry.example/app", "--issuer", "https://x"], "policy-missing", "identity");
    refused(&["verify", "registry.example/app", "--identity", "", "--issuer", "https://x"], "policy-invalid", "empty");
    refused(&["verify", "cgr.dev/org/app"], "policy-missing", "who is trusted");
}

#[test]
fn contradictions_are_refused() {
    let with = |more: &[&'static str]| [&["verify", "registry.example/app"], SIGNER, more].concat();
    refused(&with(&["--key", "/nonexistent.pem"]), "file-unreadable", "/nonexistent.pem");
    refused(&with(&["--preset", "chainguard-public"]), "policy-invalid", "leave out");
    refused(&with(&["--require", "spxd"]), "policy-invalid", "spdx");
    refused(&with(&["--require", "signature,signature"]), "policy-invalid", "twice");
    refused(&with(&["--max-age", "36"]), "policy-invalid", "36h");
    refused(&with(&["--max-age", "spdx=30d"]), "policy-invalid", "not required");
    refused(&with(&["--max-age", "36h", "--max-age", "signature=2d"]), "policy-invalid", "say it once");
    refused(&with(&["--level", "everywhere"]), "policy-invalid", "everywhere");
    refused(&with(&["--level", "index", "--level", "either"]), "policy-invalid", "say it once");
    refused(&with(&["--level", "signature=index,signature=either"]), "policy-invalid", "of signature");
    refused(&with(&["--claim", "trigger=push"]), "policy-invalid", "buildTrigger");
    refused(&with(&["--claim", "buildTrigger"]), "policy-invalid", "NAME=VALUE");
    refused(&with(&["--identity-regexp", "("]), "policy-invalid", "pattern");
    refused(&with(&["--mirror", "cgr.dev"]), "usage", "PREFIX=PREFIX");
    refused(&with(&["--timeout", "soon"]), "usage", "--timeout");
    refused(&with(&["--offline"]), "offline", "oci:");
    refused(&with(&["--trusted-root", "/nonexistent.json"]), "file-unreadable", "/nonexistent.json");
    refused(&with(&["--report", "xml=x"]), "usage", "json=FILE");
    refused(&["verify", "cgr.dev/chainguard/x", "--preset", "chainguard-org"], "policy-invalid", "--uidp");
    refused(&["verify", "cgr.dev/chainguard/x", "--uidp", "aa"], "policy-invalid", "chainguard-org");
    refused(&["verify", "cgr.dev/chainguard/x", "--preset", "unknown"], "policy-invalid", "chainguard-public");
}

#[test]
fn half_a_policy_is_no_reason_to_do_without_one() {
    for half in
        [&["--identity", "me"][..], &["--issuer", "https://x"], &["--claim", "buildTrigger=push"], &["--max-age", "1d"]]
    {
        for command in [&["sbom", "registry.example/app"][..], &["diff", "registry.example/a", "registry.example/b"]] {
            let ran = cg_attest([command, half].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{half:?}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("error[policy-missing]") || ran.stderr.contains("error[policy-invalid]"),
                "{}",
                ran.stderr
            );
        }
    }
    let attached = ["sbom", "registry.example/app", "--source", "attached"];
    refused(&attached, "policy-missing", "--source content");
}

#[test]
fn what_a_command_would_pass_over_is_refused() {
    for command in [&["sbom", "registry.example/app"][..], &["check", "registry.example/app"], &["diff", "a/b", "a/c"]]
    {
        refused(&[command, SIGNER, &["--require", "signature"]].concat(), "policy-invalid", "`verify`");
    }
    for command in [&["get", "a/b", "--type", "spdx"][..], &["provenance", "a/b"]] {
        let ran = cg_attest([command, SIGNER, &["--require", "signature"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    }
}

#[test]
fn malformed_names_are_refused() {
    let with = |image: &'static str| [&["verify", image], SIGNER].concat();
    for image in ["cgr.dev/A/b", "cgr.dev/a@sha256:abc", "https://cgr.dev/a", "user:pass@cgr.dev/a", ""] {
        refused(&with(image), "reference-invalid", "not an image reference");
    }
    refused(&with("oci:/nonexistent/layout"), "file-unreadable", "/nonexistent/layout");
    for local in ["dir:/nonexistent/root", "docker-archive:/nonexistent/image.tar"] {
        refused(&["sbom", local], "file-unreadable", "/nonexistent/");
        refused(&["diff", local, local], "file-unreadable", "/nonexistent/");
    }
    let ran = cg_attest(["verify", "cgr.dev/chainguard/x", "--platform", "linux"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("linux/arm64"), "{}", ran.stderr);
}

#[tokio::test]
async fn no_request_is_made_for_a_command_that_cannot_work() {
    let scene = Scene::bare().await;
    scene.registry.clear_log();
    let good = scene.name();
    let mut args = vec!["verify", &good, "not a name"];
    args.extend(SIGNER);
    refused(&args, "reference-invalid", "not a name");
    refused(&["verify", &good], "policy-missing", "signed");
    assert!(scene.registry.lines().is_empty(), "{:#?}", scene.registry.lines());
}

#[tokio::test]
async fn a_bad_line_of_a_list_is_a_report_of_its_own_and_the_rest_runs() {
    let scene = Scene::complete().await;
    let list = format!("# images\n{}\n\nnot a name\n{}:absent\n", scene.name(), scene.name());
    let mut args =
        vec!["verify".to_owned(), "--images".to_owned(), "-".to_owned(), "-o".to_owned(), "jsonl".to_owned()];
    args.extend(scene.trusting());
    let ran = cg_attest_with(&args, &[], &list);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let lines: Vec<serde_json::Value> = ran.stdout.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let verdicts: Vec<_> = lines.iter().map(|l| l["verdict"].as_str().expect("a verdict")).collect();
    assert_eq!(verdicts, ["accept", "undecided", "undecided"]);
    assert_eq!(lines[1]["error"]["code"], "reference-invalid");
    assert_eq!(lines[2]["error"]["code"], "image-not-found");
}

#[tokio::test]
async fn the_worst_of_many_images_decides_the_exit() {
    let (good, bad) = (Scene::complete().await, Scene::bare().await);
    let mut args = vec!["verify".to_owned(), good.name(), bad.name(), "-o".to_owned(), "ref".to_owned()];
    args.extend(good.trusting());
    let ran = cg_attest(&args);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout, format!("{}@{}\n", good.name(), good.image.index.digest));
    assert!(ran.stderr.contains("REFUSED"), "{}", ran.stderr);
    args.swap(1, 2);
    assert_eq!(cg_attest(&args).code, 1);
}

#[tokio::test]
async fn a_report_file_is_written_whole_and_never_over_something_else() {
    let scene = Scene::complete().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let flag = format!("json={}", file.display());
    let ran = scene.verify(&["--report", &flag]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(written["verdict"], "accept");
    let ran = scene.verify(&["--report", &format!("json={}", folder.path().display())]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn every_command_is_completed_and_has_a_manual() {
    let (completions, manual) = (cg_attest(["completions", "bash"]), cg_attest(["man"]));
    assert_eq!((completions.code, manual.code), (0, 0));
    let help = cg_attest(["--help"]).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A command is the first word of a line that a longer description does not wrap into.
    let commands: Vec<&str> =
        listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!((commands.len(), commands[0]), (20, "verify"), "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(
            completions.stdout.contains(command) && manual.stdout.contains(&command.replace('-', "\\-")),
            "{command}"
        );
    }
    assert_eq!(cg_attest(["completions", "cmd.exe"]).code, 2);
}
