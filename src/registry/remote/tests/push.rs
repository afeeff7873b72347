//! Pushing, and mirrors.

use super::scene::*;
use crate::registry::{Deleted, Login, Mirrors};
use crate::testing::{Answer, Auth, ReferrersApi, RegistryFault as Fault, TokenService};

impl Scene {
    async fn push(&self, bytes: &[u8]) -> Option<Problem> {
        let blob = VerifiedBlob::of(bytes.to_vec());
        self.remote.push_blob(&self.context, &self.repository, &blob).await.err().map(|error| error.problem())
    }
}

#[tokio::test]
async fn a_blob_is_uploaded_if_it_is_not_there() {
    let scene = Scene::new();
    assert_eq!(scene.push(b"hello").await, None);
    let digest = Digest::sha256(b"hello");
    let head = format!("HEAD /v2/a/b/blobs/{digest}");
    let put = format!("PUT /v2/a/b/blobs/uploads/1?state=1&digest={}", digest.to_string().replace(':', "%3A"));
    assert_eq!(scene.lines(), [head.clone(), "POST /v2/a/b/blobs/uploads/".to_owned(), put]);
    assert_eq!(scene.blob_problem(&Descriptor::new("x", digest, 5)).await, None);
    scene.registry.clear_log();
    assert_eq!(scene.push(b"hello").await, None);
    assert_eq!(scene.lines(), [head]);
}

/// J-07: the bytes and the login stay with the registry.
#[tokio::test]
async fn an_upload_goes_nowhere_else() {
    let other = Registry::start();
    let scene = bearer_scene();
    let own = format!("http://{}/v2/a/b/blobs/uploads/1?state=1", scene.registry.address());
    for (location, wanted) in [
        (own.clone(), None),
        ("/v2/a/b/blobs/uploads/2?state=2".to_owned(), None),
        (format!("http://{}/v2/a/b/blobs/uploads/1?state=1", other.address()), Some(Problem::CredentialScope)),
        ("http://169.254.169.254/x".to_owned(), Some(Problem::CredentialScope)),
        (own.replace("http:", "https:"), Some(Problem::CredentialScope)),
        ("ftp://x/y".to_owned(), Some(Problem::Protocol)),
    ] {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        // The upload is begun at the registry, which then names another place.
        scene.registry.fault(Fault::on("uploads/").method("POST").header("location", &location));
        assert_eq!(scene.push(location.as_bytes()).await, wanted, "{location}");
        let put = scene.lines().iter().any(|line| line.starts_with("PUT"));
        assert_eq!(put, wanted.is_none(), "{location}");
    }
    assert_eq!(other.lines(), [""; 0]);
}

fn bearer_scene() -> Scene {
    let scene = Scene::new();
    let login = options().login(scene.registry.address(), Login::password("user", "s3cret"));
    let scene = scene.client(login);
    scene.registry.auth(Auth::Bearer(TokenService::new().user("user", "s3cret")));
    scene
}

#[tokio::test]
async fn a_pushed_manifest_tells_whether_its_subject_lists_it() {
    let scene = Scene::new();
    let referrer = manifest(Some(scene.image.digest()), "referrer");
    let by_digest = ImageName::Digest(referrer.digest().clone());
    let push = async |name: &ImageName, blob: &VerifiedBlob| {
        scene.remote.push_manifest(&scene.context, &scene.repository, name, media::MANIFEST, blob).await
    };
    assert!(push(&by_digest, &referrer).await.expect("pushed").subject_listed);
    assert!(!push(&tag("plain"), &scene.image).await.expect("pushed").subject_listed);
    scene.registry.fault(Fault::on("manifests/").times(1).header("oci-subject", &Digest::sha256(b"x").to_string()));
    assert!(!push(&by_digest, &referrer).await.expect("pushed").subject_listed);
    scene.registry.referrers_api(ReferrersApi::Absent(404));
    assert!(!push(&by_digest, &referrer).await.expect("pushed").subject_listed);

    scene.registry.clear_log();
    let wrong = push(&by_digest, &scene.image).await.expect_err("another digest");
    assert_eq!(wrong.problem(), Problem::Digest);
    assert_eq!(scene.lines(), [""; 0]);
}

