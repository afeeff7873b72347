//! Credentials in the form in which a request carries them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

/// A value for `Authorization`.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// Marked as sensitive: it does not print.
    pub(super) header: HeaderValue,
    pub(super) source: Arc<str>,
    pub(super) expires: Option<Instant>,
}

/// `Bearer TOKEN`, unless the token has bytes that no token has.
pub(super) fn bearer(token: &str, source: &str, lifetime: Option<Duration>) -> Option<Grant> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    let expires = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
    Some(Grant { header, source: source.into(), expires })
}

/// `Basic NAME:PASSWORD` (RFC 7617).
pub(super) fn basic(username: &str, password: &str) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode(format!("{username}:{password}"));
    let mut header =
        HeaderValue::from_str(&format!("Basic {encoded}")).expect("base64 has only letters that a header may have");
    header.set_sensitive(true);
    header
}
