//! Logins of people, with OpenID Connect: in a browser (authorization code with
//! PKCE, RFC 7636, RFC 8252) or with a code on another device (RFC 8628).

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::Token;
use super::loopback::Callback;
use super::random::{challenge, random_text};
use crate::code::Code;
use crate::limits::Limits;
use crate::net::{Ask, Http, Reply, is_loopback, words};
use crate::sign::SignError;
use crate::sign::service::{Desk, Service};

/// How long a person has for a login.
const LOGIN_TIME: Duration = Duration::from_secs(300);
/// What is asked of the issuer: who it is, by e-mail address.
const SCOPE: &str = "openid email";
/// The pause between two questions whether the person is done, unless the issuer says otherwise (RFC 8628, 3.2).
const INTERVAL: u64 = 5;

/// A login that did not end in a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the login failed: {0}")]
pub struct LoginError(pub(super) String);

impl LoginError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::LoginFailed
    }
}

/// Where people log in, and as which client.
#[derive(Debug)]
pub struct Login {
    issuer: Url,
    client: String,
    http: Http,
    limits: Limits,
    time: Duration,
    /// In the place of the issuer's own.
    #[cfg(test)]
    interval: Option<Duration>,
}

/// What to show to whoever logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// The page to open in a browser on this machine.
    Browser {
        /// Its address.
        url: String,
    },
    /// The page to open anywhere, and the code to type there.
    Device {
        /// Its address, with the code in it where the issuer offers that.
        url: String,
        /// The code.
        code: String,
    },
}

/// What is read of an issuer's discovery document (OpenID Connect Discovery 1.0).
#[derive(Deserialize)]
struct Endpoints {
    issuer: String,
    authorization_endpoint: Option<PrivateUrl>,
    token_endpoint: PrivateUrl,
    device_authorization_endpoint: Option<PrivateUrl>,
}

#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: PrivateUrl,
    verification_uri_complete: Option<PrivateUrl>,
    expires_in: Option<u64>,
    interval: Option<u64>,
}

impl Login {
    /// A login at `issuer` as the client `client`.
    ///
    /// # Errors
    /// When the issuer is not an address to which a login may go: https, or this machine.
    pub fn new(issuer: &str, client: &str) -> Result<Self, LoginError> {
        let PrivateUrl(issuer) = PrivateUrl::try_from(issuer.to_owned()).map_err(LoginError)?;
        let limits = Limits::default();
        let http = Http::new(limits.attempts);
        Ok(Self {
            issuer,
            client: client.to_owned(),
            http,
            limits,
            time: LOGIN_TIME,
            #[cfg(test)]
            interval: None,
        })
    }

