//! The registry: what it holds and how it presents it, behind a server.

use std::io;
use std::sync::Mutex;

use futures_util::FutureExt as _;

use super::auth::Tokens;
use super::routes::{Listing, Registered};
use super::{Auth, ReferrersApi};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{ImageName, Repository};
use crate::limits::Limits;
use crate::registry::{Context, Memory, Push as _};
use crate::testing::http::{Answering, Handler, RecordedRequest, Server, controls, lock};

/// A registry on `127.0.0.1`, over HTTP/1.1 and HTTP/2, in a thread
/// of its own, so that it serves tests with and without a runtime. It serves
/// what it holds and knows nothing of verification. Dropping it stops it.
///
/// ```
/// let registry = cg_attest::testing::Registry::start();
/// assert!(registry.address().starts_with("127.0.0.1:"));
/// assert!(registry.requests().is_empty());
/// ```
#[derive(Debug)]
pub struct Registry {
    server: Server<Desk>,
}

/// The registry as the server's handler.
struct Desk {
    address: String,
    registered: Registered,
    auth: Mutex<Auth>,
    listing: Mutex<Listing>,
    tokens: Mutex<Tokens>,
}

impl Desk {
    fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            registered: Registered::default(),
            auth: Mutex::default(),
            listing: Mutex::default(),
            tokens: Mutex::default(),
        }
    }
}

impl Handler for Desk {
    fn answer<'a>(&'a self, request: &'a RecordedRequest) -> Answering<'a> {
        Box::pin(async move {
            let guarded = lock(&self.auth).guard(request, &self.address, &mut lock(&self.tokens));
            let listing = *lock(&self.listing);
            match guarded {
                Some(answer) => answer,
                None => self.registered.answer(&self.address, request, listing).await,
            }
        })
    }
}

impl Registry {
    /// Starts an empty registry that is open to everybody.
    ///
    /// # Panics
    /// When the machine has no loopback address or starts no thread.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at(0).expect("a port on 127.0.0.1")
    }

    /// The same at this port; 0 is any that is free.
    ///
    /// # Errors
    /// When the port is taken.
    ///
    /// # Panics
    /// When the machine starts no thread.
    pub fn start_at(port: u16) -> io::Result<Self> {
        Ok(Self { server: Server::start(port, Desk::new)? })
    }

    /// The same with TLS, under a new certificate for the host names given.
    ///
    /// # Panics
    /// As [`start`](Self::start), and when a name cannot stand in a certificate.
    #[must_use]
    pub fn start_with_tls(names: &[&str]) -> Self {
        Self { server: Server::start_with_tls(names, Desk::new).expect("a port on 127.0.0.1") }
    }

    /// The certificate to trust, as PEM, if TLS is spoken.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.server.certificate()
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// The repository at `path` in this registry.
    ///
    /// # Panics
    /// When `path` is outside the grammar of repository names.
    #[must_use]
    pub fn repository(&self, path: &str) -> Repository {
        Repository::new(self.address(), path).expect("a repository name")
    }

    /// What the registry holds, under [`repository`](Self::repository) names. Bytes
    /// put there are served as they are, also ones that no registry would take.
    #[must_use]
    pub fn content(&self) -> &Memory {
        &self.server.handler().registered.content
    }

    /// Stores bytes as a manifest of the repository at `path`, under `tag` if one is given. They may be any bytes.
    ///
    /// # Panics
    /// When `path` is outside the grammar of repository names.
    pub fn put_manifest(&self, path: &str, tag: Option<&str>, media_type: &str, bytes: impl Into<Vec<u8>>) -> Digest {
        let blob = VerifiedBlob::of(bytes.into());
        let digest = blob.digest().clone();
        let name = tag.map_or_else(|| ImageName::Digest(digest.clone()), |tag| ImageName::Tag(tag.to_owned()));
        let (context, repository) = (Context::new(Limits::default()), self.repository(path));
        let stored = self.content().push_manifest(&context, &repository, &name, media_type, &blob).now_or_never();
        stored.expect("memory does not wait").expect("memory takes anything under its own digest");
        digest
    }

    /// Stores a blob of the repository at `path`.
    ///
    /// # Panics
    /// When `path` is outside the grammar of repository names.
    pub fn put_blob(&self, path: &str, bytes: impl Into<Vec<u8>>) -> Digest {
        let blob = VerifiedBlob::of(bytes.into());
        let (context, repository) = (Context::new(Limits::default()), self.repository(path));
        let stored = self.content().push_blob(&context, &repository, &blob).now_or_never();
        stored.expect("memory does not wait").expect("memory takes anything");
        blob.digest().clone()
    }

    /// Asks clients who they are.
    pub fn auth(&self, auth: Auth) {
        *lock(&self.server.handler().auth) = auth;
    }

    /// Changes how the referrers API behaves.
    pub fn referrers_api(&self, api: ReferrersApi) {
        lock(&self.server.handler().listing).api = api;
    }

    /// Lists at most so many referrers on one page.
    pub fn referrers_per_page(&self, per_page: usize) {
        lock(&self.server.handler().listing).per_page = Some(per_page.max(1));
    }

    /// Removes every rule.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }
}

