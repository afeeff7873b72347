//! Tokens, passwords and who gets to see them.

use futures_util::future::join_all;

use super::scene::*;
use crate::registry::Login;
use crate::testing::{Answer, Auth, RegistryFault as Fault, TokenService};

const PULL: &str = "scope=repository%3Aa%2Fb%3Apull";

fn token_lines(scene: &Scene) -> Vec<String> {
    scene.lines().into_iter().filter(|line| line.contains("/token")).collect()
}

fn user() -> Login {
    Login::password("user", "s3cret")
}

fn bearer(service: TokenService) -> Scene {
    let scene = Scene::new();
    scene.registry.auth(Auth::Bearer(service));
    scene
}

#[tokio::test]
async fn a_stranger_gets_a_token_once() {
    let scene = bearer(TokenService::new().anonymous());
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.problem().await, None);
    scene.put_referrers(1);
    scene.remote.referrers(&scene.context, &scene.repository, scene.image.digest()).await.expect("a listing");
    let address = scene.registry.address();
    let token = format!("GET /token?service={}&{PULL}", address.replace(':', "%3A"));
    let get = "GET /v2/a/b/manifests/latest".to_owned();
    let referrers = format!("GET /v2/a/b/referrers/{}", scene.image.digest());
    assert_eq!(scene.lines(), [get.clone(), token, get.clone(), get, referrers]);
    let seen = scene.authorizations();
    assert_eq!(seen[..2], [None, None]);
    assert!(seen[2..].iter().all(|value| value.as_deref() == Some("Bearer token-1")));
    assert_eq!(scene.context.requests(), 5);
}

/// The first request finds out for all.
#[tokio::test]
async fn requests_side_by_side_share_one_token() {
    let scene = bearer(TokenService::new().anonymous());
    scene.registry.delay(Duration::from_millis(1));
    let problems = join_all((0..20).map(|_| scene.problem())).await;
    assert!(problems.iter().all(Option::is_none));
    assert_eq!(scene.lines().len(), 22);

    let open = Scene::new();
    let problems = join_all((0..20).map(|_| open.problem())).await;
    assert!(problems.iter().all(Option::is_none));
    assert_eq!(open.lines().len(), 20);
}

#[tokio::test]
async fn a_user_gets_a_token_for_a_password() {
    let service = TokenService::new().user("user", "s3cret");
    let scene = bearer(service);
    let error = scene.by_tag().await.expect_err("a stranger");
    assert_eq!((error.problem(), error.status()), (Problem::Denied, Some(401)));
    assert!(error.detail().contains("no login was given"), "{error}");

    let address = scene.registry.address().to_owned();
    let wrong = options().login(&address, Login::password("user", "wr0ng"));
    let scene = scene.client(wrong);
    let error = scene.by_tag().await.expect_err("a wrong password");
    assert_eq!(error.problem(), Problem::Denied);
    // J-11: what was tried, not what it was.
    let shown = format!("{error} {error:?} {:?}", scene.remote);
    assert!(shown.contains("the login given for 127.0.0.1") && !shown.contains("wr0ng"), "{shown}");

    let scene = scene.client(options().login(&address, user()));
    scene.registry.clear_log();
    assert_eq!(scene.problem().await, None);
    let seen = scene.authorizations();
    assert!(seen[0].is_none(), "nothing is sent before the registry asks");
    assert!(seen[1].as_deref().is_some_and(|value| value.starts_with("Basic ")));
    assert_eq!(seen[2].as_deref(), Some("Bearer token-1"));
    assert!(!format!("{:?}", scene.remote).contains("s3cret"));
    assert!(!format!("{:?}", scene.remote).contains("token-1"));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let scene = bearer(TokenService::new().identity_token("refresh-me"));
    let address = scene.registry.address().to_owned();
    let scene = scene.client(options().login(&address, Login::identity_token("wrong")));
    assert_eq!(scene.problem().await, Some(Problem::Denied));
    let scene = scene.client(options().login(&address, Login::identity_token("refresh-me")));
    scene.registry.clear_log();
    assert_eq!(scene.problem().await, None);
    let exchange = &scene.registry.requests()[1];
    assert_eq!((exchange.method.as_str(), exchange.path.as_str(), exchange.query.as_str()), ("POST", "/token", ""));
    let body = String::from_utf8_lossy(&exchange.body);
    assert!(body.contains("grant_type=refresh_token") && body.contains(PULL), "{body}");
    assert_eq!(exchange.header("authorization"), None);
}

