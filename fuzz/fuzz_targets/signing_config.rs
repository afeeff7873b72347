//! Of a signing config, only services are chosen that may be used then and are
//! spoken here, each of another operator, and no secret would go in the clear.

#![no_main]

use std::collections::BTreeSet;

use cg_attest::sign::{Choice, Endpoint, SigningConfig};
use cg_attest::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(config) = SigningConfig::parse(bytes, "the input") else { return };
    let secret = || config.authorities().iter().chain(config.issuers());
    assert!(secret().all(is_private), "{config:?}");
    let ((logs, choice), (timestamps, _)) = (config.logs(), config.timestamps());
    let all = || secret().chain(logs).chain(timestamps);
    assert!(all().all(|endpoint| endpoint.window().0.is_some()), "a service without a start was never valid");
    // The ends of every window, and what lies around them.
    let ends = all().flat_map(|endpoint| [endpoint.window().0, endpoint.window().1]).flatten().take(16);
    let around = ends.flat_map(|end| [end.unix().checked_sub(1), Some(end.unix()), end.unix().checked_add(1)]);
    for now in around.flatten().filter_map(|seconds| Timestamp::from_unix(seconds).ok()) {
        let Ok(services) = config.select(now) else { continue };
        assert!(!services.logs().is_empty(), "every signature is in a log");
        assert!(services.logs().iter().all(|log| usable(log, &[1, 2], now)));
        assert!(services.timestamps().iter().all(|tsa| usable(tsa, &[1], now)));
        assert!(services.authority().into_iter().chain(services.issuer()).all(|one| usable(one, &[1], now)));
        let timed = services.logs().iter().any(|log| log.version() == 1) || !services.timestamps().is_empty();
        assert!(timed, "something says when");
        let operators: BTreeSet<&str> = services.logs().iter().map(Endpoint::operator).collect();
        assert_eq!(operators.len(), services.logs().len(), "each of another operator");
        match choice {
            Choice::Any => assert_eq!(services.logs().len(), 1),
            Choice::Exact(count) => assert_eq!(services.logs().len(), count),
            _ => {}
        }
    }
});

fn usable(endpoint: &Endpoint, versions: &[u32], now: Timestamp) -> bool {
    endpoint.is_valid_at(now) && versions.contains(&endpoint.version())
}

/// https, or this machine.
fn is_private(endpoint: &Endpoint) -> bool {
    let url = endpoint.url();
    let local = ["http://127.", "http://[::1]", "http://localhost"];
    url.starts_with("https://") || local.iter().any(|start| url.starts_with(start))
}
