//! Equal facts give equal bytes, and what is written is read back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Build, BuildError, Ci, PREDICATE_TYPE};
use crate::code::Code;
use crate::digest::Digest;
use crate::image::{PinnedReference, Platform};
use crate::limits::Limits;
use crate::statement::{BuildType, Provenance};

const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";

const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "org/app"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_SHA", COMMIT),
    ("GITHUB_WORKFLOW_REF", "org/app/.github/workflows/release.yaml@refs/heads/main"),
    ("GITHUB_RUN_ID", "17"),
    ("GITHUB_RUN_ATTEMPT", "2"),
    ("GITHUB_EVENT_NAME", "push"),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
    ("GITHUB_TOKEN", "secret"),
];
const GITLAB: &[(&str, &str)] = &[
    ("GITLAB_CI", "true"),
    ("CI_PROJECT_URL", "https://gitlab.com/org/app"),
    ("CI_REPOSITORY_URL", "https://gitlab-ci-token:secret@gitlab.com/org/app.git"),
    ("CI_COMMIT_SHA", COMMIT),
    ("CI_COMMIT_BRANCH", "main"),
    ("CI_RUNNER_ID", "4"),
    ("CI_JOB_URL", "https://gitlab.com/org/app/-/jobs/17"),
    ("CI_JOB_STARTED_AT", "2026-03-02T12:00:00Z"),
];
const BUILDKITE: &[(&str, &str)] = &[
    ("BUILDKITE", "true"),
    ("BUILDKITE_REPO", "git@github.com:org/app.git"),
    ("BUILDKITE_COMMIT", COMMIT),
    ("BUILDKITE_TAG", "v1"),
    ("BUILDKITE_BRANCH", "main"),
    ("BUILDKITE_ORGANIZATION_SLUG", "org"),
    ("BUILDKITE_PIPELINE_SLUG", "app"),
    ("BUILDKITE_BUILD_URL", "https://buildkite.com/org/app/builds/17"),
    ("BUILDKITE_JOB_ID", "0192"),
];
const CIRCLECI: &[(&str, &str)] = &[
    ("CIRCLECI", "true"),
    ("CIRCLE_REPOSITORY_URL", "https://user:secret@github.com/org/app"),
    ("CIRCLE_SHA1", COMMIT),
    ("CIRCLE_BRANCH", "main"),
    ("CIRCLE_PROJECT_ID", "0b8f"),
    ("CIRCLE_BUILD_URL", "https://circleci.com/gh/org/app/17"),
];

fn of<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + Copy + 'a {
    move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn read(predicate: &str) -> Provenance {
    Provenance::parse(PREDICATE_TYPE, predicate, &Limits::default()).expect("our own provenance")
}

fn plain() -> Build {
    let build = Build::new().repository("https://github.com/org/app").expect("a repository");
    build.commit(COMMIT).expect("a commit").builder("https://builds.example.com").expect("a URI")
}