#[tokio::test]
async fn basic_authentication_is_answered_when_asked_for() {
    let scene = Scene::new();
    scene.registry.auth(Auth::Basic { username: "user".to_owned(), password: "s3cret".to_owned() });
    assert_eq!(scene.problem().await, Some(Problem::Denied));
    let address = scene.registry.address().to_owned();
    let scene = scene.client(options().login(&address, user()));
    scene.registry.clear_log();
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.lines().len(), 3);
    let scene = scene.client(options().login(&address, Login::identity_token("x")));
    assert_eq!(scene.problem().await, Some(Problem::Denied));
}

#[tokio::test]
async fn a_token_for_the_registry_is_sent_at_once() {
    let scene = bearer(TokenService::new().anonymous());
    assert_eq!(scene.problem().await, None);
    let address = scene.registry.address().to_owned();
    let scene = scene.client(options().login(&address, Login::registry_token("token-1")));
    scene.registry.clear_log();
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.lines().len(), 1);
    let scene = scene.client(options().login(&address, Login::registry_token("token-9")));
    assert_eq!(scene.problem().await, Some(Problem::Denied));
    assert_eq!(token_lines(&scene), [""; 0]);
}

#[tokio::test]
async fn a_login_is_for_one_registry() {
    let scene = bearer(TokenService::new().user("user", "s3cret").anonymous());
    let scene = scene.client(options().login("other.example", user()));
    assert_eq!(scene.problem().await, None);
    let seen = scene.authorizations();
    assert_eq!(seen[..2], [None, None]);
}

/// I-15: tokens end, and servers may never be content.
#[tokio::test]
async fn a_token_that_ends_is_renewed_once_per_request() {
    let scene = bearer(TokenService::new().anonymous().uses(2));
    for _ in 0..5 {
        assert_eq!(scene.problem().await, None);
    }
    assert_eq!(token_lines(&scene).len(), 3);

    let scene = bearer(TokenService::new().anonymous().uses(0));
    assert_eq!(scene.problem().await, Some(Problem::Denied));
    assert_eq!(scene.lines().len(), 3);
}

#[tokio::test]
async fn requests_refused_together_renew_once() {
    let scene = bearer(TokenService::new().anonymous());
    assert_eq!(scene.problem().await, None);
    scene.registry.clear_log();
    let challenge = format!("Bearer realm=\"http://{}/token\"", scene.registry.address());
    let refused = Answer::status(401).header("www-authenticate", &challenge);
    let first = |request: &RecordedRequest| request.header("authorization") == Some("Bearer token-1");
    scene.registry.fault(Fault::on("latest").compute(move |request| first(request).then(|| refused.clone())));
    scene.registry.delay(Duration::from_millis(2));
    let problems = join_all((0..5).map(|_| scene.problem())).await;
    assert!(problems.iter().all(Option::is_none), "{problems:?}");
    assert_eq!(token_lines(&scene).len(), 1);
}

#[tokio::test]
async fn a_token_is_kept_as_long_as_it_lives() {
    for (seconds, requests) in [(0, 2), (300, 1)] {
        let scene = bearer(TokenService::new().anonymous().expires_in(seconds));
        assert_eq!(scene.problem().await, None);
        assert_eq!(scene.problem().await, None);
        assert_eq!(token_lines(&scene).len(), requests, "{seconds}");
    }
}