    /// The same with another time for the person.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    #[cfg(all(test, feature = "testing"))]
    pub(in crate::sign) fn asking_every(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// Logs in with a browser on this machine, to which `show` brings the page.
    ///
    /// # Errors
    /// When the person or the issuer says no, time runs out, or the answer is not to our question.
    pub async fn in_browser(&self, show: impl FnOnce(&Prompt)) -> Result<Token, SignError> {
        let deadline = Instant::now() + self.time;
        let endpoints = self.discover(deadline).await?;
        let page = endpoints.authorization_endpoint.as_ref();
        let page = page.ok_or_else(|| LoginError("the issuer has no page to log in at".to_owned()))?;
        let callback = Callback::listen().await?;
        // Each makes an answer useless that is not to this very question (scenario J-15).
        let (state, nonce, verifier) = (random_text()?, random_text()?, random_text()?);
        let redirect = callback.address();
        let mut url = page.0.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client)
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", SCOPE)
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        show(&Prompt::Browser { url: url.into() });
        let code = callback.wait(&state, &endpoints.issuer, deadline).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect),
            ("client_id", &self.client),
            ("code_verifier", &verifier),
        ];
        let reply = self.post(&endpoints.token_endpoint.0, &form, deadline).await?;
        let token = self.granted(&endpoints, &reply, deadline)?;
        if token.nonce() != Some(&nonce) {
            return Err(LoginError("the token is the answer to another login".to_owned()).into());
        }
        Ok(token)
    }

    /// Logs in with a code that is typed on any device, which `show` tells the person.
    ///
    /// # Errors
    /// As [`Login::in_browser`].
    pub async fn with_device(&self, show: impl FnOnce(&Prompt)) -> Result<Token, SignError> {
        let mut deadline = Instant::now() + self.time;
        let endpoints = self.discover(deadline).await?;
        let page = endpoints.device_authorization_endpoint.as_ref();
        let page = page.ok_or_else(|| LoginError("the issuer has no login with a device code".to_owned()))?;
        let verifier = random_text()?;
        let form = [
            ("client_id", self.client.as_str()),
            ("scope", SCOPE),
            ("code_challenge", &challenge(&verifier)),
            ("code_challenge_method", "S256"),
        ];
        let reply = self.post(&page.0, &form, deadline).await?;
        let desk = self.desk(deadline);
        if reply.status != 200 {
            return Err(desk.refused(&reply, None).into());
        }
        let device: DeviceAnswer = self.parse(&reply, deadline)?;
        let PrivateUrl(url) = device.verification_uri_complete.unwrap_or(device.verification_uri);
        show(&Prompt::Device { url: url.into(), code: words(&device.user_code, 40) });
        if let Some(seconds) = device.expires_in {
            deadline = deadline.min(Instant::now() + Duration::from_secs(seconds));
        }
        let mut interval = Duration::from_secs(device.interval.unwrap_or(INTERVAL));
        #[cfg(test)]
        if let Some(given) = self.interval {
            interval = given;
        }
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", &device.device_code),
            ("client_id", &self.client),
            ("code_verifier", &verifier),
        ];
        loop {
            if Instant::now() + interval >= deadline {
                return Err(LoginError("nobody logged in within the time".to_owned()).into());
            }
            tokio::time::sleep(interval).await;
            let reply = self.post(&endpoints.token_endpoint.0, &form, deadline).await?;
            if reply.status == 200 {
                return self.granted(&endpoints, &reply, deadline);
            }
            match crate::json::parse::<Denied>(&reply.body).map(|denied| denied.error).as_deref() {
                Ok("authorization_pending") => {}
                Ok("slow_down") => interval += Duration::from_secs(5),
                Ok(error) => return Err(LoginError(format!("the issuer says {}", words(error, 40))).into()),
                Err(_) => return Err(self.desk(deadline).refused(&reply, None).into()),
            }
        }
    }

    /// Where the issuer's parts are. It has to call itself what we call it, and redirects are not followed (scenario J-16).
    async fn discover(&self, deadline: Instant) -> Result<Endpoints, SignError> {
        let desk = self.desk(deadline);
        let ask = Ask::get(desk.url(".well-known/openid-configuration"), self.limits.token_bytes);
        let reply = desk.ask(&ask).await?;
        if reply.status != 200 {
            return Err(desk.refused(&reply, None).into());
        }
        let found: Endpoints = self.parse(&reply, deadline)?;
        if found.issuer.trim_end_matches('/') != self.issuer.as_str().trim_end_matches('/') {
            return Err(desk.protocol("it describes another issuer").into());
        }
        Ok(found)
    }

    /// The token in an answer, if it is the issuer's.
    fn granted(&self, endpoints: &Endpoints, reply: &Reply, deadline: Instant) -> Result<Token, SignError> {
        if reply.status != 200 {
            return Err(self.desk(deadline).refused(reply, None).into());
        }
        let granted: Granted = self.parse(reply, deadline)?;
        let token = Token::parse(&granted.id_token)?;
        if token.issuer() != endpoints.issuer {
            return Err(LoginError(format!("the token is of the issuer {}", words(token.issuer(), 100))).into());
        }
        Ok(token)
    }

    /// The parser's message may quote a token, so it is not told.
    fn parse<T: DeserializeOwned>(&self, reply: &Reply, deadline: Instant) -> Result<T, SignError> {
        let wrong = |_| self.desk(deadline).protocol("its answer is not one of OpenID Connect");
        Ok(crate::json::parse(&reply.body).map_err(wrong)?)
    }

    async fn post(&self, url: &Url, form: &[(&str, &str)], deadline: Instant) -> Result<Reply, SignError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let ask = Ask::post(url.clone(), "application/x-www-form-urlencoded", body, self.limits.token_bytes);
        Ok(self.desk(deadline).ask(&ask).await?)
    }

    fn desk(&self, deadline: Instant) -> Desk<'_> {
        Desk { http: &self.http, deadline, service: Service::IdentityProvider, base: &self.issuer }
    }
}

/// An address to which codes and tokens may go: https, or this machine.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct PrivateUrl(Url);

impl TryFrom<String> for PrivateUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not https://HOST[/PATH]");
        let url: Url = text.parse().map_err(|_| wrong())?;
        let named = url.host().is_some() && url.username().is_empty() && url.password().is_none();
        let private = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        if named && private { Ok(Self(url)) } else { Err(wrong()) }
    }
}
