//! What registries refuse, and runs that break off.

use super::scene::*;

const APIS: [ReferrersApi; 2] = [ReferrersApi::Present, ReferrersApi::Absent(404)];

#[tokio::test]
async fn every_refusal_has_its_own_code_and_its_twin_is_attached() {
    let blobs = ("blobs/uploads", "POST");
    let manifests = ("manifests/sha256:", "PUT");
    for (what, status, wanted) in [
        (manifests, 400, Code::RegistryRejectsArtifact),
        (manifests, 415, Code::RegistryRejectsArtifact),
        (manifests, 413, Code::ManifestTooLarge),
        (manifests, 403, Code::RegistryDenied),
        (manifests, 404, Code::ImageNotFound),
        (blobs, 405, Code::RegistryReadOnly),
        (blobs, 403, Code::RegistryDenied),
        (blobs, 503, Code::RegistryUnavailable),
        (blobs, 429, Code::RegistryRateLimited),
        (("referrers/", "GET"), 403, Code::RegistryDenied),
    ] {
        let (registry, place) = http(ReferrersApi::Present).await;
        let bundles = place.world.everything();
        registry.fault(Fault::on(what.0).method(what.1).answer(Answer::status(status)));
        let error = place.attach(Conflict::SkipSame, &bundles).await.expect_err("refused");
        assert_eq!(error.code(), wanted, "{what:?} {status}: {error}");
        if wanted == Code::RegistryRejectsArtifact {
            assert!(error.to_string().contains("--signature-format legacy"), "{error}");
        }
        registry.clear_faults();
        let attached = place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
        assert_eq!(attached.written.len(), 5, "{what:?} {status}");
    }
}

