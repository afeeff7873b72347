//! `verify` against a registry that counts, errs and misbehaves.

use cg_attest::image::{Descriptor, media};
use cg_attest::testing::{Answer, ReferrersApi, RegistryFault as Fault, Statement};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest_with};
use crate::support::scene::Scene;

/// cosign's annotation of the predicate type on a referrer.
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

const ALL: &[&str] = &["--require", "signature,spdx,slsa"];

#[tokio::test]
async fn a_complete_image_costs_the_requests_that_were_promised() {
    let scene = Scene::complete().await;
    scene.registry.clear_log();
    let ran = scene.verify(ALL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // 1 + 3·T + 2·B: three targets, five bundles; no layer of the image.
    assert_eq!(scene.registry.requests().len(), 1 + 3 * 3 + 2 * 5, "{:#?}", scene.registry.lines());
    let counted = scene.verify(&["--require", "signature", "--stats"]);
    assert_eq!(counted.json()["stats"]["requests"], 1 + 3 * 3 + 2, "nothing of the others is read");
    let reading = |ran: &Ran| {
        let document = ran.json();
        let candidates = document["candidates"].as_array().expect("candidates");
        let text = |candidate: &Value| format!("{} {}", candidate["predicateType"], candidate["reading"]);
        candidates.iter().map(text).collect::<Vec<_>>()
    };
    let skipped = reading(&counted).iter().filter(|text| text.ends_with("\"skipped\"")).count();
    assert_eq!((reading(&counted).len(), skipped), (5, 4), "they are shown: {:?}", reading(&counted));
    let all = scene.verify(&["--require", "signature", "--stats", "--all"]);
    assert_eq!(all.json()["stats"]["requests"], 1 + 3 * 3 + 2 * 5, "{}", all.stdout);
}

/// What the listing says of a referrer is a hint: the same image is as good
/// where the listing says of everything that it is of another type.
#[tokio::test]
async fn a_listing_that_lies_about_types_costs_requests_and_no_verdict() {
    let scene = Scene::complete().await;
    let truth = |descriptor: &Descriptor| descriptor.annotation(PREDICATE).expect("an annotation").to_owned();
    for lie in [None, Some("https://example.com/scan")] {
        scene.registry.clear_faults();
        let listings = scene.listings(|descriptor| {
            let annotation = lie.map_or_else(|| truth(descriptor), str::to_owned);
            descriptor.annotations.insert(PREDICATE.to_owned(), annotation);
        });
        for (path, listing) in listings.await {
            let answer = Answer::status(200).header("content-type", media::INDEX).body(listing);
            scene.registry.fault(Fault::on(&path).answer(answer));
        }
        scene.registry.clear_log();
        let ran = scene.verify(ALL);
        assert_eq!((ran.code, ran.state("linux/arm64", "spdx").as_str()), (0, "ok"), "{}", ran.stdout);
        assert_eq!(scene.registry.requests().len(), 1 + 3 * 3 + 2 * 5, "each is read once");
    }
    // A referrer that could not be read may be what is wanted, whatever the listing says of it.
    scene.registry.fault(Fault::on("/manifests/sha256:").answer(Answer::status(403)));
    let ran = scene.verify(&["--require", "signature"]);
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (3, "undecided"), "{}", ran.stdout);
}

#[tokio::test]
async fn the_fallback_tag_counts_where_the_api_is_absent_and_only_there() {
    let scene = Scene::complete().await;
    for api in [ReferrersApi::Absent(404), ReferrersApi::Absent(405)] {
        scene.registry.referrers_api(api);
        let ran = scene.verify(ALL);
        // Nothing was stored under the fallback tags, so nothing is attached.
        assert_eq!((ran.code, ran.state("index", "signature").as_str()), (1, "missing"), "{}", ran.stderr);
    }
    scene.registry.referrers_api(ReferrersApi::Present);
    scene.registry.fault(Fault::on("/referrers/").answer(Answer::status(403)));
    let ran = scene.verify(ALL);
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (3, "undecided"), "{}", ran.stdout);
    let tags = scene.registry.lines().iter().filter(|line| line.ends_with(&scene.image.index.digest.tag(""))).count();
    assert_eq!(tags, 2, "only the two runs without the API looked for the fallback tag");
}

