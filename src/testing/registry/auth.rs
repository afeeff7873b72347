//! Who may do what: basic credentials or bearer tokens, with a token service in the same server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::testing::http::{Answer, RecordedRequest, parameter};

/// How the registry knows its clients.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Everybody may do everything.
    #[default]
    Open,
    /// One user with a password, by basic authentication.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
    /// Bearer tokens.
    Bearer(TokenService),
}

/// The token service of the registry: `/token` on the same server.
#[derive(Debug, Clone, Default)]
pub struct TokenService {
    anonymous: bool,
    users: BTreeMap<String, String>,
    identity_tokens: Vec<String>,
    expires_in: Option<u64>,
    uses: Option<usize>,
    realm: Option<String>,
}

/// The tokens that were issued.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: BTreeMap<String, Token>,
}

#[derive(Debug)]
struct Token {
    scopes: Vec<String>,
    uses: usize,
}

impl TokenService {
    /// A service that gives nobody a token yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives tokens for pulling to everybody.
    #[must_use]
    pub fn anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }

    /// Gives tokens to this user.
    #[must_use]
    pub fn user(mut self, username: &str, password: &str) -> Self {
        self.users.insert(username.to_owned(), password.to_owned());
        self
    }

    /// Gives tokens for this identity (refresh) token, by POST.
    #[must_use]
    pub fn identity_token(mut self, token: &str) -> Self {
        self.identity_tokens.push(token.to_owned());
        self
    }

    /// Says that tokens live for `seconds`. That they do is not enforced: see [`uses`](Self::uses).
    #[must_use]
    pub fn expires_in(self, seconds: u64) -> Self {
        Self { expires_in: Some(seconds), ..self }
    }

    /// Ends every token after this many requests.
    #[must_use]
    pub fn uses(self, uses: usize) -> Self {
        Self { uses: Some(uses), ..self }
    }

    /// Names another token service in the challenge.
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        Self { realm: Some(realm.to_owned()), ..self }
    }

    fn knows(&self, username: &str, password: &str) -> bool {
        self.users.get(username).is_some_and(|known| known == password)
    }

    /// Answers a request to `/token`.
    fn token(&self, request: &RecordedRequest, tokens: &mut Tokens) -> Answer {
        let posted = request.method == "POST";
        let form = if posted { &request.body[..] } else { request.query.as_bytes() };
        let field = |name| parameter(form, name).unwrap_or_default();
        let scopes: Vec<String> = if posted {
            field("scope").split(' ').map(str::to_owned).collect()
        } else {
            let pairs = url::form_urlencoded::parse(form);
            pairs.filter(|(name, _)| name == "scope").map(|(_, value)| value.into_owned()).collect()
        };
        let allowed = match (posted, field("grant_type").as_str()) {
            (true, "refresh_token") => self.identity_tokens.contains(&field("refresh_token")),
            (true, "password") => self.knows(&field("username"), &field("password")),
            (true, _) => false,
            (false, _) => match basic(request) {
                Some((username, password)) => self.knows(&username, &password),
                // Without credentials nobody gets more than pulling.
                None => self.anonymous && !scopes.iter().any(|scope| scope.contains("push")),
            },
        };
        if !allowed {
            return error(401, "UNAUTHORIZED", "no token for you");
        }
        let token = format!("token-{}", tokens.issued.len() + 1);
        tokens.issued.insert(token.clone(), Token { scopes, uses: self.uses.unwrap_or(usize::MAX) });
        let name = if posted { "access_token" } else { "token" };
        let mut answer = serde_json::json!({ name: token });
        if let Some(seconds) = self.expires_in {
            answer["expires_in"] = seconds.into();
        }
        Answer::json(200, &answer)
    }
}

impl Auth {
    /// `None` if the registry may answer this request, else the answer of the guard.
    pub(super) fn guard(&self, request: &RecordedRequest, address: &str, tokens: &mut Tokens) -> Option<Answer> {
        match self {
            Self::Open => None,
            Self::Basic { username, password } => {
                let known = basic(request).is_some_and(|(user, pass)| user == *username && pass == *password);
                let denied = || error(401, "UNAUTHORIZED", "log in");
                (!known).then(|| denied().header("www-authenticate", "Basic realm=\"registry\", charset=\"UTF-8\""))
            }
            Self::Bearer(service) if request.path == "/token" => Some(service.token(request, tokens)),
            Self::Bearer(service) => {
                let scope = wanted_scope(request);
                if bearer(request).is_some_and(|token| tokens.admit(token, scope.as_deref())) {
                    return None;
                }
                let own = format!("http://{address}/token");
                let realm = service.realm.as_deref().unwrap_or(&own);
                let scope = scope.map(|scope| format!(",scope=\"{scope}\"")).unwrap_or_default();
                let challenge = format!("Bearer realm=\"{realm}\",service=\"{address}\"{scope}");
                Some(error(401, "UNAUTHORIZED", "a token is needed").header("www-authenticate", &challenge))
            }
        }
    }
}

impl Tokens {
    /// Whether `token` covers `scope`; uses it once.
    fn admit(&mut self, token: &str, scope: Option<&str>) -> bool {
        let Some(token) = self.issued.get_mut(token).filter(|token| token.uses > 0) else { return false };
        let covered = scope.is_none_or(|wanted| token.scopes.iter().any(|given| covers(given, wanted)));
        if covered {
            token.uses -= 1;
        }
        covered
    }
}

/// Whether scope `given` (`repository:a/b:pull,push`) covers `wanted` (`repository:a/b:pull`).
fn covers(given: &str, wanted: &str) -> bool {
    let (Some((given, actions)), Some((wanted, needed))) = (given.rsplit_once(':'), wanted.rsplit_once(':')) else {
        return false;
    };
    given == wanted && needed.split(',').all(|action| actions.split(',').any(|a| a == action))
}

/// The scope that a request needs, `None` for `/v2/` itself.
fn wanted_scope(request: &RecordedRequest) -> Option<String> {
    let path = request.path.strip_prefix("/v2/")?;
    let end = ["/manifests/", "/blobs/", "/referrers/"].iter().filter_map(|part| path.find(part)).min()?;
    let actions = if matches!(request.method.as_str(), "GET" | "HEAD") { "pull" } else { "pull,push" };
    Some(format!("repository:{}:{actions}", &path[..end]))
}

fn bearer(request: &RecordedRequest) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

fn basic(request: &RecordedRequest) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

/// An error as the distribution specification writes it.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &serde_json::json!({ "errors": [{ "code": code, "message": message }] }))
}
