//! How a registry is reached, by the flags and variables that say so.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use cg_attest::limits::Limits;
use cg_attest::registry::Context;
use cg_attest::testing::{Auth, Registry, Statement, TokenService, Upload};

use crate::support::command::{Ran, cg_attest_with};
use crate::support::scene::Scene;

const NAME: &str = "registry.example";

/// A signed image in this registry.
async fn signed(registry: Registry) -> Scene {
    let scene = Scene::served_by(registry).await;
    scene.attach(&scene.image.index, Statement::signature).await;
    scene
}

fn verify(scene: &Scene, image: &str, more: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ran {
    let mut args = ["verify", image, "-o", "json"].map(str::to_owned).to_vec();
    args.extend(scene.trusting());
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    cg_attest_with(args, variables, stdin)
}

/// Why the image could not be read.
fn problem(ran: &Ran) -> (i32, String, String) {
    let error = &ran.json()["error"];
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    (ran.code, text("code"), text("message"))
}

/// A proxy that opens a way to `to`, whatever is asked for; its address.
fn proxy(to: &str) -> String {
    let (listener, to) = (TcpListener::bind("127.0.0.1:0").expect("a port"), to.to_owned());
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (client.expect("a client"), TcpStream::connect(&to).expect("the registry"));
            let mut head = BufReader::new(client.try_clone().expect("a handle")).lines();
            let wanted = head.next().expect("a line").expect("text");
            assert!(wanted.starts_with(&format!("CONNECT {NAME}:")), "{wanted}");
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("an answer");
            let (mut back, mut forth) = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
            // Either side may end first.
            std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
            std::thread::spawn(move || std::io::copy(&mut client, &mut server));
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named_and_http_2_is_spoken() {
    let scene = signed(Registry::start_with_tls(&[NAME])).await;
    let port = scene.registry.address().rsplit_once(':').expect("a port").1;
    let image = format!("{NAME}:{port}/{}", scene.path);
    let proxy = proxy(scene.registry.address());
    let variables = [("HTTPS_PROXY", proxy.as_str())];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, scene.registry.certificate().expect("TLS")).expect("written");
    let named = ["--registry-cacert", &file.display().to_string()];

    let ran = verify(&scene, &image, &named, &variables, "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let versions: Vec<String> = scene.registry.requests().iter().map(|r| r.version.clone()).collect();
    assert!(!versions.is_empty() && versions.iter().all(|version| version == "HTTP/2.0"), "{versions:?}");
    scene.registry.clear_log();
    let (code, reason, message) = problem(&verify(&scene, &image, &[], &variables, ""));
    assert_eq!((code, reason.as_str()), (3, "registry-unavailable"), "{message}");
    assert!(message.contains(&format!("TLS with {NAME}")), "{message}");
    assert!(scene.registry.requests().is_empty());

    std::fs::write(&file, "no certificate").expect("written");
    let ran = verify(&scene, &image, &named, &variables, "");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
}

#[tokio::test]
async fn a_login_is_taken_from_the_flags_and_a_wrong_one_is_named() {
    let scene = signed(Registry::start()).await;
    let name = scene.name();
    let user = ["--registry-username", "user", "--registry-password-stdin"];
    let basic = Auth::Basic { username: "user".to_owned(), password: "s3cret".to_owned() };
    let bearer = Auth::Bearer(TokenService::new().user("user", "s3cret"));
    for auth in [basic, bearer] {
        scene.registry.auth(auth);
        let ran = verify(&scene, &name, &user, &[], "s3cret\n");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        for (more, stdin, source) in [(&user[..], "wr0ng\n", "the login given for"), (&[], "", "no login was given")] {
            let ran = verify(&scene, &name, more, &[], stdin);
            let (code, reason, message) = problem(&ran);
            assert_eq!((code, reason.as_str()), (3, "registry-denied"), "{message}");
            assert!(message.contains(source) && !message.contains("wr0ng"), "{message}");
        }
    }
    let ran = verify(&scene, &name, &user, &[], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
}

#[tokio::test]
async fn a_registrys_own_token_is_sent_as_it_is() {
    let scene = signed(Registry::start()).await;
    let name = scene.name();
    for (more, variables) in
        [(&["--registry-token", "t0ken"][..], &[][..]), (&[], &[("CG_ATTEST_REGISTRY_TOKEN", "t0ken")])]
    {
        scene.registry.clear_log();
        let ran = verify(&scene, &name, more, variables, "");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let requests = scene.registry.requests();
        assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer t0ken")), "{requests:?}");
    }
    let both = ["--registry-token", "t0ken", "--registry-username", "user", "--registry-password-stdin"];
    assert_eq!(verify(&scene, &name, &both, &[], "s3cret\n").code, 2);
}

#[tokio::test]
async fn evidence_may_be_in_a_repository_of_its_own() {
    let scene = Scene::bare().await;
    let (name, elsewhere) = (scene.name(), scene.registry.repository("org/evidence"));
    let statement = Statement::about(&scene.image.index.digest).signature();
    let bundle = scene.sigstore.sign(&Scene::signer()).statement(&statement);
    let upload = Upload::bundle(&scene.image.index, &bundle);
    let context = Context::new(Limits::default());
    upload.push(scene.registry.content(), &context, &elsewhere).await.expect("stored");

    let ran = verify(&scene, &name, &[], &[], "");
    assert_eq!((ran.code, ran.state("index", "signature").as_str()), (1, "missing"), "{}", ran.stdout);
    let repository = elsewhere.to_string();
    for (more, variables) in
        [(&["--attestation-repo", &repository][..], &[][..]), (&[], &[("COSIGN_REPOSITORY", repository.as_str())])]
    {
        let ran = verify(&scene, &name, more, variables, "");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[tokio::test]
async fn mirrors_may_be_named_in_a_variable_and_the_longest_prefix_counts() {
    let scene = signed(Registry::start()).await;
    let image = format!("{NAME}/org/app");
    let address = scene.registry.address();
    let rules = format!("{NAME}=127.0.0.1:1,{NAME}/org={address}/org");
    for (more, variables) in [(&["--mirror", &rules][..], &[][..]), (&[], &[("CG_ATTEST_MIRRORS", rules.as_str())])] {
        let ran = verify(&scene, &image, more, variables, "");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.json()["image"]["reference"], format!("{image}:latest"));
    }
    let ran = verify(&scene, &image, &["--mirror", &format!("{NAME}=127.0.0.1:1")], &[], "");
    assert_eq!(problem(&ran).1, "registry-unavailable");
}