#[tokio::test]
async fn evidence_that_is_listed_and_gone_is_looked_for_once_more() {
    let scene = Scene::complete().await;
    scene.registry.fault(Fault::on("/blobs/").times(1).answer(Answer::status(404)));
    let ran = scene.verify(ALL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    scene.registry.clear_faults();
    scene.registry.fault(Fault::on("/blobs/").answer(Answer::status(404)));
    let ran = scene.verify(ALL);
    assert_eq!((ran.code, ran.state("linux/arm64", "spdx").as_str()), (3, "undecided"));
    assert!(ran.stdout.contains("evidence-absent"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_listing_that_fails_beside_good_evidence_is_a_warning() {
    let scene = Scene::complete().await;
    scene.registry.fault(Fault::on(".sig").answer(Answer::status(403)));
    let ran = scene.verify(ALL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.json()["warnings"][0]["code"], "listing-incomplete", "{}", ran.stdout);
    let bare = Scene::bare().await;
    bare.registry.fault(Fault::on(".sig").answer(Answer::status(403)));
    let ran = bare.verify(&[]);
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (3, "undecided"));
}

#[tokio::test]
async fn a_strangers_garbage_takes_nothing_away() {
    let scene = Scene::complete().await;
    for garbage in ["", "{", "[]", "null", r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#] {
        scene.push(&cg_attest::testing::Upload::bundle(&scene.image.index, garbage)).await;
    }
    let ran = scene.verify(ALL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let bare = Scene::bare().await;
    bare.push(&cg_attest::testing::Upload::bundle(&bare.image.index, "{")).await;
    let ran = bare.verify(&[]);
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (1, "invalid"), "{}", ran.stdout);
}

/// The header is the registry's word and under no digest: what it says wrongly
/// is nothing against the evidence, and nothing for it.
#[tokio::test]
async fn evidence_that_is_served_under_another_media_type_is_undecided() {
    let scene = Scene::complete().await;
    for (header, code, state, reason) in [
        ("application/octet-stream", 0, "ok", None),
        (media::INDEX, 3, "undecided", Some("media-ambiguous")),
        ("text/html", 3, "undecided", Some("registry-protocol")),
    ] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("/manifests/sha256:").header("content-type", header));
        let ran = scene.verify(&[]);
        assert_eq!((ran.code, ran.state("index", "signature").as_str()), (code, state), "{header}: {}", ran.stdout);
        assert_eq!(ran.json()["cells"][0]["code"].as_str(), reason, "{header}");
    }
    // What is no manifest in itself is refused under every header.
    let bare = Scene::bare().await;
    let subject = &bare.image.index;
    let both = serde_json::json!({
        "schemaVersion": 2, "artifactType": media::BUNDLE, "subject": subject,
        "config": subject, "layers": [], "manifests": [],
    });
    let digest = bare.registry.put_manifest(bare.path, None, media::MANIFEST, both.to_string());
    let descriptor = Descriptor::new(media::MANIFEST, digest, both.to_string().len() as u64);
    let listing = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [descriptor] });
    let answer = Answer::status(200).header("content-type", media::INDEX).body(listing.to_string());
    bare.registry.fault(Fault::on("/referrers/").answer(answer));
    let ran = bare.verify(&[]);
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (1, "invalid"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_platform_manifest_is_covered_through_the_index_that_is_named() {
    let scene = Scene::complete().await;
    let child = scene.platform("linux/arm64").digest.to_string();
    let image = format!("{}@{child}", scene.name());
    let run = |more: &[&str]| {
        let mut args = vec!["verify".to_owned(), image.clone(), "-o".to_owned(), "json".to_owned()];
        args.extend(scene.trusting());
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        crate::support::command::cg_attest(args)
    };
    let alone = run(&[]);
    assert_eq!((alone.code, alone.state("image", "signature").as_str()), (1, "missing"));
    let index = format!("{}:latest", scene.name());
    let covered = run(&["--index", &index, "--require", "signature,spdx"]);
    assert_eq!(covered.code, 0, "{}{}", covered.stdout, covered.stderr);
    assert_eq!(covered.state("linux/arm64", "signature"), "via-index");
}

#[tokio::test]
async fn an_sbom_of_the_index_is_no_sbom_of_a_platform() {
    let scene = Scene::bare().await;
    scene.attach(&scene.image.index, Statement::signature).await;
    scene.attach(&scene.image.index, Statement::spdx).await;
    let ran = scene.verify(&["--require", "signature,spdx"]);
    assert_eq!((ran.code, ran.state("linux/amd64", "spdx").as_str()), (1, "on-index"));
    assert!(ran.stdout.contains("--level spdx=either"), "{}", ran.stdout);
    let either = scene.verify(&["--require", "signature,spdx", "--level", "spdx=either"]);
    assert_eq!((either.code, either.state("linux/amd64", "spdx").as_str()), (0, "via-index"));
}

#[tokio::test]
async fn the_platform_of_an_image_without_an_index_is_read_from_its_configuration() {
    let scene = Scene::complete().await;
    let image = format!("{}@{}", scene.name(), scene.platform("linux/arm64").digest);
    let run = |platform: &str| {
        let mut args = vec!["verify".to_owned(), image.clone(), "-o".to_owned(), "json".to_owned()];
        args.extend(scene.trusting());
        args.extend(["--require", "spdx", "--platform", platform].map(str::to_owned));
        crate::support::command::cg_attest(args)
    };
    let right = run("linux/arm64");
    assert_eq!((right.code, right.state("image", "spdx").as_str()), (0, "ok"), "{}{}", right.stdout, right.stderr);
    let wrong = run("linux/amd64");
    assert_eq!((wrong.code, wrong.state("linux/amd64", "platform").as_str()), (1, "missing"));
    assert!(wrong.stdout.contains("platform-absent"), "{}", wrong.stdout);
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_for_other_hosts_and_never_for_loopback() {
    let scene = Scene::complete().await;
    let mut args = vec!["verify".to_owned(), format!("registry.test/{}", scene.path), "--plain-http".to_owned()];
    args.extend(scene.trusting());
    args.extend(["-o".to_owned(), "json".to_owned()]);
    scene.registry.clear_log();
    let proxy = format!("http://{}", scene.registry.address());
    // The registry stands in for a proxy: it answers whatever host is asked for.
    let ran = cg_attest_with(&args, &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy)], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let hosts: Vec<_> = scene.registry.requests().iter().map(|r| r.header("host").map(str::to_owned)).collect();
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host.as_deref() == Some("registry.test")), "{hosts:?}");

    let nowhere = "http://127.0.0.1:9";
    let mut args = vec!["verify".to_owned(), scene.name()];
    args.extend(scene.trusting());
    let ran = cg_attest_with(&args, &[("HTTP_PROXY", nowhere), ("http_proxy", nowhere), ("ALL_PROXY", nowhere)], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}
