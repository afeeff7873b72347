//! The same again, and something newer.

use super::scene::*;

/// Two SBOMs of one platform by me that say the same, one that says more, one by another.
async fn scene(api: ReferrersApi) -> (Registry, Place, [SignedBundle; 4]) {
    let (registry, place) = http(api).await;
    let subject = place.world.image.platforms[0].1.digest.clone();
    let you = Identity::email("you@example.org", "https://issuer.example");
    let other = place.world.signed(&you, &Statement::about(&subject).spdx_of(1), &subject);
    let by_me = |packages| place.world.sbom(&subject, packages);
    let bundles = [by_me(1), by_me(1), by_me(2), other];
    (registry, place, bundles)
}

#[tokio::test]
async fn the_same_by_the_same_signer_is_left_out_and_nothing_else() {
    let (_registry, place, [one, again, more, other]) = scene(ReferrersApi::Present).await;
    let subject = one.subject().clone();
    place.attach(Conflict::SkipSame, &[one]).await.expect("attached");
    let outcome = place.attach(Conflict::SkipSame, &[again.clone(), more, other]).await.expect("attached");
    assert_eq!((outcome.written.len(), outcome.skipped.len()), (2, 1));
    assert_eq!(place.listed(&subject).await.len(), 3);
    // Its twin: appending asks nobody.
    let outcome = place.attach(Conflict::Append, &[again]).await.expect("attached");
    assert_eq!((outcome.written.len(), outcome.skipped.len()), (1, 0));
    assert_eq!(place.listed(&subject).await.len(), 4);
}

#[tokio::test]
async fn the_same_twice_in_one_run_is_attached_once() {
    let (_registry, place, [one, again, ..]) = scene(ReferrersApi::Present).await;
    let outcome = place.attach(Conflict::SkipSame, &[one.clone(), again, one]).await.expect("attached");
    assert_eq!((outcome.written.len(), outcome.skipped.len()), (1, 1));
}

#[tokio::test]
async fn a_newer_one_replaces_what_the_same_signer_said() {
    for (api, deletes, wanted) in [
        (ReferrersApi::Present, true, Superseded::Deleted),
        (ReferrersApi::Present, false, Superseded::Kept),
        (ReferrersApi::Absent(404), true, Superseded::Deleted),
        (ReferrersApi::Absent(404), false, Superseded::Unlisted),
    ] {
        let (registry, place, [one, _, more, other]) = scene(api).await;
        let subject = one.subject().clone();
        place.attach(Conflict::SkipSame, &[one, other]).await.expect("attached");
        if !deletes {
            registry.fault(Fault::on("manifests/").method("DELETE").answer(Answer::status(405)));
        }
        registry.clear_log();
        let outcome = place.attach(Conflict::Replace, &[more]).await.expect("attached");
        assert_eq!(outcome.replaced.iter().map(|r| r.outcome).collect::<Vec<_>>(), [wanted], "{api:?} {deletes}");
        let left = place.listed(&subject).await.len();
        assert_eq!(left, if wanted == Superseded::Kept { 3 } else { 2 }, "{api:?} {deletes}: the other signer's stays");
        // The newer one was in its place, and read back, before the older one went.
        let lines = registry.lines();
        let gone = lines.iter().position(|line| line.starts_with("DELETE")).expect("tried");
        let put = lines.iter().position(|line| line.starts_with("PUT /v2/a/b/manifests/sha256:")).expect("written");
        let read = lines.iter().rposition(|line| line.starts_with("GET /v2/a/b/blobs/")).expect("read back");
        assert!(put < read && read < gone, "{lines:#?}");
    }
}

#[tokio::test]
async fn a_newer_one_that_fails_replaces_nothing() {
    let (registry, place, [one, _, more, _]) = scene(ReferrersApi::Present).await;
    let subject = one.subject().clone();
    place.attach(Conflict::SkipSame, &[one]).await.expect("attached");
    registry.fault(Fault::on("manifests/sha256:").method("PUT").answer(Answer::status(403)));
    let error = place.attach(Conflict::Replace, std::slice::from_ref(&more)).await.expect_err("refused");
    assert_eq!(error.code(), Code::RegistryDenied);
    assert_eq!(place.listed(&subject).await.len(), 1);
    registry.clear_faults();
    assert_eq!(place.attach(Conflict::Replace, &[more]).await.expect("attached").replaced.len(), 1);
}

/// Promise 5: what cannot be read is not taken for absent, or it would be attached twice.
#[tokio::test]
async fn what_is_attached_and_unreadable_is_not_absent() {
    let (registry, place, [one, again, ..]) = scene(ReferrersApi::Present).await;
    let subject = one.subject().clone();
    place.attach(Conflict::SkipSame, &[one]).await.expect("attached");
    for (path, method) in [("referrers/", "GET"), ("blobs/sha256:", "GET"), ("manifests/sha256:", "GET")] {
        registry.fault(Fault::on(path).method(method).answer(Answer::status(503)));
        let error = place.plan(Conflict::SkipSame, std::slice::from_ref(&again)).await.expect_err(path);
        assert_eq!(error.code(), Code::RegistryUnavailable, "{path}");
        registry.clear_faults();
    }
    assert!(place.plan(Conflict::SkipSame, &[again]).await.expect("a plan").is_empty());
    assert_eq!(place.listed(&subject).await.len(), 1);
}

#[tokio::test]
async fn a_bundle_about_another_image_is_refused() {
    let (registry, place, [one, ..]) = scene(ReferrersApi::Present).await;
    let foreign = place.world.sbom(&Digest::sha256(b"another image"), 1);
    let error = place.attach(Conflict::SkipSame, &[one.clone(), foreign]).await.expect_err("refused");
    assert_eq!(error.code(), Code::SubjectMismatch);
    assert!(registry.requests().iter().all(|request| request.method == "GET"), "nothing is written");
    assert!(place.attach(Conflict::SkipSame, &[one]).await.is_ok());
}

#[tokio::test]
async fn the_plan_says_it_as_json() {
    let (_registry, place, [one, again, more, _]) = scene(ReferrersApi::Present).await;
    place.attach(Conflict::SkipSame, std::slice::from_ref(&one)).await.expect("attached");
    let plan = place.plan(Conflict::Replace, &[again.clone(), more.clone()]).await.expect("a plan");
    let json = serde_json::to_value(&plan).expect("JSON");
    assert_eq!(json["image"], place.index().to_string());
    assert_eq!(json["conflict"], "replace");
    let target = &json["targets"][0];
    assert_eq!((&target["target"], &target["digest"]), (&"linux/amd64".into(), &one.subject().to_string().into()));
    assert_eq!(target["existing"][0]["identity"], "me@example.org");
    assert_eq!(target["steps"][0]["action"], "skip");
    assert_eq!(target["steps"][1]["action"], "write");
    assert_eq!(target["steps"][1]["predicateType"], "https://spdx.dev/Document");
}
