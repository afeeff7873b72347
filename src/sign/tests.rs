//! A session against the virtual Sigstore: what it makes, what it asks for, and
//! what it refuses. Every lie has its twin: the same session without it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::oidc::{DEFAULT_AUDIENCE, Environment, Login, Prompt, Provider, Token, detect};
use super::{ContentKind, Session, SignError, SignedBundle, SigningConfig, SigningKey, clock};
use crate::code::Code;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::testing::{Answer, RegistryFault, ServiceFault, SigstoreServer, Statement, simple_signing};
use crate::trust::TrustRoot;

struct Scene {
    server: SigstoreServer,
    subject: Digest,
}

impl Scene {
    fn new() -> Self {
        Self { server: SigstoreServer::start(), subject: Digest::sha256(b"image") }
    }

    fn trust(&self) -> TrustRoot {
        TrustRoot::parse(self.server.trusted_root_json().as_bytes(), "virtual").expect("a root")
    }

    fn config(&self, version: u32) -> SigningConfig {
        let text = match version {
            1 => self.server.signing_config_v1_json(),
            _ => self.server.signing_config_json(),
        };
        SigningConfig::parse(text.as_bytes(), "virtual").expect("a config")
    }

    /// A session that asks once and has a short time.
    fn session(&self, version: u32) -> Session {
        let token = Token::parse(&self.server.email_token("alice@example.com")).expect("a token");
        let services = self.config(version).select(clock::now()).expect("services");
        let session = Session::keyless(services, token, DEFAULT_AUDIENCE, self.trust()).expect("a session");
        session.limits(Limits { attempts: 1, ..Limits::default() })
    }

    fn statement(&self) -> Vec<u8> {
        Statement::about(&self.subject).spdx()
    }

    async fn sign(&self, version: u32) -> Result<SignedBundle, SignError> {
        self.session(version).sign_statement(&self.statement(), &self.subject).await
    }

    fn asked(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|request| request.path == path).count()
    }
}

const FULCIO: &str = "/api/v2/signingCert";
const REKOR_V1: &str = "/api/v1/log/entries";
const REKOR_V2: &str = "/api/v2/log/entries";
const TSA: &str = "/api/v1/timestamp";

#[tokio::test]
async fn statements_and_files_are_signed_with_both_logs_entry_zero_included() {
    for version in [1, 2] {
        let scene = Scene { server: SigstoreServer::start_with_empty_logs(), ..Scene::new() };
        let signed = scene.sign(version).await.expect("a bundle");
        assert_eq!(signed.signer().identity().value, "alice@example.com");
        assert_eq!((signed.content_kind(), signed.verified().logs().len()), (ContentKind::DsseEnvelope, 1));
        let bundle: serde_json::Value = serde_json::from_slice(signed.bytes()).expect("JSON");
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        // One client that reads bundles wants zeros written out.
        assert!(entry["inclusionProof"]["hashes"].is_array() && entry["logIndex"].is_string());
        assert_eq!(entry["inclusionProof"]["logIndex"], "0");
        // A log of version 1 counts over its shards, of which this is not the first.
        assert!(entry["logIndex"] == "0" || version == 1);
        assert_eq!(entry["integratedTime"].is_string(), version == 1);
        let signed = scene.session(version).sign_file(b"a file").await.expect("a bundle");
        assert_eq!(
            (signed.subject(), signed.content_kind()),
            (&Digest::sha256(b"a file"), ContentKind::MessageSignature)
        );
    }
}

#[tokio::test]
async fn a_run_has_one_certificate_however_much_it_signs() {
    let scene = Scene::new();
    let session = scene.session(2);
    let statements: Vec<_> = (1..=8).map(|packages| Statement::about(&scene.subject).spdx_of(packages)).collect();
    let signed = join_all(statements.iter().map(|s| session.sign_statement(s, &scene.subject))).await;
    let certificates: BTreeSet<_> = signed
        .into_iter()
        .map(|signed| signed.expect("a bundle").signer().certificate_sha256().map(str::to_owned))
        .collect();
    assert_eq!(certificates.len(), 1);
    assert_eq!((scene.asked(FULCIO), scene.asked(REKOR_V2), scene.asked(TSA)), (1, 8, 8));
}

#[tokio::test]
async fn a_persons_key_signs_with_the_log_and_without_a_certificate() {
    for version in [1, 2] {
        let scene = Scene::new();
        let services = scene.config(version).select(clock::now()).expect("services");
        let session = Session::with_key(services, SigningKey::generate().expect("a key"), scene.trust());
        let signed = session.sign_statement(&scene.statement(), &scene.subject).await.expect("a bundle");
        assert!(signed.signer().issuer().is_none() && signed.verified().is_proven());
        assert!(session.sign_file(b"a file").await.is_ok());
        assert_eq!(scene.asked(FULCIO), 0);
    }
}

