//! Provenance that real builders signed: all of it is read, and its certificates do not belie it.

use std::path::Path;

use cg_attest::check::Outcome;
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::ProvenanceRules;
use cg_attest::statement::{BuildType, Family, Provenance, Statement as Read};
use cg_attest::verify::{Assessor, BlobInput};
use serde_json::Value;

use crate::provenance::ROWS;
use crate::support::bench::{requirement, trusting};
use crate::support::command::cg_attest;
use crate::support::corpus;
use crate::support::provenance::MAIN;
use crate::support::recorded::{PRODUCTION, Recorded, Trusted};

/// Every provenance statement among the recordings, enveloped or not.
fn recorded_statements(folder: &Path) -> Vec<(String, Read)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let whole = serde_json::from_slice::<Value>(&bytes).map(|value| vec![value]);
            let lines = || bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
            for value in whole.unwrap_or_else(|_| lines()) {
                gather(&path.display().to_string(), &value, &mut found);
            }
        }
    }
    found.retain(|(_, statement)| Family::name_of(statement.predicate_type()) == Some("slsa"));
    found
}

fn gather(name: &str, value: &Value, found: &mut Vec<(String, Read)>) {
    let mut keep = |bytes: &[u8]| {
        found.extend(Read::parse(bytes, &Limits::default()).ok().map(|statement| (name.to_owned(), statement)));
    };
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(payload)), Some(_)) = (fields.get("payload"), fields.get("payloadType")) {
                keep(&corpus::base64(payload));
            } else if fields.contains_key("predicateType") {
                keep(value.to_string().as_bytes());
            }
            fields.values().for_each(|value| gather(name, value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| gather(name, value, found)),
        _ => {}
    }
}

#[test]
fn every_recorded_provenance_statement_is_read() {
    let Some(folder) = corpus::folder() else { return };
    let statements = recorded_statements(&folder);
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for (name, statement) in &statements {
        let read = Provenance::parse(statement.predicate_type(), statement.predicate(), &Limits::default());
        let provenance = read.unwrap_or_else(|e| panic!("{name}: {e}"));
        *kinds.entry(format!("{:?}", provenance.kind)).or_default() += 1;
        if !matches!(provenance.kind, BuildType::Unknown | BuildType::Apko | BuildType::BuildKit | BuildType::Tekton) {
            assert!(provenance.source.repository.value().is_some(), "{name}");
            assert!(provenance.source.commit.value().is_some(), "{name}");
        }
    }
    for kind in ["GitHubWorkflow", "GitHubRunner", "SlsaGitHubGenerator", "BuildKit", "Tekton", "Apko", "Npm"] {
        assert!(kinds.contains_key(kind), "{kinds:?}");
    }
    assert!(statements.len() >= 60, "{kinds:?}");
}

/// What is recorded as valid is true: no build type of ours makes it a finding.
#[test]
fn no_recorded_provenance_is_belied_by_its_certificate() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let mut agreed = 0;
    for row in recorded.lines("expectations.jsonl").iter().filter(|row| row["expect"] == "valid") {
        let (Some(file), true) = (row["file"].as_str(), row["line"].is_null() && row["attestation"].is_null()) else {
            continue;
        };
        let bytes = recorded.read(file);
        let subject = row["subjects"][0].as_object().and_then(|digests| digests.iter().next());
        let Some((algorithm, hex)) = subject else { continue };
        let Ok(digest) = format!("{algorithm}:{}", hex.as_str().expect("hex")).parse::<Digest>() else { continue };
        let root = recorded.root(row["trusted_root"].as_str().unwrap_or(PRODUCTION)).expect("a root");
        let text = |key: &str| row[key].as_str().unwrap_or("nobody");
        let judged = |rules: ProvenanceRules| {
            let Trusted::Signer { identity, issuer } = Trusted::signer(text("identity"), text("issuer")) else {
                panic!()
            };
            let policy = trusting(&identity, &issuer).require(requirement("slsa")).provenance(rules).build();
            let bundle = Candidate::bundle(VerifiedBlob::of(bytes.clone()), Origin::new(OriginKind::File, file));
            let limits = Limits::default();
            Assessor::new(&policy.expect("a policy"), &root, recorded.now(), &limits)
                .assess_blob(&bundle, &BlobInput::Digest(&digest))
        };
        let plain = judged(ProvenanceRules::new());
        let slsa = plain.predicate_type().and_then(Family::name_of) == Some("slsa");
        let (Some(bundle), true) = (plain.verified(), slsa) else { continue };
        // Ask what the certificate says: whatever the provenance says of it has to be the same.
        let build = bundle.signer().build();
        let (Some(repository), Some(commit)) = (build.repository, build.commit) else { continue };
        let asked = ProvenanceRules::new()
            .source_repository(&repository)
            .expect("a repository")
            .source_commit(&commit)
            .expect("a commit");
        let assessed = judged(asked);
        let rows = assessed.checks().iter().filter(|check| ROWS.contains(&check.name));
        for row in rows {
            assert_ne!(row.outcome, Outcome::Fail, "{file}: {row:?}");
        }
        agreed += 1;
    }
    assert!(agreed >= 10, "{agreed}");
}

#[tokio::test]
async fn chainguards_recorded_provenance_gives_no_finding() {
    let Some(folder) = corpus::folder() else { return };
    let registry = cg_attest::testing::Registry::start();
    let place = registry.repository("chainguard/postgres");
    corpus::push_postgres(&folder, registry.content(), &place).await;
    let verify = |more: &[&str]| {
        let image = format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES);
        let mirror = format!("cgr.dev={}", registry.address());
        let args = ["verify", &image, "--mirror", &mirror, "--trusted-root", "embedded", "-o", "json"];
        cg_attest([&args[..], &["--platform", "linux/arm64", "--require", "signature,slsa"], more].concat())
    };
    let images = "https://github.com/chainguard-images/images";
    let builder = "https://github.com/chainguard-dev/terraform-provider-apko";
    let ran = verify(&["--source-repo", images, "--source-ref", MAIN, "--builder-id", builder]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // It has no parameters, so it shows no level at all, whatever Chainguard's builders are worth.
    for (more, code) in [
        (["--source-repo", "https://github.com/chainguard-images/other"], "source-mismatch"),
        (["--builder-id", "https://github.com/chainguard-images/images"], "builder-mismatch"),
        (["--slsa-level", "1"], "level-not-shown"),
    ] {
        let ran = verify(&more);
        // Two attestations were not recorded, and either could have said something else.
        assert_eq!((ran.code, ran.state("linux/arm64", "slsa").as_str()), (3, "undecided"), "{}", ran.stdout);
        let report = ran.json();
        let rows = report["candidates"].as_array().expect("candidates").iter();
        let mut rows = rows.flat_map(|candidate| candidate["checks"].as_array().expect("rows"));
        assert!(rows.any(|row| row["result"] == "fail" && row["code"] == code), "{}", ran.stdout);
    }
}
