//! One document per build type, and what may not be read.

use serde_json::{Value, json};

use super::{BuildType, Field, Provenance, SlsaVersion, Stated};
use crate::code::Code;
use crate::limits::Limits;

const V1: &str = "https://slsa.dev/provenance/v1";
const V02: &str = "https://slsa.dev/provenance/v0.2";
const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";

fn read(kind: &str, predicate: &Value) -> Provenance {
    Provenance::parse(kind, &predicate.to_string(), &Limits::default()).unwrap_or_else(|e| panic!("{e}: {predicate}"))
}

/// Repository, ref, commit and entry point, as one text each; `-` is absent, `~` not comparable.
fn source(provenance: &Provenance) -> [String; 4] {
    let source = &provenance.source;
    [&source.repository, &source.reference, &source.commit, &source.entry_point].map(|stated| match stated {
        Stated::Value(text) => text.clone(),
        Stated::Absent => "-".to_owned(),
        Stated::NotComparable => "~".to_owned(),
    })
}

fn v1(build_type: &str, external: &Value, dependencies: &Value) -> Value {
    json!({
        "buildDefinition": {
            "buildType": build_type, "externalParameters": external, "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": { "id": "https://builder.example" },
            "metadata": { "invocationId": "run-1", "startedOn": "2026-03-02T12:00:00Z", "finishedOn": null },
        },
    })
}

#[test]
fn an_array_of_the_values_is_no_provenance() {
    let good = v1("b", &json!({}), &json!([]));
    let parse = |document: &Value| Provenance::parse(V1, &document.to_string(), &Limits::default()).map(drop);
    assert!(parse(&good).is_ok());
    let (definition, details) = (&good["buildDefinition"], &good["runDetails"]);
    assert_eq!(parse(&json!([definition, details])).map_err(|e| e.code()), Err(Code::ProvenanceInvalid));
    let mut metadata = good.clone();
    metadata["runDetails"]["metadata"] = json!(["run-1", "2026-03-02T12:00:00Z", null]);
    assert_eq!(parse(&metadata).map_err(|e| e.code()), Err(Code::ProvenanceInvalid));
}

#[test]
fn a_github_workflow_says_all_of_its_source() {
    let checkout = json!([
        { "uri": "git+https://github.com/org/repo@refs/tags/v1", "digest": { "gitCommit": COMMIT } },
        { "uri": "pkg:docker/alpine@3", "digest": { "sha256": "00" } },
    ]);
    let workflow = json!({ "workflow": {
        "repository": "https://github.com/org/repo", "ref": "refs/heads/main", "path": ".github/workflows/r.yaml",
    } });
    for uri in [
        "https://actions.github.io/buildtypes/workflow/v1",
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
    ] {
        let provenance = read(V1, &v1(uri, &workflow, &checkout));
        // What was checked out is the source; the ref in the parameters is the file's.
        let wanted = ["https://github.com/org/repo", "refs/tags/v1", COMMIT, ".github/workflows/r.yaml"];
        assert_eq!(source(&provenance), wanted);
        assert_eq!((provenance.version, provenance.dependencies.len()), (SlsaVersion::V1, 2));
        assert_eq!(provenance.started_on.map(|t| t.to_string()).as_deref(), Some("2026-03-02T12:00:00Z"));
        assert_eq!(provenance.finished_on, None);
        assert!(provenance.has_parameters);
        assert!(provenance.kind.as_in_certificate().contains(&Field::SourceCommit));
    }
    // Two checkouts of one repository: neither is the source.
    let twice = json!([checkout[0], { "uri": "git+https://github.com/org/repo.git", "digest": { "gitCommit": "00" } }]);
    let provenance = read(V1, &v1("https://actions.github.io/buildtypes/workflow/v1", &workflow, &twice));
    assert_eq!(source(&provenance)[1..3], ["refs/heads/main", "-"]);
    let nothing = read(V1, &v1("https://actions.github.io/buildtypes/workflow/v1", &json!(null), &json!(null)));
    assert_eq!((source(&nothing), nothing.has_parameters), (["-"; 4].map(str::to_owned), false));
}