#[tokio::test]
async fn the_fallback_tag_may_be_immutable_or_taken() {
    let (registry, place) = http(ReferrersApi::Absent(404)).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attach = || place.attach(Conflict::SkipSame, std::slice::from_ref(&bundle));
    let says = r#"{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}"#;
    for answer in [Answer::status(409), Answer::status(412), Answer::status(400).body(says)] {
        registry.fault(Fault::on("manifests/sha256-").method("PUT").answer(answer));
        assert_eq!(attach().await.expect_err("refused").code(), Code::TagImmutable);
        registry.clear_faults();
    }
    let tag = place.index().tag("");
    registry.put_manifest("a/b", Some(&tag), media::MANIFEST, r#"{"schemaVersion":2,"config":{},"layers":[]}"#);
    assert!(attach().await.is_err(), "what is no index is not overwritten");
    registry.put_manifest("a/b", Some(&tag), media::INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
    assert_eq!(attach().await.expect("attached").written.len(), 1);
}

/// Only 404 is an empty index: a failed read would lose everybody's entries.
#[tokio::test]
async fn an_index_that_cannot_be_read_is_not_written() {
    let (registry, place) = http(ReferrersApi::Absent(404)).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attach = || place.attach(Conflict::Append, std::slice::from_ref(&bundle));
    for status in [403, 500, 503] {
        registry.clear_log();
        // The first reading is the plan's.
        registry.fault(Fault::on("manifests/sha256-").method("GET").skip(1).answer(Answer::status(status)));
        assert!(attach().await.is_err(), "{status}");
        let put = |line: &String| line.starts_with("PUT /v2/a/b/manifests/sha256-");
        assert!(!registry.lines().iter().any(put), "{status}");
        registry.clear_faults();
    }
    // One that passes is tried again.
    registry.fault(Fault::on("manifests/sha256-").method("GET").skip(1).times(2).answer(Answer::status(503)));
    assert_eq!(attach().await.expect("attached").written.len(), 1);
}

/// A reading is repeated by whoever reads, and only there: both together would
/// ask a registry that is down sixteen times.
#[tokio::test]
async fn a_registry_that_is_down_is_asked_no_more_often_than_the_limit_says() {
    let (registry, place) = http(ReferrersApi::Present).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attempts = usize::try_from(Limits::default().attempts).expect("a few");
    for (what, method) in [("referrers/", "GET"), ("manifests/sha256:", "PUT"), ("blobs/uploads/", "POST")] {
        let subjects = place.subjects().await;
        let attacher = place.world.attacher(Arc::clone(&place.push), &place.repository, Conflict::SkipSame);
        registry.fault(Fault::on(what).method(method).answer(Answer::status(503)));
        registry.clear_log();
        let done = match attacher.plan(&place.context, &subjects, std::slice::from_ref(&bundle), &[]).await {
            Ok(plan) => attacher.apply(&place.context, &plan).await.map(drop),
            Err(error) => Err(error),
        };
        assert_eq!(done.expect_err(what).code(), Code::RegistryUnavailable);
        let asked = |request: &&RecordedRequest| request.method == method && request.path.contains(what);
        // Of the two uploads, the configuration's and the bundle's, one may be given up first.
        let uploads = if method == "POST" { 2 } else { 1 };
        let count = registry.requests().iter().filter(asked).count();
        assert!((attempts..=attempts * uploads).contains(&count), "{what}: {count}");
        registry.clear_faults();
    }
    assert!(place.attach(Conflict::SkipSame, &[bundle]).await.is_ok());
}

#[tokio::test]
async fn what_is_not_listed_afterwards_is_not_reported_as_attached() {
    let (registry, place) = http(ReferrersApi::Present).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attach = || place.attach(Conflict::SkipSame, std::slice::from_ref(&bundle));
    let empty = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, media::INDEX);
    registry.fault(Fault::on("referrers/").body(empty));
    assert_eq!(attach().await.expect_err("hidden").code(), Code::NotListed);
    registry.clear_faults();
    // Listed now, so there is nothing to write.
    assert_eq!(attach().await.expect("attached").skipped.len(), 1);
}

#[tokio::test]
async fn what_a_registry_forgot_is_written_again() {
    let (registry, place) = http(ReferrersApi::Present).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attach = || place.attach(Conflict::SkipSame, std::slice::from_ref(&bundle));
    let forgets = || {
        let answer = Answer::status(201).header("oci-subject", &place.index().to_string());
        Fault::on("manifests/sha256:").method("PUT").answer(answer)
    };
    registry.fault(forgets());
    assert_eq!(attach().await.expect_err("always").code(), Code::NotListed);
    registry.clear_faults();
    registry.fault(forgets().times(1));
    assert_eq!(attach().await.expect("once").written.len(), 1);
    assert_eq!(place.listed(place.index()).await.len(), 1);
}

#[tokio::test]
async fn what_is_read_back_otherwise_is_not_reported_as_attached() {
    let (registry, place) = http(ReferrersApi::Present).await;
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    let attach = || place.attach(Conflict::SkipSame, std::slice::from_ref(&bundle));
    registry.fault(Fault::on("blobs/sha256:").method("GET").body("{}"));
    assert_eq!(attach().await.expect_err("changed").code(), Code::DigestMismatch);
    registry.clear_faults();
    assert_eq!(attach().await.expect("attached").skipped.len(), 1);
}

/// Broken off at every request in turn: nothing is listed that is not there,
/// and the second run completes it, without duplicates.
#[tokio::test]
async fn a_second_run_completes_what_the_first_left() {
    let world = Arc::new(World::new());
    // A signature of the index, and an SBOM of a platform.
    let bundles: Vec<_> = world.everything().into_iter().take(2).collect();
    for api in APIS {
        let (registry, place) = http_with(Arc::clone(&world), api).await;
        place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
        let all = registry.requests().len();
        for broken in 1..all {
            let (registry, place) = http_with(Arc::clone(&world), api).await;
            registry.fault(Fault::on("/v2/").skip(broken).answer(Answer::status(400)));
            let subjects = format!("{}:latest", place.repository).parse().expect("a reference");
            let subjects = Subjects::resolve(&*place.push, &place.context, &subjects).await.expect("the image");
            let attacher = place.world.attacher(Arc::clone(&place.push), &place.repository, Conflict::SkipSame);
            let first = match attacher.plan(&place.context, &subjects, &bundles, &[]).await {
                Ok(plan) => attacher.apply(&place.context, &plan).await.map(drop),
                Err(error) => Err(error),
            };
            registry.clear_faults();
            let listed = count(&place).await;
            if let Err(AttachError::Partial { done, wanted, .. }) = &first {
                assert!(*done > 0 && done < wanted && *done <= listed, "{api:?} {broken}: {first:?}");
            }
            let second = place.attach(Conflict::SkipSame, &bundles).await.expect("completed");
            assert_eq!(second.written.len() + second.skipped.len(), 2, "{api:?} {broken}");
            assert_eq!(count(&place).await, 2, "{api:?} {broken}");
        }
    }
}

/// How many are listed; each of them has to be there and hold.
async fn count(place: &Place) -> usize {
    let attacher = place.world.attacher(Arc::clone(&place.push), &place.repository, Conflict::SkipSame);
    let types = [
        Some("https://sigstore.dev/cosign/sign/v1"),
        Some("https://spdx.dev/Document"),
        Some("https://slsa.dev/provenance/v1"),
    ];
    let mut found = 0;
    let subjects = place.subjects().await;
    for subject in subjects.all().iter().map(|subject| &subject.descriptor.digest) {
        let wanted = types.map(|predicate_type| Wanted::Bundle { subject, predicate_type });
        let survey = attacher.survey(&place.context, &subjects, &wanted).await.expect("everything can be read");
        let (listed, held) = (place.listed(subject).await.len(), survey.bundles().count());
        assert_eq!(listed, held, "what is listed is there");
        found += held;
    }
    found
}