#[test]
fn every_environment_says_source_builder_and_run() {
    for (ci, variables, repository, reference, builder, run) in [
        (
            Ci::GitHub,
            GITHUB,
            "https://github.com/org/app",
            "refs/heads/main",
            "https://github.com/org/app/.github/workflows/release.yaml@refs/heads/main",
            "https://github.com/org/app/actions/runs/17/attempts/2",
        ),
        (
            Ci::GitLab,
            GITLAB,
            "https://gitlab.com/org/app",
            "refs/heads/main",
            "https://gitlab.com/org/app/-/runners/4",
            "https://gitlab.com/org/app/-/jobs/17",
        ),
        (
            Ci::Buildkite,
            BUILDKITE,
            "https://github.com/org/app",
            "refs/tags/v1",
            "https://buildkite.com/org/app",
            "https://buildkite.com/org/app/builds/17#0192",
        ),
        (
            Ci::CircleCi,
            CIRCLECI,
            "https://github.com/org/app",
            "refs/heads/main",
            "https://circleci.com/api/v2/projects/0b8f",
            "https://circleci.com/gh/org/app/17",
        ),
    ] {
        assert_eq!(Ci::detect(of(variables)), Some(ci));
        assert_eq!(ci.to_string().parse(), Ok(ci));
        let build = || Build::of_environment(ci, of(variables)).expect("an environment").predicate().expect("facts");
        assert_eq!(build(), build());
        assert!(!build().contains("secret"), "{}", build());
        let provenance = read(&build());
        assert_eq!((provenance.kind, provenance.has_parameters), (BuildType::CgAttest, true));
        assert_eq!(provenance.source.repository.value(), Some(repository));
        assert_eq!(provenance.source.reference.value(), Some(reference));
        assert_eq!(provenance.source.commit.value(), Some(COMMIT));
        assert_eq!(provenance.builder_id.as_deref(), Some(builder));
        assert_eq!(provenance.invocation_id.as_deref(), Some(run));
        // Without any one of the variables that it cannot do without, there is nothing to write.
        let needed = variables
            .iter()
            .filter(|(name, _)| name.contains("SHA") || name.contains("COMMIT") && !name.contains("BRANCH"));
        for (name, _) in needed {
            let without: Vec<_> = variables.iter().filter(|(other, _)| other != name).copied().collect();
            let error = Build::of_environment(ci, of(&without)).map(|_| ()).expect_err(name);
            assert!(matches!(error, BuildError::Variable { .. }), "{error}");
        }
    }
    assert_eq!(Ci::detect(of(&[])), None);
    assert_eq!(Ci::detect(of(&[("GITHUB_ACTIONS", "true"), ("BUILDKITE", "true")])), None);
}

#[test]
fn the_document_is_as_documented() {
    let build = Build::of_environment(Ci::GitHub, of(GITHUB)).expect("an environment");
    let repository = "cgr.dev/chainguard/go".parse().expect("a repository");
    let base = PinnedReference::new(repository, Digest::sha256(b"base"));
    let time = |text: &str| text.parse().expect("a time");
    let build = build.base(&base).parameter("tag", "1.2").started_on(time("2026-03-02T12:00:00Z"));
    let predicate = build.finished_on(time("2026-03-02T12:05:00Z")).predicate().expect("facts");
    let document: Value = serde_json::from_str(&predicate).expect("JSON");
    assert_eq!(
        document,
        json!({
            "buildDefinition": {
                "buildType": "https://github.com/cg-attest/cg-attest/blob/main/docs/build-type.md#v1",
                "externalParameters": {
                    "source": {
                        "repository": "https://github.com/org/app",
                        "ref": "refs/heads/main",
                        "entryPoint": ".github/workflows/release.yaml",
                    },
                    "parameters": { "tag": "1.2" },
                },
                "internalParameters": { "ci": "github", "runner": "github-hosted", "trigger": "push" },
                "resolvedDependencies": [
                    {
                        "uri": "git+https://github.com/org/app@refs/heads/main",
                        "name": "source",
                        "digest": { "gitCommit": COMMIT },
                    },
                    {
                        "uri": format!("oci://cgr.dev/chainguard/go@{}", base.digest()),
                        "name": "base",
                        "digest": { "sha256": base.digest().hex() },
                    },
                ],
            },
            "runDetails": {
                "builder": { "id": "https://github.com/org/app/.github/workflows/release.yaml@refs/heads/main" },
                "metadata": {
                    "invocationId": "https://github.com/org/app/actions/runs/17/attempts/2",
                    "startedOn": "2026-03-02T12:00:00Z",
                    "finishedOn": "2026-03-02T12:05:00Z",
                },
            },
        })
    );
}

