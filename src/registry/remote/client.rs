//! [`Remote`]: the traits over HTTP.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use super::answer::Answer;
use super::call::Call;
use super::exchange::Exchange;
use super::retry::{Failure, attempts};
use super::target::Target;
use super::transport::DOCKER_CONTENT_DIGEST;
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageName, Repository, media};
use crate::net::Backoff;
use crate::registry::{
    BlobStream, BoxFuture, Context, Deleted, Fetched, Mirrors, Problem, Pull, Push, Pushed, Referrers, RegistryError,
};

/// A client for registries over HTTP. Clones share connections, tokens and
/// the bound on requests in flight; there is no state outside of it.
///
/// Made by [`RemoteOptions`](super::RemoteOptions). Names are rewritten by the
/// mirrors on every call; callers keep to the original ones.
///
/// A stream of [`Pull::blob`] keeps its place among the requests in flight
/// until it ends or is dropped.
#[derive(Debug, Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    exchange: Exchange,
    mirrors: Mirrors,
    backoff: Backoff,
}

/// An answer that was read.
pub(super) struct Whole {
    pub(super) headers: HeaderMap,
    /// Where it came from in the end.
    pub(super) url: Url,
    pub(super) bytes: Vec<u8>,
}

impl Remote {
    pub(super) fn new(exchange: Exchange, mirrors: Mirrors, backoff: Backoff) -> Self {
        Self { inner: Arc::new(Inner { exchange, mirrors, backoff }) }
    }

    /// The mirrors in use.
    #[must_use]
    pub fn mirrors(&self) -> &Mirrors {
        &self.inner.mirrors
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.inner.exchange
    }

    /// Where `repository` is really fetched from.
    pub(super) fn target(&self, repository: &Repository) -> Result<Target, RegistryError> {
        let rewritten = self.inner.mirrors.rewrite(repository).map_err(|error| {
            RegistryError::new(Problem::Protocol, format!("finding the mirror of {repository}"), error.to_string())
        })?;
        self.exchange().transport.target(rewritten)
    }

    /// Reads a whole answer of at most `limit` bytes, trying again where that may
    /// help, also when the body breaks off. The statuses in `absent` mean that there is nothing.
    pub(super) async fn fetch(
        &self,
        call: &Call<'_>,
        limit: u64,
        absent: &[u16],
    ) -> Result<Option<Whole>, RegistryError> {
        attempts(call.context, self.inner.backoff, &call.operation, || async move {
            let Some(mut answer) = self.wanted(call, absent).await? else { return Ok(None) };
            let bytes = answer.whole(limit).await?;
            Ok(Some(Whole { headers: answer.headers().clone(), url: answer.url.clone(), bytes }))
        })
        .await
    }

    /// Gets an answer whose body the caller reads.
    pub(super) async fn open(&self, call: &Call<'_>, absent: &[u16]) -> Result<Option<Answer>, RegistryError> {
        attempts(call.context, self.inner.backoff, &call.operation, || self.wanted(call, absent)).await
    }

    /// One attempt: an answer with status 200, or `None` for one of the statuses in `absent`.
    async fn wanted(&self, call: &Call<'_>, absent: &[u16]) -> Result<Option<Answer>, Failure> {
        let answer = self.exchange().attempt(call).await?;
        let status = answer.status();
        if status == 200 {
            return Ok(Some(answer));
        }
        if absent.contains(&status.as_u16()) {
            return Ok(None);
        }
        let refusal = answer.refuse().await;
        // "Unknown" under another status than 404 is absence as well, for those who expect it.
        if refusal.unknown && absent.contains(&404) { Ok(None) } else { Err(refusal.failure) }
    }

    pub(super) async fn get_manifest(
        &self,
        context: &Context,
        target: &Target,
        name: &ImageName,
    ) -> Result<Option<Fetched>, RegistryError> {
        let mut call = Call::get(context, target, target.manifest_url(name)?);
        call.headers.insert(ACCEPT, accept(media::ACCEPT));
        let whole = self.fetch(&call, context.limits().manifest_bytes, &[404]).await?;
        let Some(Whole { headers, bytes, .. }) = whole else { return Ok(None) };
        let protocol = |detail: &str| Err(RegistryError::new(Problem::Protocol, &call.operation, detail));
        let media_type = media_type(&headers);
        // A login wall or proxy answers with its page, and status 200.
        if is_web_page(media_type.as_deref(), &bytes) {
            return protocol("a web page instead of a manifest");
        }
        let blob = match name {
            ImageName::Digest(digest) => VerifiedBlob::check(bytes, digest, None)
                .map_err(|error| RegistryError::mismatch(&call.operation, &error))?,
            ImageName::Tag(_) => {
                // What the header says is not believed, but a registry that
                // contradicts itself is not, either.
                if let Some(declared) = headers.get(&DOCKER_CONTENT_DIGEST) {
                    let Some(declared) = declared.to_str().ok().and_then(|text| text.parse::<Digest>().ok()) else {
                        return protocol("a Docker-Content-Digest that is no digest");
                    };
                    let found = Digest::compute(declared.algorithm(), &bytes);
                    if found != declared {
                        let detail = format!("the header says {declared}, the bytes received have {found}");
                        return Err(RegistryError::new(Problem::Digest, &call.operation, detail));
                    }
                }
                VerifiedBlob::of(bytes)
            }
        };
        Ok(Some(Fetched::new(blob, media_type)))
    }
}

/// A value for `Accept`.
pub(super) fn accept(types: &[&str]) -> HeaderValue {
    HeaderValue::from_str(&types.join(", ")).expect("media types have only letters that a header may have")
}

/// The declared media type, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let bare = value.split(';').next().unwrap_or(value).trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// Whether an answer is a page for people: it says so, or begins like one.
pub(super) fn is_web_page(media_type: Option<&str>, bytes: &[u8]) -> bool {
    matches!(media_type, Some("text/html" | "application/xhtml+xml")) || bytes.trim_ascii_start().starts_with(b"<")
}

impl Pull for Remote {
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(async move { self.get_manifest(context, &self.target(repository)?, name).await })
    }

    fn blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        Box::pin(async move { self.stream_blob(context, &self.target(repository)?, descriptor).await })
    }

    fn referrers<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>> {
        Box::pin(async move { self.list_referrers(context, &self.target(repository)?, digest).await })
    }

    fn blob_bytes<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<VerifiedBlob>, RegistryError>> {
        Box::pin(async move { self.get_blob(context, &self.target(repository)?, descriptor, limit).await })
    }
}

impl Push for Remote {
    fn push_blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        Box::pin(async move { self.upload_blob(context, &self.target(repository)?, blob).await })
    }

    fn push_manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
        media_type: &'a str,
        manifest: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<Pushed, RegistryError>> {
        Box::pin(async move { self.put_manifest(context, &self.target(repository)?, name, media_type, manifest).await })
    }

    fn push_new_blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        Box::pin(async move { self.upload_new_blob(context, &self.target(repository)?, blob).await })
    }

    fn delete_manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Deleted, RegistryError>> {
        Box::pin(async move { self.remove_manifest(context, &self.target(repository)?, digest).await })
    }
}
