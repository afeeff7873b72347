//! How to reach registries: the builder of [`Remote`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Remote;
use super::auth::Authority;
use super::credentials::{CredentialFiles, Credentials, Login};
use super::error::OptionsError;
use super::exchange::Exchange;
use super::gate::Gates;
use super::transport::{Transport, TransportOptions};
use crate::image::Repository;
use crate::net::Backoff;
use crate::registry::Mirrors;

/// How registries are reached, and as whom. The default is a stranger without mirrors.
///
/// Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY` when the first connection is made; loopback addresses are never
/// reached through one.
#[derive(Debug, Clone, Default)]
pub struct RemoteOptions {
    files: CredentialFiles,
    logins: BTreeMap<String, Login>,
    token_hosts: BTreeSet<(String, String)>,
    mirrors: Mirrors,
    transport: TransportOptions,
    backoff: Backoff,
}

impl RemoteOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where logins are looked for when a registry asks for one.
    #[must_use]
    pub fn credential_files(self, files: CredentialFiles) -> Self {
        Self { files, ..self }
    }

    /// The login for one registry (host and port, as in image names); it goes before every file.
    /// With mirrors, it is the mirror that is logged in to.
    #[must_use]
    pub fn login(mut self, registry: &str, login: Login) -> Self {
        self.logins.insert(kept(registry), login);
        self
    }

    /// Lets the login for `registry` go to a token service on another host (`HOST` or `HOST:PORT`), by https.
    /// The registry itself, hosts under its name and the well-known token
    /// services of Docker Hub and GitLab need no such permission.
    #[must_use]
    pub fn token_host(mut self, registry: &str, host: &str) -> Self {
        self.token_hosts.insert((kept(registry), host.to_owned()));
        self
    }

    /// Reaches this registry (host and port, as in image names) by http, without TLS.
    /// Loopback addresses are always reached so.
    #[must_use]
    pub fn plain_http(mut self, registry: &str) -> Self {
        self.transport.plain_http.insert(kept(registry));
        self
    }

    /// Trusts these certificates (PEM) for TLS, besides the system's.
    #[must_use]
    pub fn certificate_authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.certificates.extend(pem.into());
        self.transport.certificates.push(b'\n');
        self
    }

    /// Fetches what is named under one prefix from another place.
    #[must_use]
    pub fn mirrors(self, mirrors: Mirrors) -> Self {
        Self { mirrors, ..self }
    }

    /// What the client calls itself; `cg-attest/VERSION` by default.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        name.clone_into(&mut self.transport.user_agent);
        self
    }

    /// The bounds of the pauses between attempts, 250 ms and 4 s by default:
    /// the longest first pause and the longest pause at all. The real ones are
    /// drawn at random below a bound that doubles.
    #[must_use]
    pub fn backoff(self, first: Duration, longest: Duration) -> Self {
        Self { backoff: Backoff { first, longest }, ..self }
    }

    /// Resolves a name to this machine.
    #[cfg(all(test, feature = "testing"))]
    pub(super) fn name_of_tests(mut self, host: &str) -> Self {
        self.transport.names_of_tests.insert(host.to_owned());
        self
    }

    /// The client. It connects to nothing yet.
    ///
    /// # Errors
    /// When a certificate, the user agent or a registry's name is malformed.
    pub fn build(self) -> Result<Remote, OptionsError> {
        let names = self.logins.keys().chain(&self.transport.plain_http);
        for registry in names.chain(self.token_hosts.iter().map(|(registry, _)| registry)) {
            if usual_name(registry).is_none() {
                return Err(OptionsError::Registry { name: registry.clone() });
            }
        }
        let transport = Transport::new(self.transport)?;
        let authority = Authority::new(Credentials::new(self.logins, self.files), self.token_hosts);
        Ok(Remote::new(Exchange { transport, authority, gates: Gates::default() }, self.mirrors, self.backoff))
    }
}

/// A registry's name as image names have it: Docker Hub has several.
fn usual_name(registry: &str) -> Option<String> {
    // Checked with the shortest repository there may be.
    Repository::new(registry, "a").ok().map(|repository| repository.registry().to_owned())
}

/// A name to keep: malformed ones are found when the client is built.
fn kept(registry: &str) -> String {
    usual_name(registry).unwrap_or_else(|| registry.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn code(options: RemoteOptions) -> Option<Code> {
        options.build().err().map(|error| error.code())
    }

    #[test]
    fn what_is_malformed_is_found_before_the_first_request() {
        let login = || Login::password("user", "s3cret");
        assert_eq!(code(RemoteOptions::new().login("cgr.dev", login()).plain_http("x.local:5000")), None);
        assert_eq!(code(RemoteOptions::new().login("https://cgr.dev", login())), Some(Code::ReferenceInvalid));
        assert_eq!(code(RemoteOptions::new().plain_http("user@x")), Some(Code::ReferenceInvalid));
        assert_eq!(code(RemoteOptions::new().certificate_authorities("none")), Some(Code::FileUnreadable));
        assert_eq!(code(RemoteOptions::new().user_agent("a\r\nb")), Some(Code::Usage));
        assert!(!format!("{:?}", RemoteOptions::new().login("cgr.dev", login())).contains("s3cret"));
    }
}
