//! Referrers: pages, their bounds, and the fallback tag.

use super::scene::*;
use crate::registry::{Referrers, ReferrersSource};
use crate::testing::{Answer, ReferrersApi, RegistryFault as Fault};

impl Scene {
    async fn referrers(&self) -> Result<Referrers, RegistryError> {
        self.remote.referrers(&self.context, &self.repository, self.image.digest()).await
    }

    /// The digests listed, sorted, and where from.
    async fn listed(&self) -> Result<(Vec<Digest>, ReferrersSource), Problem> {
        let referrers = self.referrers().await.map_err(|error| error.problem())?;
        let mut digests: Vec<_> = referrers.descriptors.into_iter().map(|d| d.digest).collect();
        digests.sort();
        Ok((digests, referrers.source))
    }

    /// Puts an index of `entries` at the fallback tag.
    fn put_fallback(&self, entries: &[serde_json::Value]) {
        let index = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
        self.registry.put_manifest("a/b", Some(&self.image.digest().tag("")), media::INDEX, index.to_string());
    }

    fn fallback_line(&self) -> String {
        format!("GET /v2/a/b/manifests/{}", self.image.digest().tag(""))
    }
}

fn entry(mark: &str, more: serde_json::Value) -> (Digest, serde_json::Value) {
    let digest = Digest::sha256(mark.as_bytes());
    let mut entry = serde_json::to_value(Descriptor::new(media::MANIFEST, digest.clone(), 1)).expect("JSON");
    entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    (digest, entry)
}

/// I-03: the genuine one may be on the last page.
#[tokio::test]
async fn every_page_is_read() {
    let scene = Scene::new();
    assert_eq!(scene.listed().await, Ok((Vec::new(), ReferrersSource::Api)));
    let digests = scene.put_referrers(7);
    scene.registry.referrers_per_page(3);
    scene.registry.clear_log();
    assert_eq!(scene.listed().await, Ok((digests, ReferrersSource::Api)));
    assert_eq!(scene.lines().len(), 3);
    let first = &scene.referrers().await.expect("a listing").descriptors[0];
    assert_eq!(first.artifact_type.as_deref(), Some(media::BUNDLE));
}

