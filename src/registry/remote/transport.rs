//! One request and its answer, with what every answer must keep to.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Method};
use rustls::pki_types::CertificateDer;
use url::Url;

use super::address::{PrivateAddress, Resolver};
use super::error::OptionsError;
use super::retry::{Failure, within};
use super::target::{Target, host_and_port};
use crate::image::Repository;
use crate::net::{self, TlsError, is_loopback, root_cause};
use crate::registry::{Context, Problem, RegistryError};

pub(super) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Headers that decide something: given twice, two readers may take different ones (scenario I-12).
const SINGLE: [HeaderName; 5] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, LOCATION, DOCKER_CONTENT_DIGEST];

#[derive(Debug, Clone)]
pub(super) struct TransportOptions {
    pub(super) plain_http: BTreeSet<String>,
    /// PEM.
    pub(super) certificates: Vec<u8>,
    pub(super) user_agent: String,
    #[cfg(test)]
    pub(super) names_of_tests: std::collections::HashSet<String>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            plain_http: BTreeSet::new(),
            certificates: Vec::new(),
            user_agent: concat!("cg-attest/", env!("CARGO_PKG_VERSION")).to_owned(),
            #[cfg(test)]
            names_of_tests: std::collections::HashSet::new(),
        }
    }
}

/// The HTTP clients. Each is made when it is first needed.
#[derive(Debug)]
pub(super) struct Transport {
    plain_http: BTreeSet<String>,
    certificates: Vec<CertificateDer<'static>>,
    user_agent: String,
    resolver: Resolver,
    /// For this machine: no TLS, no proxy.
    local: OnceLock<Result<Client, RegistryError>>,
    /// For everything else.
    web: OnceLock<Result<Client, RegistryError>>,
}

/// A request as it goes out once.
pub(super) struct Outgoing<'a> {
    pub(super) context: &'a Context,
    pub(super) operation: &'a str,
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

impl Transport {
    pub(super) fn new(options: TransportOptions) -> Result<Self, OptionsError> {
        let certificates =
            net::certificates(&options.certificates).map_err(|detail| OptionsError::Certificates { detail })?;
        if reqwest::header::HeaderValue::from_str(&options.user_agent).is_err() {
            return Err(OptionsError::UserAgent);
        }
        #[cfg(not(test))]
        let resolver = Resolver::default();
        #[cfg(test)]
        let resolver = Resolver::with_names_of_tests(options.names_of_tests);
        Ok(Self {
            plain_http: options.plain_http,
            certificates,
            user_agent: options.user_agent,
            resolver,
            local: OnceLock::new(),
            web: OnceLock::new(),
        })
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) fn is_set_up_for_tls(&self) -> bool {
        self.web.get().is_some()
    }

    /// Where `repository` is.
    pub(super) fn target(&self, repository: Repository) -> Result<Target, RegistryError> {
        let target = Target::new(repository, &self.plain_http)?;
        self.resolver.name(target.host_name());
        Ok(target)
    }

    fn client(&self, url: &Url) -> Result<&Client, RegistryError> {
        let (cell, local) =
            if url.scheme() == "http" && is_loopback(url) { (&self.local, true) } else { (&self.web, false) };
        cell.get_or_init(|| self.make_client(local)).as_ref().map_err(Clone::clone)
    }

    fn make_client(&self, local: bool) -> Result<Client, RegistryError> {
        let operation = "setting up the registry client";
        let builder = net::builder(local, &self.certificates).map_err(|error| {
            let problem = match error {
                TlsError::NoProvider => Problem::NoCrypto,
                TlsError::Setup(_) => Problem::Unavailable,
            };
            RegistryError::new(problem, operation, error.to_string())
        })?;
        // Redirects are followed by us, without credentials (group J), and counted.
        let builder = builder.user_agent(&self.user_agent).dns_resolver(Arc::new(self.resolver.clone()));
        builder.build().map_err(|error| RegistryError::new(Problem::Unavailable, operation, root_cause(&error)))
    }

    /// Sends a request once and checks what holds for every answer.
    pub(super) async fn send(&self, request: Outgoing<'_>) -> Result<reqwest::Response, Failure> {
        let Outgoing { context, operation, method, url, headers, body } = request;
        let client = self.client(url)?;
        context.count_request(operation)?;
        let mut builder = client.request(method.clone(), url.clone()).headers(headers);
        // Bytes are compared with a digest, so they must arrive as they are (scenario I-10).
        builder = builder.header(reqwest::header::ACCEPT_ENCODING, "identity");
        if let Some(body) = body {
            builder = builder.body(body);
        }
        let response = within(context, operation, builder.send()).await?;
        let response = response.map_err(|error| failure(operation, url, &error))?;
        tracing::debug!(operation, status = response.status().as_u16(), "answered");
        check_headers(operation, response.headers())?;
        Ok(response)
    }
}

fn check_headers(operation: &str, headers: &HeaderMap) -> Result<(), RegistryError> {
    let wrong = |detail: String| Err(RegistryError::new(Problem::Protocol, operation, detail));
    for name in &SINGLE {
        if headers.get_all(name).iter().nth(1).is_some() {
            return wrong(format!("the answer has two headers {name}"));
        }
    }
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            wrong("the answer is compressed, which was not asked for; its bytes cannot be checked".to_owned())
        }
        _ => Ok(()),
    }
}

/// What went wrong on the way. The URL is not told: its query may hold a signature.
pub(super) fn failure(operation: &str, url: &Url, error: &reqwest::Error) -> Failure {
    let host = host_and_port(url);
    if let Some(address) = find::<PrivateAddress>(error) {
        return RegistryError::new(Problem::CredentialScope, operation, address.to_string()).into();
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        // A certificate is as wrong at the next attempt.
        return RegistryError::new(Problem::Unavailable, operation, format!("TLS with {host}: {tls}")).into();
    }
    let what = match () {
        () if error.is_timeout() => format!("{host} did not answer in time"),
        () if error.is_connect() => format!("no connection to {host}: {}", root_cause(error)),
        () => format!("the connection to {host} broke: {}", root_cause(error)),
    };
    let told = RegistryError::new(Problem::Unavailable, operation, what);
    if error.is_builder() { told.into() } else { Failure::passing(told) }
}

/// The error of type `E` among the causes.
fn find<E: Error + Clone + 'static>(error: &(dyn Error + 'static)) -> Option<E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found.clone());
        }
        // An I/O error shows the cause of its cause and hides the one inside.
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
