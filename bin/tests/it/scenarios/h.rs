//! H. The digest is the only name.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::digest::VerifiedBlob;
use cg_attest::discover::ImageRequest;
use cg_attest::image::{Descriptor, ImageName, Platform, media};
use cg_attest::registry::{Context, Push as _};
use cg_attest::report::Report;
use cg_attest::testing::{Answer, ImageBuilder, RegistryFault, Statement, Upload};
use cg_attest::verify::State;
use serde_json::{Value, json};

use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_undecided, cell, failed, only_candidate, text,
};
use crate::support::command::cg_attest;
use crate::support::scene::Scene;

/// The manifest of the index, as JSON.
fn index_json(bench: &Bench) -> Value {
    let (_, _, manifest) = bench.image.upload.manifests().last().expect("an image has an index");
    serde_json::from_slice(manifest.bytes()).expect("JSON")
}

/// What the image's reference cannot be resolved for.
fn unresolved(report: &Report) -> Code {
    assert_undecided(report);
    report.facts().expect_err("not resolved").code
}

/// Serves `document` as the image instead, with this media type.
fn serve(bench: &Bench, document: &Value, media_type: &str) {
    bench.registry().clear_faults();
    let answer = Answer::status(200).header("content-type", media_type).body(document.to_string());
    bench.registry().fault(RegistryFault::on("/manifests/latest").answer(answer));
}

#[tokio::test]
async fn h_01_what_is_verified_is_what_is_named_in_the_output() {
    let scene = Scene::complete().await;
    let other = ImageBuilder::new().content("another").build();
    // The first answer for the tag is the signed image, every other one is not.
    scene.registry.fault(RegistryFault::on("/manifests/latest").skip(1).compute(move |_| {
        let (_, media_type, manifest) = other.upload.manifests().last()?;
        Some(Answer::status(200).header("content-type", media_type).body(manifest.bytes().to_vec()))
    }));
    scene.registry.clear_log();
    let mut args = vec!["verify".to_owned(), scene.name(), "-o".to_owned(), "ref".to_owned()];
    args.extend(scene.trusting());
    let ran = cg_attest(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, format!("{}@{}\n", scene.name(), scene.image.index.digest));
    let lines = scene.registry.lines();
    assert_eq!(lines.iter().filter(|line| line.ends_with("/latest")).count(), 1, "{lines:#?}");
    // Asked again, the tag names another image, which nobody signed.
    assert_eq!(cg_attest(&args).code, 1);
}

#[tokio::test]
async fn h_02_the_tag_is_asked_for_once_whatever_is_required() {
    let scene = Scene::complete().await;
    for more in [&[][..], &["--require", "signature,spdx,slsa", "--all"], &["--platform", "linux/arm64"]] {
        scene.registry.clear_log();
        assert_eq!(scene.verify(more).code, 0);
        let lines = scene.registry.lines();
        let of_tag = lines.iter().filter(|line| line.contains("/manifests/latest")).count();
        assert_eq!((of_tag, lines.iter().filter(|line| line.starts_with("HEAD")).count()), (1, 0), "{lines:#?}");
    }
}

#[tokio::test]
async fn h_03_bytes_that_are_not_the_digests_are_refused_whatever_the_header_says() {
    let bench = Bench::served().await;
    bench.push(&bench.signature(bench.index())).await;
    let policy = bench.policy(&["signature"]);
    let digest = bench.index().digest.to_string();
    let pinned = || ImageRequest::new(format!("{}@{digest}", bench.repository).parse().expect("a reference"));
    assert_accepted(&bench.verify_image(&policy, pinned()).await);
    let other = ImageBuilder::new().content("another").build();
    let (_, media_type, manifest) = other.upload.manifests().last().expect("an index");
    let answer = Answer::status(200)
        .header("content-type", media_type)
        .header("docker-content-digest", &digest)
        .body(manifest.bytes().to_vec());
    bench.registry().fault(RegistryFault::on(&format!("/manifests/{digest}")).answer(answer));
    assert_eq!(unresolved(&bench.verify_image(&policy, pinned()).await), Code::DigestMismatch);
}

