//! What registries, strangers and files get wrong, by the command: each has its
//! reason, its exit and a line that says what to do, and nothing that could not
//! be read is ever said to be absent. Without the one fault the command accepts.
//! What is wrong with the command line itself is in `usage.rs`.

use cg_attest::image::media;
use cg_attest::testing::{
    Answer, RecordedRequest, RegistryFault as Fault, Statement, TufRepository, TufServer, Upload,
};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest, cg_attest_with};
use crate::support::scene::{IDENTITY, ISSUER, Scene};

const TAG: &str = "/manifests/latest";
const REFERRERS: &str = "/referrers/";
/// The one manifest that is asked for by its digest is that of the evidence.
const MANIFEST: &str = "/manifests/sha256:";
const BLOB: &str = "/blobs/";

/// The image with a signature of its index, and nothing else to read.
async fn signed() -> Scene {
    let scene = Scene::bare().await;
    scene.attach(&scene.image.index, Statement::signature).await;
    scene
}

/// `verify IMAGE` as text, with the report beside it.
fn verify(scene: &Scene, image: &str, more: &[&str]) -> (Ran, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let report = format!("json={}", file.display());
    let mut args = ["verify", image, "--report", &report].map(str::to_owned).to_vec();
    args.extend(scene.trusting());
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    let ran = cg_attest(args);
    let report = std::fs::read(file).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    (ran, serde_json::from_slice(&report).expect("JSON"))
}

/// Undecided for this reason, which the text names with what to do.
#[track_caller]
fn undecided(what: &str, code: &str, found: &Value, ran: &Ran) {
    assert_eq!((ran.code, found.as_str()), (3, Some(code)), "{what}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("UNDECIDED") && ran.stdout.contains(&format!("({code})")), "{what}: {}", ran.stdout);
    assert!(ran.stdout.lines().any(|line| line.trim_start().starts_with("→ ")), "{what}: {}", ran.stdout);
    for absence in ["no-signature", "no-attestation", "missing (", "missing\n"] {
        assert!(!ran.stdout.contains(absence), "{what}: {}", ran.stdout);
    }
}

fn index(body: impl Into<Vec<u8>>) -> Answer {
    Answer::status(200).header("content-type", media::INDEX).body(body.into())
}

/// The media type of an index, and this besides.
fn index_with(rest: &str) -> Answer {
    index(format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]{rest}}}"#, media::INDEX))
}

fn deep() -> String {
    format!("{}{}", "[".repeat(500), "]".repeat(500))
}

