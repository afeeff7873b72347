//! J. Credentials, redirects and addresses: what is secret goes to one place, and nobody chooses that place for us.
//!
//! | row | where it is tried, with its twin |
//! |---|---|
//! | J-01, J-02, J-03 | `registry::remote::tests::auth` of the crate: `a_login_is_not_sent_to_a_token_service_elsewhere`, `a_token_service_must_not_be_a_metadata_service` |
//! | J-04, J-05, J-06 | `registry::remote::tests::{tls, redirects}` of the crate |
//! | J-07 | `registry::remote::tests::push::an_upload_goes_nowhere_else` of the crate |
//! | J-08, J-12 | `registry::remote::tests::files` of the crate |
//! | J-10, J-18 | `j_18_…` here |
//! | J-11 | `j_11_…` here |
//! | J-13 | `registry::remote::tests::push::a_bad_tag_is_no_request` of the crate |
//! | J-14 | `registry::remote::tests::tls` of the crate |
//! | J-15 | `sign::oidc::loopback::only_the_answer_to_our_question_is_taken` |
//! | J-16 | `sign::tests::an_issuer_that_leads_elsewhere_is_not_followed` |
//! | J-17 | `j_17_…` here |
//! | J-20 | `j_20_…` here |
//! | J-21 | `j_21_…` here |

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cg_attest::image::media;
use cg_attest::testing::{Answer, Auth, RecordedRequest, Registry, RegistryFault};

use crate::support::command::{Ran, cg_attest_with};
use crate::support::signing::Scene;

const PASSWORD: &str = "correct-horse";

impl Scene {
    /// Wants a login of writers and readers, and gives it to the command in `DOCKER_CONFIG`.
    fn with_login(&self) -> String {
        self.registry.auth(Auth::Basic { username: "user".to_owned(), password: PASSWORD.to_owned() });
        let login = BASE64_STANDARD.encode(format!("user:{PASSWORD}"));
        let config = serde_json::json!({ "auths": { self.registry.address(): { "auth": login } } });
        std::fs::write(self.path("config.json"), config.to_string()).expect("a file");
        self.text("")
    }

    /// Signs as the job of a workflow, whose token the platform gives.
    fn signs_in_a_job(&self, more: &[&str], variables: &[(&str, &str)]) -> Ran {
        let (url, secret) = (self.server.request_url(), self.server.request_token().to_owned());
        let job = [
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &secret),
        ];
        let (name, root, config) = (self.name(), self.text("root"), self.text("v2"));
        let flags = ["sign", &name, "--no-recursive", "--trusted-root", &root, "--signing-config", &config];
        cg_attest_with([&flags, more].concat(), &[&job, variables].concat(), "")
    }
}

/// Whether a request carries this text anywhere.
fn carries(request: &RecordedRequest, secret: &str) -> bool {
    let body = String::from_utf8_lossy(&request.body);
    let headers = request.headers.iter().any(|(_, value)| value.contains(secret));
    headers || body.contains(secret) || request.line().contains(secret)
}

