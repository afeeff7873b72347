//! Logins of people, by a browser and by a device: the issuer says yes to everybody.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;

use super::claims;
use super::jwt::base64_url;
use super::oidc::{DEVICE_GRANT, LIFETIME, SIGSTORE, secret, token};
use super::server::Services;
use crate::testing::http::{Answer, RecordedRequest, lock, parameter};
use crate::testing::sigstore::sha256;
use crate::time::Timestamp;

/// The logins that wait for their token, by their code.
#[derive(Default)]
pub(super) struct Logins(Mutex<BTreeMap<String, Login>>);

struct Login {
    email: String,
    nonce: Option<String>,
    /// PKCE (RFC 7636): base64url of the SHA-256 of a secret that the client shows later.
    challenge: Option<String>,
    /// Where the browser went back to; a device has no browser.
    redirect: Option<String>,
    /// A device asks until somebody has said yes: here, the second time (RFC 8628, 3.5).
    pending: bool,
}

impl Logins {
    fn begin(&self, login: Login) -> String {
        let code = secret();
        lock(&self.0).insert(code.clone(), login);
        code
    }
}

/// `GET /auth`: no page and no password, the browser comes back with a code at once (RFC 6749, 4.1).
pub(super) fn authorize(services: &Services, request: &RecordedRequest) -> Answer {
    let parameter = |name: &str| request.parameter(name);
    let redirect = parameter("redirect_uri").unwrap_or_default();
    let Some(mut back) = url::Url::parse(&redirect).ok().filter(is_loopback) else {
        return refusal("invalid_request", "redirect_uri is missing or not on this machine");
    };
    if parameter("response_type").as_deref() != Some("code") {
        return refusal("unsupported_response_type", "only code is");
    }
    if parameter("code_challenge").is_some() && parameter("code_challenge_method").as_deref() != Some("S256") {
        return refusal("invalid_request", "the code challenge is not S256");
    }
    let code = services.logins.begin(Login {
        email: parameter("login_hint").unwrap_or_else(|| services.person()),
        nonce: parameter("nonce"),
        challenge: parameter("code_challenge"),
        redirect: Some(redirect),
        pending: false,
    });
    back.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = parameter("state") {
        back.query_pairs_mut().append_pair("state", &state);
    }
    Answer::redirect(302, back.as_str())
}

/// `GET /device`, where a person would have to say yes.
pub(super) fn device_page() -> Answer {
    Answer::status(200).header("content-type", "text/plain").body("Everybody is let in here: nothing to do.\n")
}

/// `POST /device/code` (RFC 8628, 3.1).
pub(super) fn device(services: &Services, request: &RecordedRequest) -> Answer {
    let field = |name: &str| parameter(&request.body, name);
    let code = services.logins.begin(Login {
        email: field("login_hint").unwrap_or_else(|| services.person()),
        nonce: field("nonce"),
        challenge: field("code_challenge"),
        redirect: None,
        pending: true,
    });
    let page = format!("{}/device", services.url);
    let body = json!({
        "device_code": code, "user_code": "VIRT-UAL1", "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code=VIRT-UAL1"), "expires_in": 300, "interval": 1,
    });
    Answer::json(200, &body)
}

/// `POST /token`: a code, of a browser or of a device, against a token.
pub(super) fn exchange(services: &Services, request: &RecordedRequest, now: Timestamp) -> Answer {
    let field = |name: &str| parameter(&request.body, name);
    let by_device = field("grant_type").as_deref() == Some(DEVICE_GRANT);
    let code = field(if by_device { "device_code" } else { "code" }).unwrap_or_default();
    let mut logins = lock(&services.logins.0);
    let Some(login) = logins.get_mut(&code).filter(|login| login.redirect.is_none() == by_device) else {
        return refusal("invalid_grant", "no such code");
    };
    if std::mem::take(&mut login.pending) {
        return refusal("authorization_pending", "nobody has said yes yet");
    }
    let shown = field("code_verifier").map(|secret| base64_url(sha256(secret.as_bytes())));
    if login.challenge != shown {
        return refusal("invalid_grant", "the code verifier is not the one of the challenge");
    }
    if !by_device && field("redirect_uri") != login.redirect {
        return refusal("invalid_grant", "redirect_uri is not the one of the code");
    }
    let mut claims = claims::person(&login.email);
    if let Some(nonce) = &login.nonce {
        claims["nonce"] = json!(nonce);
    }
    // A code is good for one token.
    logins.remove(&code);
    let token = token(services, &claims, SIGSTORE, LIFETIME, now);
    let body = json!({ "access_token": token, "id_token": token, "token_type": "Bearer", "expires_in": LIFETIME });
    Answer::json(200, &body).header("cache-control", "no-store")
}

/// Browsers of other machines are no business of a server on the loopback address.
fn is_loopback(url: &url::Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// RFC 6749, 5.2.
fn refusal(code: &str, description: &str) -> Answer {
    Answer::json(400, &json!({ "error": code, "error_description": description }))
}
