//! Who signs, as the command finds it: platforms by their own protocols, and
//! people at a terminal, who log in, are asked, and type a password.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use cg_attest::testing::{Answer, RecordedRequest, RegistryFault};

use crate::support::command::{Ran, cg_attest_with};
use crate::support::signing::Scene;
use crate::support::terminal::{Act, cg_attest_at_a_terminal};

/// Who logs in at the virtual issuer.
const SOMEBODY: &str = "dev@example.com";

impl Scene {
    fn flags(&self, more: &[&str]) -> Vec<String> {
        let (name, root, config) = (self.name(), self.text("root"), self.text("v2"));
        let flags = ["sign", &name, "--no-recursive", "--trusted-root", &root, "--signing-config", &config];
        flags.iter().chain(more).map(|&flag| flag.to_owned()).collect()
    }

    fn in_a_job(&self, more: &[&str], variables: &[(&str, &str)]) -> Ran {
        cg_attest_with(self.flags(more), variables, "")
    }

    fn at_a_terminal(&self, more: &[&str], acts: &[(&str, Act<'_>)]) -> Ran {
        cg_attest_at_a_terminal(&self.flags(more), &[], acts)
    }
}

/// A GET of this machine, and where it leads.
fn get(url: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let host = host.replace("localhost", "127.0.0.1");
    let mut stream = TcpStream::connect(&host).expect("a connection");
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let location =
        answer.lines().find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location")));
    location.map(|(_, url)| url.trim().to_owned())
}

/// What the browser does with the page that the command names.
fn browse(seen: &str) {
    let line = seen.lines().find_map(|line| line.strip_prefix("log in at ")).expect("a page");
    let back = get(line.trim()).expect("the browser is sent back");
    assert_eq!(get(&back), None);
}

#[test]
fn a_person_logs_in_with_a_code_and_agrees() {
    let scene = Scene::new();
    let question = format!("{SOMEBODY} goes into a public log, for good. Go on? [y/N] ");
    let ran = scene.at_a_terminal(&[], &[(&question, Act::Type("n"))]);
    assert!(ran.code == 2 && ran.stderr.contains("error[usage]: not signed"), "{}", ran.stderr);
    assert!(scene.writes().is_empty() && scene.server.lines().iter().all(|line| !line.contains("signingCert")));
    let ran = scene.at_a_terminal(&[], &[("with the code VIRT-UAL1", Act::Do(&|_| ())), (&question, Act::Type("y"))]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("attached 1,") && ran.stderr.contains(&format!("signing as {SOMEBODY}")),
        "{}",
        ran.stderr
    );
    // Why a person is asked at all.
    assert!(ran.stderr.contains("not on GitHub Actions") && ran.stderr.contains("not on Buildkite"), "{}", ran.stderr);
}

#[test]
fn a_person_logs_in_with_a_browser() {
    let scene = Scene::new();
    let ran = scene.at_a_terminal(&["--fulcio-auth-flow", "browser", "--yes"], &[("S256", Act::Do(&browse))]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("attached 1,") && !ran.stderr.contains("[y/N]"), "{}", ran.stderr);
}

#[test]
fn whoever_has_a_token_of_a_person_is_asked_as_well_and_a_script_is_not() {
    let scene = Scene::new();
    let token = scene.text("token");
    let ran = scene.at_a_terminal(&["--identity-token", &token], &[("Go on? [y/N] ", Act::Type(""))]);
    assert!(ran.code == 2 && scene.writes().is_empty(), "{}", ran.stderr);
    assert_eq!(scene.in_a_job(&["--identity-token", &token], &[]).code, 0);
}

#[test]
fn a_key_is_opened_by_what_is_typed_and_not_shown() {
    let scene = Scene::new();
    let key = scene.text("cosign.key");
    std::fs::write(&key, crate::key::COSIGN).expect("a file");
    let asked = format!("password of {key}: ");
    let ran = scene.at_a_terminal(&["--key", &key], &[(&asked, Act::TypeUnseen(crate::key::PASSWORD))]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("attached 1,") && !ran.stderr.contains(crate::key::PASSWORD), "{}", ran.stderr);
    let ran = scene.at_a_terminal(&["--key", &key], &[(&asked, Act::TypeUnseen("guessed"))]);
    assert!(ran.code == 2 && ran.stderr.contains("error[key-unusable]"), "{}", ran.stderr);
}

/// The agent's own protocol: `POST /jobs/ID/oidc/tokens`, which names the audience, with the job's token.
#[test]
fn buildkites_agent_gives_a_token() {
    let scene = Scene::new();
    let token = scene.server.email_token("job@example.com");
    let given = token.clone();
    let agent = move |request: &RecordedRequest| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        let right = request.header("authorization") == Some("Token job-secret") && body["audience"] == "sigstore";
        Some(match right {
            true => Answer::status(200).body(serde_json::json!({ "token": given }).to_string()),
            false => Answer::status(401).body(r#"{"message":"no"}"#),
        })
    };
    scene.server.fault(RegistryFault::on("/v3/jobs/job-1/oidc/tokens").method("POST").compute(agent));
    let endpoint = format!("{}/v3", scene.server.url());
    let job = |secret: &'static str| {
        let variables = [
            ("BUILDKITE", "true"),
            ("BUILDKITE_AGENT_ENDPOINT", endpoint.as_str()),
            ("BUILDKITE_JOB_ID", "job-1"),
            ("BUILDKITE_AGENT_ACCESS_TOKEN", secret),
        ];
        scene.in_a_job(&[], &variables)
    };
    let refused = job("wrong-secret");
    assert!(refused.code == 1 && refused.stderr.contains("error[service-refused]"), "{}", refused.stderr);
    for part in ["buildkite-agent gives no identity token", "(401): no", "not used: gitlab: not on GitLab CI"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("wrong-secret") && scene.writes().is_empty());
    let ran = job("job-secret");
    assert!(ran.code == 0 && ran.stderr.contains("identity from buildkite-agent"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&token) && !ran.stderr.contains("job-secret"), "{}", ran.stderr);
}

/// CircleCI's own command, with the audience among the claims.
#[test]
fn circlecis_command_gives_a_token() {
    let scene = Scene::new();
    let script = |text: &str| {
        let path = scene.path("circleci");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
    };
    let path = scene.text("");
    let run = || scene.in_a_job(&[], &[("CIRCLECI", "true"), ("PATH", &path)]);
    let token = scene.server.email_token("job@example.com");
    for (text, part) in [
        ("exit 3", "exit status: 3"),
        ("echo secret", "not an identity token"),
        ("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", "printed too much"),
    ] {
        script(text);
        let ran = run();
        assert!(ran.code != 0 && ran.stderr.contains("circleci gives no identity token"), "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains(part) && !ran.stderr.contains("secret"), "{text}: {}", ran.stderr);
    }
    std::fs::remove_file(scene.path("circleci")).expect("a file");
    assert!(run().stderr.contains("does not start"));
    assert!(scene.writes().is_empty());
    script(&format!(
        r#"[ "$1 $2 $3 $4" = "run oidc get --claims" ] && [ "$5" = '{{"aud":"sigstore"}}' ] && echo {token}"#
    ));
    let ran = run();
    assert!(ran.code == 0 && ran.stderr.contains("identity from circleci"), "{}", ran.stderr);
}