/// J-10 as well: the registry's login goes to the registry, the platform's
/// secret to the platform, the token to the certificate authority.
#[test]
fn j_18_each_secret_goes_to_one_place() {
    let scene = Scene::new();
    let folder = scene.with_login();
    let ran = scene.signs_in_a_job(&[], &[("DOCKER_CONFIG", &folder)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (asked, pushed) = (scene.server.requests(), scene.registry.requests());
    let token: Vec<_> = asked.iter().filter(|request| request.path == "/api/v2/signingCert").collect();
    let body: serde_json::Value = serde_json::from_slice(&token[0].body).expect("JSON");
    let token = body["credentials"]["oidcIdentityToken"].as_str().expect("a token").to_owned();
    let login = BASE64_STANDARD.encode(format!("user:{PASSWORD}"));
    let secret = scene.server.request_token();
    let of = |requests: &[RecordedRequest], secret: &str| -> Vec<String> {
        requests.iter().filter(|request| carries(request, secret)).map(|request| request.path.clone()).collect()
    };
    assert_eq!(of(&asked, &token), ["/api/v2/signingCert"]);
    assert_eq!(of(&asked, secret), ["/actions"]);
    assert_eq!((of(&asked, &login), of(&asked, PASSWORD)), (Vec::new(), Vec::new()));
    assert_eq!((of(&pushed, &token), of(&pushed, secret)), (Vec::new(), Vec::new()));
    assert!(!of(&pushed, &login).is_empty(), "and the registry has its own");
    // Its twin: without the login nothing is pushed.
    assert_eq!(scene.signs_in_a_job(&[], &[]).code, 3);
}

#[test]
fn j_11_no_secret_is_told() {
    let scene = Scene::new();
    let folder = scene.with_login();
    let login = BASE64_STANDARD.encode(format!("user:{PASSWORD}"));
    let token = std::fs::read_to_string(scene.path("token")).expect("a token");
    let secret = scene.server.request_token().to_owned();
    let variables = [("DOCKER_CONFIG", folder.as_str()), ("RUST_LOG", "trace")];
    let told = |ran: &Ran| {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        [PASSWORD, &login, token.trim(), &secret].iter().any(|secret| text.contains(secret))
    };
    let ran = scene.signs_in_a_job(&[], &variables);
    assert!(ran.code == 0 && !told(&ran), "{}{}", ran.stdout, ran.stderr);
    // A service that repeats what it was sent is not quoted.
    let echo = |request: &RecordedRequest| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        let token = body["credentials"]["oidcIdentityToken"].as_str()?.to_owned();
        Some(Answer::status(400).body(serde_json::json!({ "message": format!("bad token {token}") }).to_string()))
    };
    scene.server.fault(RegistryFault::on("/signingCert").compute(echo));
    let ran = cg_attest_with(scene.signing("sign", "v2", &[]), &variables, "");
    assert!(ran.code == 1 && ran.stderr.contains("error[service-refused]") && !told(&ran), "{}", ran.stderr);
    // A wrong password is not told either.
    scene.registry.auth(Auth::Basic { username: "user".to_owned(), password: "another".to_owned() });
    let ran = cg_attest_with(scene.signing("sign", "v2", &[]), &variables, "");
    assert!(ran.code == 3 && ran.stderr.contains("error[registry-denied]") && !told(&ran), "{}", ran.stderr);
}

#[test]
fn j_17_a_request_that_is_repeated_says_who_asks_once() {
    let scene = Scene::new();
    let folder = scene.with_login();
    scene.server.fault(RegistryFault::on("/actions").times(2).answer(Answer::status(503)));
    scene.registry.fault(RegistryFault::on("/v2/").method("GET").times(1).answer(Answer::status(503)));
    let ran = scene.signs_in_a_job(&[], &[("DOCKER_CONFIG", &folder)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (asked, pushed) = (scene.server.requests(), scene.registry.requests());
    assert_eq!(asked.iter().filter(|request| request.path == "/actions").count(), 3);
    for request in asked.iter().chain(&pushed) {
        let count = request.headers.iter().filter(|(name, _)| name == "authorization").count();
        assert!(count <= 1, "{}: {:?}", request.line(), request.headers);
    }
}

/// The entries of an index and its manifests say where else their bytes are; nobody goes there.
#[test]
fn j_20_addresses_in_descriptors_are_not_followed() {
    let (scene, elsewhere) = (Scene::new(), Registry::start());
    let mut index: serde_json::Value = serde_json::from_slice(&scene.index_bytes()).expect("JSON");
    for entry in index["manifests"].as_array_mut().expect("entries") {
        entry["urls"] = serde_json::json!([format!("http://{}/x", elsewhere.address()), "file:///etc/passwd"]);
    }
    scene.registry.put_manifest("a/b", Some("latest"), media::INDEX, index.to_string());
    let ran = scene.signs("sign", "v2", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(scene.verify("signature").code, 0);
    assert_eq!(elsewhere.lines(), [""; 0]);
}

/// A log that has an entry already says where, and may name any host: it is asked itself.
#[test]
fn j_21_an_address_in_an_answer_is_not_followed() {
    let (scene, elsewhere) = (Scene::new(), Registry::start());
    let name = "a".repeat(64);
    let location = format!("http://{}/api/v1/log/entries/{name}", elsewhere.address());
    let answer = Answer::status(409).header("location", &location);
    scene.server.fault(RegistryFault::on("/log/entries").method("POST").answer(answer));
    let ran = cg_attest_with(scene.signing("sign", "v1", &["--no-recursive"]), &[], "");
    assert!(ran.code == 1 && ran.stderr.contains("error[service-refused]"), "{}", ran.stderr);
    assert!(scene.server.lines().contains(&format!("GET /api/v1/log/entries/{name}")), "{:?}", scene.server.lines());
    assert_eq!((elsewhere.lines(), scene.writes()), (Vec::new(), Vec::new()));
    scene.server.clear_faults();
    assert_eq!(cg_attest_with(scene.signing("sign", "v1", &["--no-recursive"]), &[], "").code, 0);
}