#[tokio::test]
async fn h_05_a_document_that_can_be_read_in_two_ways_is_not_read() {
    let bench = Bench::served().await;
    bench.push(&bench.signature(bench.index())).await;
    let policy = bench.policy(&["signature"]);
    assert_accepted(&bench.verify(&policy).await);
    let good = index_json(&bench);
    let edited = |edit: fn(&mut Value)| {
        let mut json = good.clone();
        edit(&mut json);
        json
    };
    let both = edited(|index| index["layers"] = json!([]));
    let untyped = edited(|index| drop(index.as_object_mut().map(|index| index.remove("mediaType"))));
    let with_config = edited(|index| {
        index["config"] = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" });
    });
    let docker = "application/vnd.docker.distribution.manifest.list.v2+json";
    for (document, media_type) in [
        (&both, media::INDEX),
        (&with_config, media::INDEX),
        // The header contradicts the document, in both directions.
        (&good, media::MANIFEST),
        (&good, docker),
        // Without a type of its own, what it is called decides how it is read, and it has the other one's fields.
        (&untyped, media::MANIFEST),
    ] {
        serve(&bench, document, media_type);
        let report = bench.verify(&policy).await;
        assert_eq!(unresolved(&report), Code::MediaAmbiguous, "{media_type}: {document}");
    }
    // An array of an object's values is the same for one reader and nothing for others.
    let array = edited(|index| {
        let entry = index["manifests"][0].clone();
        index["manifests"][0] = json!([entry["mediaType"], entry["digest"], entry["size"]]);
    });
    serve(&bench, &array, media::INDEX);
    assert_eq!(unresolved(&bench.verify(&policy).await), Code::ManifestInvalid);
    // What differs from the signed bytes in nothing but the missing type is another image.
    serve(&bench, &untyped, media::INDEX);
    let report = bench.verify(&policy).await;
    assert_eq!(cell(&report, "index", "signature"), (State::Missing, Some(Code::NoSignature)));
}

#[tokio::test]
async fn h_06_an_attestation_of_another_platform_is_refused() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["spdx"]);
    let (amd64, arm64) = (bench.platform("linux/amd64"), bench.platform("linux/arm64"));
    let of_amd64 = bench.spdx(amd64);
    bench.push(&of_amd64).await;
    let of_arm64 = async || {
        let report = bench.verify_on(&policy, &["linux/arm64"]).await;
        assert_refused(&report);
        let failed: Vec<_> = report.candidates().iter().map(failed).collect();
        (cell(&report, "linux/arm64", "spdx"), failed)
    };
    // The registry lists amd64's referrer for arm64; the manifest itself says whose it is.
    let listed = of_amd64.descriptor().expect("a manifest");
    let list = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [listed] }).to_string();
    let lie = Answer::status(200).header("content-type", media::INDEX).body(list);
    bench.registry().fault(RegistryFault::on(&format!("/referrers/{}", arm64.digest)).answer(lie));
    let (cell, rows) = of_arm64().await;
    assert_eq!(cell, (State::Invalid, Some(Code::ReferrerMismatch)));
    assert_eq!(rows, [vec![(CheckName::Structure, Code::ReferrerMismatch)]]);

    // A referrer of arm64 holds amd64's statement.
    bench.registry().clear_faults();
    let moved = bench.sign().statement(&Statement::about(&amd64.digest).spdx());
    bench.push(&Upload::bundle(arm64, &moved)).await;
    let (cell, rows) = of_arm64().await;
    assert_eq!(cell, (State::Elsewhere, Some(Code::SubjectMismatch)));
    assert_eq!(rows, [vec![(CheckName::Subject, Code::SubjectMismatch)]]);

    bench.push(&bench.spdx(arm64)).await;
    assert_accepted(&bench.verify(&policy).await);
}

#[tokio::test]
async fn h_08_only_what_the_index_lists_is_one_of_its_platforms() {
    let scene = Scene::complete().await;
    let stranger = ImageBuilder::new().content("another").build();
    scene.push(&stranger.upload).await;
    let run = |digest: String| {
        let image = format!("{}@{digest}", scene.name());
        let index = format!("{}@{}", scene.name(), scene.image.index.digest);
        let mut args = ["verify", &image, "--index", &index, "-o", "json"].map(str::to_owned).to_vec();
        args.extend(scene.trusting());
        cg_attest(&args)
    };
    let own = run(scene.platform("linux/arm64").digest.to_string());
    assert_eq!(own.code, 0, "{}{}", own.stdout, own.stderr);
    let foreign = run(stranger.platforms[0].1.digest.to_string());
    assert_ne!(foreign.code, 0);
    assert_eq!(foreign.json()["error"]["code"], "platform-mismatch", "{}", foreign.stdout);
}

