//! The server: which request goes to which service, and what its user is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::fault::ServiceFault;
use super::login::{self, Logins};
use super::oidc::Issuer;
use super::{claims, fulcio, oidc, rekor_v1, rekor_v2, tsa};
use crate::testing::http::{Answer, Answering, Handler, RecordedRequest, Server, controls, lock};
use crate::testing::sigstore::{VirtualSigstore, sha256};
use crate::time::Timestamp;

/// A virtual Sigstore that serves on `127.0.0.1`, for clients that sign. Dropping it stops it.
///
/// ```
/// use cg_attest::testing::{ServiceFault, SigstoreServer};
///
/// let server = SigstoreServer::start();
/// // What a client is given: where the services are, whom to trust, who it is.
/// let (config, root) = (server.signing_config_json(), server.trusted_root_json());
/// let token = server.email_token("alice@example.com");
/// // From now on Fulcio answers with a certificate for a key of its own.
/// server.lie(ServiceFault::CertificateForAnotherKey);
/// # assert!(config.contains("rekorTlogUrls") && root.contains("tlogs") && token.split('.').count() == 3);
/// ```
///
/// What is at [`Self::url`]:
///
/// - The issuer, whose name is that URL: `/.well-known/openid-configuration`,
///   `/keys`, `/auth` and `/device/code` (both say yes at once), `/token`.
///   A token, as text, for whoever is described is at
///   `/token?email=alice@example.com`, in the shape of GitHub Actions at
///   `/token?repository=octo/hello&ref=refs/heads/main` (every parameter is a
///   claim), and with nothing more than a name at
///   `/token?sub=spiffe://example.com/builder`; `audience` and `lifetime`
///   (seconds, also negative) go with all three. A workflow's ambient endpoint
///   is `/actions?audience=sigstore`, with [`Self::request_token`] as bearer token.
/// - Fulcio: `/api/v2/signingCert`, `/api/v2/trustBundle`, `/api/v2/configuration`.
/// - Rekor v2: `/api/v2/log/entries`. Rekor v1: `/api/v1/log`,
///   `/api/v1/log/entries`, `/api/v1/log/publicKey`.
/// - The timestamp authority: `/api/v1/timestamp`, `/api/v1/timestamp/certchain`.
///
/// The services live in the present, unlike [`VirtualSigstore`], whose time is
/// a value: clients that sign do so now.
///
/// To break things: [`Self::fault`] for what HTTP can do (refusals,
/// `Retry-After`, silence, web pages), [`Self::lie`] for answers that are
/// well-formed and false.
#[derive(Debug)]
pub struct SigstoreServer {
    server: Server<Services>,
}

/// The services, and what they have to remember.
pub(super) struct Services {
    pub(super) url: String,
    pub(super) issuer: Issuer,
    pub(super) logins: Logins,
    person: Mutex<String>,
    sigstore: VirtualSigstore,
    rekor_v1: rekor_v1::Entries,
    /// Where in Rekor v2 an entry is, by the hash of its `spec`.
    rekor_v2: Mutex<BTreeMap<[u8; 32], u64>>,
    lies: Mutex<BTreeSet<ServiceFault>>,
}

impl SigstoreServer {
    /// Starts an instance with keys of its own.
    ///
    /// # Panics
    /// When the machine has no loopback address, no randomness or starts no thread.
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
    /// When the machine has no randomness or starts no thread.
    pub fn start_at(port: u16) -> io::Result<Self> {
        let sigstore = VirtualSigstore::on_loopback();
        Ok(Self { server: Server::start(port, |address| Services::new(address, sigstore))? })
    }

