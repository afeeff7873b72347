//! CircleCI gives tokens for other audiences than its own only by its own command.
#![expect(clippy::disallowed_methods, reason = "CircleCI's command is run here, and nothing else")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::LoginError;

const TIME: Duration = Duration::from_secs(30);
const BYTES: u64 = 64 << 10;

/// What `circleci run oidc get` prints. The error never quotes it: its output may hold the token.
pub(super) async fn ask(audience: &str) -> Result<String, LoginError> {
    let failed = |what: &str| LoginError(format!("the command `circleci run oidc get` {what}"));
    let claims = serde_json::json!({ "aud": audience }).to_string();
    let mut child = Command::new("circleci")
        .args(["run", "oidc", "get", "--claims", &claims])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            failed(&format!("does not start ({}): it is on the PATH of every CircleCI job", error.kind()))
        })?;
    let stdout = child.stdout.take().ok_or_else(|| failed("has no output"))?;
    let talk = async {
        let mut text = String::new();
        stdout.take(BYTES + 1).read_to_string(&mut text).await?;
        let ended = if text.len() as u64 > BYTES { None } else { Some(child.wait().await?) };
        Ok::<_, std::io::Error>((ended, text))
    };
    match timeout(TIME, talk).await {
        Err(_) => Err(failed("did not answer in time")),
        Ok(Err(error)) => Err(failed(&format!("broke off: {}", error.kind()))),
        Ok(Ok((None, _))) => Err(failed("printed too much")),
        Ok(Ok((Some(status), _))) if !status.success() => {
            // What it says on stderr may have what it was given.
            Err(failed(&format!("failed ({status}): a self-hosted runner needs one that has `oidc get`")))
        }
        Ok(Ok((Some(_), text))) => Ok(text),
    }
}
