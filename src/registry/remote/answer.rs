//! An answer on its way in, and what its status means.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName};
use serde::Deserialize;
use url::Url;

use super::gate::Permit;
use super::retry::{Failure, within};
use super::transport;
use crate::net::{may_pass, retry_after, words};
use crate::registry::{Context, Problem, RegistryError};

/// An answer whose body has not been read. It keeps its place among the requests in flight.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) inner: reqwest::Response,
    pub(super) url: Url,
    /// Whether a redirect led to another origin, or the request began on one.
    pub(super) foreign: bool,
    /// Where the credentials that were sent are from, or where none was found.
    pub(super) source: Option<Arc<str>>,
    pub(super) context: Context,
    pub(super) operation: String,
    /// The place, given back when the answer is dropped; a token service has no queue.
    pub(super) permit: Option<Permit>,
}

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) failure: Failure,
    /// Whether the registry says that there is no such thing, in whatever status.
    pub(super) unknown: bool,
}

#[derive(Deserialize)]
struct WireErrors {
    errors: Vec<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.inner.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// A header that is text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The length that the answer announces.
    pub(super) fn announced(&self) -> Option<u64> {
        self.header(&CONTENT_LENGTH)?.parse().ok()
    }

    pub(super) fn error(&self, problem: Problem, detail: impl Into<String>) -> RegistryError {
        RegistryError::new(problem, &self.operation, detail).with_status(self.status().as_u16())
    }

    /// The next bytes of the body.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let chunk = within(&self.context, &self.operation, self.inner.chunk()).await?;
        let chunk = chunk.map_err(|error| transport::failure(&self.operation, &self.url, &error))?;
        if let Some(chunk) = &chunk {
            self.context.count_bytes(chunk.len() as u64);
        }
        Ok(chunk)
    }

    /// The whole body, if it has at most `limit` bytes.
    pub(super) async fn whole(&mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let too_long = |answer: &Self| answer.error(Problem::Limit, format!("the answer has more than {limit} bytes"));
        if self.announced().is_some_and(|length| length > limit) {
            return Err(too_long(self).into());
        }
        let announced = self.announced();
        let _held = match &self.permit {
            Some(permit) => within(&self.context, &self.operation, permit.take_in(announced)).await?,
            None => None,
        };
        // The announced length is the server's word; memory is taken as bytes arrive.
        let expected = announced.unwrap_or(0).min(1 << 20);
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_long(self).into());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// What a status that was not asked for means.
    pub(super) async fn refuse(mut self) -> Refusal {
        let status = self.status();
        let (codes, said) = self.said().await;
        let mut failure = self.refuse_silently();
        failure.error = failure.error.and(&said);
        if let Some(source) = self.source.as_ref().filter(|_| failure.error.problem() == Problem::Denied) {
            failure.error = failure.error.and(&format!("; {source}"));
        }
        let unknown = status.is_client_error()
            && !matches!(status.as_u16(), 401 | 403 | 408 | 429)
            && codes.iter().any(|code| matches!(code.as_str(), "NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN"));
        Refusal { failure, unknown }
    }

    /// What the status means, whatever the body says.
    pub(super) fn refuse_silently(&self) -> Failure {
        let status = self.status();
        let (problem, meaning) = match status.as_u16() {
            401 | 403 => (Problem::Denied, "access is denied"),
            429 => (Problem::RateLimited, "too many requests"),
            408 | 500..=599 => (Problem::Unavailable, "the server failed"),
            _ => (Problem::Protocol, "an answer that has no meaning here"),
        };
        if let Some(permit) = self.permit.as_ref().filter(|_| problem == Problem::RateLimited) {
            permit.narrow();
        }
        let error = self.error(problem, format!("{meaning} ({status})")).with_retry_after(retry_after(self.headers()));
        Failure { error, retry: may_pass(status.as_u16()) }
    }

    /// The error codes in the body, and the first message.
    async fn said(&mut self) -> (Vec<String>, String) {
        let limit = self.context.limits().error_bytes;
        // A body that cannot be read takes nothing from what the status said.
        let body = self.whole(limit).await.unwrap_or_default();
        let Ok(wire) = crate::json::parse::<WireErrors>(&body) else { return (Vec::new(), String::new()) };
        let said =
            wire.errors.first().map(|error| format!(": {} {}", words(&error.code, 40), words(&error.message, 160)));
        let codes = wire.errors.into_iter().map(|error| error.code).collect();
        (codes, said.map(|said| said.trim_end().to_owned()).unwrap_or_default())
    }
}

/// Every value of a header that may be given several times.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}