    /// Starts an instance whose logs are empty: its first entry is number zero and its proof has no hashes.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with_empty_logs() -> Self {
        let sigstore = VirtualSigstore::on_loopback_before_the_first_entry();
        let server = Server::start(0, |address| Services::new(address, sigstore));
        Self { server: server.expect("a port on 127.0.0.1") }
    }

    /// Where everything is, `http://127.0.0.1:PORT`: the services and, under the same name, the issuer.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.services().url
    }

    /// The trust root (`application/vnd.dev.sigstore.trustedroot+json;version=0.1`).
    #[must_use]
    pub fn trusted_root_json(&self) -> String {
        self.services().sigstore.trusted_root_at(self.url()).to_string()
    }

    /// A signing config (version 0.2) with Rekor v2.
    #[must_use]
    pub fn signing_config_json(&self) -> String {
        self.signing_config(2).to_string()
    }

    /// A signing config (version 0.2) with Rekor v1.
    #[must_use]
    pub fn signing_config_v1_json(&self) -> String {
        self.signing_config(1).to_string()
    }

    /// Trust root and signing config in one document, as sigstore-python reads them.
    #[must_use]
    pub fn client_trust_config_json(&self) -> String {
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.services().sigstore.trusted_root_at(self.url()),
            "signingConfig": self.signing_config(2),
        });
        config.to_string()
    }

    /// A token for a person, valid for ten minutes.
    #[must_use]
    pub fn email_token(&self, email: &str) -> String {
        self.email_token_for(email, Duration::from_secs(600))
    }

    /// A token for a person, valid for as long as this.
    #[must_use]
    pub fn email_token_for(&self, email: &str, lifetime: Duration) -> String {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        oidc::token(self.services(), &claims::person(email), oidc::SIGSTORE, lifetime, now())
    }

    /// A token for a workflow of GitHub Actions, valid for ten minutes. Claims
    /// that are not given follow from those that are, or are an example's.
    #[must_use]
    pub fn workflow_token(&self, claims: &[(&str, &str)]) -> String {
        let given: BTreeMap<String, String> =
            claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        oidc::token(self.services(), &claims::workflow(&given), oidc::SIGSTORE, oidc::LIFETIME, now())
    }

    /// Takes browsers and devices for this person from now on, where they do not say who they are (`login_hint`).
    pub fn log_in_as(&self, email: &str) {
        email.clone_into(&mut lock(&self.services().person));
    }

    /// What a workflow finds in `ACTIONS_ID_TOKEN_REQUEST_URL`.
    #[must_use]
    pub fn request_url(&self) -> String {
        format!("{}/actions?api-version=2.0", self.url())
    }

    /// What a workflow finds in `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    #[must_use]
    pub fn request_token(&self) -> &str {
        &self.services().issuer.request_token
    }

    /// The instance at this moment, to mint with its keys what no service would answer with.
    #[must_use]
    pub fn sigstore(&self) -> VirtualSigstore {
        self.services().now()
    }

    /// Tells this lie from now on.
    pub fn lie(&self, fault: ServiceFault) {
        lock(&self.services().lies).insert(fault);
    }

    /// Ends all lies and rules.
    pub fn clear_faults(&self) {
        lock(&self.services().lies).clear();
        self.server.clear_faults();
    }

    fn services(&self) -> &Services {
        self.server.handler()
    }

    fn signing_config(&self, rekor: u32) -> Value {
        let service = |path: &str, version: u32| {
            let since = json!({ "start": "2000-01-01T00:00:00Z" });
            let url = format!("{}{path}", self.url());
            json!([{ "url": url, "majorApiVersion": version, "validFor": since, "operator": "virtual.sigstore.test" }])
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service("", 1),
            "oidcUrls": service("", 1),
            "rekorTlogUrls": service("", rekor),
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": service("/api/v1/timestamp", 1),
            "tsaConfig": { "selector": "ANY" },
        })
    }
}

controls!(SigstoreServer);

impl Services {
    fn new(address: &str, sigstore: VirtualSigstore) -> Self {
        let url = format!("http://{address}");
        Self {
            issuer: Issuer::new(&url),
            logins: Logins::default(),
            person: Mutex::new("dev@example.com".to_owned()),
            url,
            sigstore,
            rekor_v1: rekor_v1::Entries::default(),
            rekor_v2: Mutex::default(),
            lies: Mutex::default(),
        }
    }

    pub(super) fn lies(&self, fault: ServiceFault) -> bool {
        lock(&self.lies).contains(&fault)
    }

    /// Who logs in.
    pub(super) fn person(&self) -> String {
        lock(&self.person).clone()
    }

    /// The index of the entry with this `spec` in Rekor v2.
    pub(super) fn logged_v2(&self, spec: &Value) -> Option<u64> {
        lock(&self.rekor_v2).get(&sha256(spec.to_string().as_bytes())).copied()
    }

    pub(super) fn note_v2(&self, spec: &Value, index: u64) {
        lock(&self.rekor_v2).insert(sha256(spec.to_string().as_bytes()), index);
    }

    fn now(&self) -> VirtualSigstore {
        self.sigstore.at(now())
    }

    fn route(&self, request: &RecordedRequest) -> Answer {
        let now = self.now();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => self.issuer.configuration(),
            ("GET", "/keys") => self.issuer.keys(),
            ("GET", "/auth") => login::authorize(self, request),
            ("GET", "/device") => login::device_page(),
            ("POST", "/device/code") => login::device(self, request),
            ("POST", "/token") => login::exchange(self, request, now.now()),
            ("GET", "/token") => oidc::described(self, request, now.now()),
            ("GET", "/actions") => oidc::ambient(self, request, now.now()),
            ("POST", "/api/v2/signingCert") => fulcio::signing_certificate(self, &now, request),
            ("GET", "/api/v2/trustBundle") => fulcio::trust_bundle(&now),
            ("GET", "/api/v2/configuration") => fulcio::configuration(self),
            ("POST", "/api/v2/log/entries") => rekor_v2::create(self, &now, request),
            ("POST", "/api/v1/log/entries") => self.rekor_v1.create(self, &now, request),
            ("GET", "/api/v1/log") => rekor_v1::log_info(&now),
            ("GET", "/api/v1/log/publicKey") => rekor_v1::public_key(&now),
            ("GET", path) if path.starts_with("/api/v1/log/entries") => self.rekor_v1.get(request),
            ("POST", "/api/v1/timestamp") => tsa::timestamp(self, &now, request),
            ("GET", "/api/v1/timestamp/certchain") => tsa::certificates(&now),
            _ => Answer::json(404, &json!({ "code": 5, "message": "Not Found", "details": [] })),
        }
    }
}

impl Handler for Services {
    fn answer<'a>(&'a self, request: &'a RecordedRequest) -> Answering<'a> {
        Box::pin(std::future::ready(self.route(request)))
    }
}

/// The time on the wall: clients that sign live in the present.
#[expect(
    clippy::disallowed_methods,
    reason = "the services are an edge; what they serve is made for a time that is given"
)]
fn now() -> Timestamp {
    std::time::SystemTime::now().try_into().expect("a clock between the years 1 and 9999")
}
