//! Questions to services that are not registries: bounded, within a deadline,
//! and asked again where that may help.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Attempt, Backoff, TlsError, attempts, builder, is_loopback, may_pass, retry_after, root_cause};

/// The HTTP clients of one program. Each is made when it is first needed.
#[derive(Debug)]
pub(crate) struct Http {
    attempts: u32,
    backoff: Backoff,
    /// For this machine: no TLS, no proxy.
    local: OnceLock<Result<Client, HttpError>>,
    /// For everything else.
    web: OnceLock<Result<Client, HttpError>>,
}

/// One question.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Bytes of the answer.
    pub(crate) limit: u64,
}

/// An answer of any status, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the library was built without cryptography and the application installed none")]
    NoCrypto,
    #[error("{0}")]
    Unavailable(String),
    #[error("no answer within the time of this run")]
    Timeout,
    #[error("the answer has more than {0} bytes")]
    Limit(u64),
}

impl Ask {
    pub(crate) fn get(url: Url, limit: u64) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None, limit }
    }

    pub(crate) fn post(url: Url, content_type: &'static str, body: impl Into<Bytes>, limit: u64) -> Self {
        let headers = HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self { method: Method::POST, url, headers, body: Some(body.into()), limit }
    }

    /// The same with a header whose value is a secret: it is marked, so that no log prints it.
    /// `None` if the value has bytes that no header may have.
    pub(crate) fn authorized(mut self, value: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        self.headers.insert(reqwest::header::AUTHORIZATION, value);
        Some(self)
    }
}

impl Reply {
    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

impl Http {
    /// `attempts` of one question, the first included.
    pub(crate) fn new(attempts: u32) -> Self {
        Self { attempts, backoff: Backoff::default(), local: OnceLock::new(), web: OnceLock::new() }
    }

    /// Asks until there is an answer that another attempt would not change, or
    /// the deadline is too near for one. Only what may be repeated is asked:
    /// every service of a signature gives a second answer that is as good.
    pub(crate) async fn send(&self, ask: &Ask, deadline: Instant) -> Result<Reply, HttpError> {
        let left = || Some(deadline.saturating_duration_since(Instant::now()));
        let attempt = || async {
            let outcome = timeout_at(deadline, self.once(ask)).await.unwrap_or(Err(HttpError::Timeout));
            let asked = match &outcome {
                Ok(reply) if may_pass(reply.status) => reply.retry_after(),
                Err(HttpError::Unavailable(_)) => None,
                _ => return Ok(outcome),
            };
            Err(Attempt { error: outcome, retry: true, asked })
        };
        // A refusal that did not pass is an answer too: the caller says what it means.
        attempts(self.attempts, self.backoff, left, attempt).await.unwrap_or_else(|gave_up| gave_up.error)
    }

    async fn once(&self, ask: &Ask) -> Result<Reply, HttpError> {
        let broken = |error: reqwest::Error| {
            HttpError::Unavailable(if error.is_timeout() { "no answer in time".to_owned() } else { root_cause(&error) })
        };
        let mut request = self.client(&ask.url)?.request(ask.method.clone(), ask.url.clone());
        request = request.headers(ask.headers.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        let mut answer = request.send().await.map_err(broken)?;
        let announced = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > ask.limit) {
            return Err(HttpError::Limit(ask.limit));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() as u64 + chunk.len() as u64 > ask.limit {
                return Err(HttpError::Limit(ask.limit));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status().as_u16();
        tracing::debug!(host = ask.url.host_str(), path = ask.url.path(), status, "answered");
        Ok(Reply { status, headers: answer.headers().clone(), body })
    }

    fn client(&self, url: &Url) -> Result<&Client, HttpError> {
        let local = url.scheme() == "http" && is_loopback(url);
        let cell = if local { &self.local } else { &self.web };
        cell.get_or_init(|| make_client(local)).as_ref().map_err(Clone::clone)
    }
}

fn make_client(local: bool) -> Result<Client, HttpError> {
    let builder = builder(local, &[]).map_err(|error| match error {
        TlsError::NoProvider => HttpError::NoCrypto,
        TlsError::Setup(detail) => HttpError::Unavailable(detail),
    })?;
    let client = builder.user_agent(concat!("cg-attest/", env!("CARGO_PKG_VERSION"))).build();
    client.map_err(|error| HttpError::Unavailable(root_cause(&error)))
}