#[tokio::test]
async fn h_09_one_platform_listed_twice_is_ambiguous() {
    let linux = |architecture| Platform::new("linux", architecture, None).expect("a platform");
    let twice = Bench::serving(ImageBuilder::new().platforms([linux("amd64"), linux("arm64"), linux("amd64")])).await;
    twice.push(&twice.signature(twice.index())).await;
    assert_eq!(unresolved(&twice.verify(&twice.policy(&["signature"])).await), Code::MediaAmbiguous);
    let once = Bench::serving(ImageBuilder::new().platforms([linux("amd64"), linux("arm64"), linux("riscv64")])).await;
    once.push(&once.signature(once.index())).await;
    assert_accepted(&once.verify(&once.policy(&["signature"])).await);
}

#[tokio::test]
async fn h_12_one_platform_without_an_sbom_is_named_and_refuses_the_whole() {
    let names = ["linux/386", "linux/amd64", "linux/arm64", "linux/ppc64le", "linux/riscv64"];
    let platforms = names.map(|name| name.parse::<Platform>().expect("a platform"));
    let bench = Bench::serving(ImageBuilder::new().platforms(platforms)).await;
    let policy = bench.policy(&["spdx"]);
    for name in names.iter().filter(|name| **name != "linux/ppc64le") {
        bench.push(&bench.spdx(bench.platform(name))).await;
    }
    let report = bench.verify(&policy).await;
    assert_refused(&report);
    let missing: Vec<_> = report.cells().iter().filter(|c| !c.state.is_satisfied()).map(|c| &*c.target).collect();
    assert_eq!(missing, ["linux/ppc64le"]);
    assert_accepted(&bench.verify_on(&policy, &["linux/amd64", "linux/arm64"]).await);
    bench.push(&bench.spdx(bench.platform("linux/ppc64le"))).await;
    assert_accepted(&bench.verify(&policy).await);
}

#[tokio::test]
async fn h_17_a_referrer_that_refers_to_nothing_is_counted_and_refused() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["signature"]);
    let bundle = bench.sign().statement(&Statement::about(&bench.index().digest).signature());
    let good = Upload::bundle(bench.index(), &bundle);
    let (_, _, manifest) = good.manifests().last().expect("a manifest");
    let mut json: Value = serde_json::from_slice(manifest.bytes()).expect("JSON");
    json.as_object_mut().expect("an object").remove("subject");
    let without = VerifiedBlob::of(json.to_string().into_bytes());
    let context = Context::new(bench.limits.clone());
    let repository = &bench.repository;
    for blob in good.blobs() {
        bench.content().push_blob(&context, repository, blob).await.expect("stored");
    }
    let name = ImageName::Digest(without.digest().clone());
    bench.content().push_manifest(&context, repository, &name, media::MANIFEST, &without).await.expect("stored");
    let mut listed = Descriptor::of(media::MANIFEST, &without);
    listed.artifact_type = Some(media::BUNDLE.to_owned());
    let list = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [listed] }).to_string();
    let lie = Answer::status(200).header("content-type", media::INDEX).body(list);
    bench.registry().fault(RegistryFault::on(&format!("/referrers/{}", bench.index().digest)).answer(lie));
    let report = bench.verify(&policy).await;
    assert_refused(&report);
    assert_eq!(failed(only_candidate(&report)), [(CheckName::Structure, Code::ReferrerMismatch)], "{}", text(&report));
    bench.registry().clear_faults();
    bench.push(&good).await;
    assert_accepted(&bench.verify(&policy).await);
}

#[tokio::test]
async fn h_19_beside_a_digest_the_tag_is_not_asked_for() {
    let scene = Scene::complete().await;
    let other = ImageBuilder::new().content("another").build();
    scene.push(&other.upload).await;
    scene.registry.clear_log();
    let run = |digest: &str| {
        let image = format!("{}:latest@{digest}", scene.name());
        let mut args = ["verify", &image, "-o", "ref"].map(str::to_owned).to_vec();
        args.extend(scene.trusting());
        cg_attest(&args)
    };
    // `latest` is the other image by now.
    let ran = run(&scene.image.index.digest.to_string());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.ends_with(&format!("@{}\n", scene.image.index.digest)), "{}", ran.stdout);
    assert!(scene.registry.lines().iter().all(|line| !line.contains("latest")), "{:#?}", scene.registry.lines());
    assert_eq!(run(&other.index.digest.to_string()).code, 1);
}
