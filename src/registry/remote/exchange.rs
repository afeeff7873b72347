//! A request with everything that belongs to it: place in the queue, credentials, redirects.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue, LOCATION};
use url::Url;

use super::answer::Answer;
use super::auth::Authority;
use super::call::{Access, Call};
use super::gate::{Gates, Permit};
use super::grant::Grant;
use super::retry::Failure;
use super::session::Opening;
use super::target::{has_user, host_and_port};
use super::transport::{Outgoing, Transport};
use crate::registry::{Problem, RegistryError};

/// Redirects of one request.
const REDIRECTS: usize = 5;

/// What registries answer strangers about what they do not show them.
const HIDDEN: [u16; 2] = [403, 404];

/// Sends calls.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) transport: Transport,
    pub(super) authority: Authority,
    pub(super) gates: Gates,
}

impl Exchange {
    /// Makes one attempt: with the credentials known, or, if the registry asks
    /// who we are, once more with the ones it wants. Any status may be the answer.
    pub(super) async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let width = call.context.limits().concurrency;
        let permit = Some(self.gates.enter(call.target.repository.registry(), width).await);
        let opening = self.authority.session(call.target, call.access).open().await;
        let answer = self.follow(call, opening.grant.as_ref(), permit).await?;
        if HIDDEN.contains(&answer.status().as_u16()) && !answer.foreign && opening.is_first_of_a_stranger() {
            return self.introduce(call, opening, answer).await;
        }
        // What another host than the registry asks for is no concern of our credentials (scenario J-05).
        if answer.status() != 401 || answer.foreign {
            opening.admitted();
            return Ok(answer);
        }
        let headers = answer.headers().clone();
        let permit = answer.permit;
        // One renewal per request: a server that is never content would keep us forever (scenario I-15).
        let grant = self.authority.renew(&self.transport, call, opening, &headers).await?;
        self.follow(call, Some(&grant), permit).await
    }

    /// Some registries say to strangers that a private repository does not
    /// exist, without asking who they are (Artifactory, Harbor and Forgejo, where
    /// anonymous reading is on). Before that is believed, a user who has a login
    /// for the registry is introduced, once for a repository: the registry's
    /// root says what it wants (distribution specification, determining support),
    /// and the call is made again. A stranger stays one, and costs nothing more.
    ///
    /// A repository that showed a stranger anything is open, and its 404 is one.
    async fn introduce(&self, call: &Call<'_>, opening: Opening, answer: Answer) -> Result<Answer, Failure> {
        if call.access != Access::Pull || !self.authority.has_login(call.target).await {
            opening.admitted();
            return Ok(answer);
        }
        let Answer { permit, .. } = answer;
        let root = call.target.root().join("v2/").map_err(|error| {
            RegistryError::new(Problem::Protocol, &call.operation, format!("the registry has no root: {error}"))
        })?;
        let root = Call::get(call.context, call.target, root);
        let asked = self.follow(&root, None, permit).await?;
        if asked.status() != 401 || asked.foreign {
            // It wants nothing of anybody: what it said holds for us too.
            opening.admitted();
            return self.follow(call, None, asked.permit).await;
        }
        let headers = asked.headers().clone();
        let grant = self.authority.renew(&self.transport, call, opening, &headers).await?;
        self.follow(call, Some(&grant), asked.permit).await
    }

    /// Sends the call and follows redirects. The credentials go only to the
    /// registry's own origin, and never again after another one was visited.
    async fn follow(&self, call: &Call<'_>, grant: Option<&Grant>, permit: Option<Permit>) -> Result<Answer, Failure> {
        let Call { context, target, method, operation, .. } = call;
        let mut url = call.url.clone();
        let mut foreign = !target.owns(&url);
        for _ in 0..=REDIRECTS {
            target
                .check_address(&url)
                .map_err(|bad| RegistryError::new(Problem::CredentialScope, operation, bad.to_string()))?;
            let mut headers = call.headers.clone();
            if let Some(grant) = grant.filter(|_| !foreign) {
                headers.insert(AUTHORIZATION, grant.header.clone());
            }
            let body = call.body.clone();
            let inner = self.transport.send(Outgoing { context, operation, method, url: &url, headers, body }).await?;
            let next = match inner.status().as_u16() {
                301 | 302 | 303 | 307 | 308 if matches!(*method, Method::GET | Method::HEAD) => {
                    Some(redirect(operation, &url, inner.headers().get(LOCATION))?)
                }
                _ => None,
            };
            match next {
                Some(next) if !(call.stay_on_303 && inner.status() == 303 && !target.owns(&next)) => {
                    foreign |= !target.owns(&next);
                    url = next;
                }
                _ => {
                    let (context, operation) = ((*context).clone(), operation.clone());
                    let source = grant.map(|grant| Arc::clone(&grant.source));
                    return Ok(Answer { inner, url, foreign, source, context, operation, permit });
                }
            }
        }
        Err(RegistryError::new(Problem::Protocol, operation, format!("more than {REDIRECTS} redirects")).into())
    }
}

/// Where a redirect leads, if we may go there at all.
fn redirect(operation: &str, from: &Url, location: Option<&HeaderValue>) -> Result<Url, RegistryError> {
    let wrong = |detail: &str| RegistryError::new(Problem::Protocol, operation, detail);
    let location = location.ok_or_else(|| wrong("a redirect without a Location"))?;
    let location = location.to_str().map_err(|_| wrong("a redirect to something that is no URL"))?;
    let to = from.join(location).map_err(|_| wrong("a redirect to something that is no URL"))?;
    check_link(operation, from, &to)?;
    Ok(to)
}

/// What holds for every URL that a server gives us.
pub(super) fn check_link(operation: &str, from: &Url, to: &Url) -> Result<(), RegistryError> {
    let wrong = |detail: String| Err(RegistryError::new(Problem::Protocol, operation, detail));
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        (_, "http") => return wrong(format!("it leads from https to http on {}", host_and_port(to))),
        (_, other) => return wrong(format!("it leads to a URL of the scheme {other:?}")),
    }
    if has_user(to) {
        return wrong(format!("it leads to {} with a user name in the URL", host_and_port(to)));
    }
    Ok(())
}
