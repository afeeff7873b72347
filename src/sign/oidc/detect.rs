//! Finds an identity without asking anybody, and says why others were not used.

use std::path::Path;

use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::provider::Lead;
use super::{Environment, NoIdentity, Provider, ProviderError, Skipped, Token, circleci, file};
use crate::code::Code;
use crate::limits::Limits;
use crate::net::{Ask, Http, is_loopback};
use crate::sign::SignError;
use crate::sign::service::{Desk, Service};

/// A token, the provider that gave it, and those that did not.
#[derive(Debug, Clone)]
pub struct Detected {
    /// The token.
    pub token: Token,
    /// Who gave it.
    pub provider: Provider,
    /// Who was looked for before.
    pub skipped: Vec<Skipped>,
}

/// Looks for an identity token for `audience`: from `only` this provider, or
/// from the first that has one. A provider that is there and fails ends the
/// search: signing as somebody else would be no help.
///
/// # Errors
/// When no provider has a token (`no-identity`, naming each and what it lacks),
/// or the one that should does not give it, naming it and what those before it lack.
pub async fn detect(
    environment: &Environment,
    audience: &str,
    only: Option<Provider>,
    limits: &Limits,
) -> Result<Detected, SignError> {
    let mut skipped = Vec::new();
    let http = Http::new(limits.attempts);
    for provider in only.map_or(Provider::ALL.to_vec(), |only| vec![only]) {
        let found = match provider.lead(environment) {
            Err(reason) => Err(reason),
            Ok(lead) => match take(lead, audience, &http, limits).await {
                Ok(found) => found,
                Err(source) => return Err(ProviderError { provider, skipped, source: Box::new(source) }.into()),
            },
        };
        match found {
            Ok(token) => {
                tracing::debug!(%provider, issuer = token.issuer(), "found an identity token");
                return Ok(Detected { token, provider, skipped });
            }
            Err(reason) => skipped.push(Skipped { provider, reason }),
        }
    }
    Err(NoIdentity(skipped.iter().map(Skipped::to_string).collect()).into())
}

/// Follows a lead. `Ok(Err(reason))` if there is nothing at its end.
async fn take(lead: Lead, audience: &str, http: &Http, limits: &Limits) -> Result<Result<Token, String>, SignError> {
    let text = match lead {
        Lead::Text(text) => text.reveal().to_owned(),
        Lead::File(path) => match file::read(Path::new(&path))? {
            Some(text) => text.to_string(),
            None => return Ok(Err(format!("{path} is not there"))),
        },
        Lead::CircleCi => circleci::ask(audience).await?,
        Lead::GitHub { url, authorization } => {
            let mut url = address(&url)?;
            url.query_pairs_mut().append_pair("audience", audience);
            let answer: Valued = ask(http, limits, authorization.reveal(), Ask::get(url, limits.token_bytes)).await?;
            answer.value
        }
        Lead::Buildkite { endpoint, job, authorization } => {
            let mut url = address(&endpoint)?;
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().extend(["jobs", &job, "oidc", "tokens"]);
            }
            let body = serde_json::json!({ "audience": audience }).to_string();
            let ask_for = Ask::post(url, "application/json", body, limits.token_bytes);
            let answer: Named = ask(http, limits, authorization.reveal(), ask_for).await?;
            answer.token
        }
    };
    Ok(Ok(Token::parse(&text)?))
}

#[derive(Deserialize)]
struct Valued {
    value: String,
}

#[derive(Deserialize)]
struct Named {
    token: String,
}

/// Asks a platform's own service for a token. What it answers is never quoted.
async fn ask<T: serde::de::DeserializeOwned>(
    http: &Http,
    limits: &Limits,
    authorization: &str,
    ask: Ask,
) -> Result<T, SignError> {
    let base = ask.url.clone();
    let deadline = Instant::now() + limits.total_time;
    let desk = Desk { http, deadline, service: Service::IdentityProvider, base: &base };
    let wrong = |detail: &str| desk.error(Code::ServiceProtocol, detail);
    let mut ask = ask.authorized(authorization).ok_or_else(|| wrong("its token has bytes that no token has"))?;
    ask.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let reply = desk.ask(&ask).await?;
    if !matches!(reply.status, 200 | 201) {
        return Err(desk.refused(&reply, authorization.split(' ').nth(1)).into());
    }
    Ok(crate::json::parse(&reply.body).map_err(|_| wrong("its answer is no token"))?)
}

/// An address from the environment, to which a secret is sent.
fn address(text: &str) -> Result<Url, SignError> {
    let wrong = || SignError::from(NoIdentity(vec!["the address of the platform's token service is none".to_owned()]));
    let url: Url = text.parse().map_err(|_| wrong())?;
    if (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) && url.host().is_some() {
        return Ok(url);
    }
    Err(wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::oidc::token_of_test;

    const CLAIMS: &str = r#"{"iss":"https://i.test","sub":"s","aud":"sigstore","exp":1800000000}"#;

    async fn find(variables: &[(&str, &str)], only: Option<Provider>) -> Result<Detected, SignError> {
        let environment = variables.iter().copied().collect();
        detect(&environment, "sigstore", only, &Limits { attempts: 1, ..Limits::default() }).await
    }

    #[tokio::test]
    async fn the_provider_that_was_used_is_named_and_so_is_what_the_others_lack() {
        let token = token_of_test(CLAIMS);
        let found = find(&[("SIGSTORE_ID_TOKEN", &token)], None).await.expect("a token");
        assert_eq!((found.provider, found.skipped.len()), (Provider::Variable, 1));
        let found = find(&[("GITLAB_CI", "true"), ("SIGSTORE_ID_TOKEN", &token)], Some(Provider::GitLab)).await;
        assert_eq!(found.expect("a token").provider, Provider::GitLab);
        let error = find(&[], None).await.expect_err("nobody");
        assert_eq!(error.code(), Code::NoIdentity);
        for provider in Provider::ALL {
            assert!(error.to_string().contains(provider.as_str()), "{error}");
        }
        let error = find(&[("SIGSTORE_ID_TOKEN", "not.a-token")], None).await.expect_err("no token");
        assert_eq!(error.code(), Code::TokenInvalid);
    }

    #[tokio::test]
    async fn a_secret_is_not_sent_in_the_clear_nor_somewhere_else() {
        for url in ["http://metadata.test/", "file:///etc/passwd", "not a URL"] {
            let variables = [
                ("GITHUB_ACTIONS", "true"),
                ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret"),
            ];
            let error = find(&variables, Some(Provider::GitHub)).await.expect_err(url);
            assert!(error.code() == Code::NoIdentity && !error.to_string().contains("secret"), "{error}");
        }
    }
}
