//! One way to set up an HTTP client, so that no two have other rules.

use std::error::Error;
use std::time::Duration;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use super::tls::{self, TlsError};

/// Time to connect, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Time without a byte, before the answer or in it.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// All headers of one answer; a `Link` or `Location` of a megabyte is an attack (scenario K-16).
const HEADER_BYTES: u32 = 64 << 10;

/// A client that keeps its time, follows no redirect, repeats nothing and says
/// not where it comes from. `local` ones are for `http` to this machine: they
/// use no proxy and believe no certificate. The others believe the system and `extra`.
pub(crate) fn builder(local: bool, extra: &[CertificateDer<'static>]) -> Result<ClientBuilder, TlsError> {
    let config = if local { tls::believing_nobody()? } else { tls::config(extra)? };
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_TIME)
        .read_timeout(IDLE_TIME)
        .http2_max_header_list_size(HEADER_BYTES);
    // A test must not depend on the proxy of the machine it runs on.
    Ok(if local || cfg!(test) { builder.no_proxy() } else { builder })
}

/// Whether `url` names this machine: 127.0.0.0/8, `[::1]` or exactly `localhost`.
/// A name that merely resolves to a loopback address does not count (scenario I-16).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The innermost cause: the outer ones repeat the URL.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.source().is_none() && error.source().is_none() {
        return "no cause is known".to_owned();
    }
    cause.to_string()
}

/// At most `most` characters of what a server says. It may say anything, also
/// to a terminal: only words are repeated.
pub(crate) fn words(text: &str, most: usize) -> String {
    let word = |c: &char| c.is_alphanumeric() || " .,:;/_-'()\"".contains(*c);
    text.chars().filter(word).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for text in ["http://127.0.0.1:1/", "http://127.9.9.9/", "http://[::1]:5/", "http://localhost:5000/"] {
            assert!(is_loopback(&url(text)), "{text}");
        }
        for text in
            ["http://127.0.0.1.nip.io/", "http://foo.local/", "http://localhost.example/", "http://x.localhost/"]
        {
            assert!(!is_loopback(&url(text)), "{text}");
        }
    }
}
