//! The server: a thread, a socket on the loopback address, and the handle to both.
#![expect(clippy::disallowed_methods, reason = "the server is a thread with tasks; dropping the handle ends both")]

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::fault::Effect;
use super::{Answer, Fault, RecordedRequest, Waves};

/// What a handler answers with, in time.
pub(in crate::testing) type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What a server serves.
pub(in crate::testing) trait Handler: Send + Sync + 'static {
    /// The right answer; faults come before it.
    fn answer<'a>(&'a self, request: &'a RecordedRequest) -> Answering<'a>;
}

/// A server on `127.0.0.1`, over HTTP/1.1 and HTTP/2, in a thread of its own,
/// so that it serves tests with and without a runtime. Dropping it stops it.
pub(in crate::testing) struct Server<H> {
    shared: Arc<Shared<H>>,
    /// PEM, if TLS is spoken.
    certificate: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<H> {
    address: String,
    handler: H,
    settings: Mutex<Settings>,
    log: Mutex<Vec<RecordedRequest>>,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

#[derive(Default)]
struct Settings {
    delay: Duration,
    faults: Vec<Fault>,
    waves: Option<Waves>,
    /// A server that is there for days does not remember what it was asked.
    forgets: bool,
}

/// Bytes of a request: a large layer.
const MAX_BODY: usize = 2 << 30;

/// A body that can break in the middle.
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a mutex holds. A test that panicked left it whole: every change here is one assignment or insertion.
pub(in crate::testing) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<H: Handler> Server<H> {
    /// Serves what `handler` makes of the server's address, at any free port (0) or the one that is given.
    ///
    /// # Errors
    /// When the port is taken.
    ///
    /// # Panics
    /// When the machine starts no thread.
    pub(in crate::testing) fn start(port: u16, handler: impl FnOnce(&str) -> H) -> io::Result<Self> {
        Self::launch(port, None, None, handler)
    }

    /// The same with TLS, under a new certificate for the host names given.
    pub(in crate::testing) fn start_with_tls(names: &[&str], handler: impl FnOnce(&str) -> H) -> io::Result<Self> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the provider has the usual versions").with_no_client_auth();
        let mut config = config.with_single_cert(vec![made.cert.der().clone()], key.into()).expect("its own key");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::launch(0, Some(TlsAcceptor::from(Arc::new(config))), Some(made.cert.pem()), handler)
    }

    fn launch(
        port: u16,
        tls: Option<TlsAcceptor>,
        certificate: Option<String>,
        handler: impl FnOnce(&str) -> H,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?.to_string();
        let shared = Arc::new(Shared {
            handler: handler(&address),
            address,
            settings: Mutex::default(),
            log: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(future::select(Box::pin(serve(listener, tls, served)), stopped));
        });
        Ok(Self { shared, certificate, stop: Some(stop), thread: Some(thread) })
    }

    /// What is served.
    pub(in crate::testing) fn handler(&self) -> &H {
        &self.shared.handler
    }

    /// The certificate to trust, as PEM, if TLS is spoken.
    pub(in crate::testing) fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// `127.0.0.1:PORT`.
    pub(in crate::testing) fn address(&self) -> &str {
        &self.shared.address
    }

    /// Waits this long before every answer.
    pub(in crate::testing) fn delay(&self, delay: Duration) {
        lock(&self.shared.settings).delay = delay;
    }

    /// Answers in these waves from now on.
    pub(in crate::testing) fn hold(&self, waves: &Waves) {
        lock(&self.shared.settings).waves = Some(waves.clone());
    }

    /// Keeps no log from now on.
    pub(in crate::testing) fn forget_requests(&self) {
        lock(&self.shared.settings).forgets = true;
        self.clear_log();
    }

    /// Adds a rule; earlier rules go first. Faults come before the handler: they see every request.
    pub(in crate::testing) fn fault(&self, fault: Fault) {
        lock(&self.shared.settings).faults.push(fault);
    }

    /// Removes every rule.
    pub(in crate::testing) fn clear_faults(&self) {
        lock(&self.shared.settings).faults.clear();
    }

    /// Every request since the start or the last [`clear_log`](Self::clear_log), in order of arrival.
    pub(in crate::testing) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared.log).clone()
    }

    /// [`RecordedRequest::line`] of every request.
    pub(in crate::testing) fn lines(&self) -> Vec<String> {
        lock(&self.shared.log).iter().map(RecordedRequest::line).collect()
    }

    /// Forgets the requests seen so far.
    pub(in crate::testing) fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }

    /// The largest number of requests that were being answered at one time.
    pub(in crate::testing) fn max_in_flight(&self) -> usize {
        self.shared.max_in_flight.load(Ordering::Relaxed)
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

impl<H> Drop for Server<H> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the server has been printed by its thread.
            drop(thread.join());
        }
    }
}

async fn serve<H: Handler>(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared<H>>) {
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

async fn converse<H: Handler>(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared<H>>,
) {
    let service = service_fn(move |request| respond(Arc::clone(&shared), request));
    // How a connection ends is the client's matter, or a fault that was asked for.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), service).await);
}

/// An error of the service: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
struct Reset;

async fn respond<H: Handler>(shared: Arc<Shared<H>>, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    shared.max_in_flight.fetch_max(now, Ordering::Relaxed);
    let _arrived = Leaving(Arc::clone(&shared));

    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Reset)?.to_bytes();
    let request = RecordedRequest::new(&parts, body);
    let (delay, waves, effect) = {
        let settings = lock(&shared.settings);
        if !settings.forgets {
            lock(&shared.log).push(request.clone());
        }
        let effect = settings.faults.iter().find_map(|fault| fault.hit(&request)).unwrap_or_default();
        (settings.delay, settings.waves.clone(), effect)
    };
    if let Some(waves) = waves {
        waves.arrive().await;
    }
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
        None => shared.handler.answer(&request).await,
    };
    let changed = |name: &str| effect.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some(body) = &effect.body {
        answer.body = body.clone();
    }
    answer.headers.retain(|(name, _)| !changed(name));
    answer.headers.extend(effect.headers.iter().cloned());
    Ok(response(answer, &effect, request.method == "HEAD"))
}

struct Leaving<H>(Arc<Shared<H>>);

impl<H> Drop for Leaving<H> {
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
