//! P. Signing and attaching: nothing wrong gets into a log or a registry, and nothing that is there is lost.
//!
//! | row | where it is tried, with its twin |
//! |---|---|
//! | P-01 | `p_01_…` here; every lie of Fulcio's in `sign::tests` |
//! | P-02 | `p_02_…` here; every lie of the logs' and the timestamp authority's in `sign::tests` |
//! | P-03 | `p_03_…` here |
//! | P-04 | `p_04_…` here |
//! | P-05 | `attach::a_predicate_about_another_platform_is_refused_before_signing` |
//! | P-06 | `attach::tests::writers` of the crate, and its twin that loses entries |
//! | P-07 | `p_07_…` here; both logs in `sign::tests::an_entry_whose_answer_was_lost_is_found_again` |
//! | P-08 | `sign::certificate::a_certificate_is_given_up_a_minute_before_its_end` |
//! | P-09 | `produce::what_cannot_be_made_whole_is_not_signed`; read by others, `provenance::g_16_…` |
//! | P-10 | `p_10_…` here |
//! | P-11 | `p_11_…` here |
//! | P-12 | `p_12_…` here; the name in the certificate in `sign::oidc::token` |
//! | P-13 | `attach::tests::registries::foreign_entries_of_the_fallback_index_stay` of the crate, and `killed` |

use cg_attest::image::media;
use cg_attest::testing::{Answer, ImageBuilder, RegistryFault, ServiceFault};

use crate::support::command::{cg_attest, cg_attest_in};
use crate::support::signing::Scene;