#[test]
fn what_nobody_says_is_not_made_up() {
    assert!(plain().predicate().is_ok());
    let error = |build: Build| build.predicate().expect_err("not enough").code();
    assert_eq!(error(Build::new()), Code::BuildFacts);
    let no_builder =
        Build::new().repository("https://github.com/org/app").and_then(|b| b.commit(COMMIT)).expect("facts");
    assert_eq!(error(no_builder), Code::BuildFacts);
    assert!(Build::new().commit("HEAD").is_err() && Build::new().commit("da283c2").is_err());
    assert!(Build::new().repository("org/app").is_err());
    assert!(Build::new().reference("main").is_err());
    assert!(Build::new().builder("me").is_err() && Build::new().builder("https://a b").is_err());
    let head: Vec<_> = BUILDKITE.iter().map(|(n, v)| (*n, if *n == "BUILDKITE_COMMIT" { "HEAD" } else { v })).collect();
    assert!(matches!(Build::of_environment(Ci::Buildkite, of(&head)), Err(BuildError::Form { .. })));
}

fn buildkit_v02() -> Value {
    json!({
        "builder": { "id": "" },
        "buildType": "https://mobyproject.org/buildkit@v1",
        "materials": [
            { "uri": "pkg:docker/golang@1.25?platform=linux%2Famd64", "digest": { "sha256": "11" } },
            { "uri": "pkg:docker/alpine@3", "digest": { "sha256": "00" } },
            { "uri": "pkg:docker/alpine@3", "digest": { "sha256": "00" } },
        ],
        "invocation": {
            "configSource": { "entryPoint": "Dockerfile" },
            "parameters": { "frontend": "dockerfile.v0", "args": { "target": "app", "build-arg:V": "1" } },
        },
        "metadata": { "buildInvocationID": "abc", "buildStartedOn": "2026-03-02T12:00:00Z" },
    })
}

fn buildkit_v1() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            "externalParameters": {
                "configSource": { "path": "Dockerfile" },
                "request": { "frontend": "dockerfile.v0", "args": { "target": "app", "build-arg:V": "1" } },
            },
            "resolvedDependencies": buildkit_v02()["materials"],
        },
        "runDetails": {
            "builder": { "id": "" },
            "metadata": { "invocationId": "abc", "startedOn": "2026-03-02T12:00:00Z" },
        },
    })
}

#[test]
fn buildkits_metadata_gives_request_dependencies_and_times_in_either_version() {
    let with = |metadata: &Value, platform: Option<&Platform>| {
        plain().buildkit_metadata(metadata.to_string().as_bytes(), platform, &Limits::default())
    };
    let predicate = |metadata: &Value| with(metadata, None).expect("metadata").predicate().expect("facts");
    let old = predicate(&json!({ "buildx.build.provenance": buildkit_v02(), "containerimage.digest": "sha256:00" }));
    assert_eq!(old, predicate(&json!({ "buildx.build.provenance": buildkit_v1() })));
    let document: Value = serde_json::from_str(&old).expect("JSON");
    let request =
        json!({ "frontend": "dockerfile.v0", "path": "Dockerfile", "args": { "target": "app", "build-arg:V": "1" } });
    assert_eq!(document["buildDefinition"]["externalParameters"]["buildkit"], request);
    assert_eq!(document["buildDefinition"]["internalParameters"], json!({ "buildkitInvocation": "abc" }));
    let uris: Vec<_> = read(&old).dependencies.into_iter().filter_map(|d| d.uri).collect();
    let wanted =
        ["git+https://github.com/org/app", "pkg:docker/alpine@3", "pkg:docker/golang@1.25?platform=linux%2Famd64"];
    assert_eq!(uris, wanted);
    assert_eq!(document["runDetails"]["metadata"]["startedOn"], "2026-03-02T12:00:00Z");

    let platform = |text: &str| text.parse::<Platform>().expect("a platform");
    let several = json!({
        "buildx.build.provenance/linux/amd64": buildkit_v02(), "buildx.build.provenance/linux/arm64": buildkit_v1(),
    });
    assert!(with(&several, Some(&platform("linux/arm64"))).is_ok());
    assert!(with(&several, Some(&platform("linux/s390x"))).is_err());
    assert!(with(&several, None).is_err());
    assert!(with(&json!({ "containerimage.digest": "sha256:00" }), None).is_err());
    let mut foreign = buildkit_v02();
    foreign["buildType"] = json!("https://example.com");
    assert!(with(&json!({ "buildx.build.provenance": foreign }), None).is_err());
    let twice = br#"{"buildx.build.provenance":{},"buildx.build.provenance":{}}"#;
    assert!(plain().buildkit_metadata(twice, None, &Limits::default()).is_err());
}

