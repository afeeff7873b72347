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
    refused(&with(&["--max-age", "36"]), "policy-invalid", "1h30m");
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
    refused(&with("https://cgr.dev/a"), "reference-invalid", "write cgr.dev/a");
    for image in ["cgr.dev/A/b", "cgr.dev/a@sha256:abc", "user:pass@cgr.dev/a", ""] {
        refused(&with(image), "reference-invalid", "not an image reference");
    }
    refused(&with("oci:/nonexistent/layout"), "file-unreadable", "/nonexistent/layout");
    for local in ["dir:/nonexistent/root", "docker-archive:/nonexistent/image.tar"] {
        refused(&["sbom", local], "file-unreadable", "/nonexistent/");
        refused(&["diff", local, local], "file-unreadable", "/nonexistent/");
    }
    refused(&with("oci://cgr.dev/chainguard/nginx"), "reference-invalid", "write cgr.dev/chainguard/nginx");
    for local in ["dir:/nonexistent/root", "docker-archive:/nonexistent/image.tar"] {
        refused(&with(local), "reference-invalid", "cg-attest sbom");
    }
    let ran = cg_attest(["verify", "cgr.dev/chainguard/x", "--platform", "linux"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("linux/arm64"), "{}", ran.stderr);
}

#[test]
fn habits_from_other_tools_are_told_what_to_type() {
    for (typed, advice) in [
        (&["verify-attestation", "--type", "spdxjson", "a/b"][..], "cg-attest verify IMAGE --require spdx"),
        (&["download", "sbom", "a/b"], "cg-attest get IMAGE --type spdx"),
        (&["discover", "a/b"], "cg-attest tree IMAGE"),
        (&["verify-image", "a/b"], "--source-repo URL --slsa-level N"),
        (&["scan", "a/b"], "cg-attest sbom IMAGE"),
        (&["verify", "a/b", "--check-claims=true"], "leave it out"),
        (&["verify", "a/b", "--insecure-ignore-tlog"], "--trusted-root FILE"),
        (&["verify", "a/b", "--owner", "org"], "--identity-glob"),
        (&["attest", "a/b", "--replace"], "--conflict replace"),
        // The same flag where something is verified, and where something is signed.
        (&["verify", "a/b", "-a", "x=y"], "--claim NAME=VALUE"),
        (&["sign", "a/b", "-a", "x=y"], "attest --predicate FILE"),
        (&["sign", "a/b", "--rekor-entry-type=dsse"], "the version of the log"),
        (&["attach", "sbom", "--sbom", "x", "a/b"], "cg-attest attest --sbom=FILE IMAGE"),
    ] {
        let ran = cg_attest(typed);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{typed:?}");
        assert!(ran.stderr.contains(advice), "{}", ran.stderr);
        assert!(!ran.stderr.contains("similar") && !ran.stderr.contains("as a value"), "{}", ran.stderr);
    }
    // Where nothing is known, nothing is made up.
    let unknown = cg_attest(["verify", "a/b", "--zzz"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("'--zzz'") && !unknown.stderr.contains("tip"), "{unknown:?}");
    // gh's and oras' names of flags that mean the same; the pattern is wrong on purpose.
    let same = ["verify", "a/b", "--cert-identity-regex", "(", "--cert-oidc-issuer", "https://x", "--predicate-type"];
    refused(&[&same[..], &["slsa"]].concat(), "policy-invalid", "--identity-regexp: the pattern");
    let same = ["verify", "a/b", "--cert-identity", "x", "--cert-oidc-issuer", "https://x"];
    refused(&[&same[..], &["--ca-file", "/nonexistent.pem"]].concat(), "file-unreadable", "/nonexistent.pem");
    refused(&[&same[..], &["--custom-trusted-root", "/none.json"]].concat(), "file-unreadable", "/none.json");
    assert_eq!(cg_attest(["completion", "bash"]).code, 0);
}

#[test]
fn keys_that_cannot_be_read_are_told_from_keys_that_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let with = |key: &str, word: &str| refused(&["verify", "a/b", "--key", key], "policy-invalid", word);
    with("awskms://alias/key", "cosign public-key --key awskms://alias/key");
    with(&file("private.pem", "-----BEGIN PRIVATE KEY-----\n"), "openssl pkey");
    with(&file("text.pem", "not a key"), "-----BEGIN PUBLIC KEY-----");
    with(&file("broken.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "key cannot be used");
    refused(&["verify", "a/b", "--key", "/nonexistent.pem"], "file-unreadable", "/nonexistent.pem");
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
    let report = [&["verify", &good, "--report"][..], SIGNER].concat();
    refused(&[&report[..3], &["json=/nonexistent/r.json"], SIGNER].concat(), "file-unreadable", "/nonexistent");
    refused(&[&report[..3], &["json=-"], SIGNER].concat(), "usage", "-o json");
    assert!(scene.registry.lines().is_empty(), "{:#?}", scene.registry.lines());
}

#[tokio::test]
async fn a_bad_line_of_a_list_is_a_report_of_its_own_and_the_rest_runs() {
    let scene = Scene::complete().await;
    let name = scene.name();
    let list = format!("\u{feff}# images\n{name}  # the app\r\n\nnot a name\n{name}:absent\n");
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
async fn every_platform_can_be_asked_for_by_that_word() {
    let scene = Scene::complete().await;
    let (all, without) = (scene.verify(&["--platform", "all"]), scene.verify(&[]));
    assert_eq!((all.code, without.code), (0, 0), "{}", all.stderr);
    assert_eq!(all.json()["cells"], without.json()["cells"]);
    let one = scene.verify(&["--platform", "linux/arm64"]);
    assert!(one.code == 0 && one.json()["cells"] != all.json()["cells"]);
    assert_eq!(scene.verify(&["--platform", "linux/arm64,all"]).json()["cells"], all.json()["cells"]);
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
    let (below, all) = (cg_attest(["man", "sbom", "validate"]), manual.stdout);
    assert!(below.code == 0 && all.contains(&below.stdout) && below.stdout.contains(".TH cg-attest-sbom-validate"));
    refused(&["man", "sbom", "invalidate"], "usage", "sbom invalidate");
}
