//! What provenance has to say: each refusal beside what is accepted, one change apart.

use cg_attest::check::{CheckName, Outcome};
use cg_attest::code::Code;
use cg_attest::policy::{Level, Pattern, Policy, ProvenanceRules, SlsaLevel};
use cg_attest::report::Report;
use cg_attest::testing::Identity;
use cg_attest::verify::State;
use serde_json::{Value, json};

use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_undecided, cell, failed, only_candidate, requirement, text,
    trusting, trusting_signer,
};
use crate::support::provenance::{COMMIT, GITHUB, MAIN, V1, V02, WORKFLOW, changed, generator, github, statement};

/// The rows that are tested here.
pub(crate) const ROWS: [CheckName; 4] =
    [CheckName::Provenance, CheckName::Source, CheckName::Builder, CheckName::SlsaLevel];

const REPOSITORY: &str = "https://github.com/chainguard-images/images";
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
