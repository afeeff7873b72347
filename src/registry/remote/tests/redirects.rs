//! Where a registry sends us, and what we take along.

use super::scene::*;
use crate::registry::Login;
use crate::testing::{Answer, Auth, RegistryFault as Fault};

/// A registry with a password, and another server that holds its blobs.
async fn two() -> (Scene, Registry, Descriptor) {
    let registry = Scene::new();
    let login = options().login(registry.registry.address(), Login::password("user", "s3cret"));
    let scene = registry.client(login);
    scene.registry.auth(Auth::Basic { username: "user".to_owned(), password: "s3cret".to_owned() });
    let blob = scene.put_blob(b"hello");
    let store = Registry::start();
    store.fault(Fault::on("/store").answer(Answer::status(200).body("hello")));
    (scene, store, blob)
}

/// J-04, J-06: another port is another server.
#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let (scene, store, blob) = two().await;
    assert_eq!(scene.stream_problem(&blob).await, None);
    for status in [301, 302, 303, 307, 308] {
        scene.registry.clear_faults();
        store.clear_log();
        let to = Answer::redirect(status, &format!("http://{}/store?sig=abc", store.address()));
        scene.registry.fault(Fault::on("blobs/").answer(to));
        assert_eq!(scene.stream_problem(&blob).await, None, "{status}");
        assert_eq!(scene.blob_problem(&blob).await, None, "{status}");
        assert_eq!(store.lines(), ["GET /store?sig=abc"; 2]);
        let seen = store.requests();
        assert!(seen.iter().all(|r| r.header("authorization").is_none() && r.header("cookie").is_none()));
    }
    // J-11: what signs the way there is told to nobody.
    store.clear_faults();
    store.fault(Fault::on("/store").answer(Answer::status(403)));
    let error = scene.remote.blob(&scene.context, &scene.repository, &blob).await.map(|_| ()).expect_err("denied");
    assert!(error.problem() == Problem::Denied && !format!("{error:?}").contains("sig"), "{error:?}");
    // The same server keeps them.
    scene.registry.clear_faults();
    scene.registry.clear_log();
    let path = format!("/v2/a/b/blobs/{}?again=1", blob.digest);
    scene.registry.fault(Fault::on("blobs/").times(1).answer(Answer::redirect(307, &path)));
    assert_eq!(scene.stream_problem(&blob).await, None);
    assert!(scene.authorizations().iter().all(Option::is_some));
}

/// J-05: once another host was visited, nothing is sent again; its 401 asks for nothing of ours.
#[tokio::test]
async fn a_round_trip_over_another_host_brings_no_credentials_back() {
    let (scene, store, blob) = two().await;
    assert_eq!(scene.problem().await, None);
    let home = format!("http://{}/home", scene.registry.address());
    scene.registry.fault(Fault::on("/home").answer(Answer::status(200).body("hello")));
    scene
        .registry
        .fault(Fault::on("blobs/").answer(Answer::redirect(307, &format!("http://{}/back", store.address()))));
    store.fault(Fault::on("/back").times(1).answer(Answer::redirect(307, &home)));
    scene.registry.clear_log();
    assert_eq!(scene.stream_problem(&blob).await, None);
    let seen = scene.authorizations();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].is_some() && seen[1].is_none(), "{seen:?}");

    let challenge = Answer::status(401).header("www-authenticate", "Basic realm=\"x\"");
    store.fault(Fault::on("/back").answer(challenge));
    store.clear_log();
    assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Denied));
    assert_eq!(authorizations(&store), [None]);
    // What is known about the registry is what it was.
    scene.registry.clear_log();
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.lines().len(), 1);
}

#[tokio::test]
async fn redirects_have_a_bound_and_a_form() {
    let (scene, store, blob) = two().await;
    let hop = |request: &RecordedRequest| {
        let left: u32 = request.path.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let next = if left == 0 { "/store".to_owned() } else { format!("/hop/{}", left - 1) };
        Some(Answer::redirect(307, &next))
    };
    store.fault(Fault::on("/hop/").compute(hop));
    for (hops, wanted) in [(4, None), (5, Some(Problem::Protocol))] {
        scene.registry.clear_faults();
        let to = format!("http://{}/hop/{}", store.address(), hops - 1);
        scene.registry.fault(Fault::on("blobs/").answer(Answer::redirect(302, &to)));
        store.clear_log();
        assert_eq!(scene.stream_problem(&blob).await, wanted, "{hops}");
        assert!(store.lines().len() <= 5);
    }
    let credentials = format!("http://user:pass@{}/store", store.address());
    for to in ["ftp://x/", "file:///etc/passwd", "http://[", &credentials] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("blobs/").answer(Answer::redirect(307, to)));
        assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Protocol), "{to}");
    }
    scene.registry.clear_faults();
    scene.registry.fault(Fault::on("blobs/").answer(Answer::status(307)));
    assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Protocol));
    scene.registry.clear_faults();
    let twice = Answer::redirect(307, &format!("http://{}/store", store.address())).header("location", "/other");
    scene.registry.fault(Fault::on("blobs/").answer(twice));
    assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Protocol));
}

/// J-02: a registry out in the world must not send us to what only this machine reaches.
#[tokio::test]
async fn metadata_services_are_out_of_reach() {
    let scene = Scene::new();
    let port = scene.registry.address().rsplit_once(':').expect("a port").1.to_owned();
    let world = format!("registry.example:{port}");
    let named = || options().name_of_tests("registry.example").name_of_tests("store.example").plain_http(&world);
    let scene = scene.client(named());
    let repository = Repository::new(&world, "a/b").expect("a repository");
    let redirected = async |to: &str| {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("latest").answer(Answer::redirect(307, to)));
        let found = scene.remote.manifest(&scene.context, &repository, &tag("latest")).await;
        found.map_err(|error| error.problem()).map(|_| ())
    };
    for to in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
        "http://2852039166/".to_owned(),
        "http://0.0.0.0/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        format!("http://127.0.0.1:{port}/v2/"),
        format!("http://localhost:{port}/v2/"),
        // A name that leads there, found after resolution.
        format!("http://store.example:{port}/v2/"),
    ] {
        assert_eq!(redirected(&to).await, Err(Problem::CredentialScope), "{to}");
    }
    // The registry itself may be anywhere: the user named it.
    scene.registry.clear_faults();
    scene.registry.fault(Fault::on("latest").times(1).answer(Answer::redirect(307, "/v2/a/b/manifests/other")));
    scene.registry.fault(Fault::on("other").answer(Answer::status(404)));
    let found = scene.remote.manifest(&scene.context, &repository, &tag("latest")).await;
    assert!(found.expect("an answer").is_none());
}
