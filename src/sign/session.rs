//! One run of signing: one key, one certificate, as many signatures as are wanted.

use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::bundle::{Material, Parts, pae};
use super::certificate::Certificate;
use super::config::{Endpoint, Services};
use super::entry::{Content, Entry, Submission, Verifier};
use super::key::SigningKey;
use super::legacy::LegacySignature;
use super::oidc::Token;
use super::service::{Desk, Service};
use super::{SignError, SignedBundle, clock, fulcio, rekor_v1, rekor_v2, tsa};
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::net::Http;
use crate::signer::Signer;
use crate::trust::TrustRoot;

/// Times that a log is offered a new signature because it has the last one already.
const OFFERS: u32 = 3;

/// Signs statements and files, as one identity or with one key.
///
/// The certificate is asked for with the first signature and used for all of
/// them; a new key and certificate are taken when its time runs out. Signatures
/// may be made concurrently. Nothing leaves that our own verifier did not
/// accept under the trust root.
#[derive(Debug)]
pub struct Session {
    services: Services,
    trust: TrustRoot,
    credential: Credential,
    http: Http,
    limits: Limits,
    /// The certificate of this run, asked for once even if many wait for it.
    issued: Mutex<Option<Arc<Issued>>>,
    places: Semaphore,
}

#[derive(Debug)]
enum Credential {
    Token(Box<Keyless>),
    Key(Arc<SigningKey>),
}

#[derive(Debug)]
struct Keyless {
    token: Token,
    authority: Endpoint,
    audience: String,
}

/// A key made for this run, and its certificate.
#[derive(Debug)]
struct Issued {
    key: SigningKey,
    certificate: Certificate,
}

/// What one signature is made with.
enum Holder {
    Issued(Arc<Issued>),
    Key(Arc<SigningKey>),
}

impl Holder {
    fn key(&self) -> &SigningKey {
        match self {
            Self::Issued(issued) => &issued.key,
            Self::Key(key) => key,
        }
    }

    fn verifier(&self) -> Verifier<'_> {
        match self {
            Self::Issued(issued) => Verifier::Certificate(&issued.certificate.leaf),
            Self::Key(key) => Verifier::Key(key.public_key_der()),
        }
    }
}

/// A signature with everything that vouches for it, not verified yet.
struct Made {
    holder: Holder,
    signature: Vec<u8>,
    entries: Vec<Entry>,
    timestamps: Vec<Vec<u8>>,
}

impl Session {
    /// A session that signs as whoever `token` is about. `audience` is what
    /// the certificate authority wants the token to be for
    /// ([`DEFAULT_AUDIENCE`](super::oidc::DEFAULT_AUDIENCE) unless it says otherwise).
    ///
    /// # Errors
    /// When the token is for another audience or not valid now, and when the
    /// services have no certificate authority. No request is made.
    pub fn keyless(services: Services, token: Token, audience: &str, trust: TrustRoot) -> Result<Self, SignError> {
        token.check(audience, clock::now())?;
        let authority = services.require_authority()?.clone();
        let audience = audience.to_owned();
        Ok(Self::new(services, Credential::Token(Box::new(Keyless { token, authority, audience })), trust))
    }

    /// A session that signs with a person's own key. The log takes part all the same.
    #[must_use]
    pub fn with_key(services: Services, key: SigningKey, trust: TrustRoot) -> Self {
        Self::new(services, Credential::Key(Arc::new(key)), trust)
    }

    fn new(services: Services, credential: Credential, trust: TrustRoot) -> Self {
        let limits = Limits::default();
        let http = Http::new(limits.attempts);
        let places = Semaphore::new(limits.concurrency);
        Self { services, trust, credential, http, limits, issued: Mutex::new(None), places }
    }

