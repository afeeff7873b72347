//! `sign-blob` and the conformance client's `sign-bundle` against the virtual
//! Sigstore, read back by `verify-blob` and `verify-bundle`.

use std::path::PathBuf;
use std::process::Command;

use cg_attest::testing::{ServiceFault, SigstoreServer};

use crate::support::command::{Ran, cg_attest, cg_attest_with};

const PERSON: &str = "alice@example.com";

struct Scene {
    server: SigstoreServer,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { server: SigstoreServer::start(), folder: tempfile::tempdir().expect("a folder") };
        let server = &scene.server;
        for (name, content) in [
            ("file", "hello\n".to_owned()),
            ("other", "other\n".to_owned()),
            ("root", server.trusted_root_json()),
            ("v1", server.signing_config_v1_json()),
            ("v2", server.signing_config_json()),
            ("token", server.email_token(PERSON)),
        ] {
            std::fs::write(scene.path(name), content).expect("a file");
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn flag(&self, flag: &str, name: &str) -> [String; 2] {
        [flag.to_owned(), self.text(name)]
    }

    /// `sign-blob file --bundle bundle` with this config and these flags.
    fn sign(&self, config: &str, more: &[&str]) -> Ran {
        self.sign_with(config, more, &[])
    }

    fn sign_with(&self, config: &str, more: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut args = vec!["sign-blob".to_owned(), self.text("file")];
        args.extend(self.flag("--bundle", "bundle"));
        args.extend(self.flag("--trusted-root", "root"));
        args.extend(self.flag("--signing-config", config));
        args.extend(more.iter().map(|&flag| flag.to_owned()));
        cg_attest_with(args, variables, "")
    }

    fn verify(&self, file: &str, identity: &str) -> Ran {
        let mut args = vec!["verify-blob".to_owned(), self.text(file)];
        args.extend(self.flag("--bundle", "bundle"));
        args.extend(self.flag("--trusted-root", "root"));
        args.extend(["--identity".to_owned(), identity.to_owned()]);
        args.extend(["--issuer".to_owned(), self.server.url().to_owned()]);
        cg_attest(args)
    }
}

#[test]
fn a_file_is_signed_and_verified_with_both_logs() {
    for config in ["v1", "v2"] {
        let scene = Scene::new();
        let ran = scene.sign(config, &["--identity-token-file", &scene.text("token")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("signing as {PERSON}")), "{}", ran.stderr);
        assert_eq!(scene.verify("file", PERSON).code, 0);
        assert_eq!(scene.verify("file", "mallory@example.com").code, 1);
        assert_eq!(scene.verify("other", PERSON).code, 1);
    }
}

#[test]
fn the_token_may_stand_on_the_command_line_in_a_variable_or_come_from_the_platform() {
    let scene = Scene::new();
    let token = std::fs::read_to_string(scene.path("token")).expect("a file");
    assert_eq!(scene.sign("v2", &["--identity-token", &token]).code, 0);
    assert_eq!(scene.sign("v2", &["--identity-token", &scene.text("token")]).code, 0);
    let ran = scene.sign_with("v2", &[], &[("SIGSTORE_ID_TOKEN", &token)]);
    assert!(ran.code == 0 && ran.stderr.contains("identity from envvar"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&token));
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &scene.server.request_url()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", scene.server.request_token()),
    ];
    let ran = scene.sign_with("v2", &["--oidc-provider", "github-actions"], &variables);
    assert!(ran.code == 0 && ran.stderr.contains("identity from github-actions"), "{}", ran.stderr);
}

