//! Credentials on requests: when a registry wants some, which, and who may see them.
//!
//! 1. The first request of a repository goes without credentials, alone; the
//!    others wait for its outcome, so a run costs one extra request or two, not
//!    one per request.
//! 2. On 401, the challenge says what is wanted: a token from a token service,
//!    or name and password.
//!    A 403 or 404 may be all that a stranger is told of a private repository:
//!    where there is a login, the registry is asked what it wants before that is believed.
//! 3. A login goes to the registry's own origin, to an https host under the
//!    registry's name (`auth.example.com` for `example.com`), to the token
//!    services of Docker Hub and GitLab, and where the caller allowed it
//!    ([`RemoteOptions::token_host`](super::RemoteOptions::token_host)). Anything else is an
//!    error (scenario J-01): a registry must not choose who gets a password.
//!    Somebody without a login may be sent to any https host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

use super::answer;
use super::call::{Access, Call};
use super::challenge::{self, Challenge};
use super::credentials::{Credentials, Found, Kind};
use super::grant::{Grant, basic, bearer};
use super::retry::Failure;
use super::session::{Opening, Session, State};
use super::target::{Target, has_user, host_and_port};
use super::token::TokenRequest;
use super::transport::Transport;
use crate::registry::{Problem, RegistryError};

/// Everything about who we are.
#[derive(Debug)]
pub(super) struct Authority {
    credentials: Credentials,
    /// Registry, and host that may see its login.
    token_hosts: BTreeSet<(String, String)>,
    sessions: Mutex<BTreeMap<(String, Access), Arc<Session>>>,
}

impl Authority {
    pub(super) fn new(credentials: Credentials, token_hosts: BTreeSet<(String, String)>) -> Self {
        Self { credentials, token_hosts, sessions: Mutex::default() }
    }