#[tokio::test]
async fn as_many_logs_and_timestamps_take_part_as_the_config_says() {
    let scene = Scene::new();
    let mut config: serde_json::Value = serde_json::from_str(&scene.server.signing_config_json()).expect("JSON");
    let other: serde_json::Value = serde_json::from_str(&scene.server.signing_config_v1_json()).expect("JSON");
    for (part, choice, more) in [
        ("rekorTlogUrls", "rekorTlogConfig", &other["rekorTlogUrls"][0]),
        ("tsaUrls", "tsaConfig", &config["tsaUrls"][0].clone()),
    ] {
        let mut more = more.clone();
        more["operator"] = "another".into();
        config[part].as_array_mut().expect("a list").push(more);
        config[choice] = serde_json::json!({ "selector": "EXACT", "count": 2 });
    }
    let config = SigningConfig::parse(config.to_string().as_bytes(), "two").expect("a config");
    let token = Token::parse(&scene.server.email_token("alice@example.com")).expect("a token");
    let services = config.select(clock::now()).expect("services");
    let session = Session::keyless(services, token, DEFAULT_AUDIENCE, scene.trust()).expect("a session");
    let signed = session.sign_file(b"a file").await.expect("a bundle");
    assert_eq!(signed.verified().logs().len(), 2);
    assert_eq!((scene.asked(REKOR_V1), scene.asked(REKOR_V2), scene.asked(TSA)), (1, 1, 2));
}

#[tokio::test]
async fn a_legacy_signature_needs_a_log_that_promises() {
    let scene = Scene::new();
    let payload = simple_signing("registry.test/image", &scene.subject);
    let layer = scene.session(1).sign_payload(&payload, &scene.subject).await.expect("a layer");
    assert_eq!(layer.payload().bytes(), payload);
    assert!(layer.annotations().contains_key("dev.sigstore.cosign/bundle"));
    let error = scene.session(1).sign_payload(&payload, &Digest::sha256(b"another")).await.expect_err("another image");
    assert_eq!(error.code(), Code::SubjectMismatch);
    let error = scene.session(2).sign_payload(&payload, &scene.subject).await.expect_err("no promise");
    assert_eq!(error.code(), Code::SigningConfig);
}

#[tokio::test]
async fn what_is_not_about_the_subject_does_not_leave() {
    let scene = Scene::new();
    let another = Digest::sha256(b"another");
    let error = scene.session(2).sign_statement(&scene.statement(), &another).await.expect_err("another image");
    assert_eq!(error.code(), Code::SubjectMismatch);
    assert!(scene.sign(2).await.is_ok());
}

#[tokio::test]
async fn every_lie_of_a_service_has_its_code_and_ends_the_signature() {
    let lies = [
        (2, ServiceFault::CertificateForAnotherKey, Code::CertificateForeign),
        (2, ServiceFault::CertificateForAnotherIdentity, Code::CertificateForeign),
        (2, ServiceFault::CertificateByAnotherAuthority, Code::CertChain),
        (2, ServiceFault::CertificateWithoutSct, Code::CertSct),
        (1, ServiceFault::EntryForAnotherPayload, Code::EntryForeign),
        (2, ServiceFault::EntryForAnotherPayload, Code::EntryForeign),
        (1, ServiceFault::EntryForAnotherSignature, Code::EntryForeign),
        (2, ServiceFault::EntryForAnotherSignature, Code::EntryForeign),
        (1, ServiceFault::PromiseByAnotherKey, Code::LogKey),
        (1, ServiceFault::CheckpointByAnotherKey, Code::LogKey),
        (2, ServiceFault::CheckpointByAnotherKey, Code::LogKey),
        (2, ServiceFault::TimestampOverOtherBytes, Code::TimestampForeign),
        (2, ServiceFault::TimestampWithAnotherNonce, Code::TimestampForeign),
        (2, ServiceFault::TimestampByAnotherKey, Code::TimeUntrusted),
        (2, ServiceFault::TimestampTooEarly, Code::TimeWindow),
        (2, ServiceFault::TimestampRejected, Code::ServiceRefused),
    ];
    let scene = Scene::new();
    for (version, lie, wanted) in lies {
        scene.server.lie(lie);
        let found = scene.sign(version).await.map(drop).map_err(|error| (error.code(), error.to_string()));
        assert!(matches!(&found, Err((code, _)) if *code == wanted), "{lie:?} v{version}: {found:?}, wanted {wanted}");
        scene.server.clear_faults();
    }
    // A proof has a hash that can be wrong once the log has two entries.
    for version in [1, 2] {
        assert!(scene.sign(version).await.is_ok());
        scene.server.lie(ServiceFault::ProofCorrupted);
        assert_eq!(scene.sign(version).await.expect_err("a broken proof").code(), Code::LogProof);
        scene.server.clear_faults();
    }
}

