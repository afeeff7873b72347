//! With the referrers API, without it, in memory, in a layout; beside the image and elsewhere.

use super::scene::*;
use crate::registry::Layout;

const APIS: [ReferrersApi; 3] = [ReferrersApi::Present, ReferrersApi::Absent(404), ReferrersApi::Html];

#[tokio::test]
async fn what_is_attached_is_found_and_a_second_run_writes_nothing() {
    for api in APIS {
        let (registry, place) = http(api).await;
        let bundles = place.world.everything();
        let attached = place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
        assert_eq!((attached.written.len(), attached.skipped.len()), (5, 0), "{api:?}");
        assert_eq!(attached.listed_by_tag, api != ReferrersApi::Present);
        for (_, platform) in &place.world.image.platforms {
            let listed = place.listed(&platform.digest).await;
            let types: Vec<_> =
                listed.iter().filter_map(|d| d.annotation("dev.sigstore.bundle.predicateType")).collect();
            assert_eq!(types.len(), 2, "{api:?}");
            assert!(listed.iter().all(|d| d.artifact_type.as_deref() == Some(media::BUNDLE)), "{api:?}");
        }
        registry.clear_log();
        let again = place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
        assert_eq!((again.written.len(), again.skipped.len()), (0, 5), "{api:?}");
        assert!(registry.requests().iter().all(|request| request.method == "GET"), "{api:?}");
        // One for the image, two for each bundle, and the listings.
        let by_tag = usize::from(api != ReferrersApi::Present);
        assert_eq!(registry.requests().len(), 1 + 3 * (1 + by_tag) + 2 * 5, "{api:?}");
    }
}

/// The numbers of the issue: 5·k + 2·T + 6 at most, for k bundles on T targets.
#[tokio::test]
async fn a_first_run_asks_little() {
    let (registry, place) = http(ReferrersApi::Present).await;
    let bundles = place.world.everything();
    place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
    assert!(registry.requests().len() <= 5 * 5 + 2 * 3 + 6, "{:#?}", registry.lines());
    assert!(registry.lines().iter().all(|line| !line.contains("/tags/") && !line.contains("GET /v2/ ")));
}

#[tokio::test]
async fn the_manifest_is_cosigns_and_depends_on_the_bundle_alone() {
    let world = Arc::new(World::new());
    let (memory, repository) = (Arc::new(Memory::new()), "registry.example/a".parse().expect("a repository"));
    let place = Place::with(world, memory, repository).await;
    let bundle = place.world.sbom(&place.world.image.platforms[0].1.digest, 1);
    let attached = place.attach(Conflict::Append, std::slice::from_ref(&bundle)).await.expect("attached");
    let name = ImageName::Digest(attached.written[0].1.clone());
    let fetched = place.push.manifest(&place.context, &place.repository, &name).await.expect("memory");
    let manifest: serde_json::Value = serde_json::from_slice(fetched.expect("it").blob.bytes()).expect("JSON");
    let subject = &place.world.image.platforms[0].1;
    let wanted = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        },
        "layers": [{
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "digest": bundle.digest(), "size": bundle.bytes().len(),
        }],
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://spdx.dev/Document",
            "org.opencontainers.image.created": bundle.time(),
        },
        "subject": { "mediaType": subject.media_type, "digest": subject.digest, "size": subject.size },
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    });
    assert_eq!(manifest, wanted);
    // Appending the same bundle again is the same manifest: nothing to write.
    let again = place.attach(Conflict::Append, &[bundle]).await.expect("attached");
    assert!(again.written.is_empty() && again.skipped.len() == 1);
}

#[tokio::test]
async fn a_layout_takes_what_a_registry_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = Layout::create(folder.path()).expect("a layout");
    let repository = "localhost/layout".parse().expect("a repository");
    let place = Place::with(Arc::new(World::new()), Arc::new(layout), repository).await;
    let bundles = place.world.everything();
    let attached = place.attach(Conflict::SkipSame, &bundles).await.expect("attached");
    assert_eq!(attached.written.len(), 5);
    assert_eq!(place.attach(Conflict::SkipSame, &bundles).await.expect("attached").skipped.len(), 5);
    let newer = place.world.sbom(&place.world.image.platforms[0].1.digest, 9);
    let replaced = place.attach(Conflict::Replace, &[newer]).await.expect("attached").replaced;
    assert_eq!(replaced.iter().map(|r| r.outcome).collect::<Vec<_>>(), [Superseded::Deleted]);
    assert_eq!(place.listed(&place.world.image.platforms[0].1.digest).await.len(), 2);
}

#[tokio::test]
async fn evidence_may_be_elsewhere_and_names_the_same_digest() {
    for api in APIS {
        let (registry, place) = http(api).await;
        let elsewhere = registry.repository("evidence/of-b");
        let attacher = Attacher::builder(
            Arc::clone(&place.push),
            place.repository.clone(),
            place.world.trust.clone(),
            place.world.sigstore.now(),
        );
        let attacher = attacher.timing(Timing::alone()).evidence_repository(Some(elsewhere.clone())).build();
        let subjects = place.subjects().await;
        let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
        let plan = attacher.plan(&place.context, &subjects, &[bundle], &[]).await.expect("a plan");
        attacher.apply(&place.context, &plan).await.expect("attached");
        assert_eq!(place.listed(place.index()).await.len(), 0, "{api:?}");
        let there = place.push.referrers(&place.context, &elsewhere, place.index()).await.expect("a listing");
        assert_eq!(there.descriptors.len(), 1, "{api:?}");
    }
}

/// P-13: what others list stays as they wrote it.
#[tokio::test]
async fn foreign_entries_of_the_fallback_index_stay() {
    let (registry, place) = http(ReferrersApi::Absent(404)).await;
    let foreign = format!(
        r#"{{"mediaType":"{}","x":[1.0],"digest":"{}","size":7,"artifactType":"a/b"}}"#,
        media::MANIFEST,
        Digest::sha256(b"foreign")
    );
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{}","y":"z","manifests":[{foreign}]}}"#, media::INDEX);
    let tag = place.index().tag("");
    registry.put_manifest("a/b", Some(&tag), media::INDEX, index);
    let bundle = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    place.attach(Conflict::SkipSame, &[bundle]).await.expect("attached");
    let fetched = place.push.manifest(&place.context, &place.repository, &ImageName::Tag(tag)).await.expect("it");
    let text = String::from_utf8(fetched.expect("it").blob.bytes().to_vec()).expect("text");
    assert!(text.contains(&foreign) && text.contains(r#""y":"z""#), "{text}");
    assert_eq!(place.listed(place.index()).await.len(), 2);
}
