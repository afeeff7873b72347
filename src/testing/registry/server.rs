//! The server: a thread, a socket on the loopback address, and the handle to both.
#![expect(clippy::disallowed_methods, reason = "the server is a thread with tasks; dropping the handle ends both")]

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::auth::Tokens;
use super::fault::Effect;
use super::routes::{Listing, Registered};
use super::{Answer, Auth, Fault, RecordedRequest, ReferrersApi};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{ImageName, Repository};
use crate::limits::Limits;
use crate::registry::{Context, Memory, Push as _};

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
    shared: Arc<Shared>,
    /// PEM, if TLS is spoken.
    certificate: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    address: String,
    registered: Registered,
    settings: Mutex<Settings>,
    log: Mutex<Vec<RecordedRequest>>,
    tokens: Mutex<Tokens>,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

#[derive(Debug, Default)]
struct Settings {
    delay: Duration,
    auth: Auth,
    listing: Listing,
    faults: Vec<Fault>,
}

/// A body that can break in the middle.
type Body = UnsyncBoxBody<Bytes, io::Error>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Starts an empty registry that is open to everybody.
    ///
    /// # Panics
    /// When the machine has no loopback address or starts no thread.
    #[must_use]
    pub fn start() -> Self {
        Self::launch(None, None)
    }

    /// The same with TLS, under a new certificate for the host names given.
    ///
    /// # Panics
    /// As [`start`](Self::start), and when a name cannot stand in a certificate.
    #[must_use]
    pub fn start_with_tls(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the provider has the usual versions").with_no_client_auth();
        let mut config = config.with_single_cert(vec![made.cert.der().clone()], key.into()).expect("its own key");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::launch(Some(TlsAcceptor::from(Arc::new(config))), Some(made.cert.pem()))
    }

    fn launch(tls: Option<TlsAcceptor>, certificate: Option<String>) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port on 127.0.0.1");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let address = listener.local_addr().expect("the address that was bound").to_string();
        let shared = Arc::new(Shared {
            address,
            registered: Registered::default(),
            settings: Mutex::default(),
            log: Mutex::default(),
            tokens: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(future::select(Box::pin(serve(listener, tls, served)), stopped));
        });
        Self { shared, certificate, stop: Some(stop), thread: Some(thread) }
    }

    /// The certificate to trust, as PEM, if TLS is spoken.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.address
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
        &self.shared.registered.content
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

    /// Waits this long before every answer.
    pub fn delay(&self, delay: Duration) {
        lock(&self.shared.settings).delay = delay;
    }

    /// Asks clients who they are.
    pub fn auth(&self, auth: Auth) {
        lock(&self.shared.settings).auth = auth;
    }

    /// Changes how the referrers API behaves.
    pub fn referrers_api(&self, api: ReferrersApi) {
        lock(&self.shared.settings).listing.api = api;
    }

    /// Lists at most so many referrers on one page.
    pub fn referrers_per_page(&self, per_page: usize) {
        lock(&self.shared.settings).listing.per_page = Some(per_page.max(1));
    }

    /// Adds a rule; earlier rules go first. Faults come before the guard: they see every request.
    pub fn fault(&self, fault: Fault) {
        lock(&self.shared.settings).faults.push(fault);
    }

    /// Removes every rule.
    pub fn clear_faults(&self) {
        lock(&self.shared.settings).faults.clear();
    }

    /// Every request since the start or the last [`clear_log`](Self::clear_log), in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared.log).clone()
    }

    /// [`RecordedRequest::line`] of every request.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        lock(&self.shared.log).iter().map(RecordedRequest::line).collect()
    }

    /// Forgets the requests seen so far.
    pub fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }

    /// The largest number of requests that were being answered at one time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.shared.max_in_flight.load(Ordering::Relaxed)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the server has been printed by its thread.
            drop(thread.join());
        }
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket inside a runtime");
    loop {
        // An error here is one of the connection that was about to be accepted.
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(connection, shared).await,
                // A client that does not like our certificate hangs up.
                Some(tls) => {
                    if let Ok(connection) = tls.accept(connection).await {
                        converse(connection, shared).await;
                    }
                }
            }
        });
    }
}

async fn converse(connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| respond(Arc::clone(&shared), request));
    // How a connection ends is the client's matter, or a fault that was asked for.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), service).await);
}

/// An error of the service: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
struct Reset;

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    shared.max_in_flight.fetch_max(now, Ordering::Relaxed);
    let _arrived = Leaving(Arc::clone(&shared));

    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Reset)?.to_bytes();
    let request = RecordedRequest::new(&parts, body);
    lock(&shared.log).push(request.clone());
    let (delay, listing, effect) = {
        let settings = lock(&shared.settings);
        let effect = settings.faults.iter().find_map(|fault| fault.hit(&request)).unwrap_or_default();
        (settings.delay, settings.listing, effect)
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if effect.stall {
        future::pending::<Infallible>().await;
    }
    if effect.reset {
        return Err(Reset);
    }
    let computed = effect.computed.as_ref().and_then(|compute| compute(&request));
    let mut answer = match effect.answer.clone().or(computed) {
        Some(answer) => answer,
        None => {
            let guarded = lock(&shared.settings).auth.guard(&request, &shared.address, &mut lock(&shared.tokens));
            match guarded {
                Some(answer) => answer,
                None => shared.registered.answer(&shared.address, &request, listing).await,
            }
        }
    };
    let changed = |name: &str| effect.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some(body) = &effect.body {
        answer.body = body.clone();
    }
    answer.headers.retain(|(name, _)| !changed(name));
    answer.headers.extend(effect.headers.iter().cloned());
    Ok(response(answer, &effect, request.method == "HEAD"))
}

struct Leaving(Arc<Shared>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn response(answer: Answer, effect: &Effect, head: bool) -> Response<Body> {
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).expect("an HTTP status"));
    let declared = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let broken = effect.truncate.or(effect.stall_after).is_some();
    if !declared && (head || broken) {
        response = response.header("content-length", answer.body.len());
    }
    let body = if head { Bytes::new() } else { answer.body };
    let part = |bytes: usize| Ok(Frame::data(body.slice(..bytes.min(body.len()))));
    let body = if let Some(bytes) = effect.truncate {
        let end = async {
            // A pause lets the server send what came before the break.
            tokio::task::yield_now().await;
            Err(io::Error::other("cut off on purpose"))
        };
        BodyExt::boxed_unsync(StreamBody::new(stream::iter([part(bytes)]).chain(stream::once(end))))
    } else if let Some(bytes) = effect.stall_after {
        BodyExt::boxed_unsync(StreamBody::new(stream::iter([part(bytes)]).chain(stream::pending())))
    } else {
        Full::new(body).map_err(|never| match never {}).boxed_unsync()
    };
    response.body(body).expect("headers that a test wrote correctly")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;
    use crate::image::media;

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