#[test]
fn slsa_github_generators_configuration_is_the_source() {
    let predicate = json!({
        "builder": { "id": "https://builder.example" },
        "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        "invocation": { "configSource": {
            "uri": "git+https://github.com/org/repo@refs/heads/main", "digest": { "sha1": COMMIT },
            "entryPoint": ".github/workflows/r.yaml",
        } },
        "metadata": { "buildInvocationID": "17-1", "buildStartedOn": "2026-03-02T12:00:00Z" },
        "materials": [{ "uri": "git+https://github.com/org/repo@refs/heads/main", "digest": { "sha1": COMMIT } }],
    });
    let provenance = read(V02, &predicate);
    let wanted = ["git+https://github.com/org/repo", "refs/heads/main", COMMIT, ".github/workflows/r.yaml"];
    assert_eq!(source(&provenance), wanted);
    assert_eq!((provenance.invocation_id.as_deref(), provenance.has_parameters), (Some("17-1"), true));
    let npm = json!({ "buildType": "https://github.com/npm/cli/gha/v2", "metadata": { "buildInvocationId": "17-2" } });
    assert_eq!(read(V02, &npm).invocation_id.as_deref(), Some("17-2"));
}

#[test]
fn delegated_and_contained_builds_have_their_source_elsewhere() {
    let checkout =
        json!([{ "uri": "git+https://github.com/org/repo@refs/tags/v1", "digest": { "gitCommit": COMMIT } }]);
    let delegated =
        v1("https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0", &json!({}), &checkout);
    let wanted = ["git+https://github.com/org/repo", "refs/tags/v1", COMMIT, "~"];
    assert_eq!(source(&read(V1, &delegated)), wanted);
    let external = json!({ "source": { "uri": "git+https://github.com/org/repo@refs/tags/v1", "digest": { "sha1": COMMIT } }, "configPath": "build.toml" });
    let contained = read(V1, &v1("https://slsa.dev/container-based-build/v0.1?draft", &external, &json!([])));
    assert_eq!(source(&contained), ["git+https://github.com/org/repo", "refs/tags/v1", COMMIT, "build.toml"]);
}

#[test]
fn buildkit_has_its_context_or_what_its_client_said() {
    let remote = json!({ "configSource": {
        "uri": "https://github.com/org/repo.git#refs/tags/v1", "digest": { "sha1": COMMIT }, "path": "Dockerfile",
    } });
    let uri = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";
    let wanted = ["https://github.com/org/repo.git", "refs/tags/v1", COMMIT, "Dockerfile"];
    assert_eq!(source(&read(V1, &v1(uri, &remote, &json!([])))), wanted);
    // A branch by its bare name is no ref.
    let bare = json!({ "configSource": { "uri": "https://github.com/org/repo.git#main", "path": "Dockerfile" } });
    assert_eq!(source(&read(V1, &v1(uri, &bare, &json!([]))))[1..3], ["~", "-"]);

    let vcs = json!({ "vcs": { "source": "git@github.com:org/repo.git", "revision": format!("{COMMIT}-dirty") } });
    let mut local = v1(uri, &json!({ "configSource": { "path": "Dockerfile" } }), &json!([]));
    local["runDetails"]["metadata"]["buildkit_metadata"] = vcs.clone();
    local["runDetails"]["builder"]["id"] = json!("");
    let said =
        ["git@github.com:org/repo.git".to_owned(), "~".to_owned(), format!("{COMMIT}-dirty"), "Dockerfile".to_owned()];
    let provenance = read(V1, &local);
    assert_eq!(source(&provenance), said);
    assert_eq!(provenance.builder_id, None);
    let old = json!({
        "builder": { "id": "" }, "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": { "configSource": { "entryPoint": "Dockerfile" } },
        "metadata": { "buildInvocationID": "x", "https://mobyproject.org/buildkit@v1#metadata": vcs },
    });
    assert_eq!(source(&read(V02, &old)), said);
    assert!(provenance.kind.as_in_certificate().is_empty());
}

