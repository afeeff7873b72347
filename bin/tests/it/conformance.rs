//! Every recorded case of sigstore-conformance through `cg-attest-conformance`,
//! once with the artifact's bytes and once with its digest.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cg_attest::digest::Digest;

use crate::support::corpus;

/// Who signed where a case has no `identity` and no `issuer` of its own.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Cases whose root or key is so broken that there is nothing to verify with.
const UNUSABLE: &[&str] = &["managed-key-wrong-key_fail", "trust-root-tlog-missing-validity-start_fail"];

struct Case {
    name: String,
    folder: PathBuf,
    artifact: PathBuf,
}

impl Case {
    fn must_pass(&self) -> bool {
        !self.name.ends_with("_fail")
    }

    fn own(&self, file: &str) -> Option<PathBuf> {
        Some(self.folder.join(file)).filter(|path| path.exists())
    }

    fn text_or(&self, file: &str, default: &str) -> String {
        self.own(file).map_or_else(|| default.to_owned(), |path| read(&path).trim().to_owned())
    }

    fn run(&self, artifact: &str) -> Output {
        let mut command = client();
        command.arg("verify-bundle").arg("--bundle").arg(self.folder.join("bundle.sigstore.json"));
        match self.own("key.pub") {
            Some(key) => command.arg("--key").arg(key),
            None => command
                .args(["--certificate-identity", &self.text_or("identity", IDENTITY)])
                .args(["--certificate-oidc-issuer", &self.text_or("issuer", ISSUER)]),
        };
        if let Some(root) = self.own("trusted_root.json") {
            command.arg("--trusted-root").arg(root);
        }
        command.arg(artifact).output().expect("the client runs")
    }
}

fn client() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cg-attest-conformance"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn cases(corpus: &Path) -> Vec<Case> {
    let folder = corpus.join("sigstore-conformance/bundle-verify");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut cases: Vec<Case> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let own = path.join("artifact");
            Case {
                name: path.file_name().expect("a name").to_string_lossy().into_owned(),
                artifact: if own.exists() { own } else { folder.join("a.txt") },
                folder: path,
            }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Runs every case with what `artifact` makes of its artifact; the mismatches.
fn mismatches(cases: &[Case], artifact: impl Fn(&Case) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        let output = case.run(&artifact(case));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = match case.must_pass() {
            true => 0,
            false if UNUSABLE.contains(&case.name.as_str()) => 2,
            false => 1,
        };
        if output.status.code() != Some(expected) {
            wrong.push(format!("{}: {:?}: {said}", case.name, output.status.code()));
        }
    }
    wrong
}

#[test]
fn every_case_by_bytes() {
    let Some(folder) = corpus::folder() else { return };
    let cases = cases(&folder);
    assert_eq!((cases.len(), cases.iter().filter(|case| case.must_pass()).count()), (70, 21));
    let wrong = mismatches(&cases, |case| case.artifact.display().to_string());
    assert!(wrong.is_empty(), "{} mismatches:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_case_by_digest() {
    let Some(folder) = corpus::folder() else { return };
    let digest = |case: &Case| Digest::sha256(&std::fs::read(&case.artifact).expect("an artifact")).to_string();
    let wrong = mismatches(&cases(&folder), digest);
    assert!(wrong.is_empty(), "{} mismatches:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_good_case_with_one_argument_changed_is_refused() {
    let Some(folder) = corpus::folder() else { return };
    let folder = folder.join("sigstore-conformance/bundle-verify");
    let run = |identity: &str, issuer: &str, artifact: &Path| {
        let bundle = folder.join("happy-path-v0.3/bundle.sigstore.json");
        let mut command = client();
        command.arg("verify-bundle").arg("--bundle").arg(bundle);
        command.args(["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]).arg(artifact);
        let output = command.output().expect("the client runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (artifact, another) = (folder.join("a.txt"), folder.join("README.md"));
    assert_eq!(run(IDENTITY, ISSUER, &artifact), (Some(0), String::new()));
    for (result, reason) in [
        (run(&format!("{IDENTITY}2"), ISSUER, &artifact), "identity-mismatch"),
        (run(IDENTITY, "https://example.com", &artifact), "issuer-mismatch"),
        (run(IDENTITY, ISSUER, &another), "subject-mismatch"),
    ] {
        assert_eq!(result.0, Some(1), "{reason}: {}", result.1);
        assert!(result.1.contains(reason), "{reason}: {}", result.1);
    }
}

#[test]
fn wrong_arguments_are_answered_as_wrong() {
    let run = |arguments: &[&str]| {
        let output = client().args(arguments).output().expect("the client runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["sign-bundle", "--staging", "--identity-token", "x", "--bundle", "b", "f"]);
    assert!(code == Some(1) && said.starts_with("token-invalid: "), "{said}");
    for wrong in [
        &["verify-bundle", "--bundle", "b", "f"][..],
        &["verify-bundle", "--bundle", "b", "--certificate-identity", "me", "f"],
        &["verify-bundle", "--bundle", "absent", "--certificate-identity", "me", "--certificate-oidc-issuer", "i", "f"],
    ] {
        assert_eq!(run(wrong).0, Some(2), "{wrong:?}");
    }
}
