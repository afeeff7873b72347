//! What provenance has to say: each refusal beside what is accepted, one change apart.

use std::path::Path;

use cg_attest::check::{CheckName, Outcome};
use cg_attest::code::Code;
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::{Level, Pattern, Policy, ProvenanceRules, SlsaLevel};
use cg_attest::report::Report;
use cg_attest::statement::{BuildType, Family, Provenance, Statement as Read};
use cg_attest::testing::{Identity, Statement, Upload, VirtualSigstore};
use cg_attest::verify::{Assessor, BlobInput, State};
use serde_json::{Value, json};

use crate::schema::problems;
use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_undecided, cell, failed, only_candidate, requirement, text,
    trusting, trusting_signer,
};
use crate::support::command::{cg_attest, cg_attest_with};
use crate::support::corpus;
use crate::support::provenance::{COMMIT, GITHUB, V1, V02, generator, github, statement};
use crate::support::recorded::{PRODUCTION, Recorded, Trusted};
use crate::support::scene::{IDENTITY, Scene};

/// The rows that are tested here.
pub(crate) const ROWS: [CheckName; 4] =
    [CheckName::Provenance, CheckName::Source, CheckName::Builder, CheckName::SlsaLevel];

const REPOSITORY: &str = "https://github.com/chainguard-images/images";
const WORKFLOW: &str = ".github/workflows/release.yaml";
const MAIN: &str = "refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn rules() -> ProvenanceRules {
    ProvenanceRules::new()
}

fn repository(text: &str) -> ProvenanceRules {
    rules().source_repository(text).expect("a repository")
}

fn level(text: &str) -> ProvenanceRules {
    rules().slsa_level(text.parse::<SlsaLevel>().expect("a level"))
}

/// Good provenance of the bench's signer.
fn good() -> Value {
    github("chainguard-images/images", WORKFLOW, MAIN)
}

fn changed(mut predicate: Value, pointer: &str, value: &str) -> Value {
    *predicate.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = json!(value);
    predicate
}

/// Provenance of the index by the bench's signer, under a policy that asks these rules.
async fn asked(bench: &Bench, kind: &str, predicate: &Value, rules: ProvenanceRules) -> Report {
    signed_by(bench, &bench.signer, kind, predicate, rules).await
}

/// The same by another signer, whom the policy trusts.
async fn signed_by(bench: &Bench, signer: &Identity, kind: &str, predicate: &Value, rules: ProvenanceRules) -> Report {
    let place = bench.fresh().await;
    let bundle = bench.sigstore.sign(signer).statement(&statement(bench.index(), kind, predicate));
    place.push_bundle(&bundle).await;
    let trusted = Policy::builder().issuer(Pattern::exact(ISSUER).expect("a pattern"));
    let trusted = trusted.identity(Pattern::glob("https://github.com/**").expect("a pattern"));
    let policy = trusted.require(requirement("slsa").at(Level::Index)).provenance(rules).build().expect("a policy");
    place.verify(&policy).await
}

/// Exactly this row failed, and the image is refused for this reason.
fn assert_only(report: &Report, name: CheckName, code: Code, state: State) {
    assert_eq!(failed(only_candidate(report)), [(name, code)], "{}", text(report));
    assert_eq!(cell(report, "index", "slsa"), (state, Some(code)));
    assert_refused(report);
}

