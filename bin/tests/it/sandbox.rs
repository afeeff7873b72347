//! `sandbox`: it says where everything is, everything is there, and nothing stays.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::command::cg_attest;

/// A sandbox that is running.
struct Sandbox {
    process: Child,
    said: Value,
}

impl Sandbox {
    fn start(more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cg-attest"));
        command.args(["sandbox", "--json", "--until-stdin-closes"]).args(more).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the command starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        Self { process, said: serde_json::from_str(&line).expect("one line of JSON") }
    }

    fn field(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.said))
    }

    /// The files that it named.
    fn files(&self) -> Vec<&Path> {
        let named = ["trustedRoot", "signingConfig", "signingConfigRekorV1", "clientTrustConfig", "token"];
        named.map(|name| Path::new(self.field(name))).to_vec()
    }

    /// Closes its stdin and waits for its end.
    fn end(mut self) -> i32 {
        drop(self.process.stdin.take());
        self.process.wait().expect("an end").code().expect("an exit code")
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("sending");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn everything_it_names_is_there_until_it_ends() {
    let sandbox = Sandbox::start(&[]);
    let issuer = sandbox.field("issuer").strip_prefix("http://").expect("plain HTTP");
    assert!(get(sandbox.field("registry"), "/v2/").starts_with("HTTP/1.1 200"));
    let discovered = get(issuer, "/.well-known/openid-configuration");
    assert!(discovered.contains(&format!("\"issuer\":\"{}\"", sandbox.field("issuer"))), "{discovered}");
    let fresh = get(issuer, "/token?email=alice@example.com");
    assert_eq!(fresh.split("\r\n\r\n").nth(1).map(|token| token.split('.').count()), Some(3), "{fresh}");
    let token = std::fs::read_to_string(sandbox.field("token")).expect("a token");
    assert_eq!(token.split('.').count(), 3);
    let config: Value =
        serde_json::from_slice(&std::fs::read(sandbox.field("signingConfig")).expect("a file")).expect("JSON");
    assert_eq!(config["caUrls"][0]["url"], sandbox.field("issuer"));

    // The trust root is one, and the image is there, unsigned.
    let verified = cg_attest(
        [
            ["verify", sandbox.field("image"), "--trusted-root", sandbox.field("trustedRoot")],
            ["--identity", sandbox.field("identity"), "--issuer", sandbox.field("issuer")],
        ]
        .concat(),
    );
    assert_eq!(verified.code, 1, "{}{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.contains("missing"), "{}", verified.stdout);

    let files: Vec<_> = sandbox.files().into_iter().map(Path::to_path_buf).collect();
    let folder = files[0].parent().expect("a folder").to_path_buf();
    assert!(files.iter().all(|file| file.is_file()));
    assert_eq!(sandbox.end(), 0);
    assert!(!folder.exists());
}

#[test]
fn a_named_folder_gets_the_files_and_keeps_what_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own.txt");
    std::fs::write(&own, "mine").expect("a file");
    let path = folder.path().to_str().expect("UTF-8");
    let sandbox = Sandbox::start(&["--dir", path, "--no-referrers-api", "--identity", "alice@example.com"]);
    assert_eq!(sandbox.field("identity"), "alice@example.com");
    assert_eq!(sandbox.files()[0], folder.path().join("trusted_root.json"));
    let image = sandbox.field("image").split_once("@").expect("a digest").1.to_owned();
    let listed = get(sandbox.field("registry"), &format!("/v2/example/hello/referrers/{image}"));
    assert!(listed.starts_with("HTTP/1.1 404"), "{listed}");

    // A second one neither overwrites these files nor removes them when it fails.
    let second = cg_attest(["sandbox", "--until-stdin-closes", "--dir", path]);
    assert_eq!(second.code, 2, "{}", second.stderr);
    assert!(
        second.stderr.contains("trusted_root.json") && second.stderr.contains("another folder"),
        "{}",
        second.stderr
    );
    assert!(sandbox.files().iter().all(|file| file.is_file()));

    assert_eq!(sandbox.end(), 0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["own.txt"]);
}

#[test]
fn a_taken_port_is_said() {
    let sandbox = Sandbox::start(&[]);
    let port = sandbox.field("registry").rsplit(':').next().expect("a port").to_owned();
    let second = cg_attest(["sandbox", "--until-stdin-closes", "--port-base", &port]);
    assert_eq!(second.code, 2, "{}", second.stderr);
    assert!(second.stderr.contains(&format!("error[usage]: --port-base: port {port} of")), "{}", second.stderr);
    assert_eq!(sandbox.end(), 0);
}

#[cfg(unix)]
#[test]
fn it_cleans_up_when_it_is_told_to_end() {
    let mut sandbox = Sandbox::start(&[]);
    let file = Path::new(sandbox.field("trustedRoot")).to_path_buf();
    assert!(file.is_file());
    let told = Command::new("kill").args(["-TERM", &sandbox.process.id().to_string()]).status().expect("kill");
    assert!(told.success());
    assert_eq!(sandbox.process.wait().expect("an end").code(), Some(0));
    assert!(!file.exists());
}