#[tokio::test]
async fn a_refused_push_is_not_repeated() {
    let scene = Scene::new();
    for (status, wanted) in [
        (400, Problem::Rejected),
        (413, Problem::Rejected),
        (422, Problem::Rejected),
        (403, Problem::Denied),
        (429, Problem::RateLimited),
        (503, Problem::Unavailable),
        (307, Problem::Protocol),
    ] {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene
            .registry
            .fault(Fault::on("manifests/").method("PUT").answer(Answer::status(status).header("location", "/x")));
        let name = tag("t");
        let pushed =
            scene.remote.push_manifest(&scene.context, &scene.repository, &name, media::MANIFEST, &scene.image);
        assert_eq!(pushed.await.expect_err("refused").problem(), wanted, "{status}");
        assert_eq!(scene.lines().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_mirror_serves_names_of_the_original() {
    let scene = Scene::new();
    let address = scene.registry.address().to_owned();
    let mirrors = Mirrors::parse([format!("cgr.dev/chainguard={address}/a")]).expect("rules");
    let scene = scene.client(options().mirrors(mirrors));
    let name: Repository = "cgr.dev/chainguard/b".parse().expect("a repository");
    let digests = scene.put_referrers(2);
    let found = scene.remote.manifest(&scene.context, &name, &tag("latest")).await;
    assert_eq!(found.expect("an answer").expect("the image").blob, scene.image);
    let referrers = scene.remote.referrers(&scene.context, &name, scene.image.digest()).await.expect("a listing");
    assert_eq!(referrers.descriptors.len(), digests.len());
    assert_eq!(scene.lines()[0], "GET /v2/a/b/manifests/latest");
    assert_eq!(scene.remote.mirrors().original(&scene.repository), name);
    // A name outside the rule stays where it is.
    assert_eq!(scene.problem().await, None);
}

/// J-13, H-15: what could change a URL never becomes a request.
#[tokio::test]
async fn a_bad_tag_is_no_request() {
    let scene = Scene::new();
    for bad in ["../../x", "a b", "", "a%2f"] {
        let found = scene.remote.manifest(&scene.context, &scene.repository, &tag(bad)).await;
        assert_eq!(found.map(|_| ()).map_err(|error| error.problem()), Err(Problem::Protocol), "{bad}");
    }
    assert_eq!(scene.lines(), [""; 0]);
    assert!("user:pass@cgr.dev/x".parse::<Repository>().is_err());
}

#[tokio::test]
async fn a_new_blob_is_not_asked_for_and_may_be_there() {
    let scene = Scene::new();
    let blob = VerifiedBlob::of(b"hello".to_vec());
    for _ in 0..2 {
        scene.registry.clear_log();
        scene.remote.push_new_blob(&scene.context, &scene.repository, &blob).await.expect("pushed");
        let methods: Vec<_> = scene.registry.requests().into_iter().map(|request| request.method).collect();
        assert_eq!(methods, ["POST", "PUT"]);
    }
}

#[tokio::test]
async fn a_manifest_is_deleted_where_the_registry_does_that() {
    let scene = Scene::new();
    let delete = async || {
        let gone = scene.remote.delete_manifest(&scene.context, &scene.repository, scene.image.digest()).await;
        gone.map_err(|error| error.problem())
    };
    for (status, wanted) in [
        (405, Ok(Deleted::Unsupported)),
        (400, Ok(Deleted::Unsupported)),
        (501, Ok(Deleted::Unsupported)),
        (403, Err(Problem::Denied)),
        (503, Err(Problem::Unavailable)),
    ] {
        scene.registry.fault(Fault::on("manifests/").method("DELETE").times(1).answer(Answer::status(status)));
        assert_eq!(delete().await, wanted, "{status}");
        assert_eq!(scene.problem().await, None, "{status}: it is still there");
    }
    assert_eq!(delete().await, Ok(Deleted::Done));
    assert_eq!(delete().await, Ok(Deleted::Absent));
    assert!(scene.by_digest().await.expect("an answer").is_none());
}

/// Its absence made uploads wait for each other forever.
#[tokio::test]
async fn more_uploads_than_places_come_to_an_end() {
    let scene = Scene::new().limits(|limits| limits.concurrency = 2);
    let blobs: Vec<_> = (0..8).map(|n| VerifiedBlob::of(vec![n])).collect();
    let pushed = blobs.iter().map(|blob| scene.remote.push_blob(&scene.context, &scene.repository, blob));
    let pushed = futures_util::future::join_all(pushed).await;
    assert!(pushed.iter().all(Result::is_ok), "{pushed:?}");
}