#[tokio::test]
async fn the_source_is_compared_with_what_is_asked() {
    let bench = Bench::new().await;
    let asks = async |rules| asked(&bench, V1, &good(), rules).await;
    let refused = async |rules| {
        let report = asks(rules).await;
        assert_only(&report, CheckName::Source, Code::SourceMismatch, State::Mismatch);
        let cell = &report.cells()[0];
        (cell.wanted.join(""), cell.found.clone().expect("what was found"))
    };
    for same in
        [REPOSITORY, "git+https://github.com/chainguard-images/images.git", "github.com/chainguard-images/images"]
    {
        assert_accepted(&asks(repository(same)).await);
    }
    assert_eq!(
        refused(repository("https://github.com/chainguard-images/images-evil")).await,
        ("https://github.com/chainguard-images/images-evil".to_owned(), REPOSITORY.to_owned())
    );
    assert_accepted(&asks(rules().source_ref(MAIN).expect("a ref")).await);
    let other = refused(rules().source_ref("refs/heads/main2").expect("a ref")).await;
    assert_eq!(other, ("refs/heads/main2".to_owned(), MAIN.to_owned()));
    assert_accepted(&asks(rules().source_commit(COMMIT).expect("a commit")).await);
    refused(rules().source_commit(&COMMIT.replace('d', "e")).expect("a commit")).await;
}

#[tokio::test]
async fn builder_and_build_type_are_compared_with_what_is_asked() {
    let bench = Bench::new().await;
    let asks = async |rules| asked(&bench, V1, &good(), rules).await;
    let id = format!("{REPOSITORY}/{WORKFLOW}@{MAIN}");
    let builder = |text: &str| rules().builder(Pattern::exact(text).expect("a pattern"));
    assert_accepted(&asks(builder(&id)).await);
    assert_accepted(&asks(builder("other").builder(Pattern::exact(&id).expect("a pattern"))).await);
    for other in [format!("{id}2"), id[..id.len() - 1].to_owned()] {
        let report = asks(builder(&other)).await;
        assert_only(&report, CheckName::Builder, Code::BuilderMismatch, State::Mismatch);
        assert_eq!(report.cells()[0].found.as_deref(), Some(id.as_str()));
    }
    assert_accepted(&asks(rules().build_type(GITHUB)).await);
    let report = asks(rules().build_type("https://mobyproject.org/buildkit@v1")).await;
    assert_only(&report, CheckName::Builder, Code::BuilderMismatch, State::Mismatch);
    // A builder that the document does not name is not the one that is asked for.
    let nameless = json!({ "buildDefinition": { "buildType": "t" }, "runDetails": { "builder": { "id": "" } } });
    let report = asked(&bench, V1, &nameless, builder("b")).await;
    assert_only(&report, CheckName::Builder, Code::BuilderMismatch, State::Mismatch);
}

/// G-16: genuine, by an allowed signer, and about another build than its own certificate.
#[tokio::test]
async fn g_16_provenance_that_its_certificate_belies_is_refused() {
    let bench = Bench::new().await;
    // Nothing of what is asked is what was changed.
    let rule = || rules().build_type(GITHUB);
    assert_accepted(&asked(&bench, V1, &good(), rule()).await);
    for (pointer, value) in [
        ("/buildDefinition/externalParameters/workflow/repository", "https://github.com/chainguard-images/evil"),
        ("/buildDefinition/externalParameters/workflow/path", ".github/workflows/other.yaml"),
        ("/buildDefinition/resolvedDependencies/0/uri", "git+https://github.com/chainguard-images/images@refs/heads/x"),
        ("/buildDefinition/resolvedDependencies/0/digest/gitCommit", "0000000000000000000000000000000000000000"),
        ("/runDetails/builder/id", "https://github.com/other/builder@refs/tags/v1"),
        ("/runDetails/metadata/invocationId", "https://github.com/chainguard-images/images/actions/runs/1/attempts/1"),
    ] {
        let predicate = changed(good(), pointer, value);
        let report = asked(&bench, V1, &predicate, rule()).await;
        assert_only(&report, CheckName::Provenance, Code::ProvenanceMismatch, State::Mismatch);
        // Where nothing is asked of provenance, nothing in it is judged.
        assert_accepted(&asked(&bench, V1, &predicate, rules()).await);
        let rows = only_candidate(&asked(&bench, V1, &predicate, rules()).await).checks().to_vec();
        assert!(rows.iter().filter(|c| ROWS.contains(&c.name)).all(|c| c.outcome == Outcome::NotRun));
    }
}

