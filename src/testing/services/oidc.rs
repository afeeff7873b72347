//! The OpenID Connect issuer: it vouches for whoever a request describes.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use serde_json::{Value, json};

use super::claims;
use super::fault::ServiceFault;
use super::jwt::{TokenKey, base64_url};
use super::server::Services;
use crate::testing::http::{Answer, RecordedRequest};
use crate::time::Timestamp;

/// The audience that Fulcio wants, and the one client that the issuer knows.
pub(super) const SIGSTORE: &str = "sigstore";
/// Seconds that a token is valid.
pub(super) const LIFETIME: i64 = 600;
/// The grant of RFC 8628.
pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The issuer's name, its key, and what it gives to workflows to ask with.
pub(super) struct Issuer {
    url: String,
    key: TokenKey,
    /// The bearer token of the ambient endpoint.
    pub(super) request_token: String,
}

impl Issuer {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), key: TokenKey::new(), request_token: secret() }
    }

    /// The claims of a token that is this issuer's, for Fulcio, and still valid.
    pub(super) fn accept(&self, token: &str, now: Timestamp) -> Option<Value> {
        let claims = self.key.open(token)?;
        let good = claims["iss"] == self.url.as_str()
            && claims["aud"] == SIGSTORE
            && claims["exp"].as_i64().is_some_and(|end| now.unix() < end);
        good.then_some(claims)
    }

    /// `GET /.well-known/openid-configuration`.
    pub(super) fn configuration(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.url);
        let body = json!({
            "issuer": self.url,
            "authorization_endpoint": at("/auth"),
            "token_endpoint": at("/token"),
            "device_authorization_endpoint": at("/device/code"),
            "jwks_uri": at("/keys"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", DEVICE_GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email"],
            "claims_supported": ["iss", "sub", "aud", "iat", "exp", "email", "email_verified"],
        });
        Answer::json(200, &body)
    }

    /// `GET /keys`.
    pub(super) fn keys(&self) -> Answer {
        Answer::json(200, &self.key.set())
    }
}

/// A token of the issuer for this audience and so many seconds, or a wrong one on request.
pub(super) fn token(services: &Services, claims: &Value, audience: &str, lifetime: i64, now: Timestamp) -> String {
    let foreign = services.lies(ServiceFault::TokenForAnotherAudience);
    let lifetime = if services.lies(ServiceFault::TokenExpired) { -1 } else { lifetime };
    let mut claims = claims.clone();
    for (name, value) in [
        ("iss", json!(services.issuer.url)),
        ("aud", json!(if foreign { "somebody-else" } else { audience })),
        ("iat", json!(now.unix())),
        ("nbf", json!(now.unix())),
        ("exp", json!(now.unix().saturating_add(lifetime))),
        ("jti", json!(secret())),
    ] {
        claims[name] = value;
    }
    services.issuer.key.sign(&claims)
}

/// `GET /token?…`: a token for whoever the query describes.
pub(super) fn described(services: &Services, request: &RecordedRequest, now: Timestamp) -> Answer {
    let mut given: BTreeMap<String, String> =
        url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let audience = given.remove("audience").unwrap_or_else(|| SIGSTORE.to_owned());
    let lifetime = given.remove("lifetime").and_then(|text| text.parse().ok()).unwrap_or(LIFETIME);
    let claims = if let Some(email) = given.remove("email") {
        claims::person(&email)
    } else if given.is_empty() {
        claims::person(&services.person())
    } else if given.contains_key("sub") {
        json!(given)
    } else {
        claims::workflow(&given)
    };
    let token = token(services, &claims, &audience, lifetime, now);
    Answer::status(200).header("content-type", "text/plain").body(token)
}

/// `GET /actions?audience=…`: what a workflow of GitHub Actions asks for its own token.
pub(super) fn ambient(services: &Services, request: &RecordedRequest, now: Timestamp) -> Answer {
    // The name of the scheme is in any case (RFC 9110, 11.1); clients differ.
    let header = request.header("authorization").and_then(|value| value.split_once(' '));
    let known =
        |(scheme, token): (&str, &str)| scheme.eq_ignore_ascii_case("bearer") && token == services.issuer.request_token;
    if !header.is_some_and(known) {
        return Answer::json(401, &json!({ "message": "the request token is missing or wrong" }));
    }
    // Without an audience GitHub takes the owner's page.
    let audience = request.parameter("audience").unwrap_or_else(|| "https://github.com/example-org".to_owned());
    let token = token(services, &claims::workflow(&BTreeMap::new()), &audience, LIFETIME, now);
    Answer::json(200, &json!({ "count": 1, "value": token }))
}

/// Something that nobody guesses.
pub(super) fn secret() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system has randomness");
    base64_url(bytes)
}
