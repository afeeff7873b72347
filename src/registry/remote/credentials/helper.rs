//! Credential helpers: programs `docker-credential-NAME` that answer `get` on their output.
#![expect(clippy::disallowed_methods, reason = "credential helpers are programs; only they are run, and only here")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::Login;

/// Some helpers log in over the network; half a minute is a hanging one.
const HELPER_TIME: Duration = Duration::from_secs(30);
/// An answer is a name and a token.
const HELPER_BYTES: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// A helper's answer for `server`; `Ok(None)` if it knows none. The error never
/// quotes the helper: its output may hold the secret (scenario J-12).
pub(super) async fn ask(name: &str, server: &str, folders: &[PathBuf]) -> Result<Option<Login>, String> {
    ask_within(HELPER_TIME, name, server, folders).await
}

async fn ask_within(time: Duration, name: &str, server: &str, folders: &[PathBuf]) -> Result<Option<Login>, String> {
    if !is_helper_name(name) {
        return Err("is not a helper's name".to_owned());
    }
    let file = format!("docker-credential-{name}{}", std::env::consts::EXE_SUFFIX);
    let program = folders.iter().map(|folder| folder.join(&file)).find(|program| program.is_file());
    let program = program.ok_or_else(|| "is not in PATH".to_owned())?;
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("does not start: {}", error.kind()))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        if let Some(mut stdin) = stdin {
            // A helper that does not read its input says so by its exit status.
            drop(stdin.write_all(format!("{server}\n").as_bytes()).await);
        }
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(HELPER_BYTES + 1).read_to_end(&mut output).await?;
        }
        if output.len() as u64 > HELPER_BYTES {
            return Ok((None, output));
        }
        Ok::<_, std::io::Error>((Some(child.wait().await?), output))
    };
    let (status, output) = match timeout(time, talk).await {
        Err(_) => return Err(format!("did not answer within {} s", time.as_secs())),
        Ok(Err(error)) => return Err(format!("broke off: {}", error.kind())),
        Ok(Ok((None, _))) => return Err(format!("printed more than {HELPER_BYTES} bytes")),
        Ok(Ok((Some(status), output))) => (status, output),
    };
    if !status.success() {
        // The helpers' protocol has no status for "none", only this text.
        let none = String::from_utf8_lossy(&output).contains("credentials not found");
        return if none { Ok(None) } else { Err(format!("failed: {status}")) };
    }
    let answer: Answer = crate::json::parse(&output).map_err(|_| "answered something else than a login".to_owned())?;
    Ok(Some(match answer.username.as_str() {
        "<token>" => Login::identity_token(answer.secret),
        _ => Login::password(answer.username, answer.secret),
    }))
}

/// A name that cannot leave the folders it is looked for in.
fn is_helper_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=64).contains(&name.len())
        && name.bytes().next().is_some_and(word)
        && name.bytes().all(|b| word(b) || b == b'-' || b == b'.')
}

/// Held by tests from writing a program to starting it: a program that is open
/// for writing in a child of another test cannot be started.
#[cfg(all(test, unix))]
pub(in crate::registry::remote) static PROGRAMS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::registry::remote::credentials::Kind;

    /// A folder with a helper `test` that is this script.
    fn folder(script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a program");
        folder
    }

    /// What a helper that is this script answers.
    async fn helper(script: &str) -> Result<Option<Login>, String> {
        let _alone = PROGRAMS.lock().await;
        let folder = folder(script);
        ask("test", "cgr.dev", &[folder.path().to_owned()]).await
    }

    #[tokio::test]
    async fn a_login_or_none_is_understood() {
        let login =
            helper(r#"read s; [ "$1 $s" = "get cgr.dev" ] && echo '{"ServerURL":"x","Username":"u","Secret":"p"}'"#);
        assert_eq!(login.await, Ok(Some(Login::password("u", "p"))));
        let token = helper(r#"echo '{"Username":"<token>","Secret":"t"}'"#).await.expect("an answer").expect("a login");
        assert!(matches!(token.0, Kind::Identity(_)));
        assert_eq!(helper("echo credentials not found in native keychain; exit 1").await, Ok(None));
    }

    #[tokio::test]
    async fn a_helper_that_misbehaves_is_named_and_not_quoted() {
        let why = helper("echo my-secret; echo my-secret >&2; exit 3").await.expect_err("a failure");
        assert!(why.contains("exit status: 3") && !why.contains("my-secret"), "{why}");
        let why = helper("echo my-secret").await.expect_err("no JSON");
        assert!(!why.contains("my-secret"), "{why}");
        assert!(
            helper("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
                .await
                .is_err_and(|e| e.contains("bytes"))
        );
    }

    #[tokio::test]
    async fn a_helper_that_hangs_is_ended() {
        let _alone = PROGRAMS.lock().await;
        let folder = folder("exec sleep 60");
        let asked = ask_within(Duration::from_millis(5), "test", "cgr.dev", &[folder.path().to_owned()]).await;
        assert!(asked.is_err_and(|e| e.contains("did not answer")));
    }

    #[tokio::test]
    async fn a_name_cannot_leave_the_folders() {
        for name in ["../../evil", "/bin/sh", "a/b", "", ".hidden", "-x", "a b", "a\0b"] {
            let why = ask(name, "cgr.dev", &[]).await.expect_err("a bad name");
            assert_eq!(why, "is not a helper's name", "{name}");
        }
        assert_eq!(ask("osxkeychain", "cgr.dev", &[]).await.expect_err("no folder"), "is not in PATH");
    }
}