/// I-01, I-04: endless pages, a page that links to itself, a flood.
#[tokio::test]
async fn pages_and_descriptors_have_bounds() {
    let scene = Scene::new();
    let digests = scene.put_referrers(4);
    scene.registry.referrers_per_page(1);
    let scene = scene.limits(|limits| (limits.referrer_pages, limits.referrers) = (4, 4));
    assert_eq!(scene.listed().await, Ok((digests, ReferrersSource::Api)));
    let scene = scene.limits(|limits| limits.referrer_pages = 3);
    assert_eq!(scene.listed().await, Err(Problem::Limit));
    let scene = scene.limits(|limits| limits.referrers = 3);
    assert_eq!(scene.listed().await, Err(Problem::Limit));

    let scene = scene.limits(|_| {});
    let own = format!("</v2/a/b/referrers/{}>; rel=\"next\"", scene.image.digest());
    scene.registry.fault(Fault::on("/referrers/").header("link", &own));
    scene.registry.clear_log();
    assert_eq!(scene.listed().await, Err(Problem::Limit));
    assert_eq!(scene.lines().len(), 1);

    scene.registry.clear_faults();
    let endless = move |request: &RecordedRequest| {
        let page: u32 = request.parameter("page").and_then(|page| page.parse().ok()).unwrap_or(0);
        let link = format!("<{}?page={}>; rel=\"next\"", request.path, page + 1);
        Some(Answer::status(200).header("content-type", media::INDEX).header("link", &link).body(r#"{"manifests":[]}"#))
    };
    scene.registry.fault(Fault::on("/referrers/").compute(endless));
    scene.registry.clear_log();
    assert_eq!(scene.listed().await, Err(Problem::Limit));
    assert_eq!(scene.lines().len(), Limits::default().referrer_pages);
}

/// I-02: the next page is on the same origin, or it is not asked for.
#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let scene = Scene::new();
    let other = Registry::start();
    let digests = scene.put_referrers(2);
    scene.registry.referrers_per_page(1);
    let path = format!("/v2/a/b/referrers/{}?from=1", scene.image.digest());
    let address = scene.registry.address().to_owned();
    for (link, wanted) in [
        (format!("http://{address}{path}"), Ok((digests.clone(), ReferrersSource::Api))),
        (path.clone(), Ok((digests, ReferrersSource::Api))),
        (format!("http://{}{path}", other.address()), Err(Problem::Protocol)),
        (format!("//{}{path}", other.address()), Err(Problem::Protocol)),
        (format!("http://169.254.169.254{path}"), Err(Problem::Protocol)),
        (format!("http://user:pass@{address}{path}"), Err(Problem::Protocol)),
        (format!("https://{address}{path}"), Err(Problem::Protocol)),
        ("file:///etc/passwd".to_owned(), Err(Problem::Protocol)),
        ("http://[".to_owned(), Err(Problem::Protocol)),
    ] {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene.registry.fault(Fault::on("/referrers/").times(1).header("link", &format!("<{link}>; rel=\"next\"")));
        let requests = if wanted.is_ok() { 2 } else { 1 };
        assert_eq!(scene.listed().await, wanted, "{link}");
        assert_eq!(scene.lines().len(), requests, "{link}");
    }
    assert_eq!(other.lines(), [""; 0]);
}

/// I-06: the fallback tag is for registries without the API, not for ones that refuse.
#[tokio::test]
async fn the_fallback_tag_is_asked_only_where_the_api_is_absent() {
    let scene = Scene::new();
    let (digest, listed) = entry("one", serde_json::json!({ "artifactType": media::BUNDLE }));
    scene.put_fallback(&[listed]);
    let fallback = Ok((vec![digest], ReferrersSource::FallbackTag));
    let absent = [
        Answer::status(404),
        Answer::status(400),
        Answer::status(405),
        Answer::status(406),
        Answer::status(501),
        Answer::html(),
        Answer::status(200).header("content-type", "application/json").body("{}"),
        Answer::status(200).body("404 page not found"),
        Answer::redirect(303, "https://github.example/-/v2/packages"),
    ];
    for answer in absent {
        let scene_line = format!("{answer:?}");
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene.registry.fault(Fault::on("/referrers/").answer(answer));
        assert_eq!(scene.listed().await, fallback, "{scene_line}");
        assert_eq!(scene.lines().last(), Some(&scene.fallback_line()), "{scene_line}");
        assert_eq!(scene.lines().len(), 2, "{scene_line}");
    }
    for (status, wanted) in [
        (401, Problem::Denied),
        (403, Problem::Denied),
        (429, Problem::RateLimited),
        (500, Problem::Unavailable),
        (503, Problem::Unavailable),
        (418, Problem::Protocol),
        (204, Problem::Protocol),
    ] {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene.registry.fault(Fault::on("/referrers/").answer(Answer::status(status)));
        assert_eq!(scene.listed().await, Err(wanted), "{status}");
        assert!(!scene.lines().contains(&scene.fallback_line()), "{status}");
    }
    scene.registry.clear_faults();
    scene.registry.referrers_api(ReferrersApi::Html);
    assert_eq!(scene.listed().await, fallback);
    scene.registry.referrers_api(ReferrersApi::Present);
    // I-07: where there is the API, its answer is the answer.
    assert_eq!(scene.listed().await, Ok((Vec::new(), ReferrersSource::Api)));
}

#[tokio::test]
async fn a_registry_that_cannot_be_asked_has_not_said_that_there_is_nothing() {
    let scene = Scene::new();
    scene.registry.referrers_api(ReferrersApi::Absent(404));
    assert_eq!(scene.listed().await, Ok((Vec::new(), ReferrersSource::FallbackTag)));
    for (status, wanted) in [(403, Problem::Denied), (429, Problem::RateLimited), (502, Problem::Unavailable)] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on(&scene.image.digest().tag("")).answer(Answer::status(status)));
        assert_eq!(scene.listed().await, Err(wanted), "{status}");
    }
    scene.registry.clear_faults();
    let page =
        Answer::status(200).header("content-type", media::INDEX).body(r#"{"manifests":[{"digest":"sha256:x"}]}"#);
    scene.registry.fault(Fault::on("/referrers/").answer(page));
    assert_eq!(scene.listed().await, Err(Problem::Protocol));
}

