//! How much `sign` and `attest` ask of the services and of the registry, and
//! how many of their requests have to wait for another: counted, with servers
//! that answer the requests of one step together and none of them before.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cg_attest::testing::{Auth, TokenService, Waves};

use crate::support::command::{Ran, cg_attest_with};
use crate::support::signing::Scene;

/// A wave for each step of a first run, for k statements on T targets: the
/// image; what is attached; the certificate; log and timestamps; whether the
/// empty configuration is there, alone, because the first request that writes
/// learns what the registry wants of writers; the uploads, begun and done; the
/// manifests; then everything is listed, read and read.
fn first_run(k: usize, targets: usize) -> [usize; 11] {
    [1, targets, 1, 2 * k, 1, k + 1, k + 1, k, targets, k, k]
}

impl Scene {
    /// Wants tokens from now on; the folder with a login that is given them.
    fn wanting_tokens(&self) -> String {
        self.registry.auth(Auth::Bearer(TokenService::new().user("user", "password")));
        let login = BASE64_STANDARD.encode("user:password");
        let config = serde_json::json!({ "auths": { self.registry.address(): { "auth": login } } });
        std::fs::write(self.path("config.json"), config.to_string()).expect("a file");
        self.text("")
    }

    /// Runs a command in these waves and in no more; what it did.
    fn in_waves(&self, waves: &[usize], command: &str, more: &[String]) -> Ran {
        self.in_waves_with(waves, command, more, &[])
    }

    fn in_waves_with(&self, waves: &[usize], command: &str, more: &[String], variables: &[(&str, &str)]) -> Ran {
        let held = Waves::new(waves);
        self.server.hold(&held);
        self.registry.hold(&held);
        self.server.clear_log();
        self.registry.clear_log();
        let flags = more.iter().map(String::as_str).collect::<Vec<_>>();
        let ran = cg_attest_with(self.signing(command, "v2", &flags), variables, "");
        let seen = (held.answered(), self.server.lines(), self.registry.lines());
        assert_eq!(ran.code, 0, "{} {seen:#?}", ran.stderr);
        assert_eq!(held.answered(), waves.len(), "{seen:#?}");
        ran
    }

    /// Requests for a certificate, log entries and timestamps.
    fn services(&self) -> [usize; 3] {
        ["signingCert", "/log/entries", "/timestamp"]
            .map(|path| self.server.lines().iter().filter(|line| line.contains(path)).count())
    }
}

#[test]
fn a_first_run_has_eleven_steps_however_much_it_signs() {
    for (command, k, targets) in [("attest", 4, 2), ("sign", 3, 3)] {
        let scene = Scene::new();
        let flags = if command == "attest" { scene.documents(true) } else { Vec::new() };
        let ran = scene.in_waves(&first_run(k, targets), command, &flags);
        assert!(ran.stdout.contains(&format!("attached {k}, read back and verified")), "{}", ran.stdout);
        assert_eq!(scene.services(), [1, k, k], "{command}");
        let asked = scene.registry.requests().len();
        assert!(asked <= 5 * k + 2 * targets + 6, "{command}: {asked}");
    }
}

/// A registry that wants a token asks for it with its first answer, of readers
/// and then of writers: two steps and two requests more for each of the two,
/// whatever is signed.
#[test]
fn a_token_adds_two_steps_for_reading_and_two_for_writing() {
    for (command, k, targets) in [("attest", 4, 2), ("sign", 3, 3)] {
        let scene = Scene::new();
        let flags = if command == "attest" { scene.documents(true) } else { Vec::new() };
        let login = scene.wanting_tokens();
        let [image, rest @ ..] = first_run(k, targets);
        let [listed, certificate, logged, config, uploads @ ..] = rest;
        let waves: Vec<usize> = [&[image, 1, 1, listed, certificate, logged, config, 1, 1][..], &uploads].concat();
        let ran = scene.in_waves_with(&waves, command, &flags, &[("DOCKER_CONFIG", &login)]);
        assert!(ran.stdout.contains(&format!("attached {k}, read back and verified")), "{}", ran.stdout);
        assert_eq!(scene.services(), [1, k, k], "{command}");
        let asked = scene.registry.lines();
        let tokens = asked.iter().filter(|line| line.contains("/token")).count();
        assert_eq!((tokens, asked.len()), (2, 5 * k + 2 * targets + 4 + 4), "{command}: {asked:#?}");
        // What is there is read with the token of readers.
        let again = [1, 1, 1, targets, k, k, 1];
        let ran = scene.in_waves_with(&again, command, &flags, &[("DOCKER_CONFIG", &login)]);
        assert!(ran.stdout.ends_with("everything was attached already\n"), "{}", ran.stdout);
    }
}

/// What is there costs two requests each, a manifest and its bundle, and nothing is signed.
#[test]
fn a_second_run_reads_what_is_there_once() {
    let scene = Scene::new();
    let flags = scene.documents(true);
    scene.in_waves(&first_run(4, 2), "attest", &flags);
    let ran = scene.in_waves(&[1, 2, 4, 4, 1], "attest", &flags);
    assert!(ran.stdout.ends_with("everything was attached already\n"), "{}", ran.stdout);
    assert_eq!(scene.services(), [1, 0, 0], "the certificate says who would sign");
    assert_eq!(scene.registry.requests().len(), 1 + 2 + 2 * 4);
    // Evidence of other types is not read.
    let ran = scene.in_waves(&[1, 3, 1, 6, 1, 3, 3, 3, 3, 3, 3], "sign", &[]);
    assert!(ran.stdout.contains("attached 3,"), "{}", ran.stdout);
}

/// Something newer of a type that is there: two steps and two requests for each more, and no configuration.
#[test]
fn a_later_run_has_two_requests_more_for_each_that_is_there() {
    let scene = Scene::new();
    scene.in_waves(&first_run(2, 2), "attest", &scene.documents(false));
    for (platform, image) in &scene.image.platforms {
        let arch = platform.to_string().replace("linux/", "");
        let sbom = format!(
            r#"{{"spdxVersion":"SPDX-2.3","name":"newer","documentDescribes":["SPDXRef-I"],"packages":[{{"SPDXID":"SPDXRef-I","versionInfo":"{}"}}]}}"#,
            image.digest
        );
        std::fs::write(scene.path(&arch), sbom).expect("a file");
    }
    let (k, targets, there) = (2, 2, 2);
    let waves = [1, targets, there, there, 1, 2 * k, 1, k, k, k, targets, k, k];
    let ran = scene.in_waves(&waves, "attest", &scene.documents(false));
    assert!(ran.stdout.contains("attached 2,"), "{}", ran.stdout);
    assert_eq!(scene.services(), [1, k, k]);
    let asked = scene.registry.requests().len();
    assert!(asked <= 5 * k + 2 * targets + 6 + 2 * there, "{asked}");
}