#[tokio::test]
async fn old_certificates_speak_as_new_ones_do() {
    let bench = Bench::new().await;
    let old = (9..=24).fold(bench.signer.clone(), Identity::without_claim);
    assert_accepted(&signed_by(&bench, &old, V1, &good(), repository(REPOSITORY)).await);
    let evil = old.clone().claim(5, "chainguard-images/evil");
    let report = signed_by(&bench, &evil, V1, &good(), repository(REPOSITORY)).await;
    let rows = [(CheckName::Provenance, Code::ProvenanceMismatch), (CheckName::Source, Code::SourceMismatch)];
    assert_eq!(failed(only_candidate(&report)), rows);
    assert_refused(&report);
}

/// Chainguard's builder is not the name in its certificate, and its build type has no source: neither is a finding.
#[tokio::test]
async fn what_a_build_type_does_not_define_is_not_compared() {
    let bench = Bench::new().await;
    let place = bench.fresh().await;
    place.push(&bench.slsa(bench.index())).await;
    let verified = async |rules| {
        let wanted = requirement("slsa").at(Level::Index);
        place.verify(&trusting_signer().require(wanted).provenance(rules).build().expect("a policy")).await
    };
    let builder = Pattern::exact("https://github.com/chainguard-dev/terraform-provider-apko").expect("a pattern");
    let report = verified(repository(REPOSITORY).source_ref(MAIN).expect("a ref").builder(builder)).await;
    assert_accepted(&report);
    let rows = only_candidate(&report).checks();
    let detail = |name| rows.iter().find(|c| c.name == name).and_then(|c| c.detail.clone()).expect("a detail");
    assert_eq!(detail(CheckName::Provenance), "nothing in it is comparable with the certificate");
    assert_eq!(detail(CheckName::Source), "source-repository by certificate, source-ref by certificate");
    let report = verified(repository("https://github.com/chainguard-images/other")).await;
    assert_only(&report, CheckName::Source, Code::SourceMismatch, State::Mismatch);
}

#[tokio::test]
async fn what_nobody_says_is_not_shown() {
    let bench = Bench::new().await;
    let person = (2..=24).filter(|n| *n != 8).fold(bench.signer.clone(), Identity::without_claim);
    let apko = json!({ "buildDefinition": { "buildType": "https://apko.dev/slsa-build-type@v1" }, "runDetails": {} });
    let report = signed_by(&bench, &person, V1, &apko, repository(REPOSITORY)).await;
    assert_only(&report, CheckName::Source, Code::SourceNotShown, State::Mismatch);
    assert_accepted(&signed_by(&bench, &bench.signer, V1, &apko, repository(REPOSITORY)).await);
    // What the provenance alone says is the signer's word, which the policy trusts.
    assert_accepted(&signed_by(&bench, &person, V1, &good(), repository(REPOSITORY)).await);
}

/// One candidate has the right certificate, another the right provenance: together they are nothing.
#[tokio::test]
async fn certificate_and_provenance_are_those_of_one_candidate() {
    let bench = Bench::new().await;
    let apko = |source: &str| {
        changed(
            json!({
                "buildDefinition": { "buildType": "https://mobyproject.org/buildkit@v1", "externalParameters": {} },
                "runDetails": { "builder": { "id": "b" }, "metadata": { "buildkit_metadata": { "vcs": { "source": "" } } } },
            }),
            "/runDetails/metadata/buildkit_metadata/vcs/source",
            source,
        )
    };
    let evil = Identity::github_workflow("chainguard-images/evil", WORKFLOW, MAIN);
    let policy = |rules| {
        let issuer = Pattern::exact(ISSUER).expect("a pattern");
        let identity = Pattern::glob("https://github.com/chainguard-images/**").expect("a pattern");
        let builder = Policy::builder().identity(identity).issuer(issuer);
        builder.require(requirement("slsa").at(Level::Index)).provenance(rules).build().expect("a policy")
    };
    let bundle = |signer: &Identity, source: &str| {
        bench.sigstore.sign(signer).statement(&statement(bench.index(), V1, &apko(source)))
    };
    let place = bench.fresh().await;
    place.push_bundle(&bundle(&bench.signer, "https://github.com/chainguard-images/evil")).await;
    place.push_bundle(&bundle(&evil, REPOSITORY)).await;
    let report = place.verify(&policy(repository(REPOSITORY))).await;
    assert_refused(&report);
    assert_eq!(cell(&report, "index", "slsa"), (State::Mismatch, Some(Code::SourceMismatch)));
    place.push_bundle(&bundle(&bench.signer, REPOSITORY)).await;
    assert_accepted(&place.verify(&policy(repository(REPOSITORY))).await);
}