controls!(Registry);

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;
    use crate::image::media;
    use crate::testing::http::{Answer, Fault};

    /// One request on a connection of its own; what came back, as text.
    fn ask(registry: &Registry, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(registry.address()).expect("a connection");
        let length = body.len();
        write!(stream, "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
            .expect("sending");
        let mut answer = String::new();
        // A connection that is reset on purpose ends in an error, after what came before.
        drop(stream.read_to_string(&mut answer));
        answer
    }

    #[test]
    fn serves_what_was_put_into_it_and_records_every_request() {
        let registry = Registry::start();
        registry.put_manifest("a/b", Some("t"), media::MANIFEST, "{not a manifest");
        let answer = ask(&registry, "GET /v2/a/b/manifests/t", "");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{not a manifest"), "{answer}");
        assert!(ask(&registry, "GET /v2/a/b/manifests/u", "").starts_with("HTTP/1.1 404"));
        assert_eq!(registry.lines(), ["GET /v2/a/b/manifests/t", "GET /v2/a/b/manifests/u"]);
    }

    #[test]
    fn an_upload_needs_its_state_and_its_digest() {
        let registry = Registry::start();
        let digest = Digest::sha256(b"hello");
        assert!(ask(&registry, "POST /v2/a/blobs/uploads/", "").contains("location: /v2/a/blobs/uploads/1?state=1"));
        let stateless = ask(&registry, &format!("PUT /v2/a/blobs/uploads/1?digest={digest}"), "hello");
        assert!(stateless.starts_with("HTTP/1.1 404"), "{stateless}");
        let whole = ask(&registry, &format!("PUT /v2/a/blobs/uploads/1?state=1&digest={digest}"), "hello");
        assert!(whole.starts_with("HTTP/1.1 201"), "{whole}");
        assert!(ask(&registry, &format!("GET /v2/a/blobs/{digest}"), "").ends_with("hello"));
    }

    #[test]
    fn referrers_are_listed_in_pages_and_filtered() {
        let registry = Registry::start();
        let digest = Digest::sha256(b"subject");
        for kind in ["application/x", "application/y", "application/x"] {
            let number = registry.requests().len();
            ask(&registry, "GET /v2/", "");
            let referrer = serde_json::json!({
                "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": kind, "layers": [],
                "config": { "mediaType": media::EMPTY, "size": 2, "digest": Digest::sha256(b"{}") },
                "subject": { "mediaType": media::MANIFEST, "size": 7, "digest": digest },
                "annotations": { "number": number.to_string() },
            });
            registry.put_manifest("a", None, media::MANIFEST, referrer.to_string());
        }
        let path = format!("GET /v2/a/referrers/{digest}");
        let entries = |answer: &str| answer.matches("\"digest\"").count();
        let all = ask(&registry, &path, "");
        assert!(entries(&all) == 3 && !all.contains("link:") && !all.contains("oci-filters-applied"), "{all}");
        registry.referrers_per_page(1);
        let first = ask(&registry, &format!("{path}?artifactType=application%2Fx"), "");
        assert!(entries(&first) == 1 && first.contains("oci-filters-applied: artifactType"), "{first}");
        let next = format!("link: </v2/a/referrers/{digest}?artifactType=application%2Fx&from=1>; rel=\"next\"");
        assert!(first.contains(&next), "{first}");
        let last = ask(&registry, &format!("{path}?artifactType=application%2Fx&from=1"), "");
        assert!(entries(&last) == 1 && !last.contains("link:"), "{last}");
        registry.referrers_api(ReferrersApi::Absent(405));
        assert!(ask(&registry, &path, "").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn faults_hit_the_requests_they_name() {
        let registry = Registry::start();
        registry.fault(Fault::on("/v2/").skip(1).times(1).answer(Answer::status(503).header("retry-after", "1")));
        registry.fault(Fault::on("/cut").answer(Answer::status(200).body("0123456789")).truncate(4));
        registry.fault(Fault::on("/reset").reset());
        registry.fault(Fault::on("/other").answer(Answer::redirect(307, "/x")).body("other"));
        assert!(ask(&registry, "GET /v2/", "").starts_with("HTTP/1.1 200"));
        assert!(ask(&registry, "GET /v2/", "").starts_with("HTTP/1.1 503"));
        assert!(ask(&registry, "GET /v2/", "").starts_with("HTTP/1.1 200"));
        let cut = ask(&registry, "GET /cut", "");
        assert!(cut.contains("content-length: 10") && cut.ends_with("0123"), "{cut}");
        assert_eq!(ask(&registry, "GET /reset", ""), "");
        let other = ask(&registry, "GET /other", "");
        assert!(other.contains("location: /x") && other.ends_with("other"), "{other}");
    }

    #[test]
    fn tokens_are_given_to_those_who_may_have_them() {
        let registry = Registry::start();
        registry.auth(Auth::Bearer(super::super::TokenService::new().anonymous()));
        let denied = ask(&registry, "GET /v2/a/manifests/t", "");
        assert!(denied.starts_with("HTTP/1.1 401") && denied.contains("scope=\"repository:a:pull\""), "{denied}");
        assert!(ask(&registry, "GET /token?scope=repository:a:pull", "").contains("token-1"));
        assert!(ask(&registry, "GET /token?scope=repository:a:pull,push", "").starts_with("HTTP/1.1 401"));
        let with = |token: &str| {
            ask(&registry, &format!("GET /v2/a/manifests/t HTTP/1.1\r\nauthorization: Bearer {token}\r\nx:"), "")
        };
        assert!(with("token-1").starts_with("HTTP/1.1 404"));
        assert!(with("token-2").starts_with("HTTP/1.1 401"));
    }
}
