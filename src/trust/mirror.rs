//! A TUF repository over HTTP.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use tokio::time::Instant;
use url::Url;

use crate::net::{self, Attempt, Backoff, GaveUp, TlsError};
use crate::sigstore::{Fetch, Fetching, TufError};

/// The client and the address. No credentials go there, whatever is configured for registries (scenario J-10).
pub(super) struct Mirror {
    base: Url,
    client: reqwest::Client,
    attempts: u32,
    backoff: Backoff,
    /// No pause goes beyond it.
    deadline: Instant,
}

/// Reads a repository's address: `https://HOST/PATH/`, or `http`. Plain HTTP is
/// allowed, because everything that is read is signed; what TLS adds is that
/// nobody on the way sees it or holds it back.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let mut url: Url = text.trim().parse().map_err(|error: url::ParseError| error.to_string())?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("wanted https://HOST/PATH".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a password has no place in it: it is shown in reports".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("there is something after its path".to_owned());
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

impl Mirror {
    pub(super) fn new(base: Url, attempts: u32, backoff: Backoff, time: Duration) -> Result<Self, TufError> {
        let local = base.scheme() == "http" && net::is_loopback(&base);
        let builder = net::builder(local, &[]).map_err(|error| match error {
            TlsError::NoProvider => TufError::NoCrypto,
            TlsError::Setup(detail) => TufError::Unavailable(detail),
        })?;
        let client = builder.user_agent(concat!("cg-attest/", env!("CARGO_PKG_VERSION"))).build();
        let client = client.map_err(|error| TufError::Unavailable(net::root_cause(&error)))?;
        Ok(Self { base, client, attempts, backoff, deadline: Instant::now() + time })
    }

    /// Reads a file, again where that may help and as long as there is time.
    async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TufError> {
        let left = || self.deadline.checked_duration_since(Instant::now());
        let done = net::attempts(self.attempts, self.backoff, left, || self.attempt(path, limit)).await;
        done.map_err(|GaveUp { error, .. }| error)
    }

    async fn attempt(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Attempt<TufError>> {
        let host = self.base.host_str().unwrap_or_default();
        let lost = |error: reqwest::Error| {
            let what = if error.is_timeout() { "no answer in time".to_owned() } else { net::root_cause(&error) };
            let retry = !error.is_builder();
            Attempt { error: TufError::Unavailable(format!("{host} cannot be reached: {what}")), retry, asked: None }
        };
        let for_good = |error| Attempt { error, retry: false, asked: None };
        let too_long = || for_good(TufError::Limit(format!("{path} has more than {limit} bytes")));
        let mut url = self.base.clone();
        // By segments: no name can lead to another host or out of the repository (scenario M-07).
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        // Bytes are compared with a hash, so they must arrive as they are.
        let mut answer = self.client.get(url).header(ACCEPT_ENCODING, "identity").send().await.map_err(lost)?;
        match answer.status() {
            StatusCode::OK => {}
            // Object stores say "forbidden" of what is not there.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => return Ok(None),
            status if status.is_redirection() => {
                return Err(for_good(TufError::Unavailable(format!(
                    "{host} sends {path} elsewhere ({status}), which is not followed"
                ))));
            }
            status => {
                let error = TufError::Unavailable(format!("{host} answers {status} to {path}"));
                let asked = net::retry_after(answer.headers());
                return Err(Attempt { error, retry: net::may_pass(status.as_u16()), asked });
            }
        }
        let announced = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if bytes.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        tracing::debug!(path, bytes = bytes.len(), "read from the TUF repository");
        Ok(Some(bytes))
    }
}

impl Fetch for Mirror {
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a> {
        Box::pin(self.get(path, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_path_and_nothing_else() {
        let read = |text| address(text).map(String::from);
        assert_eq!(read("https://tuf.example.test"), Ok("https://tuf.example.test/".to_owned()));
        assert_eq!(read(" http://127.0.0.1:8080/a/b "), Ok("http://127.0.0.1:8080/a/b/".to_owned()));
        for bad in [
            "",
            "tuf.example.test",
            "file:///srv/tuf",
            "https://user:secret@x/",
            "https://x/?a",
            "https://x/#a",
            "gs:b",
        ] {
            let error = read(bad).expect_err(bad);
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