#[tokio::test]
async fn a_predicate_that_cannot_be_read_is_refused_where_it_is_asked() {
    let bench = Bench::new().await;
    for bad in [json!("text"), json!([]), json!({ "buildDefinition": 7 })] {
        let report = asked(&bench, V1, &bad, repository(REPOSITORY)).await;
        assert_only(&report, CheckName::Provenance, Code::ProvenanceInvalid, State::Invalid);
        assert_accepted(&asked(&bench, V1, &bad, rules()).await);
    }
}

#[tokio::test]
async fn more_dependencies_than_are_read_leave_it_undecided() {
    let mut bench = Bench::new().await;
    let rule = || rules().build_type(GITHUB);
    assert_accepted(&asked(&bench, V1, &good(), rule()).await);
    bench.limits.dependencies = 0;
    let report = asked(&bench, V1, &good(), rule()).await;
    assert_undecided(&report);
    assert_eq!(cell(&report, "index", "slsa"), (State::Undecided, Some(Code::Limit)));
}

#[tokio::test]
async fn a_level_is_shown_by_signer_builder_and_build_type_together() {
    let bench = Bench::new().await;
    let shows = async |signer: &Identity, kind: &str, predicate: &Value, text: &str| {
        let report = signed_by(&bench, signer, kind, predicate, level(text)).await;
        match failed(only_candidate(&report)).as_slice() {
            [] => assert_accepted(&report),
            [(CheckName::SlsaLevel, Code::LevelNotShown)] => assert_refused(&report),
            _ => panic!("{}", crate::support::bench::text(&report)),
        }
        report.verdict() == cg_attest::report::Verdict::Accept
    };
    // GitHub's own: 2, on its own machines, of the workflow that signed.
    assert!(shows(&bench.signer, V1, &good(), "2").await);
    assert!(!shows(&bench.signer, V1, &good(), "3").await);
    let own_machine = bench.signer.clone().claim(11, "self-hosted");
    assert!(!shows(&own_machine, V1, &good(), "2").await);
    assert!(shows(&own_machine, V1, &good(), "1").await);
    // The word of a workflow about another builder is its own.
    let other = changed(good(), "/buildDefinition/buildType", "https://example.com/build/v1");
    assert!(!shows(&bench.signer, V1, &other, "2").await);
    assert!(shows(&bench.signer, V1, &other, "1").await);
    let mut no_parameters = other;
    no_parameters["buildDefinition"]["externalParameters"] = Value::Null;
    assert!(!shows(&bench.signer, V1, &no_parameters, "1").await);

    // slsa-github-generator: 3, for a released version that is its own builder.
    const FILES: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";
    let caller = |name: &str| {
        let home = "https://github.com/org/repo";
        let called = Identity::uri(name, ISSUER).claim(9, name).claim(12, home).claim(13, COMMIT).claim(14, MAIN);
        called.claim(11, "github-hosted").claim(18, &format!("{home}/{WORKFLOW}@{MAIN}"))
    };
    for (file, reference, shown) in [
        ("generator_container_slsa3.yml", "refs/tags/v2.1.0", true),
        ("generator_container_slsa3.yml", "refs/tags/v2.1.0-evil", false),
        ("generator_container_slsa3.yml", "refs/heads/main", false),
        ("pre-submit.yml", "refs/tags/v2.1.0", false),
    ] {
        let name = format!("{FILES}{file}@{reference}");
        assert_eq!(shows(&caller(&name), V02, &generator(&name, "org/repo", MAIN), "3").await, shown, "{name}");
    }
    // A machine of the caller's own can have the label of GitHub's.
    let name = format!("{FILES}generator_container_slsa3.yml@refs/tags/v2.1.0");
    let on_own_machine = caller(&name).claim(11, "self-hosted");
    assert!(!shows(&on_own_machine, V02, &generator(&name, "org/repo", MAIN), "3").await);
    // The same provenance by somebody else is that somebody's word.
    let fork = name.replace("slsa-framework", "evil");
    assert!(!shows(&caller(&fork), V02, &generator(&fork, "org/repo", MAIN), "3").await);
}