#[tokio::test]
async fn an_image_that_cannot_be_read_says_why() {
    let scene = signed().await;
    let name = scene.name();
    assert_eq!(verify(&scene, &name, &[]).0.code, 0);
    let cases = [
        ("401", Fault::on(TAG).answer(Answer::status(401)), "registry-denied"),
        ("403", Fault::on(TAG).answer(Answer::status(403)), "registry-denied"),
        ("404", Fault::on(TAG).answer(Answer::status(404)), "image-not-found"),
        ("429", Fault::on(TAG).answer(Answer::status(429).header("retry-after", "3600")), "registry-rate-limited"),
        ("500", Fault::on(TAG).answer(Answer::status(500)), "registry-unavailable"),
        ("HTML", Fault::on(TAG).answer(Answer::html()), "registry-protocol"),
        ("stalls", Fault::on(TAG).stall(), "registry-unavailable"),
        ("stalls in the middle", Fault::on(TAG).stall_after(20), "registry-unavailable"),
        ("broken off", Fault::on(TAG).truncate(20), "registry-unavailable"),
        ("reset", Fault::on(TAG).reset(), "registry-unavailable"),
        ("no JSON", Fault::on(TAG).answer(index("{")), "manifest-invalid"),
        ("no manifest", Fault::on(TAG).answer(Answer::status(200).body("{}")), "manifest-invalid"),
        ("deep JSON", Fault::on(TAG).answer(index_with(&format!(r#","x":{}"#, deep()))), "manifest-invalid"),
        ("a key twice", Fault::on(TAG).answer(index_with(r#","x":1,"x":1"#)), "manifest-invalid"),
        ("endless", Fault::on(TAG).answer(index(vec![b' '; 5 << 20])), "limit"),
    ];
    for (what, fault, code) in cases {
        scene.registry.clear_faults();
        scene.registry.fault(fault);
        let (ran, report) = verify(&scene, &name, &["--timeout", "2s"]);
        undecided(what, code, &report["error"]["code"], &ran);
        assert_eq!(report["image"]["digest"], Value::Null, "{what}");
    }
    scene.registry.clear_faults();
    let (ran, report) = verify(&scene, "127.0.0.1:1/org/app", &[]);
    undecided("nobody listens", "registry-unavailable", &report["error"]["code"], &ran);

    // Other bytes than those that the digest names, and too many of them.
    let digest = &scene.image.index.digest;
    let pinned = format!("{name}@{digest}");
    assert_eq!(verify(&scene, &pinned, &[]).0.code, 0);
    for (what, body, code) in
        [("other bytes", vec![b'{'], "digest-mismatch"), ("endless", vec![b' '; 5 << 20], "limit")]
    {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on(&format!("/manifests/{digest}")).body(body));
        let (ran, report) = verify(&scene, &pinned, &[]);
        undecided(what, code, &report["error"]["code"], &ran);
    }
}

#[tokio::test]
async fn evidence_that_cannot_be_read_is_no_absence() {
    let scene = signed().await;
    let name = scene.name();
    assert_eq!(verify(&scene, &name, &[]).0.code, 0);
    let answer = |on, status| Fault::on(on).answer(Answer::status(status));
    let busy = || Answer::status(429).header("retry-after", "3600");
    // Each page names another one.
    let endless = |request: &RecordedRequest| {
        let next = format!("<{}?{}x>; rel=\"next\"", request.path, request.query);
        Some(index_with("").header("link", &next))
    };
    let cases = [
        ("listing 401", answer(REFERRERS, 401), "registry-denied"),
        ("listing 403", answer(REFERRERS, 403), "registry-denied"),
        ("listing 429", Fault::on(REFERRERS).answer(busy()), "registry-rate-limited"),
        ("listing 503", answer(REFERRERS, 503), "registry-unavailable"),
        ("listing stalls", Fault::on(REFERRERS).stall(), "registry-unavailable"),
        ("listing broken off", Fault::on(REFERRERS).truncate(20), "registry-unavailable"),
        (
            "listing is deep JSON",
            Fault::on(REFERRERS).answer(index_with(&format!(r#","x":{}"#, deep()))),
            "registry-protocol",
        ),
        ("listing has a key twice", Fault::on(REFERRERS).answer(index_with(r#","x":1,"x":1"#)), "registry-protocol"),
        // A page instead of the listing alone is a registry without the API, and then the tag is asked for.
        ("listing and tags are HTML", Fault::on("sha256").answer(Answer::html()), "registry-protocol"),
        ("listing without an end", Fault::on(REFERRERS).compute(endless), "limit"),
        ("manifest 403", answer(MANIFEST, 403), "registry-denied"),
        ("manifest 404", answer(MANIFEST, 404), "evidence-absent"),
        ("manifest 500", answer(MANIFEST, 500), "registry-unavailable"),
        ("manifest HTML", Fault::on(MANIFEST).answer(Answer::html()), "registry-protocol"),
        ("manifest of other bytes", Fault::on(MANIFEST).body("{}"), "digest-mismatch"),
        ("blob 403", answer(BLOB, 403), "registry-denied"),
        ("blob 404", answer(BLOB, 404), "evidence-absent"),
        ("blob 500", answer(BLOB, 500), "registry-unavailable"),
        ("blob too short", Fault::on(BLOB).body("short"), "digest-mismatch"),
        ("blob too long", Fault::on(BLOB).body(vec![b'x'; 100_000]), "digest-mismatch"),
        ("blob broken off", Fault::on(BLOB).truncate(20), "registry-unavailable"),
        ("blob stalls", Fault::on(BLOB).stall_after(20), "registry-unavailable"),
    ];
    for (what, fault, code) in cases {
        scene.registry.clear_faults();
        scene.registry.fault(fault);
        let (ran, report) = verify(&scene, &name, &["--timeout", "2s"]);
        undecided(what, code, &report["cells"][0]["code"], &ran);
    }
    scene.registry.clear_faults();
    assert_eq!(verify(&scene, &name, &[]).0.code, 0);
}

/// An index may list what the registry does not have; whoever asks for it is told.
#[tokio::test]
async fn a_platform_that_is_listed_and_absent_is_no_image() {
    let scene = signed().await;
    let digest = &scene.platform("linux/arm64").digest;
    let sbom = |name: &str| cg_attest(["sbom", name, "--platform", "linux/arm64"]);
    assert_eq!(sbom(&scene.name()).code, 0);
    scene.registry.fault(Fault::on(&format!("/manifests/{digest}")).answer(Answer::status(404)));
    let ran = sbom(&scene.name());
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[evidence-absent]") && ran.stderr.contains("→"), "{}", ran.stderr);
}

#[tokio::test]
async fn what_a_stranger_attached_is_refused_and_takes_nothing_away() {
    let about = |scene: &Scene| {
        let statement = Statement::about(&scene.image.index.digest).signature();
        String::from_utf8(statement).expect("text")
    };
    let sign = |scene: &Scene, statement: &str| scene.sigstore.sign(&Scene::signer()).statement(statement.as_bytes());
    type Change = fn(&str) -> String;
    let of_bundle: [(&str, Change, &str); 4] = [
        ("no JSON", |bundle| bundle[..bundle.len() - 1].to_owned(), "bundle-invalid"),
        ("deep JSON", |bundle| bundle.replacen('{', &format!(r#"{{"x":{},"#, deep()), 1), "bundle-invalid"),
        ("a key twice", |bundle| bundle.replacen('{', r#"{"x":1,"x":1,"#, 1), "bundle-invalid"),
        ("a web page", |_| "<!DOCTYPE html>".to_owned(), "bundle-invalid"),
    ];
    let of_statement: [(&str, Change, &str); 2] = [
        ("signed, deep JSON", |text| text.replacen('{', &format!(r#"{{"x":{},"#, deep()), 1), "stmt-invalid"),
        ("signed, a key twice", |text| text.replacen('{', r#"{"x":{"y":1,"y":1},"#, 1), "stmt-invalid"),
    ];
    let bundles = of_bundle.map(|(what, change, code)| {
        let make = move |scene: &Scene, good: &str| change(&sign(scene, good));
        (what, Box::new(make) as Box<dyn Fn(&Scene, &str) -> String>, code)
    });
    let statements = of_statement.map(|(what, change, code)| {
        let make = move |scene: &Scene, good: &str| sign(scene, &change(good));
        (what, Box::new(make) as Box<dyn Fn(&Scene, &str) -> String>, code)
    });
    for (what, make, code) in bundles.into_iter().chain(statements) {
        let scene = Scene::bare().await;
        let good = about(&scene);
        scene.push(&Upload::bundle(&scene.image.index, &make(&scene, &good))).await;
        let (ran, report) = verify(&scene, &scene.name(), &[]);
        let cell = &report["cells"][0];
        assert_eq!(
            (ran.code, &cell["state"], &cell["code"]),
            (1, &"invalid".into(), &code.into()),
            "{what}: {report:#}"
        );
        assert!(ran.stdout.contains(&format!("({code})")) && ran.stdout.contains("  → "), "{what}: {}", ran.stdout);
        scene.push(&Upload::bundle(&scene.image.index, &sign(&scene, &good))).await;
        let (ran, report) = verify(&scene, &scene.name(), &[]);
        let count = report["candidates"].as_array().map(Vec::len);
        assert_eq!((ran.code, count), (0, Some(2)), "{what}: {report:#}");
    }
}

#[tokio::test]
async fn a_trust_root_that_cannot_be_used_ends_the_run_before_the_image_is_asked_for() {
    let scene = signed().await;
    scene.registry.clear_log();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let name = scene.name();
    let run = |more: &[&str]| {
        let args = ["verify", &name, "--identity", IDENTITY, "--issuer", ISSUER];
        cg_attest_with(args.iter().chain(more), &[("SIGSTORE_ROOT_FILE", "")], "")
    };
    let good = scene.sigstore.trusted_root_json();
    for (text, word) in [
        (String::new(), "it is empty"),
        (good[..good.len() - 1].to_owned(), "EOF"),
        (good.replacen('{', r#"{"x":1,"x":1,"#, 1), "twice"),
        (good.replacen('{', &format!(r#"{{"x":{},"#, deep()), 1), "recursion"),
        ("<!DOCTYPE html>".to_owned(), "expected value"),
        ("-----BEGIN CERTIFICATE-----\n".to_owned(), "it is PEM"),
    ] {
        let ran = run(&["--trusted-root", &file("root.json", text.as_bytes())]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{word}: {}", ran.stderr);
        assert!(ran.stderr.contains("error[trust-root]") && ran.stderr.contains(word), "{word}: {}", ran.stderr);
        assert!(ran.stderr.contains("→"), "{}", ran.stderr);
    }
    // Its metadata is over, and a private instance has no embedded root to go on with.
    for (expires, exit) in [("2020-01-01T00:00:00Z", 3), ("2100-01-01T00:00:00Z", 0)] {
        assert_eq!(scene.registry.lines(), [""; 0]);
        let repository = TufRepository::new(good.clone(), expires.parse().expect("a time"));
        let (server, first) = (TufServer::start(&repository), file("first.json", repository.first_root()));
        let ran = run(&["--tuf-url", &server.url(), "--tuf-root", &first]);
        assert_eq!(ran.code, exit, "{}", ran.stderr);
        if exit == 3 {
            assert!(ran.stderr.contains("error[trust-root]") && ran.stderr.contains("expired at"), "{}", ran.stderr);
            assert!(ran.stderr.contains("→") && ran.stdout.is_empty(), "{}", ran.stderr);
        }
    }
}