#[tokio::test]
async fn a_broken_later_page_is_no_end_of_the_list() {
    let scene = Scene::new();
    scene.put_referrers(2);
    scene.registry.referrers_per_page(1);
    for answer in [Answer::status(404), Answer::html(), Answer::status(200).body("{}")] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("from=1").answer(answer));
        assert_eq!(scene.listed().await, Err(Problem::Protocol));
    }
    scene.registry.clear_faults();
    assert_eq!(scene.listed().await.map(|(digests, _)| digests.len()), Ok(2));
}

/// GHCR answers at the fallback tag with the image itself, and other registries may with its index.
#[tokio::test]
async fn entries_that_are_images_are_not_taken_for_referrers() {
    let scene = Scene::new();
    scene.registry.referrers_api(ReferrersApi::Absent(404));
    let platform = serde_json::json!({ "platform": { "os": "linux", "architecture": "amd64" } });
    let (_, image) = entry("image", platform);
    let (bundle, listed) = entry("bundle", serde_json::json!({ "artifactType": media::BUNDLE }));
    let (plain, unmarked) = entry("plain", serde_json::json!({}));
    scene.put_fallback(&[image, listed, unmarked]);
    let mut wanted = vec![bundle, plain];
    wanted.sort();
    assert_eq!(scene.listed().await, Ok((wanted, ReferrersSource::FallbackTag)));
    // The image itself under its own fallback tag.
    let own = scene.image.digest().tag("");
    scene.put(Some(&own), &scene.image);
    assert_eq!(scene.listed().await, Ok((Vec::new(), ReferrersSource::FallbackTag)));
    // Another manifest there is nothing that we understand.
    scene.put(Some(&own), &manifest(None, "other"));
    assert_eq!(scene.listed().await, Err(Problem::Protocol));
}

/// I-05: the list is asked for as a whole, and repetitions are dropped.
#[tokio::test]
async fn the_list_is_unfiltered_and_without_repetition() {
    let scene = Scene::new();
    let (digest, listed) = entry("one", serde_json::json!({}));
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [listed, listed] }).to_string();
    let answer = Answer::status(200).header("content-type", media::INDEX).body(index);
    scene.registry.fault(Fault::on("/referrers/").answer(answer));
    assert_eq!(scene.listed().await, Ok((vec![digest], ReferrersSource::Api)));
    assert_eq!(scene.registry.requests()[0].query, "");
}

/// Some registries send clients on to another host for everything.
#[tokio::test]
async fn a_redirected_list_is_read_where_it_leads() {
    let scene = Scene::new();
    let digests = scene.put_referrers(2);
    scene.registry.referrers_per_page(1);
    let front = Registry::start();
    let back = scene.registry.address().to_owned();
    front.fault(
        Fault::on("/v2/")
            .compute(move |request| Some(Answer::redirect(307, &format!("http://{back}{}", request.path)))),
    );
    let repository = front.repository("a/b");
    let referrers = scene.remote.referrers(&scene.context, &repository, scene.image.digest()).await;
    let mut listed: Vec<_> = referrers.expect("a list").descriptors.into_iter().map(|d| d.digest).collect();
    listed.sort();
    assert_eq!(listed, digests);
    // The second page is asked for on the host that served the first.
    assert_eq!((front.lines().len(), scene.lines().len()), (1, 2));
}