#[test]
fn tektons_source_is_the_one_checkout_that_a_task_gave() {
    let checkout =
        json!({ "uri": "git+https://github.com/org/repo", "name": "inputs/result", "digest": { "sha1": COMMIT } });
    let image = json!({ "uri": "oci://gcr.io/kaniko", "digest": { "sha256": "00" } });
    let uri = "https://tekton.dev/chains/v2/slsa";
    let one = read(V1, &v1(uri, &json!({ "runSpec": {} }), &json!([image, checkout])));
    assert_eq!(source(&one), ["git+https://github.com/org/repo", "-", COMMIT, "~"]);
    let two = read(V1, &v1(uri, &json!({ "runSpec": {} }), &json!([checkout, checkout])));
    assert_eq!(source(&two), ["-", "-", "-", "~"]);
    let old = json!({ "buildType": "tekton.dev/v1beta1/TaskRun", "invocation": { "configSource": {
        "uri": "git+https://github.com/org/repo", "digest": { "sha1": COMMIT }, "entryPoint": "task.yaml" } } });
    assert_eq!(source(&read(V02, &old)), ["git+https://github.com/org/repo", "-", COMMIT, "task.yaml"]);
}

#[test]
fn what_apko_and_melange_build_has_no_source_to_compare() {
    for (uri, kind) in [
        ("https://apko.dev/slsa-build-type@v1", BuildType::Apko),
        ("https://chainguard.dev/buildtypes/apko/v1", BuildType::Apko),
        ("https://chainguard.dev/buildtypes/apkoaas/v1", BuildType::Apkoaas),
        ("https://chainguard.dev/buildtypes/melange/v1", BuildType::Melange),
        ("https://example.com/our-own", BuildType::Unknown),
    ] {
        // A field of the name that GitHub's type has means nothing in another type, whatever is in it.
        let provenance = read(V1, &v1(uri, &json!({ "workflow": 7, "source": [] }), &json!([])));
        assert_eq!((provenance.kind, source(&provenance)), (kind, ["~"; 4].map(str::to_owned)));
        assert_eq!(provenance.field(Field::Builder), Stated::Value("https://builder.example".to_owned()));
        assert!(kind.as_in_certificate().is_empty());
    }
}

#[test]
fn the_first_version_has_a_recipe() {
    let old = json!({ "builder": { "id": "b" }, "recipe": { "type": "t", "entryPoint": "e" }, "materials": [{ "uri": "u" }] });
    let provenance = read("https://slsa.dev/provenance/v0.1", &old);
    assert_eq!((provenance.version, provenance.build_type.as_deref()), (SlsaVersion::V01, Some("t")));
    assert_eq!(provenance.dependencies.len(), 1);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let parse = |text: &str| Provenance::parse(V1, text, &Limits::default()).map(|_| ()).map_err(|e| e.code());
    let good = v1("https://actions.github.io/buildtypes/workflow/v1", &json!({}), &json!([])).to_string();
    assert_eq!(parse(&good), Ok(()));
    for bad in [
        good.replace(r#""buildType""#, r#""buildType":"other","buildType""#),
        good.replace(r#""id""#, r#""id":"other","id""#),
        // Also where nothing is read: another program may.
        good.replace(r#""externalParameters":{}"#, r#""externalParameters":{"a":1,"a":2}"#),
        good.replace("2026-03-02", "yesterday"),
        format!("{good} ").replace("runDetails", "runDetail"),
        format!("\"{}\"", good.replace('"', "\\\"")),
        "[]".to_owned(),
        String::new(),
    ] {
        assert_eq!(parse(&bad), Err(Code::ProvenanceInvalid), "{bad}");
    }
    let other = Provenance::parse("https://slsa.dev/provenance/v2", &good, &Limits::default());
    assert_eq!(other.map_err(|e| e.code()), Err(Code::ProvenanceInvalid));
    let commits =
        json!([{ "uri": "git+https://github.com/o/r@refs/tags/v1", "digest": { "gitCommit": COMMIT, "sha1": "00" } }]);
    let delegated =
        v1("https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0", &json!({}), &commits);
    assert_eq!(parse(&delegated.to_string()), Err(Code::ProvenanceInvalid));
}

#[test]
fn the_number_of_dependencies_has_a_bound() {
    let limits = Limits { dependencies: 2, ..Limits::default() };
    let parse = |count: usize| {
        let predicate = v1("t", &json!({}), &Value::Array(vec![json!({ "uri": "u" }); count])).to_string();
        Provenance::parse(V1, &predicate, &limits).map(|p| p.dependencies.len()).map_err(|e| e.code())
    };
    assert_eq!((parse(2), parse(3)), (Ok(2), Err(Code::Limit)));
}
