//! How much `sign` and `attest` ask of the services and of the registry, and
//! how many of their requests have to wait for another: counted, with servers
//! that answer the requests of one step together and none of them before.

use cg_attest::testing::Waves;

use crate::support::command::Ran;
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
    /// Runs a command in these waves and in no more; what it did.
    fn in_waves(&self, waves: &[usize], command: &str, more: &[String]) -> Ran {
        let held = Waves::new(waves);
        self.server.hold(&held);
        self.registry.hold(&held);
        self.server.clear_log();
        self.registry.clear_log();
        let ran = self.signs(command, "v2", &more.iter().map(String::as_str).collect::<Vec<_>>());
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
