//! Every document that `docs/json.md` describes has the fields that it names, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::command::{Ran, cg_attest};
use crate::support::signing::{PERSON, Scene};

const PAGE: &str = include_str!("../../../docs/json.md");

/// The fields of each kind, as the table has them.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let words = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let fields = words(cells[3]).into_iter().chain(["apiVersion", "kind"].map(str::to_owned));
        (words(cells[2]).remove(0), fields.collect())
    })
    .collect()
}

#[test]
fn the_fields_of_every_document_are_those_of_the_page() {
    let scene = Scene::new();
    let mut seen = BTreeSet::new();
    let table = table();
    let mut shown = |ran: Ran, kind: &str, code: i32| {
        assert_eq!(ran.code, code, "{kind}: {}{}", ran.stdout, ran.stderr);
        let head = format!("{{\n  \"apiVersion\": \"cg-attest/v1\",\n  \"kind\": \"{kind}\",\n");
        assert!(ran.stdout.starts_with(&head), "{}", ran.stdout);
        let document: Value = ran.json();
        let fields = document.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(Some(&fields), table.get(kind), "{kind}");
        seen.insert(kind.to_owned());
    };
    let json = ["-o", "json"];
    shown(scene.signs("sign", "v2", &[&json[..], &["--dry-run"]].concat()), "SigningPlan", 0);
    shown(scene.signs("sign", "v2", &json), "AttachResult", 0);
    let documents = scene.documents(true);
    let documents: Vec<&str> = documents.iter().map(String::as_str).chain(json).collect();
    shown(scene.signs("attest", "v2", &documents), "AttachResult", 0);

    let (name, issuer, root) = (scene.name(), scene.server.url().to_owned(), scene.text("root"));
    let trusting = ["--identity", PERSON, "--issuer", &issuer, "--trusted-root", &root];
    let of = |command: &str, more: &[&str]| cg_attest([&[command, &name, "-o", "json"], more].concat());
    shown(scene.verify("signature"), "VerificationReport", 0);
    shown(of("check", &trusting), "CheckReport", 0);
    shown(of("provenance", &[&trusting[..], &["--platform", "linux/amd64"]].concat()), "Provenance", 0);
    shown(of("inspect", &[]), "Inspection", 0);
    shown(of("tree", &[]), "Tree", 0);
    shown(of("diff", &[&name, "--platform", "linux/amd64"]), "Difference", 0);
    shown(cg_attest(["trust", "show", "--trusted-root", &root, "-o", "json"]), "TrustReport", 0);

    let (file, bundle) = (scene.text("slsa"), scene.text("file.sigstore.json"));
    let config = scene.text("v2");
    let token = scene.text("token");
    let signing = ["--signing-config", &config, "--identity-token-file", &token, "--trusted-root", &root];
    let signed = cg_attest([&["sign-blob", &file, "--bundle", &bundle, "--yes"], &signing[..]].concat());
    assert_eq!(signed.code, 0, "{}", signed.stderr);
    let blob = [&["verify-blob", &file, "--bundle", &bundle, "-o", "json"], &trusting[..]].concat();
    shown(cg_attest(blob), "BlobVerificationReport", 0);
    let files =
        scene.signs("sign", "v2", &["--no-upload", "--bundle-dir", &scene.text("bundles"), "--conflict", "append"]);
    assert_eq!(files.code, 0, "{}", files.stderr);
    let found =
        std::fs::read_dir(scene.path("bundles")).expect("a folder").next().expect("a bundle").expect("a file").path();
    let attached = [&[found.to_str().expect("UTF-8"), "--dry-run"], &json[..]].concat();
    shown(scene.attach(&attached), "AttachPlan", 0);

    assert_eq!(seen, table.keys().cloned().collect(), "kinds that are described and were printed");
}