    /// The session for one kind of access to a repository.
    pub(super) fn session(&self, target: &Target, access: Access) -> Arc<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.repository.to_string(), access);
        let session = sessions.entry(key).or_insert_with(|| {
            // A token that the caller gave for this registry needs no invitation.
            let registry = target.repository.registry();
            let given = self.credentials.given(registry).and_then(|login| match &login.0 {
                Kind::Bearer(token) => bearer(token.reveal(), &format!("the token given for {registry}"), None),
                _ => None,
            });
            Arc::new(Session::new(given.map_or(State::Unknown, State::Granted)))
        });
        Arc::clone(session)
    }

    /// Whether there is anything to say about who we are.
    pub(super) async fn has_login(&self, target: &Target) -> bool {
        self.credentials.find(&target.repository).await.login.is_some()
    }

    /// What to send after a 401. One request asks, the others share the answer.
    pub(super) async fn renew(
        &self,
        transport: &Transport,
        call: &Call<'_>,
        opening: Opening,
        headers: &HeaderMap,
    ) -> Result<Grant, Failure> {
        let Opening { session, serial, flight, .. } = opening;
        let _flight = match flight {
            Some(flight) => flight,
            None => Arc::clone(&session.flight).lock_owned().await,
        };
        let known = session.known();
        if let State::Granted(grant) = known.state
            && known.serial != serial
        {
            return Ok(grant);
        }
        let grant = self.ask(transport, call, headers).await?;
        session.learn(State::Granted(grant.clone()));
        Ok(grant)
    }

    /// Answers the registry's challenge.
    async fn ask(&self, transport: &Transport, call: &Call<'_>, headers: &HeaderMap) -> Result<Grant, Failure> {
        let challenges = challenge::parse(answer::values(headers, &WWW_AUTHENTICATE));
        let Found { login, source } = self.credentials.find(&call.target.repository).await;
        let denied = |detail: String| {
            let told = format!("access is denied (401): {detail}; {source}");
            Failure::from(RegistryError::new(Problem::Denied, &call.operation, told).with_status(401))
        };
        if let Some(Kind::Bearer(token)) = login.as_ref().map(|login| &login.0) {
            return bearer(token.reveal(), &source, None)
                .ok_or_else(|| denied("the token given is no token".to_owned()));
        }
        // A token is worth less than a password to whoever overhears it.
        let wanted = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        match wanted.or_else(|| challenges.first()) {
            Some(Challenge::Bearer { realm, service, scope }) => {
                let realm = self.realm(call, realm, login.is_some(), &source)?;
                let login = login.as_ref().map(|login| &login.0);
                let scopes = scopes(call.target, call.access, scope.as_deref());
                let service = service.as_deref();
                TokenRequest { realm, service, scopes, login, source: &source }.send(transport, call).await
            }
            Some(Challenge::Basic) => match login.map(|login| login.0) {
                Some(Kind::Password { username, password }) => {
                    let header = basic(&username, password.reveal());
                    Ok(Grant { header, source: source.into(), expires: None })
                }
                _ => Err(denied("a user name and password are wanted".to_owned())),
            },
            None => Err(denied("the registry does not say what it wants".to_owned())),
        }
    }

    /// The token service, if it may be asked with or without a login.
    fn realm(&self, call: &Call<'_>, realm: &str, with_login: bool, source: &str) -> Result<Url, RegistryError> {
        let target = call.target;
        let refuse = |detail: String| Err(RegistryError::new(Problem::CredentialScope, &call.operation, detail));
        let realm = match Url::parse(realm) {
            Ok(realm) if matches!(realm.scheme(), "http" | "https") && !has_user(&realm) => realm,
            _ => {
                let detail = "the token service that the registry names is no URL";
                return Err(RegistryError::new(Problem::Protocol, &call.operation, detail));
            }
        };
        let host = host_and_port(&realm);
        if target.root().scheme() == "https" && realm.scheme() == "http" {
            return refuse(format!("the token service {host} is reached without TLS, the registry with it"));
        }
        if let Err(bad) = target.check_address(&realm) {
            return refuse(bad.to_string());
        }
        if with_login && !self.may_see_login(target, &realm) {
            return refuse(format!(
                "the registry wants the login ({source}) sent to {host}, which is not known to belong to it"
            ));
        }
        Ok(realm)
    }

    fn may_see_login(&self, target: &Target, realm: &Url) -> bool {
        if target.owns(realm) {
            return true;
        }
        if realm.scheme() != "https" {
            return false;
        }
        let host = host_and_port(realm);
        let registry = target.repository.registry();
        let known = [("docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")];
        if known.contains(&(registry, host.as_str())) || self.token_hosts.contains(&(registry.to_owned(), host.clone()))
        {
            return true;
        }
        // Who owns a name owns the names under it. No port on either side: on
        // another one, somebody else may listen.
        target.root().port().is_none()
            && target
                .root()
                .domain()
                .is_some_and(|own| host.strip_suffix(own).is_some_and(|under| under.ends_with('.')))
    }
}

