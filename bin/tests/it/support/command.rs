//! Runs the command as a user does.

use std::process::{Command, Output, Stdio};

/// What the command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// stdout as one JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.stdout, self.stderr))
    }

    /// The state of a cell in a JSON report.
    pub(crate) fn state(&self, target: &str, requirement: &str) -> String {
        let report = self.json();
        let cells = report["cells"].as_array().expect("cells");
        let cell = cells.iter().find(|c| c["target"] == target && c["requirement"] == requirement);
        cell.unwrap_or_else(|| panic!("no cell {target} × {requirement}"))["state"]
            .as_str()
            .expect("a state")
            .to_owned()
    }
}

/// Runs `cg-attest` with an environment that has nothing of the machine's.
pub(crate) fn cg_attest<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    cg_attest_with(args, &[], "")
}

/// As [`cg_attest`], with these variables and this text on stdin.
pub(crate) fn cg_attest_with<S: AsRef<std::ffi::OsStr>>(
    args: impl IntoIterator<Item = S>,
    variables: &[(&str, &str)],
    stdin: &str,
) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_cg-attest")).args(args), variables, stdin)
}

/// As [`cg_attest_with`], in this folder.
pub(crate) fn cg_attest_in<S: AsRef<std::ffi::OsStr>>(
    folder: impl AsRef<std::path::Path>,
    args: impl IntoIterator<Item = S>,
    variables: &[(&str, &str)],
) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_cg-attest")).args(args).current_dir(folder), variables, "")
}

fn run(command: &mut Command, variables: &[(&str, &str)], stdin: &str) -> Ran {
    use std::io::Write as _;
    // No test may ask a TUF repository on the internet: without a word about the
    // trust root, it is the embedded one. An empty variable is none.
    command.env_clear().env("SIGSTORE_ROOT_FILE", "embedded").envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    // A command that ends early does not read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the command ends");
    Ran {
        code: status.code().expect("an exit code"),
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: String::from_utf8(stderr).expect("UTF-8"),
    }
}