    /// The same under other limits: time for one signature, attempts of one request, signatures at once.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        let http = Http::new(limits.attempts);
        let places = Semaphore::new(limits.concurrency.max(1));
        Self { limits, http, places, ..self }
    }

    /// The services that take part.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The public key, PEM, where a person's own key signs.
    #[must_use]
    pub fn public_key_pem(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(_) => None,
            Credential::Key(key) => Some(key.public_key_pem()),
        }
    }

    /// Who this session signs as. A certificate is asked for, if there is none yet.
    ///
    /// # Errors
    /// When the certificate authority does not do its part.
    pub async fn signer(&self) -> Result<Signer, SignError> {
        match self.holder(Instant::now() + self.limits.total_time).await? {
            Holder::Key(key) => Ok(Signer::of_key(key.public_key_der())),
            Holder::Issued(issued) => Signer::of_certificate(&issued.certificate.leaf).map_err(|error| {
                SignError::Unverified(Failure::new(CheckName::Signer, Code::SignerInvalid, error.to_string()))
            }),
        }
    }

    /// Signs an in-toto statement that is about `subject`: a DSSE envelope in a bundle v0.3.
    ///
    /// # Errors
    /// When a service does not do its part, or when the bundle does not hold
    /// under the trust root, which includes that the statement is about something else.
    pub async fn sign_statement(&self, statement: &[u8], subject: &Digest) -> Result<SignedBundle, SignError> {
        let pae = pae(statement);
        self.sign(Content::Statement { payload: statement, pae: &pae }, subject).await
    }

    /// Signs a file: a message signature in a bundle v0.3.
    ///
    /// # Errors
    /// As [`Session::sign_statement`].
    pub async fn sign_file(&self, bytes: &[u8]) -> Result<SignedBundle, SignError> {
        self.sign_digest(&Digest::sha256(bytes)).await
    }

    /// Signs a file of which the SHA-256 digest is at hand, so that it may be of any size.
    ///
    /// # Errors
    /// As [`Session::sign_statement`], and for a digest of another algorithm.
    pub async fn sign_digest(&self, digest: &Digest) -> Result<SignedBundle, SignError> {
        self.sign(Content::Message { digest }, digest).await
    }

    /// Signs a simple-signing document about `subject`, for the legacy layout:
    /// a layer for the `.sig` tag. It needs a log of version 1, whose promise
    /// stands in an annotation.
    ///
    /// # Errors
    /// As [`Session::sign_statement`], and when the services have no such log.
    pub async fn sign_payload(&self, payload: &[u8], subject: &Digest) -> Result<LegacySignature, SignError> {
        let digest = Digest::sha256(payload);
        let logs: Vec<_> = self.services.logs().iter().filter(|log| log.version() == 1).take(1).cloned().collect();
        if logs.is_empty() {
            return Err(super::config::no_promising_log().into());
        }
        let made = self.make(Content::Message { digest: &digest }, &logs).await?;
        let (leaf, chain) = match &made.holder {
            Holder::Issued(issued) => (Some(issued.certificate.leaf.as_slice()), issued.certificate.chain.as_slice()),
            Holder::Key(_) => (None, [].as_slice()),
        };
        let entry = made.entries.first().ok_or_else(super::config::no_promising_log)?;
        let timestamp = made.timestamps.first().map(Vec::as_slice);
        let layer = LegacySignature::new(payload, &made.signature, leaf, chain, entry, timestamp);
        let key = self.public_key_pem();
        layer.verify(subject, key.as_deref(), &self.trust, clock::latest(), &self.limits)?;
        Ok(layer)
    }

    async fn sign(&self, content: Content<'_>, subject: &Digest) -> Result<SignedBundle, SignError> {
        let made = self.make(content, self.services.logs()).await?;
        let hint;
        let material = match &made.holder {
            Holder::Issued(issued) => Material::Certificate(&issued.certificate.leaf),
            Holder::Key(key) => {
                hint = key.hint();
                Material::KeyHint(&hint)
            }
        };
        let (entries, timestamps, signature) = (&made.entries, &made.timestamps, &made.signature);
        let json = Parts { material, entries, timestamps, content, signature }.to_json();
        let json = json.map_err(|e| internal(e.to_string()))?;
        let now = clock::latest();
        match self.public_key_pem() {
            None => SignedBundle::verify(json, subject, &self.trust, now, &self.limits),
            Some(key) => SignedBundle::verify_with_key(json, subject, &key, &self.trust, now, &self.limits),
        }
    }

    /// Signs, and has it written into logs and stamped, all at once.
    async fn make(&self, content: Content<'_>, logs: &[Endpoint]) -> Result<Made, SignError> {
        let _place = self.places.acquire().await.map_err(|e| internal(e.to_string()))?;
        let deadline = Instant::now() + self.limits.total_time;
        let (digest, holder) = (content.digest(), self.holder(deadline).await?);
        for _ in 0..OFFERS {
            let signature = holder.key().sign_digest(&digest)?;
            let submission = Submission { content, signature: &signature, verifier: holder.verifier() };
            let entries = try_join_all(logs.iter().map(|log| self.record(log, &submission, deadline)));
            let stamps = self
                .services
                .timestamps()
                .iter()
                .map(|tsa| tsa::stamp(self.desk(Service::TimestampAuthority, tsa, deadline), &signature));
            let (entries, timestamps) = try_join(entries, try_join_all(stamps)).await?;
            // An answer that was lost leaves an entry without its proof behind.
            // ECDSA makes another signature each time, and that is another entry.
            if let Some(entries) = entries.into_iter().collect::<Option<Vec<_>>>() {
                return Ok(Made { holder, signature, entries, timestamps });
            }
        }
        let detail = format!("it says of {OFFERS} new signatures that it has them already");
        Err(match logs.first() {
            Some(log) => self.desk(Service::Log, log, deadline).protocol(detail).into(),
            None => internal(detail),
        })
    }

    async fn record(
        &self,
        log: &Endpoint,
        submission: &Submission<'_>,
        deadline: Instant,
    ) -> Result<Option<Entry>, SignError> {
        let desk = self.desk(Service::Log, log, deadline);
        match log.version() {
            1 => rekor_v1::record(desk, submission).await.map(Some),
            _ => rekor_v2::record(desk, submission).await,
        }
    }

    /// The key of this run; its certificate is renewed when it would end too early.
    async fn holder(&self, deadline: Instant) -> Result<Holder, SignError> {
        let Keyless { token, authority, audience } = match &self.credential {
            Credential::Key(key) => return Ok(Holder::Key(Arc::clone(key))),
            Credential::Token(keyless) => &**keyless,
        };
        let mut issued = self.issued.lock().await;
        if let Some(issued) = issued.as_ref().filter(|issued| issued.certificate.lasts(clock::now())) {
            return Ok(Holder::Issued(Arc::clone(issued)));
        }
        token.check(audience, clock::now())?;
        let key = SigningKey::generate()?;
        let desk = self.desk(Service::CertificateAuthority, authority, deadline);
        let certificate = fulcio::certify(desk, &key, token, &self.trust, clock::now()).await?;
        let fresh = Arc::new(Issued { key, certificate });
        *issued = Some(Arc::clone(&fresh));
        Ok(Holder::Issued(fresh))
    }

    fn desk<'a>(&'a self, service: Service, endpoint: &'a Endpoint, deadline: Instant) -> Desk<'a> {
        Desk { http: &self.http, deadline, service, base: endpoint.address() }
    }
}

fn internal(detail: String) -> SignError {
    SignError::Unverified(Failure::new(CheckName::Structure, Code::Internal, detail))
}