#[test]
fn apkos_configuration_is_the_parameter_and_its_pinned_packages_are_dependencies() {
    let with = |file: &Value, platform: Option<&Platform>| {
        plain().apko_configuration(file.to_string().as_bytes(), platform, &Limits::default())
    };
    let configuration = json!({
        "contents": { "repositories": ["https://packages.wolfi.dev/os"], "packages": ["bash=5.3-r1", "busybox"] },
        "archs": ["amd64"], "accounts": { "run-as": "65532" },
    });
    let predicate = with(&configuration, None).expect("a configuration").predicate().expect("facts");
    let document: Value = serde_json::from_str(&predicate).expect("JSON");
    assert_eq!(document["buildDefinition"]["externalParameters"]["apko"], configuration);
    let apko = predicate.find(r#""accounts""#).zip(predicate.find(r#""archs""#)).zip(predicate.find(r#""contents""#));
    assert!(apko.is_some_and(|((accounts, archs), contents)| accounts < archs && archs < contents), "keys are sorted");
    let uris: Vec<_> = read(&predicate).dependencies.into_iter().filter_map(|d| d.uri).collect();
    assert_eq!(uris, ["git+https://github.com/org/app", "pkg:apk/wolfi/bash@5.3-r1"]);

    let package = |architecture: &str| {
        let url = format!("https://packages.wolfi.dev/os/{architecture}/bash-5.3-r1.apk");
        json!({ "name": "bash", "version": "5.3-r1", "url": url, "architecture": architecture, "checksum": "Q1" })
    };
    let lock = json!({ "version": "v1", "contents": { "repositories": [{ "name": "x" }], "packages": [package("x86_64"), package("aarch64")] } });
    let count = |platform: Option<&str>| {
        let platform = platform.map(|text| text.parse::<Platform>().expect("a platform"));
        read(&with(&lock, platform.as_ref()).expect("a lock file").predicate().expect("facts")).dependencies.len()
    };
    assert_eq!((count(None), count(Some("linux/arm64"))), (3, 2));
    let mut local = lock.clone();
    local["contents"]["packages"][0]["url"] = json!("./packages/bash-5.3-r1.apk");
    let predicate = with(&local, None).expect("a lock file").predicate().expect("facts");
    assert_eq!(read(&predicate).dependencies.len(), 2);
    for bad in [json!({}), json!({ "contents": {} }), json!({ "contents": { "packages": [] } }), json!([])] {
        assert!(with(&bad, None).is_err(), "{bad}");
    }
    let limits = Limits { dependencies: 1, ..Limits::default() };
    assert!(plain().apko_configuration(configuration.to_string().as_bytes(), None, &limits).is_err());
}

#[test]
fn the_order_of_facts_changes_nothing() {
    let parameters = BTreeMap::from([("a", "1"), ("b", "2")]);
    let forth = parameters.iter().fold(plain(), |build, (name, value)| build.parameter(name, value));
    let back = parameters.iter().rev().fold(plain(), |build, (name, value)| build.parameter(name, value));
    assert_eq!(forth.predicate(), back.predicate());
    assert!(forth.predicate().expect("facts").ends_with("}\n"));
}