/// What is asked for: our own need, and the registry's wish if that is for no more than reading.
fn scopes(target: &Target, access: Access, wish: Option<&str>) -> Vec<String> {
    let actions = match access {
        Access::Pull => "pull",
        Access::Push => "pull,push",
        Access::Delete => "pull,push,delete",
    };
    let own = format!("repository:{}:{actions}", target.repository.path());
    // A registry that could name any scope would get a token for anything the
    // login may do; about the repository itself we know what we need.
    let harmless = |scope: &&str| {
        let more = ["push", "delete", "*"].iter().any(|action| scope.contains(action));
        !more && scope.len() <= 512 && !scope.starts_with(&format!("repository:{}:", target.repository.path()))
    };
    let wish = wish.filter(harmless).map(str::to_owned);
    std::iter::once(own).chain(wish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Repository;
    use crate::limits::Limits;
    use crate::registry::Context;

    fn target(registry: &str) -> Target {
        let plain = BTreeSet::from(["plain.example".to_owned()]);
        Target::new(Repository::new(registry, "a/b").expect("a repository"), &plain).expect("a target")
    }

    fn may(registry: &str, realm: &str) -> bool {
        let hosts = BTreeSet::from([("reg.corp.example".to_owned(), "login.corp.example:8443".to_owned())]);
        let authority = Authority::new(Credentials::default(), hosts);
        authority.may_see_login(&target(registry), &Url::parse(realm).expect("a URL"))
    }

    #[test]
    fn a_login_goes_only_to_its_registry_and_known_token_services() {
        for (registry, realm) in [
            ("cgr.dev", "https://cgr.dev/token"),
            ("docker.io", "https://auth.docker.io/token"),
            ("docker.io", "https://registry-1.docker.io/token"),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("example.com", "https://auth.example.com/token"),
            ("reg.corp.example", "https://login.corp.example:8443/t"),
            ("plain.example", "http://plain.example/token"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000/token"),
        ] {
            assert!(may(registry, realm), "{registry} → {realm}");
        }
        for (registry, realm) in [
            ("cgr.dev", "https://evil.example/token"),
            ("cgr.dev", "https://cgr.dev.evil.example/token"),
            ("cgr.dev", "https://xcgr.dev/token"),
            ("cgr.dev", "http://cgr.dev/token"),
            ("cgr.dev", "https://cgr.dev:8443/token"),
            ("example.com", "https://auth.example.com:8443/token"),
            // A sibling under a common parent may belong to somebody else.
            ("registry.example.com", "https://auth.example.com/token"),
            ("registry.example.com", "https://example.com/token"),
            ("cgr.dev", "https://auth.docker.io/token"),
            ("reg.corp.example", "https://login.corp.example/t"),
            ("plain.example", "http://auth.plain.example/token"),
            ("127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ] {
            assert!(!may(registry, realm), "{registry} → {realm}");
        }
    }

    /// J-03, J-02, for strangers too.
    #[test]
    fn a_token_service_is_reached_with_tls_and_outside_of_this_machine() {
        let authority = Authority::new(Credentials::default(), BTreeSet::new());
        let context = Context::new(Limits::default());
        let target = target("cgr.dev");
        let call = Call::get(&context, &target, target.url("manifests/latest"));
        let problem = |realm, login| authority.realm(&call, realm, login, "").err().map(|error| error.problem());
        assert_eq!(problem("https://cgr.dev/token", true), None);
        assert_eq!(problem("https://tokens.example/token", false), None);
        assert_eq!(problem("https://tokens.example/token", true), Some(Problem::CredentialScope));
        for realm in
            ["http://cgr.dev/token", "https://169.254.169.254/", "https://localhost/", "https://[::ffff:7f00:1]/"]
        {
            assert_eq!(problem(realm, false), Some(Problem::CredentialScope), "{realm}");
        }
        for realm in ["cgr.dev/token", "ftp://cgr.dev/", "https://user@cgr.dev/", "https://:pass@cgr.dev/", ""] {
            assert_eq!(problem(realm, false), Some(Problem::Protocol), "{realm}");
        }
    }

    #[test]
    fn a_registry_cannot_ask_for_more_than_was_wanted() {
        let scopes = |access, wish| scopes(&target("cgr.dev"), access, wish);
        assert_eq!(scopes(Access::Pull, None), ["repository:a/b:pull"]);
        assert_eq!(scopes(Access::Pull, Some("repository:a/b:pull")), ["repository:a/b:pull"]);
        assert_eq!(scopes(Access::Pull, Some("aws")), ["repository:a/b:pull", "aws"]);
        assert_eq!(scopes(Access::Pull, Some("repository:a/b:pull,push")), ["repository:a/b:pull"]);
        assert_eq!(scopes(Access::Pull, Some("registry:catalog:*")), ["repository:a/b:pull"]);
        assert_eq!(scopes(Access::Push, Some("repository:a/b:pull")), ["repository:a/b:pull,push"]);
    }

    #[test]
    fn a_grant_does_not_print_its_secret() {
        let grant = bearer("s3cret", "a file", None).expect("a token");
        let header = basic("user", "s3cret");
        assert!(!format!("{grant:?} {header:?}").contains("s3cret"));
        assert!(bearer("two\r\nlines", "a file", None).is_none());
    }
}
