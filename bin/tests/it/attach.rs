//! `sign`, `attest` and `attach` as a user runs them, against the virtual
//! Sigstore and a registry, read back by `verify`.

use cg_attest::testing::{Answer, Identity, ImageBuilder, ReferrersApi, RegistryFault, Statement, Upload};
use cg_attest::time::Timestamp;

use crate::support::command::cg_attest;
use crate::support::signing::{PERSON, Scene};

#[test]
fn an_image_is_signed_with_all_its_platforms_and_a_second_run_signs_nothing() {
    for config in ["v1", "v2"] {
        let scene = Scene::new();
        assert_eq!(scene.verify("signature").code, 1, "not yet");
        let ran = scene.signs("sign", config, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.ends_with("attached 3, read back and verified\n"), "{}", ran.stdout);
        let verified = scene.verify("signature");
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        assert_eq!(
            (verified.state("index", "signature"), verified.state("linux/amd64", "signature")),
            ("ok".into(), "ok".into())
        );
        scene.registry.clear_log();
        scene.server.clear_log();
        let again = scene.signs("sign", config, &[]);
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert!(again.stdout.ends_with("everything was attached already\n"), "{}", again.stdout);
        assert_eq!(scene.writes(), [""; 0]);
        assert!(scene.server.lines().iter().all(|line| !line.contains("/log/entries")), "{:?}", scene.server.lines());
    }
}

