//! The services of a signature, and what goes wrong with them.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::code::Code;
use crate::net::{Ask, Http, HttpError, Reply, words};
use crate::time::human;

/// Bytes of an answer: a certificate with its chain, a log entry, a timestamp.
/// Rekor v1 gives an attestation's envelope back, so this is above its own bound.
pub(super) const ANSWER_BYTES: u64 = 8 << 20;

/// A service that takes part in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Whoever gives identity tokens.
    IdentityProvider,
    /// Fulcio.
    CertificateAuthority,
    /// Rekor.
    Log,
    /// An RFC 3161 timestamp authority.
    TimestampAuthority,
}

/// A service that did not do its part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {service} {host}: {detail}")]
pub struct ServiceError {
    service: Service,
    host: String,
    code: Code,
    detail: String,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdentityProvider => "identity provider",
            Self::CertificateAuthority => "certificate authority",
            Self::Log => "log",
            Self::TimestampAuthority => "timestamp authority",
        })
    }
}

impl ServiceError {
    /// Which service.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }

    /// Its host, as the configuration names it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

/// A service at its address, with what is needed to ask it.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) http: &'a Http,
    pub(super) deadline: Instant,
    pub(super) service: Service,
    pub(super) base: &'a Url,
}

impl Desk<'_> {
    /// The address below the service's own. A base of `https://host/a/` and of `https://host/a` are the same.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    pub(super) fn error(&self, code: Code, detail: impl Into<String>) -> ServiceError {
        ServiceError { service: self.service, host: authority(self.base), code, detail: detail.into() }
    }

    /// An answer that is not of the protocol.
    pub(super) fn protocol(&self, detail: impl Into<String>) -> ServiceError {
        self.error(Code::ServiceProtocol, detail)
    }

    /// Asks, whatever the status of the answer.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Reply, ServiceError> {
        self.http.send(ask, self.deadline).await.map_err(|error| {
            let code = match error {
                HttpError::NoCrypto => Code::NoCryptoProvider,
                HttpError::Unavailable(_) | HttpError::Timeout => Code::ServiceUnavailable,
                HttpError::Limit(_) => Code::ServiceProtocol,
            };
            self.error(code, error.to_string())
        })
    }

    /// What a status that was not hoped for means. `secret` is what the request
    /// carried: a server that repeats it is not quoted.
    pub(super) fn refused(&self, reply: &Reply, secret: Option<&str>) -> ServiceError {
        let status = reply.status;
        let (code, meaning) = match status {
            429 => (Code::ServiceRateLimited, "too many requests"),
            408 | 500..=599 => (Code::ServiceUnavailable, "the server failed"),
            400..=499 => (Code::ServiceRefused, "the request is refused"),
            300..=399 => (Code::ServiceProtocol, "it leads elsewhere, which is not followed"),
            _ => (Code::ServiceProtocol, "an answer that has no meaning here"),
        };
        let mut detail = format!("{meaning} ({status})");
        let said = said(&reply.body).filter(|said| secret.is_none_or(|secret| !said.contains(secret)));
        if let Some(said) = said.map(|said| words(&said, 200)).filter(|said| !said.is_empty()) {
            detail = format!("{detail}: {said}");
        }
        if let Some(wait) = reply.retry_after().filter(|wait| *wait > Duration::ZERO) {
            detail = format!("{detail}; it asks to wait {}", human(wait));
        }
        self.error(code, detail)
    }
}

/// Host and port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What every one of these services calls its message.
#[derive(Deserialize)]
struct WireProblem {
    message: Option<String>,
    error_description: Option<String>,
    error: Option<String>,
}

fn said(body: &[u8]) -> Option<String> {
    let wire: WireProblem = crate::json::parse(body.get(..body.len().min(8 << 10))?).ok()?;
    wire.message.or(wire.error_description).or(wire.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_refusal_quotes_words_and_no_secret() {
        let http = Http::new(1);
        let base: Url = "https://ca.example.test:8443/x".parse().expect("a URL");
        let deadline = Instant::from_std(std::time::Instant::now());
        let desk = Desk { http: &http, deadline, service: Service::CertificateAuthority, base: &base };
        assert_eq!(desk.url("api/v2/a").as_str(), "https://ca.example.test:8443/x/api/v2/a");
        let error = desk.refused(&reply(400, "{\"message\":\"bad \\u001b[31mtoken\"}"), None);
        let told = "the certificate authority ca.example.test:8443: the request is refused (400): bad 31mtoken";
        assert_eq!((error.code(), error.to_string().as_str()), (Code::ServiceRefused, told));
        let error = desk.refused(&reply(401, "{\"message\":\"the token e.y.J is bad\"}"), Some("e.y.J"));
        assert!(!error.to_string().contains("e.y.J"), "{error}");
        for (status, code) in [
            (429, Code::ServiceRateLimited),
            (503, Code::ServiceUnavailable),
            (302, Code::ServiceProtocol),
            (200, Code::ServiceProtocol),
        ] {
            assert_eq!(desk.refused(&reply(status, "<html>"), None).code(), code, "{status}");
        }
    }
}
