//! A request to a registry, and what it is for.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use super::target::Target;
use crate::registry::Context;

/// What a request does to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    Pull,
    Push,
    Delete,
}

/// What is asked of a registry.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context,
    pub(super) target: &'a Target,
    pub(super) access: Access,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Whether a 303 to another origin is the answer instead of a way to it.
    pub(super) stay_on_303: bool,
    pub(super) operation: String,
}

impl<'a> Call<'a> {
    /// A request for reading.
    pub(super) fn get(context: &'a Context, target: &'a Target, url: Url) -> Self {
        Self::new(context, target, Access::Pull, Method::GET, url)
    }

    pub(super) fn new(context: &'a Context, target: &'a Target, access: Access, method: Method, url: Url) -> Self {
        let operation = target.operation(&method, &url);
        let headers = HeaderMap::new();
        Self { context, target, access, method, url, headers, body: None, stay_on_303: false, operation }
    }
}