impl Scene {
    /// Signs under these lies and asserts that the command says `code` and that nothing was pushed.
    fn refused_under(&self, lies: &[(ServiceFault, &str)]) {
        for (lie, code) in lies {
            self.server.lie(*lie);
            let ran = self.signs("sign", "v2", &[]);
            assert_eq!(ran.code, 1, "{lie:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("error[{code}]")), "{lie:?}: {}", ran.stderr);
            assert_eq!(self.writes(), [""; 0], "{lie:?}");
            self.server.clear_faults();
        }
    }

    fn signs_everything(&self) {
        let ran = self.signs("sign", "v2", &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(self.verify("signature").code, 0);
    }
}

#[test]
fn p_01_a_certificate_of_somebody_elses_signs_nothing() {
    let scene = Scene::new();
    scene.refused_under(&[
        (ServiceFault::CertificateForAnotherKey, "certificate-foreign"),
        (ServiceFault::CertificateForAnotherIdentity, "certificate-foreign"),
        (ServiceFault::CertificateByAnotherAuthority, "cert-chain"),
    ]);
    let logged = scene.server.lines().into_iter().filter(|line| line.contains("/log/entries")).count();
    assert_eq!(logged, 0, "the log never sees it");
    scene.signs_everything();
}

#[test]
fn p_02_an_answer_about_something_else_is_not_pushed() {
    let scene = Scene::new();
    scene.refused_under(&[
        (ServiceFault::EntryForAnotherPayload, "entry-foreign"),
        (ServiceFault::EntryForAnotherSignature, "entry-foreign"),
        (ServiceFault::TimestampOverOtherBytes, "timestamp-foreign"),
        (ServiceFault::TimestampWithAnotherNonce, "timestamp-foreign"),
    ]);
    scene.signs_everything();
}

/// What only the whole bundle shows, and what is wrong with the last of several.
#[test]
fn p_03_everything_is_verified_before_anything_is_pushed() {
    let scene = Scene::new();
    scene.refused_under(&[
        (ServiceFault::CheckpointByAnotherKey, "log-key"),
        (ServiceFault::TimestampByAnotherKey, "time-untrusted"),
        (ServiceFault::CertificateWithoutSct, "cert-sct"),
    ]);
    // The index and one platform are stamped, the other platform is not.
    scene.server.fault(RegistryFault::on("/timestamp").skip(2).answer(Answer::status(403)));
    let ran = scene.signs("sign", "v2", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("error[service-refused]"), "{}", ran.stderr);
    assert_eq!(scene.writes(), [""; 0]);
    scene.server.clear_faults();
    scene.signs_everything();
}

#[test]
fn p_04_a_tag_that_moves_is_asked_once_and_what_it_named_is_signed() {
    let scene = Scene::new();
    let moved = ImageBuilder::new().content("another").build();
    scene.push(&moved.upload);
    // The tag now names the other image; the first question is still answered with the old one.
    let old = scene.index_bytes();
    let answer = Answer::status(200).header("content-type", media::INDEX).body(old);
    scene.registry.fault(RegistryFault::on("/manifests/latest").times(1).answer(answer));
    scene.registry.clear_log();
    let ran = scene.signs("sign", "v2", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&scene.image.index.digest.to_string()), "{}", ran.stdout);
    let asked = scene.registry.lines().into_iter().filter(|line| line.ends_with("/manifests/latest")).count();
    assert_eq!(asked, 1);
    assert_eq!(scene.verify("signature").code, 1, "what the tag names now is not signed");
    scene.signs_everything();
}

#[test]
fn p_07_an_answer_that_was_lost_attaches_nothing_twice() {
    for config in ["v1", "v2"] {
        let scene = Scene::new();
        scene.server.fault(RegistryFault::on("/log/entries").method("POST").times(1).truncate(10));
        let ran = scene.signs("sign", config, &["--no-recursive"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("attached 1,"), "{}", ran.stdout);
        let again = scene.signs("sign", config, &["--no-recursive"]);
        assert!(again.stdout.ends_with("everything was attached already\n"), "{}", again.stdout);
    }
}

/// Whatever a checkout brings along says nothing to us; the same, named by a flag, does.
#[test]
fn p_10_what_lies_in_the_working_directory_is_not_read() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = "{\"auths\":{},\"credsStore\":\"evil\",\"url\":\"https://evil.example\"}";
    for name in [
        ".docker/config.json",
        ".config/containers/auth.json",
        ".sigstore/root/signing_config.json",
        ".cg-attest.toml",
        ".cg-attest.json",
        "cg-attest.toml",
        "signing_config.json",
        "signing-config.json",
        "trusted_root.json",
        "oidc-token",
        "cosign.key",
        ".env",
        ".netrc",
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, hostile).expect("a file");
    }
    let ran = cg_attest_in(folder.path(), scene.signing("sign", "v2", &[]), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let named =
        ["sign", &scene.name(), "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json"];
    let ran = cg_attest_in(folder.path(), named, &[]);
    assert!(ran.code == 2 && ran.stderr.contains("error[signing-config]"), "{}", ran.stderr);
}

#[test]
fn p_11_no_key_is_ever_written() {
    let scene = Scene::new();
    let home = tempfile::tempdir().expect("a folder");
    let place = home.path().display().to_string();
    let variables = [("HOME", place.as_str()), ("TMPDIR", &place), ("XDG_CACHE_HOME", &place)];
    let ran = cg_attest_in(home.path(), scene.signing("sign", "v2", &[]), &variables);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let names = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|e| e.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    };
    assert_eq!(names(home.path()), [""; 0]);
    // Its twin: what is asked for is written, and it has no key in it.
    let bundles = format!("{place}/bundles");
    std::fs::create_dir(&bundles).expect("a folder");
    let flags = ["--no-upload", "--no-recursive", "--bundle-dir", &bundles];
    let ran = cg_attest_in(home.path(), scene.signing("sign", "v2", &flags), &variables);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        (names(home.path()).len(), names(bundles.as_ref())),
        (1, vec!["index.signature.sigstore.json".to_owned()])
    );
    let bundle = std::fs::read_to_string(format!("{bundles}/index.signature.sigstore.json")).expect("a bundle");
    let token = std::fs::read_to_string(scene.path("token")).expect("a token");
    assert!(bundle.contains("rawBytes") && !bundle.contains("PRIVATE") && !bundle.contains(token.trim()));
}

/// A branch may be called what no certificate can be: its name is there percent-encoded.
#[test]
fn p_12_a_name_that_is_not_ascii_signs_and_verifies() {
    let scene = Scene::new();
    let token = scene.server.workflow_token(&[("repository", "octo/hello"), ("ref", "refs/heads/größe")]);
    std::fs::write(scene.path("token"), token).expect("a file");
    let ran = scene.signs("sign", "v2", &["--no-recursive"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let again = scene.signs("sign", "v2", &["--no-recursive"]);
    assert!(again.stdout.ends_with("everything was attached already\n"), "{}", again.stdout);
    let verify = |branch: &str| {
        let identity = format!("https://github.com/octo/hello/.github/workflows/release.yml@refs/heads/{branch}");
        let (name, root) = (scene.name(), scene.text("root"));
        let who = ["--identity", &identity, "--issuer", scene.server.url()];
        cg_attest([&["verify", &name, "--trusted-root", &root][..], &who].concat()).code
    };
    assert_eq!((verify("gr%C3%B6%C3%9Fe"), verify("grosse")), (0, 1));
}
