//! Tokens from a token service (distribution specification's token authentication,
//! docker's OAuth2 variant for identity tokens).

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::answer::Answer;
use super::call::Call;
use super::credentials::Kind;
use super::grant::{Grant, basic, bearer};
use super::retry::Failure;
use super::transport::{Outgoing, Transport};
use crate::registry::Problem;

/// What a service gives when it does not say how long a token lives.
const DEFAULT_LIFETIME: u64 = 60;

/// A question to a token service that may be asked it.
pub(super) struct TokenRequest<'a> {
    pub(super) realm: Url,
    pub(super) service: Option<&'a str>,
    pub(super) scopes: Vec<String>,
    pub(super) login: Option<&'a Kind>,
    /// Where the login is from, for messages.
    pub(super) source: &'a str,
}

#[derive(Deserialize)]
struct WireToken {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl TokenRequest<'_> {
    /// Asks for a token.
    pub(super) async fn send(self, transport: &Transport, call: &Call<'_>) -> Result<Grant, Failure> {
        let context = call.context;
        let (method, url, headers, body) = self.request();
        let operation = call.target.operation(&method, &url);
        let (operation, method) = (operation.as_str(), &method);
        let inner = transport.send(Outgoing { context, operation, method, url: &url, headers, body }).await?;
        let (context, operation) = (context.clone(), operation.to_owned());
        let mut answer = Answer { inner, url, foreign: false, source: None, context, operation, permit: None };
        if answer.status() != 200 {
            // What the service says may echo the login, so only its status is told.
            let status = answer.status();
            // What may pass is tried again, a POST as well: exchanging a token changes nothing.
            let mut failure = answer.refuse_silently();
            if matches!(status.as_u16(), 400 | 401 | 403) {
                let who = if self.login.is_some() { "these credentials" } else { "a stranger" };
                let detail = format!("the token service gives {who} no token ({status}); {}", self.source);
                failure.error = answer.error(Problem::Denied, detail);
            }
            return Err(failure);
        }
        let body = answer.whole(answer.context.limits().token_bytes).await?;
        let wrong = |detail: &str| Failure::from(answer.error(Problem::Protocol, detail));
        let wire: WireToken = crate::json::parse(&body).map_err(|_| wrong("the token service's answer is no token"))?;
        let token = wire.token.or(wire.access_token).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| wrong("the token service's answer has no token"))?;
        // Given up a little early, so that a token does not end on its way.
        let lifetime = wire.expires_in.unwrap_or(DEFAULT_LIFETIME);
        let lifetime = Duration::from_secs(lifetime - (lifetime / 10).min(10));
        bearer(&token, self.source, Some(lifetime)).ok_or_else(|| wrong("the token has bytes that no token has"))
    }

    /// The request: GET for strangers and passwords, POST for identity tokens.
    fn request(&self) -> (Method, Url, HeaderMap, Option<Bytes>) {
        let mut url = self.realm.clone();
        url.set_fragment(None);
        let mut headers = HeaderMap::new();
        if let Some(Kind::Identity(token)) = self.login {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", "cg-attest");
            form.append_pair("scope", &self.scopes.join(" ")).append_pair("refresh_token", token.reveal());
            if let Some(service) = self.service {
                form.append_pair("service", service);
            }
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            return (Method::POST, url, headers, Some(form.finish().into()));
        }
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = self.service {
                query.append_pair("service", service);
            }
            for scope in &self.scopes {
                query.append_pair("scope", scope);
            }
        }
        if let Some(Kind::Password { username, password }) = self.login {
            headers.insert(AUTHORIZATION, basic(username, password.reveal()));
        }
        (Method::GET, url, headers, None)
    }
}