#[tokio::test]
async fn nothing_is_written_into_a_log_with_a_certificate_that_is_not_ours() {
    for lie in [
        ServiceFault::CertificateForAnotherKey,
        ServiceFault::CertificateForAnotherIdentity,
        ServiceFault::CertificateByAnotherAuthority,
    ] {
        let scene = Scene::new();
        scene.server.lie(lie);
        assert!(scene.sign(2).await.is_err());
        assert_eq!((scene.asked(FULCIO), scene.asked(REKOR_V2), scene.asked(TSA)), (1, 0, 0), "{lie:?}");
    }
}

#[tokio::test]
async fn refusals_silence_and_web_pages_are_told_apart() {
    let scene = Scene::new();
    let limited = || Answer::status(429).header("retry-after", "30");
    for (version, path) in [(2, FULCIO), (2, REKOR_V2), (2, TSA), (1, REKOR_V1)] {
        for (answer, wanted) in [
            (Answer::status(403).body(r#"{"message":"no"}"#), Code::ServiceRefused),
            (Answer::status(503), Code::ServiceUnavailable),
            (limited(), Code::ServiceRateLimited),
            (Answer::redirect(302, "http://127.0.0.1:9/"), Code::ServiceProtocol),
            (Answer::html(), Code::ServiceProtocol),
            (Answer::status(200).body("{}"), Code::ServiceProtocol),
            (Answer::status(200).body(vec![b' '; 80 << 20]), Code::ServiceProtocol),
        ] {
            scene.server.fault(RegistryFault::on(path).method("POST").answer(answer.clone()));
            let error = scene.sign(version).await.expect_err("a refusal");
            assert_eq!(error.code(), wanted, "{path}: {error}");
            scene.server.clear_faults();
        }
        scene.server.fault(RegistryFault::on(path).stall());
        let session =
            scene.session(version).limits(Limits { total_time: Duration::from_millis(50), ..Limits::default() });
        let error = session.sign_statement(&scene.statement(), &scene.subject).await.expect_err("silence");
        assert_eq!(error.code(), Code::ServiceUnavailable);
        scene.server.clear_faults();
    }
    assert!(scene.sign(2).await.is_ok());
}

#[tokio::test]
async fn a_refusal_that_passes_is_asked_again_and_a_long_wait_is_not_waited_out() {
    let scene = Scene::new();
    let again = || Answer::status(429).header("retry-after", "0");
    for path in [FULCIO, REKOR_V2, TSA] {
        scene.server.fault(RegistryFault::on(path).times(1).answer(again()));
    }
    let session = scene.session(2).limits(Limits::default());
    assert!(session.sign_statement(&scene.statement(), &scene.subject).await.is_ok());
    assert_eq!((scene.asked(FULCIO), scene.asked(REKOR_V2), scene.asked(TSA)), (2, 2, 2));
    scene.server.clear_faults();
    scene.server.fault(RegistryFault::on(TSA).answer(Answer::status(429).header("retry-after", "3600")));
    let error = session.sign_statement(&scene.statement(), &scene.subject).await.expect_err("a long wait");
    assert!(error.code() == Code::ServiceRateLimited && error.to_string().contains("60 min"), "{error}");
}

#[tokio::test]
async fn an_entry_whose_answer_was_lost_is_found_again() {
    for (version, path) in [(1, REKOR_V1), (2, REKOR_V2)] {
        let scene = Scene::new();
        scene.server.fault(RegistryFault::on(path).method("POST").times(1).truncate(10));
        let session = scene.session(version).limits(Limits::default());
        let signed = session.sign_statement(&scene.statement(), &scene.subject).await;
        assert!(signed.is_ok(), "v{version}: {signed:?}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_used_is_not_sent() {
    let scene = Scene::new();
    for (lie, wanted) in
        [(ServiceFault::TokenExpired, Code::TokenExpired), (ServiceFault::TokenForAnotherAudience, Code::TokenAudience)]
    {
        scene.server.lie(lie);
        let token = Token::parse(&scene.server.email_token("alice@example.com")).expect("a token");
        let services = scene.config(2).select(clock::now()).expect("services");
        let error = Session::keyless(services, token, DEFAULT_AUDIENCE, scene.trust()).expect_err("a bad token");
        assert_eq!(error.code(), wanted);
        scene.server.clear_faults();
    }
    assert_eq!(scene.asked(FULCIO), 0);
}

#[tokio::test]
async fn a_workflow_signs_with_the_token_of_its_platform() {
    let scene = Scene::new();
    let request = scene.server.request_token().to_owned();
    let environment: Environment = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", scene.server.request_url()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request.clone()),
    ]
    .into_iter()
    .collect();
    let found = detect(&environment, DEFAULT_AUDIENCE, None, &Limits::default()).await.expect("a token");
    assert_eq!(found.provider, Provider::GitHub);
    let services = scene.config(2).select(clock::now()).expect("services");
    let session = Session::keyless(services, found.token, DEFAULT_AUDIENCE, scene.trust()).expect("a session");
    let signed = session.sign_statement(&scene.statement(), &scene.subject).await.expect("a bundle");
    assert!(signed.signer().identity().value.starts_with("https://github.com/"), "{:?}", signed.signer());
    // The platform's secret goes to the platform and nowhere else (scenario J-18).
    let carried = scene.server.requests().into_iter().filter(|r| r.header("authorization").is_some());
    assert_eq!(carried.map(|request| request.path).collect::<Vec<_>>(), ["/actions"]);
}

#[tokio::test]
async fn a_platform_that_refuses_ends_the_search_and_its_secret_is_not_told() {
    let scene = Scene::new();
    let environment: Environment = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", scene.server.request_url()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "wrong-secret".to_owned()),
    ]
    .into_iter()
    .collect();
    let error = detect(&environment, DEFAULT_AUDIENCE, None, &Limits::default()).await.expect_err("a refusal");
    assert!(error.code() == Code::ServiceRefused && !error.to_string().contains("wrong-secret"), "{error}");
}

/// What a browser does with the page: it follows it to ours.
async fn browse(url: String) {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(crate::net::believing_nobody_for_tests().expect("cryptography"));
    let client = client.no_proxy().build().expect("a browser");
    drop(client.get(url).send().await);
}

#[tokio::test]
async fn a_person_logs_in_with_a_browser() {
    let scene = Scene::new();
    let login = Login::new(scene.server.url(), "sigstore").expect("an issuer").within(Duration::from_secs(20));
    let (told, page) = tokio::sync::oneshot::channel();
    let show = |prompt: &Prompt| {
        if let Prompt::Browser { url } = prompt {
            drop(told.send(url.clone()));
        }
    };
    let (token, ()) = futures_util::future::join(login.in_browser(show), async {
        browse(page.await.expect("a page")).await;
    })
    .await;
    let token = token.expect("a token");
    assert_eq!((token.identity(), token.is_personal()), ("dev@example.com", true));
    let services = scene.config(2).select(clock::now()).expect("services");
    let session = Session::keyless(services, token, DEFAULT_AUDIENCE, scene.trust()).expect("a session");
    assert!(session.sign_file(b"a file").await.is_ok());
}

#[tokio::test]
async fn a_person_logs_in_with_a_code_on_another_device() {
    let scene = Scene::new();
    let login = Login::new(scene.server.url(), "sigstore").expect("an issuer").asking_every(Duration::from_millis(2));
    let mut shown = None;
    let token = login.with_device(|prompt| shown = Some(prompt.clone())).await.expect("a token");
    assert_eq!(token.identity(), "dev@example.com");
    assert!(matches!(shown, Some(Prompt::Device { code, .. }) if code == "VIRT-UAL1"));
    for (answer, wanted) in [
        (Answer::status(400).body(r#"{"error":"access_denied"}"#), Code::LoginFailed),
        (Answer::status(400).body(r#"{"error":"expired_token"}"#), Code::LoginFailed),
        (Answer::html(), Code::ServiceProtocol),
        (Answer::status(403), Code::ServiceRefused),
    ] {
        scene.server.fault(RegistryFault::on("/token").method("POST").answer(answer));
        let error = login.with_device(|_| ()).await.expect_err("no token");
        assert_eq!(error.code(), wanted, "{error}");
        scene.server.clear_faults();
    }
}

#[tokio::test]
async fn an_issuer_that_leads_elsewhere_is_not_followed() {
    let scene = Scene::new();
    let login = Login::new(scene.server.url(), "sigstore").expect("an issuer").asking_every(Duration::from_millis(2));
    let other = |part: &str, value: &str| {
        let good = serde_json::json!({ "issuer": scene.server.url(), "token_endpoint": format!("{}/token", scene.server.url()) });
        let mut bad = good;
        bad[part] = value.into();
        Answer::status(200).body(bad.to_string())
    };
    for answer in [
        Answer::redirect(302, "http://127.0.0.1:9/"),
        other("issuer", "https://other.test"),
        other("token_endpoint", "http://other.test/token"),
        other("device_authorization_endpoint", "http://169.254.169.254/"),
    ] {
        scene.server.fault(RegistryFault::on("openid-configuration").answer(answer));
        let error = login.with_device(|_| ()).await.expect_err("no token");
        assert_eq!(error.code(), Code::ServiceProtocol, "{error}");
        scene.server.clear_faults();
    }
    assert!(Login::new("http://issuer.test", "sigstore").is_err() && Login::new("nothing", "sigstore").is_err());
}