#[test]
fn without_an_identity_every_provider_says_what_it_lacks() {
    let scene = Scene::new();
    let ran = scene.sign("v2", &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for part in ["error[no-identity]", "SIGSTORE_ID_TOKEN is not set", "not on GitHub Actions", "not on GitLab CI"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let ran = scene.sign("v2", &["--fulcio-auth-flow", "device"]);
    assert!(ran.code == 2 && ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert!(scene.server.requests().is_empty() && !scene.path("bundle").exists());
}

#[test]
fn what_cannot_be_used_is_refused_before_any_request() {
    let scene = Scene::new();
    let flag = ["--identity-token-file", &scene.text("token")];
    scene.server.lie(ServiceFault::TokenExpired);
    std::fs::write(scene.path("token"), scene.server.email_token(PERSON)).expect("a file");
    scene.server.clear_faults();
    let ran = scene.sign("v2", &flag);
    assert!(ran.code == 2 && ran.stderr.contains("error[token-expired]"), "{}", ran.stderr);
    std::fs::write(scene.path("token"), scene.server.email_token(PERSON)).expect("a file");
    let ran = scene.sign("v2", &[&flag[..], &["--oidc-client-id", "another"]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("error[token-audience]"), "{}", ran.stderr);
    let ran = scene.sign("file", &flag);
    assert!(ran.code == 2 && ran.stderr.contains("error[signing-config]"), "{}", ran.stderr);
    let ran = scene.sign("v2", &["--key", &scene.text("token")]);
    assert!(ran.code == 2 && ran.stderr.contains("error[key-unusable]"), "{}", ran.stderr);
    // A token for a private instance does not go to the public one.
    let mut args = vec!["sign-blob".to_owned(), scene.text("file")];
    args.extend(scene.flag("--bundle", "bundle"));
    args.extend(scene.flag("--trusted-root", "root"));
    args.extend(flag.map(str::to_owned));
    let ran = cg_attest(args);
    assert!(ran.code == 2 && ran.stderr.contains("error[signing-config]"), "{}", ran.stderr);
    assert!(scene.server.requests().is_empty() && !scene.path("bundle").exists());
    assert_eq!(scene.sign("v2", &flag).code, 0);
}

#[test]
fn what_a_service_gets_wrong_leaves_no_bundle() {
    let scene = Scene::new();
    let flag = ["--identity-token-file", &scene.text("token")];
    for (lie, code) in [
        (ServiceFault::CertificateForAnotherKey, "certificate-foreign"),
        (ServiceFault::EntryForAnotherPayload, "entry-foreign"),
        (ServiceFault::TimestampOverOtherBytes, "timestamp-foreign"),
    ] {
        scene.server.lie(lie);
        let ran = scene.sign("v2", &flag);
        assert!(ran.code == 1 && ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
        assert!(!scene.path("bundle").exists());
        scene.server.clear_faults();
    }
    assert_eq!(scene.sign("v2", &flag).code, 0);
}

#[test]
fn the_conformance_client_signs_files_and_statements() {
    let scene = Scene::new();
    let digest = cg_attest::digest::Digest::sha256(b"hello\n");
    let statement = cg_attest::testing::Statement::about(&digest).named("file").slsa();
    std::fs::write(scene.path("statement"), statement).expect("a file");
    let client = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cg-attest-conformance")).args(args).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let [bundle, root, config, file] = ["bundle", "root", "v2", "file"].map(|name| scene.text(name));
    let (token, statement) = (std::fs::read_to_string(scene.path("token")).expect("a file"), scene.text("statement"));
    let instance = ["--trusted-root", &root, "--signing-config", &config];
    for what in [&[file.as_str()][..], &["--in-toto", &statement]] {
        let sign = [&["sign-bundle", "--identity-token", &token, "--bundle", &bundle][..], &instance, what].concat();
        assert_eq!(client(&sign), (Some(0), String::new()));
        let verify = |identity: &str, artifact: &str| {
            let who = ["--certificate-identity", identity, "--certificate-oidc-issuer", scene.server.url()];
            let end = ["--trusted-root", &root, artifact];
            client(&[&["verify-bundle", "--bundle", &bundle][..], &who, &end].concat()).0
        };
        assert_eq!((verify(PERSON, &file), verify("mallory@example.com", &file)), (Some(0), Some(1)));
        assert_eq!(verify(PERSON, &scene.text("other")), Some(1));
    }
    scene.server.lie(ServiceFault::EntryForAnotherPayload);
    let sign = [&["sign-bundle", "--identity-token", &token, "--bundle", &bundle][..], &instance, &[&file]].concat();
    let (code, said) = client(&sign);
    assert!(code == Some(1) && said.starts_with("entry-foreign: "), "{said}");
}

#[test]
fn trust_is_shown_with_windows_and_judged() {
    let scene = Scene::new();
    let mut args = vec!["trust".to_owned(), "show".to_owned()];
    args.extend(scene.flag("--trusted-root", "root"));
    args.extend(scene.flag("--signing-config", "v2"));
    let ran = cg_attest(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in
        ["certificate authority", "certificate log", "timestamp authority", "services that sign", scene.server.url()]
    {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    args[1] = "status".to_owned();
    let ran = cg_attest(&args);
    assert!(ran.code == 0 && ran.stdout.contains("signing now"), "{}", ran.stdout);
    // The same root, its logs ended long ago.
    let mut root: serde_json::Value = serde_json::from_str(&scene.server.trusted_root_json()).expect("JSON");
    for log in root["tlogs"].as_array_mut().expect("logs") {
        let over = serde_json::json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
        log["publicKey"]["validFor"] = over;
    }
    std::fs::write(scene.path("root"), root.to_string()).expect("a file");
    let ran = cg_attest(&args);
    assert!(ran.code == 1 && ran.stdout.contains("no log of"), "{}", ran.stdout);
    args.extend(["-o".to_owned(), "json".to_owned()]);
    let ran = cg_attest(&args);
    assert_eq!((ran.code, ran.json()["findings"][0]["grave"].as_bool()), (1, Some(true)));
}

/// A signature is in a public log by the time its file is written.
#[test]
fn where_the_bundle_cannot_be_written_nothing_is_signed() {
    let scene = Scene::new();
    let token = scene.text("token");
    std::fs::create_dir(scene.path("bundle")).expect("a folder");
    let ran = scene.sign("v2", &["--identity-token-file", &token]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("error[file-unreadable]") && ran.stderr.contains("not a plain file"), "{}", ran.stderr);
    assert!(scene.server.requests().is_empty());
    std::fs::remove_dir(scene.path("bundle")).expect("a folder");
    assert_eq!(scene.sign("v2", &["--identity-token-file", &token]).code, 0);
}
