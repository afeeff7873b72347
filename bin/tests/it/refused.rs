//! What services, registries and tokens refuse, as `sign` tells it: each with
//! its own code, nothing reported that is not there, and the same command
//! succeeds once the one thing is mended.

use cg_attest::testing::{Answer, ReferrersApi, RegistryFault, ServiceFault};

use crate::support::command::cg_attest;
use crate::support::signing::{PERSON, Scene};

/// One image, its index alone.
const ONE: [&str; 1] = ["--no-recursive"];

#[test]
fn a_token_that_cannot_be_used_goes_nowhere() {
    let scene = Scene::new();
    for (lie, code) in
        [(ServiceFault::TokenExpired, "token-expired"), (ServiceFault::TokenForAnotherAudience, "token-audience")]
    {
        scene.server.lie(lie);
        std::fs::write(scene.path("token"), scene.server.email_token(PERSON)).expect("a file");
        scene.server.clear_faults();
        let ran = scene.signs("sign", "v2", &ONE);
        assert!(ran.code == 2 && ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
    }
    std::fs::write(scene.path("token"), "not a token").expect("a file");
    let ran = scene.signs("sign", "v2", &ONE);
    assert!(ran.code == 2 && ran.stderr.contains("error[token-invalid]"), "{}", ran.stderr);
    assert!(scene.server.requests().is_empty() && scene.writes().is_empty());
    std::fs::write(scene.path("token"), scene.server.email_token(PERSON)).expect("a file");
    assert_eq!(scene.signs("sign", "v2", &ONE).code, 0);
}

#[test]
fn a_service_that_refuses_or_fails_has_nothing_pushed() {
    let scene = Scene::new();
    for path in ["/signingCert", "/log/entries", "/timestamp"] {
        for (rule, code, status) in [
            (RegistryFault::on(path).answer(Answer::status(403)), "service-refused", 1),
            (RegistryFault::on(path).answer(Answer::html()), "service-protocol", 1),
            (RegistryFault::on(path).answer(Answer::status(503).header("retry-after", "0")), "service-unavailable", 3),
            (RegistryFault::on(path).answer(Answer::status(429).header("retry-after", "0")), "service-rate-limited", 3),
        ] {
            let shown = format!("{path} {rule:?}");
            scene.server.fault(rule);
            let ran = scene.signs("sign", "v2", &ONE);
            assert_eq!(ran.code, status, "{shown}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("error[{code}]")), "{shown}: {}", ran.stderr);
            assert_eq!(scene.writes(), [""; 0], "{shown}");
            scene.server.clear_faults();
        }
    }
    assert_eq!(scene.signs("sign", "v2", &ONE).code, 0);
}

/// Silence lasts as long as the run may, so all of them are silent at the same time.
#[test]
fn a_service_that_says_nothing_has_nothing_pushed() {
    std::thread::scope(|scope| {
        for path in ["/signingCert", "/log/entries", "/timestamp"] {
            scope.spawn(move || {
                let scene = Scene::new();
                scene.server.fault(RegistryFault::on(path).stall());
                let ran = scene.signs("sign", "v2", &["--no-recursive", "--timeout", "10s"]);
                assert!(ran.code == 3 && ran.stderr.contains("error[service-unavailable]"), "{path}: {}", ran.stderr);
                assert_eq!(scene.writes(), [""; 0], "{path}");
                scene.server.clear_faults();
                assert_eq!(scene.signs("sign", "v2", &ONE).code, 0, "{path}");
            });
        }
    });
}

#[test]
fn a_registry_that_refuses_is_told_apart_and_the_next_run_completes_it() {
    let says = |text: &str| format!(r#"{{"errors":[{{"code":"DENIED","message":"{text}"}}]}}"#);
    for (api, path, method, answer, code, status) in [
        (ReferrersApi::Present, "blobs/uploads", "POST", Answer::status(405), "registry-read-only", 1),
        (ReferrersApi::Present, "manifests/sha256:", "PUT", Answer::status(413), "manifest-too-large", 1),
        (ReferrersApi::Present, "manifests/sha256:", "PUT", Answer::status(400), "registry-rejects-artifact", 1),
        (ReferrersApi::Present, "blobs/uploads", "POST", Answer::status(403), "registry-denied", 3),
        // Somebody deleted the repository between two steps.
        (ReferrersApi::Present, "manifests/sha256:", "PUT", Answer::status(404), "image-not-found", 3),
        (
            ReferrersApi::Absent(404),
            "manifests/sha256-",
            "PUT",
            Answer::status(400).body(says("the tag is immutable")),
            "tag-immutable",
            1,
        ),
    ] {
        let scene = Scene::new();
        scene.registry.referrers_api(api);
        scene.registry.fault(RegistryFault::on(path).method(method).answer(answer));
        let ran = scene.signs("sign", "v2", &ONE);
        assert_eq!(ran.code, status, "{code}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{code}: {}", ran.stderr);
        assert!(!ran.stdout.contains("attached"), "{code}: {}", ran.stdout);
        assert_eq!(scene.verify("signature").code, 1, "{code}");
        scene.registry.clear_faults();
        if api == ReferrersApi::Present {
            assert!(scene.signs("sign", "v2", &ONE).stdout.contains("attached 1, read back"), "{code}");
            assert_eq!(scene.verify("signature").code, 0, "{code}");
        }
    }
}

/// Of three, one cannot be attached: the others are, and that is what is said.
#[test]
fn what_is_half_attached_is_not_reported_as_done() {
    let scene = Scene::new();
    let denied = Answer::status(403);
    scene.registry.fault(RegistryFault::on("manifests/sha256:").method("PUT").skip(2).answer(denied));
    let ran = scene.signs("sign", "v2", &[]);
    assert!(ran.code == 3 && ran.stderr.contains("error[registry-denied]"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2 of 3 are attached, and running the same again writes what is missing"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("attached"), "{}", ran.stdout);
    scene.registry.clear_faults();
    let again = scene.signs("sign", "v2", &[]);
    assert!(again.stdout.contains("attached 1, read back and verified; 2 were there already"), "{}", again.stdout);
}

/// A signing config with the services of a kind over since, or until, then.
fn ending(scene: &Scene, kind: &str, end: &str) {
    let mut config: serde_json::Value = serde_json::from_str(&scene.server.signing_config_json()).expect("JSON");
    config[kind][0]["validFor"]["end"] = end.into();
    std::fs::write(scene.path("v2"), config.to_string()).expect("a file");
}

#[test]
fn services_that_are_over_are_named_before_anything_is_asked() {
    let scene = Scene::new();
    std::fs::write(scene.path("key"), crate::key::PLAIN).expect("a file");
    for (kind, what) in
        [("rekorTlogUrls", "log"), ("tsaUrls", "timestamp authority"), ("caUrls", "certificate authority")]
    {
        ending(&scene, kind, "2001-01-01T00:00:00Z");
        let ran = scene.signs("sign", "v2", &ONE);
        assert!(ran.code == 2 && ran.stderr.contains("error[signing-config]"), "{kind}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(what) && ran.stderr.contains("ended at 2001-01-01T00:00:00Z"),
            "{kind}: {}",
            ran.stderr
        );
        assert!(scene.server.requests().is_empty() && scene.registry.requests().is_empty(), "{kind}");
    }
    // Who signs with a key needs no authority.
    let (name, root, config, key) = (scene.name(), scene.text("root"), scene.text("v2"), scene.text("key"));
    let flags = ["sign", &name, "--trusted-root", &root, "--signing-config", &config, "--key", &key];
    assert_eq!(cg_attest(flags).code, 0);
    let status = || cg_attest(["trust", "status", "--trusted-root", &root, "--signing-config", &config]);
    let ran = status();
    assert!(ran.code == 0 && ran.stdout.contains("no certificate authority of it can be used"), "{}", ran.stdout);
    // What ends soon is said before it does.
    let now: cg_attest::time::Timestamp = std::time::SystemTime::now().try_into().expect("a time");
    let soon = cg_attest::time::Timestamp::from_unix(now.unix() + 10 * 86_400).expect("a time").to_string();
    ending(&scene, "rekorTlogUrls", &soon);
    let ran = status();
    assert!(ran.code == 0 && ran.stdout.contains("note: within a month: "), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("ended at {soon}")), "{}", ran.stdout);
    assert_eq!(scene.signs("sign", "v2", &ONE).code, 0);
    ending(&scene, "rekorTlogUrls", "2100-01-01T00:00:00Z");
    assert!(!status().stdout.contains("within a month"));
}