/// What `replace` cannot delete is still genuine, and shown for what it is.
#[test]
fn what_was_replaced_is_deleted_or_shown_as_superseded() {
    for deletes in [true, false] {
        let scene = Scene::new();
        let platform = &scene.image.platforms[0].1;
        // The same signer, an hour ago, in other words.
        let me = Identity::email(PERSON, scene.server.url());
        let (sigstore, statement) = (scene.server.sigstore(), Statement::about(&platform.digest).spdx());
        let earlier = Timestamp::from_unix(sigstore.now().unix() - 3600).expect("a time");
        let older = Upload::bundle(platform, &sigstore.at(earlier).sign(&me).statement(&statement));
        scene.push(&older);
        if !deletes {
            scene.registry.fault(RegistryFault::on("manifests/").method("DELETE").answer(Answer::status(405)));
        }
        let sbom = format!("--sbom=linux/amd64={}", scene.text("amd64"));
        let ran = scene.signs("attest", "v2", &[&sbom, "--conflict", "replace"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let told = if deletes { " deleted\n" } else { "still there, superseded: the registry does not delete\n" };
        assert!(ran.stdout.contains(told), "{}", ran.stdout);

        let verified = scene.verify("spdx");
        assert_eq!(verified.state("linux/amd64", "spdx"), "ok");
        let report = verified.json();
        let candidates = report["candidates"].as_array().expect("candidates");
        let superseded: Vec<_> = candidates.iter().filter(|candidate| !candidate["supersededBy"].is_null()).collect();
        assert_eq!((candidates.len(), superseded.len()), if deletes { (1, 0) } else { (2, 1) });
        let older = older.descriptor().expect("a manifest").digest;
        let newer = candidates.iter().find(|c| c["manifestDigest"] != older.to_string()).expect("the newer one");
        if let [candidate] = superseded.as_slice() {
            assert_eq!(candidate["manifestDigest"], older.to_string());
            assert_eq!(candidate["supersededBy"], newer["digest"]);
        }
        let name = scene.name();
        let (issuer, root) = (scene.server.url(), scene.text("root"));
        let flags = ["--identity", PERSON, "--issuer", issuer, "--trusted-root", &root, "--require", "spdx"];
        let text = cg_attest([&["verify", name.as_str(), "--platform", "linux/amd64"], &flags[..]].concat());
        let line = format!("superseded: spdx of linux/amd64 @sha256:{}…, by a newer one", older.short());
        assert_eq!((text.code, text.stdout.contains(&line)), (0, !deletes), "{}", text.stdout);
        let drawn = cg_attest(["tree", &name]).stdout;
        assert_eq!(drawn.matches("superseded, if one signer made both").count(), superseded.len(), "{drawn}");
    }
}

/// Both forms at once, and each where the other is there already.
#[test]
fn a_second_run_signs_what_is_missing_in_one_of_the_forms_and_nothing_else() {
    let scene = Scene::new();
    let sbom = format!("--sbom=linux/amd64={}", scene.text("amd64"));
    let logged = || scene.server.lines().iter().filter(|line| line.contains("/log/entries")).count();
    let run = |command: &str, form: &str, more: &[&str], entries: usize| {
        scene.server.clear_log();
        let ran = scene.signs(command, "v1", &[more, &["--signature-format", form]].concat());
        assert_eq!(ran.code, 0, "{command} {form}: {}", ran.stderr);
        assert_eq!(logged(), entries, "{command} {form}: {:?}", scene.server.lines());
        ran.stdout
    };
    let one = ["--no-recursive"];
    // A signature is another document in each form; an attestation is the same.
    assert!(run("sign", "bundle", &one, 1).contains("attached 1,"));
    assert!(run("sign", "both", &one, 2).contains("attached 1,"));
    assert!(run("sign", "both", &one, 0).contains("everything was attached already"));
    assert!(run("sign", "legacy", &one, 0).contains("everything was attached already"));
    assert!(run("attest", "both", &[&sbom], 1).contains("attached 2,"));
    assert!(run("attest", "both", &[&sbom], 0).contains("everything was attached already"));
    assert_eq!(scene.verify("signature").code, 0);
}

#[test]
fn every_platform_gets_its_own_sbom_and_provenance_from_one_certificate() {
    let scene = Scene::new();
    let flags = scene.documents(true);
    let ran = scene.signs("attest", "v2", &flags.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let certificates = scene.server.lines().iter().filter(|line| line.contains("signingCert")).count();
    assert_eq!(certificates, 1, "{:?}", scene.server.lines());
    assert_eq!(scene.signs("sign", "v2", &[]).code, 0);
    let verified = scene.verify("signature,spdx,slsa");
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    for platform in ["linux/amd64", "linux/arm64"] {
        assert_eq!(verified.state(platform, "spdx"), "ok");
        assert_eq!(verified.state(platform, "slsa"), "ok");
    }
}

/// P-05, P-03: nothing is signed and nothing pushed for a wrong document.
#[test]
fn a_predicate_about_another_platform_is_refused_before_signing() {
    let scene = Scene::new();
    for (sbom, code, status) in [
        (format!("linux/arm64={}", scene.text("amd64")), "predicate-subject", 1),
        (scene.text("amd64"), "predicate-subject", 1),
        (scene.text("vex"), "predicate-invalid", 2),
        (scene.text("broken"), "predicate-invalid", 2),
        (format!("linux/s390x={}", scene.text("amd64")), "platform-absent", 1),
        (String::new(), "file-unreadable", 2),
    ] {
        let flags = [format!("--sbom={sbom}")];
        let ran = scene.signs("attest", "v2", &[&flags[0]]);
        assert_eq!(ran.code, status, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
        assert!(scene.server.requests().is_empty() && scene.writes().is_empty(), "{flags:?}");
    }
    let right = format!("--sbom=linux/amd64={}", scene.text("amd64"));
    assert_eq!(scene.signs("attest", "v2", &[&right]).code, 0);
}

#[test]
fn a_dry_run_shows_the_statement_and_asks_nobody_to_sign() {
    let scene = Scene::new();
    let flags = ["--predicate", &scene.text("vex"), "--type", "openvex", "--no-recursive", "--dry-run", "-o", "json"];
    let ran = scene.signs("attest", "v2", &flags);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let plan = ran.json();
    assert_eq!((&plan["kind"], &plan["statements"][0]["target"]), (&"SigningPlan".into(), &"index".into()));
    let statement: serde_json::Value =
        serde_json::from_str(plan["statements"][0]["statement"].as_str().expect("text")).expect("JSON");
    assert_eq!(statement["predicateType"], "https://openvex.dev/ns");
    assert_eq!(statement["subject"][0]["digest"]["sha256"], scene.image.index.digest.hex());
    assert!(scene.server.requests().is_empty() && scene.writes().is_empty());
}

/// The two steps of an air gap: signed here, attached there, by somebody without an identity.
#[test]
fn what_is_signed_without_upload_is_attached_later() {
    let scene = Scene::new();
    let bundles = scene.text("");
    let ran = scene.signs("sign", "v2", &["--no-upload", "--bundle-dir", &bundles]);
    assert_eq!((ran.code, scene.writes().len()), (0, 0), "{}", ran.stderr);
    let names =
        ["index", "linux-amd64", "linux-arm64"].map(|target| scene.text(&format!("{target}.signature.sigstore.json")));
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = scene.attach(&[files.as_slice(), &["--dry-run", "-o", "json"]].concat());
    assert_eq!((plan.code, &plan.json()["kind"]), (0, &"AttachPlan".into()), "{}", plan.stderr);
    assert_eq!(scene.writes().len(), 0);
    assert_eq!(scene.attach(&files[..1]).code, 0);
    let plan = scene.attach(&[files.as_slice(), &["--dry-run"]].concat()).stdout;
    assert!(plan.ends_with("2 would be attached, 1 are there already; nothing was written\n"), "{plan}");
    assert_eq!(
        (plan.matches("\n  + signature by").count(), plan.matches("\n  = signature by").count()),
        (2, 1),
        "{plan}"
    );
    let ran = scene.attach(&files);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(scene.verify("signature").code, 0);
    let again = scene.attach(&[files.as_slice(), &["-o", "json"]].concat());
    assert_eq!(again.json()["result"]["written"].as_array().map(Vec::len), Some(0));
    // One per line, as other tools hand them over; and one that is about another image.
    let text = |name: &String| std::fs::read_to_string(name).expect("a file");
    std::fs::write(scene.path("lines"), names.iter().map(|name| text(name) + "\n").collect::<String>())
        .expect("a file");
    assert_eq!(scene.attach(&[&scene.text("lines")]).code, 0);
    let other = Scene::new();
    std::fs::write(other.path("root"), scene.server.trusted_root_json()).expect("a file");
    other.push(&ImageBuilder::new().content("another").build().upload);
    let ran = other.attach(&files);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[subject-mismatch]") && other.writes().is_empty(), "{}", ran.stderr);
}

#[test]
fn a_bundle_that_does_not_hold_is_not_attached() {
    let scene = Scene::new();
    assert_eq!(
        scene.signs("sign", "v2", &["--no-upload", "--no-recursive", "--bundle", &scene.text("bundle")]).code,
        0
    );
    let good = std::fs::read_to_string(scene.path("bundle")).expect("a file");
    let bad: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let signature = bad["dsseEnvelope"]["signatures"][0]["sig"].as_str().expect("text").to_owned();
    let swapped: String = signature
        .chars()
        .enumerate()
        .map(|(n, c)| if n == 20 { if c == 'A' { 'B' } else { 'A' } } else { c })
        .collect();
    std::fs::write(scene.path("bad"), good.replace(&signature, &swapped)).expect("a file");
    let old = good.replace("bundle.v0.3+json", "bundle+json;version=0.2");
    std::fs::write(scene.path("old"), old).expect("a file");
    let ran = scene.attach(&[&scene.text("bad")]);
    assert_eq!((ran.code, scene.writes().len()), (1, 0), "{}", ran.stderr);
    let ran = scene.attach(&[&scene.text("old")]);
    assert!(ran.code == 1 && ran.stderr.contains("error[bundle-version]"), "{}", ran.stderr);
    assert_eq!(scene.attach(&[&scene.text("bundle")]).code, 0);
}

#[test]
fn a_registry_that_takes_no_artifacts_takes_the_older_form() {
    let scene = Scene::new();
    scene.registry.referrers_api(ReferrersApi::Absent(404));
    scene.registry.fault(RegistryFault::on("manifests/sha256:").method("PUT").answer(Answer::status(400)));
    let flags = ["--no-recursive"];
    let ran = scene.signs("sign", "v1", &flags);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[registry-rejects-artifact]") && ran.stderr.contains("legacy"), "{}", ran.stderr);
    assert_eq!(scene.verify("signature").code, 1);
    // What the error says to do. The waits for other writers are the real ones.
    let sbom = format!("--sbom=linux/amd64={}", scene.text("amd64"));
    for (command, more) in [
        ("sign", ["--no-recursive", "--signature-format", "legacy"]),
        ("attest", [&sbom, "--signature-format", "legacy"]),
    ] {
        let ran = scene.signs(command, "v1", &more);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("attached 1, read back and verified"), "{}", ran.stdout);
    }
    let verified = scene.verify("signature,spdx");
    let state = |target: &str, requirement: &str| verified.state(target, requirement);
    assert_eq!((state("index", "signature"), state("linux/amd64", "spdx")), ("ok".into(), "ok".into()));
    assert_eq!(state("linux/arm64", "spdx"), "missing");
    let again = scene.signs("sign", "v1", &["--no-recursive", "--signature-format", "legacy"]);
    assert!(again.stdout.ends_with("everything was attached already\n"), "{}", again.stdout);
}

#[test]
fn without_an_identity_nothing_is_signed_and_nothing_asked() {
    let scene = Scene::new();
    let (name, root, config) = (scene.name(), scene.text("root"), scene.text("v2"));
    let ran = cg_attest(["sign", &name, "--trusted-root", &root, "--signing-config", &config]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[no-identity]") && scene.writes().is_empty(), "{}", ran.stderr);
}

/// A signature is in a public log by the time its file is written.
#[test]
fn where_bundles_cannot_be_written_nothing_is_signed() {
    let scene = Scene::new();
    let (absent, one) = (scene.text("absent/bundle"), scene.text("bundle"));
    let sign = |more: &[&str]| scene.signs("sign", "v2", &[&["--no-recursive", "--no-upload"], more].concat());
    let ran = sign(&["--bundle", &absent]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("error[file-unreadable]") && ran.stderr.contains("there is no folder"),
        "{}",
        ran.stderr
    );
    assert!(scene.server.requests().is_empty());
    let ran = sign(&["--bundle", &one]);
    assert_eq!((ran.code, scene.path("bundle").is_file()), (0, true), "{}", ran.stderr);
    // A folder for them is made.
    let ran = sign(&["--bundle-dir", &scene.text("made/here")]);
    assert_eq!(
        (ran.code, scene.path("made/here/index.signature.sigstore.json").is_file()),
        (0, true),
        "{}",
        ran.stderr
    );
    // The older form of a signature has no bundle to write.
    let before = scene.server.requests().len();
    let legacy = |form| scene.signs("sign", "v1", &["--no-recursive", "--signature-format", form, "--bundle", &one]);
    let ran = legacy("legacy");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("error[usage]: --bundle and --bundle-dir write bundles"), "{}", ran.stderr);
    assert_eq!(scene.server.requests().len(), before);
    assert_eq!(legacy("both").code, 0);
}
