//! Which network addresses a registry may send us to.
//!
//! A redirect or a token service named by a registry must not reach what only
//! this machine can reach: metadata services, link-local and loopback
//! addresses (scenario J-02). The check is on the address that is connected
//! to, after names were resolved. What the user named is not checked; behind
//! a proxy, it is the proxy that resolves names, and only what is written in
//! the URL is checked.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// A name that leads to an address which only this machine can reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} leads to {address}, an address that only this machine can reach")]
pub(super) struct PrivateAddress {
    pub(super) name: String,
    pub(super) address: IpAddr,
}

/// Checks the host of `url` as it is written. Numbers in odd spellings were
/// made addresses when the URL was parsed.
pub(super) fn check_written(url: &Url) -> Result<(), PrivateAddress> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let local = name == "localhost" || name.ends_with(".localhost");
            local.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
        None => None,
    };
    match address.filter(|address| is_private_to_this_machine(*address)) {
        Some(address) => Err(PrivateAddress { name: url.host_str().unwrap_or_default().to_owned(), address }),
        None => Ok(()),
    }
}

/// Loopback, unspecified, link-local, multicast, broadcast and the metadata
/// services that have other addresses. Private networks (RFC 1918) are where
/// company registries live and are allowed.
fn is_private_to_this_machine(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_private_v4(v4),
            None => {
                let [first, second, third, ..] = v6.segments();
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || first & 0xffc0 == 0xfe80
                    // Amazon's and Google's metadata services.
                    || (first == 0xfd00 && second == 0x0ec2)
                    || (first == 0xfd20 && second == 0x00ce && third == 0)
            }
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    // Metadata services outside the link-local range: Alibaba, Azure, Oracle.
    const METADATA: [[u8; 4]; 3] = [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]];
    address.is_loopback()
        || address.octets()[0] == 0
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA.contains(&address.octets())
}

/// The IPv4 address inside a mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`)
/// or translated (`64:ff9b::a.b.c.d`, `2002:…`) IPv6 address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

/// Resolves names with the operating system, and refuses those that lead where
/// a registry must not send us, unless the user named them.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolver {
    named: Arc<Mutex<HashSet<String>>>,
    /// Names that tests give to this machine.
    #[cfg(test)]
    names_of_tests: HashSet<String>,
}

impl Resolver {
    #[cfg(test)]
    pub(super) fn with_names_of_tests(names_of_tests: HashSet<String>) -> Self {
        Self { names_of_tests, ..Self::default() }
    }

    /// Notes a host that the user named.
    pub(super) fn name(&self, host: &str) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if !named.contains(host) {
            named.insert(host.to_owned());
        }
    }

    /// What the operating system is asked for.
    fn asked(&self, host: &str) -> String {
        #[cfg(test)]
        if self.names_of_tests.contains(host) {
            return "127.0.0.1".to_owned();
        }
        host.to_owned()
    }

    fn is_named(&self, host: &str) -> bool {
        // A proxy on this machine is named by the user, though not to us; a URL
        // with this host is caught by `check_written`.
        host == "localhost" || self.named.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let named = self.is_named(name.as_str());
        let asked = self.asked(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((asked, 0)).await?.collect();
            // One bad address is enough: which one is used is the resolver's choice.
            let bad = found.iter().map(SocketAddr::ip).find(|address| is_private_to_this_machine(*address));
            match bad.filter(|_| !named) {
                Some(address) => Err(PrivateAddress { name: name.as_str().to_owned(), address }.into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn metadata_and_local_addresses_are_refused_in_every_spelling() {
        let bad = [
            "http://169.254.169.254/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fd20:ce::254]/",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
            "http://0/",
            "http://[::]/",
            "http://[::1]/",
            "http://127.1/",
            "http://localhost/",
            "http://x.localhost/",
            "http://localhost./",
            "http://168.63.129.16/",
            "http://100.100.100.200/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
        ];
        for text in bad {
            assert!(check_written(&url(text)).is_err(), "{text}");
        }
        for text in [
            "https://10.0.0.1/",
            "https://192.168.1.1/",
            "https://[2001:db8::1]/",
            "https://cgr.dev/",
            "https://1.1.1.1/",
        ] {
            assert_eq!(check_written(&url(text)), Ok(()), "{text}");
        }
    }

    #[tokio::test]
    async fn names_are_checked_after_resolution_unless_the_user_named_them() {
        let resolver = Resolver::default();
        let resolve = |name: &str| resolver.resolve(name.parse().expect("a name"));
        // The resolver of the machine reads a literal address without asking anybody.
        let error = resolve("127.0.0.1").await.map(|_| ()).expect_err("a loopback address");
        assert!(error.downcast_ref::<PrivateAddress>().is_some(), "{error}");
        resolver.name("127.0.0.1");
        assert!(resolve("127.0.0.1").await.is_ok());
    }
}