/// J-01: the registry does not choose who gets the password.
#[tokio::test]
async fn a_login_is_not_sent_to_a_token_service_elsewhere() {
    let elsewhere = Registry::start();
    elsewhere.auth(Auth::Bearer(TokenService::new().user("user", "s3cret").anonymous()));
    let realm = format!("http://{}/token", elsewhere.address());
    let scene = bearer(TokenService::new().anonymous().user("user", "s3cret").realm(&realm));
    let address = scene.registry.address().to_owned();
    for login in [user(), Login::identity_token("refresh-me")] {
        let remote = options().login(&address, login).build().expect("a client");
        let found = remote.manifest(&scene.context, &scene.repository, &tag("latest")).await;
        let error = found.expect_err("a foreign token service");
        assert_eq!(error.code(), crate::code::Code::CredentialScope);
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    assert_eq!(elsewhere.lines(), [""; 0]);
    // A stranger has nothing to lose: the token is asked for, and no use here.
    assert_eq!(scene.problem().await, Some(Problem::Denied));
    assert_eq!(authorizations(&elsewhere), [None]);
    // The service on the registry itself gets the login.
    scene.registry.auth(Auth::Bearer(TokenService::new().user("user", "s3cret")));
    let scene = scene.client(options().login(&address, user()));
    assert_eq!(scene.problem().await, None);
}

/// J-02: nor does it choose what we ask on this machine.
#[tokio::test]
async fn a_token_service_must_not_be_a_metadata_service() {
    let scene = Scene::new();
    let port = scene.registry.address().rsplit_once(':').expect("a port").1.to_owned();
    let world = format!("registry.example:{port}");
    let named = options().name_of_tests("registry.example").name_of_tests("auth.example").plain_http(&world);
    let scene = scene.client(named);
    let repository = Repository::new(&world, "a/b").expect("a repository");
    for (realm, wanted) in [
        ("http://169.254.169.254/token".to_owned(), Problem::CredentialScope),
        (format!("http://127.0.0.1:{port}/token"), Problem::CredentialScope),
        (format!("http://auth.example:{port}/token"), Problem::CredentialScope),
        ("file:///etc/passwd".to_owned(), Problem::Protocol),
        (format!("http://user:pass@registry.example:{port}/token"), Problem::Protocol),
        (format!("http://registry.example:{port}/token"), Problem::Denied),
    ] {
        scene.registry.clear_log();
        scene.registry.auth(Auth::Bearer(TokenService::new().realm(&realm)));
        let found = scene.remote.manifest(&scene.context, &repository, &tag("latest")).await;
        assert_eq!(found.map(|_| ()).map_err(|error| error.problem()), Err(wanted), "{realm}");
        assert_eq!(token_lines(&scene).len(), usize::from(wanted == Problem::Denied), "{realm}");
    }
}

/// K-11 and others: what a token service may answer.
#[tokio::test]
async fn a_token_answer_has_a_form_and_a_bound() {
    let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(70_000));
    for (answer, wanted) in [
        (Answer::status(200).body(r#"{"access_token":"token-1","token":""}"#), Some(Problem::Protocol)),
        (Answer::status(200).body("{}"), Some(Problem::Protocol)),
        (Answer::status(200).body(r#"{"token":"a\r\nb"}"#), Some(Problem::Protocol)),
        (Answer::status(200).body(long), Some(Problem::Limit)),
        (Answer::html(), Some(Problem::Protocol)),
        (Answer::redirect(307, "/token2"), Some(Problem::Protocol)),
        (Answer::status(400), Some(Problem::Denied)),
        (Answer::status(403), Some(Problem::Denied)),
        (Answer::status(429).header("retry-after", "1000"), Some(Problem::RateLimited)),
        (Answer::status(503), None),
    ] {
        let scene = bearer(TokenService::new().anonymous());
        let shown = format!("{answer:?}").chars().take(200).collect::<String>();
        scene.registry.fault(Fault::on("/token").times(1).answer(answer));
        assert_eq!(scene.problem().await, wanted, "{shown}");
    }
}

#[tokio::test]
async fn a_challenge_that_is_not_understood_is_a_denial() {
    let scene = Scene::new();
    for challenge in ["Negotiate", "Bearer service=\"x\"", ""] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("latest").answer(Answer::status(401).header("www-authenticate", challenge)));
        assert_eq!(scene.problem().await, Some(Problem::Denied), "{challenge}");
    }
}

#[tokio::test]
async fn reading_needs_no_writers_token() {
    let scene = bearer(TokenService::new().user("user", "s3cret").anonymous());
    let address = scene.registry.address().to_owned();
    let scene = scene.client(options().login(&address, user()));
    assert_eq!(scene.problem().await, None);
    let blob = VerifiedBlob::of(b"new".to_vec());
    scene.remote.push_blob(&scene.context, &scene.repository, &blob).await.expect("pushed");
    let tokens = token_lines(&scene);
    assert!(tokens[0].ends_with("%3Apull") && tokens[1].ends_with("%3Apull%2Cpush"), "{tokens:?}");
}

/// Says to whoever has no token that there is nothing, and asks for one only at the root.
fn hide(scene: &Scene, status: u16) {
    scene.registry.fault(Fault::on("/v2/a/b/").compute(move |request| {
        let stranger = request.header("authorization").is_none();
        stranger.then(|| Answer::status(status))
    }));
}

#[tokio::test]
async fn a_login_is_offered_once_before_a_repository_is_called_absent() {
    for status in [404, 403] {
        let service = TokenService::new().user("user", "s3cret");
        let scene = bearer(service);
        let address = scene.registry.address().to_owned();
        hide(&scene, status);

        // A stranger has nothing to offer, and nobody is asked.
        let found = scene.by_tag().await.map(|found| found.is_some()).map_err(|error| error.problem());
        assert_eq!(found, if status == 404 { Ok(false) } else { Err(Problem::Denied) });
        assert_eq!(scene.lines().len(), 1);

        let scene = scene.client(options().login(&address, user()));
        scene.registry.clear_log();
        assert_eq!(scene.problem().await, None, "{:?}", scene.lines());
        let lines = scene.lines();
        assert_eq!((lines.len(), lines[1].as_str()), (4, "GET /v2/"), "{lines:?}");
        let absent = scene.remote.manifest(&scene.context, &scene.repository, &tag("absent")).await;
        assert!(absent.expect("an answer").is_none(), "absent for a user is absent");
        assert_eq!(scene.lines().len(), 5);
        assert!(scene.authorizations().iter().filter(|value| value.is_none()).count() == 2);

        // A login that is refused leaves it open whether there is something.
        let scene = scene.client(options().login(&address, Login::password("user", "wr0ng")));
        assert_eq!(scene.problem().await, Some(Problem::Denied));
    }
}

#[tokio::test]
async fn a_repository_that_is_open_to_strangers_is_asked_for_nothing_more() {
    let open = Scene::new();
    let address = open.registry.address().to_owned();
    let open = open.client(options().login(&address, user()));
    // Its first answer is an absence; the registry wants nothing of anybody.
    for requests in [3, 4] {
        let found = open.remote.manifest(&open.context, &open.repository, &tag("absent")).await.expect("an answer");
        assert!(found.is_none());
        assert_eq!(open.lines().len(), requests, "{:?}", open.lines());
    }
    // Something was shown first: what is absent then is.
    let open = open.client(options().login(&address, user()));
    open.registry.clear_log();
    assert_eq!(open.problem().await, None);
    assert!(open.remote.manifest(&open.context, &open.repository, &tag("absent")).await.expect("an answer").is_none());
    assert_eq!(open.lines().len(), 2);
    assert!(open.authorizations().iter().all(Option::is_none), "no login went out");
}