#[tokio::test]
async fn a_key_signs_for_its_own_word() {
    let bench = Bench::new().await;
    let place = bench.fresh().await;
    place
        .push_bundle(&bench.sigstore.sign_with_key(&bench.key).statement(&statement(bench.index(), V1, &good())))
        .await;
    let verified = async |rules| {
        let policy = Policy::builder().key(&bench.key.public_key_pem()).require(requirement("slsa").at(Level::Index));
        place.verify(&policy.provenance(rules).build().expect("a policy")).await
    };
    assert_accepted(&verified(repository(REPOSITORY)).await);
    assert_only(
        &verified(repository("https://github.com/a/b")).await,
        CheckName::Source,
        Code::SourceMismatch,
        State::Mismatch,
    );
    assert_accepted(&verified(level("1")).await);
    assert_only(&verified(level("2")).await, CheckName::SlsaLevel, Code::LevelNotShown, State::Mismatch);
}

#[test]
fn rules_that_could_mean_something_else_cannot_be_made() {
    for bad in ["", "org/repo", "https://github.com", "https://github.com/a/../b"] {
        assert_eq!(rules().source_repository(bad).map(|_| ()).map_err(|e| e.code()), Err(Code::PolicyInvalid), "{bad}");
    }
    for bad in ["", "main", "refs/", "refs/heads/a b"] {
        assert_eq!(rules().source_ref(bad).map(|_| ()).map_err(|e| e.code()), Err(Code::PolicyInvalid), "{bad}");
    }
    for bad in ["", "da283c2", &COMMIT.to_uppercase(), &format!("{COMMIT}0")] {
        assert_eq!(rules().source_commit(bad).map(|_| ()).map_err(|e| e.code()), Err(Code::PolicyInvalid), "{bad}");
    }
    for bad in ["", "0", "4", "L3"] {
        assert!(bad.parse::<SlsaLevel>().is_err(), "{bad}");
    }
    // Rules alone are a requirement.
    let policy = trusting("me", "https://issuer.example").provenance(level("1")).build().expect("a policy");
    assert_eq!(policy.requirements().iter().map(|r| r.name()).collect::<Vec<_>>(), ["slsa"]);
    assert!(trusting("me", "https://issuer.example").provenance(rules()).build().is_err());
}

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
        "signed by    org/repo release.yaml@main, schedule",
        "source       https://github.com/org/repo   (as in the certificate)",
        "ref          refs/heads/main   (as in the certificate)",
        "described in .github/workflows/release.yaml   (as in the certificate)",
        "SLSA         level 2: GitHub's artifact attestations",
        "built        not stated",
        "dependencies 1",
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
        let plain = judged(rules());
        let slsa = plain.predicate_type().and_then(Family::name_of) == Some("slsa");
        let (Some(bundle), true) = (plain.verified(), slsa) else { continue };
        // Ask what the certificate says: whatever the provenance says of it has to be the same.
        let build = bundle.signer().build();
        let (Some(repository), Some(commit)) = (build.repository, build.commit) else { continue };
        let asked = self::repository(&repository).source_commit(&commit).expect("a commit");
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
