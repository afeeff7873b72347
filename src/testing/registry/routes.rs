//! The distribution specification's requests, answered from memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::auth::error;
use super::blobs::Uploads;
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{ImageDocument, ImageName, Repository, media};
use crate::limits::Limits;
use crate::registry::{Context, Deleted, Memory, Pull as _, Push as _};
use crate::testing::http::{Answer, RecordedRequest};

/// How the referrers API behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReferrersApi {
    /// As the distribution specification 1.1 says.
    #[default]
    Present,
    /// It is unknown to this registry, which answers with this status; pushes get no `OCI-Subject`.
    Absent(u16),
    /// A web page with status 200; pushes get no `OCI-Subject`.
    Html,
}

/// What the registry holds, and how it presents it.
#[derive(Debug, Default)]
pub(super) struct Registered {
    pub(super) content: Memory,
    pub(super) uploads: Mutex<Uploads>,
}

/// How a listing of referrers is presented.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Listing {
    pub(super) api: ReferrersApi,
    pub(super) per_page: Option<usize>,
}

impl Registered {
    pub(super) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that a registry at `address` gives.
    pub(super) async fn answer(&self, address: &str, request: &RecordedRequest, listing: Listing) -> Answer {
        let context = Context::new(Limits::default());
        if matches!(request.path.as_str(), "/v2" | "/v2/") {
            return Answer::json(200, &serde_json::json!({}));
        }
        let unknown = || error(404, "NAME_UNKNOWN", "no such repository");
        let Some(path) = request.path.strip_prefix("/v2/") else { return unknown() };
        let split = ["/manifests/", "/blobs/uploads/", "/blobs/", "/referrers/"]
            .iter()
            .find_map(|part| path.split_once(part).map(|(name, rest)| (name, *part, rest)));
        let Some((name, part, rest)) = split else { return unknown() };
        let Ok(repository) = Repository::new(address, name) else { return unknown() };
        match (request.method.as_str(), part) {
            ("GET" | "HEAD", "/manifests/") => self.manifest(&context, &repository, rest).await,
            ("PUT", "/manifests/") => self.put_manifest(&context, &repository, rest, request, listing.api).await,
            ("DELETE", "/manifests/") => self.delete_manifest(&context, &repository, rest).await,
            ("GET" | "HEAD", "/blobs/") => self.blob(&context, &repository, rest).await,
            ("POST" | "PATCH" | "PUT", "/blobs/uploads/") => {
                self.upload(&context, &repository, rest.trim_end_matches('/'), request).await
            }
            ("GET", "/referrers/") => self.referrers(&context, &repository, rest, request, listing).await,
            _ => error(405, "UNSUPPORTED", "this method is not served here"),
        }
    }

    async fn manifest(&self, context: &Context, repository: &Repository, name: &str) -> Answer {
        match self.content.manifest(context, repository, &image_name(name)).await {
            Ok(Some(fetched)) => Answer::status(200)
                .header("content-type", fetched.media_type.as_deref().unwrap_or(media::MANIFEST))
                .header("docker-content-digest", &fetched.blob.digest().to_string())
                .body(fetched.blob.bytes().to_vec()),
            _ => error(404, "MANIFEST_UNKNOWN", "no such manifest"),
        }
    }

    async fn put_manifest(
        &self,
        context: &Context,
        repository: &Repository,
        name: &str,
        request: &RecordedRequest,
        api: ReferrersApi,
    ) -> Answer {
        let blob = VerifiedBlob::of(request.body.to_vec());
        let media_type = request.header("content-type").unwrap_or(media::MANIFEST);
        let pushed = self.content.push_manifest(context, repository, &image_name(name), media_type, &blob).await;
        if let Err(problem) = pushed {
            return error(400, "DIGEST_INVALID", problem.detail());
        }
        let digest = blob.digest().to_string();
        let location = format!("/v2/{}/manifests/{digest}", repository.path());
        let answer = Answer::status(201).header("location", &location).header("docker-content-digest", &digest);
        let document = ImageDocument::parse(blob, Some(media_type)).ok();
        match document.as_ref().and_then(ImageDocument::subject) {
            Some(subject) if api == ReferrersApi::Present => answer.header("oci-subject", &subject.digest.to_string()),
            _ => answer,
        }
    }

    async fn delete_manifest(&self, context: &Context, repository: &Repository, digest: &str) -> Answer {
        let Ok(digest) = digest.parse::<Digest>() else { return error(405, "UNSUPPORTED", "only by digest") };
        match self.content.delete_manifest(context, repository, &digest).await {
            Ok(Deleted::Done) => Answer::status(202),
            _ => error(404, "MANIFEST_UNKNOWN", "no such manifest"),
        }
    }

    async fn referrers(
        &self,
        context: &Context,
        repository: &Repository,
        digest: &str,
        request: &RecordedRequest,
        listing: Listing,
    ) -> Answer {
        match listing.api {
            ReferrersApi::Present => {}
            ReferrersApi::Absent(status) => return error(status, "UNSUPPORTED", "no referrers here"),
            ReferrersApi::Html => return Answer::html(),
        }
        let Ok(digest) = digest.parse::<Digest>() else { return error(400, "DIGEST_INVALID", digest) };
        let mut found = match self.content.referrers(context, repository, &digest).await {
            Ok(referrers) => referrers.descriptors,
            Err(problem) => return error(500, "UNKNOWN", problem.detail()),
        };
        let wanted = request.parameter("artifactType");
        if let Some(wanted) = &wanted {
            found.retain(|descriptor| descriptor.artifact_type.as_ref() == Some(wanted));
        }
        let first: usize = request.parameter("from").and_then(|from| from.parse().ok()).unwrap_or(0);
        let per_page = listing.per_page.unwrap_or(usize::MAX);
        let more = found.len().saturating_sub(first) > per_page;
        let page: Vec<_> = found.into_iter().skip(first).take(per_page).collect();
        let index = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": page });
        let mut answer = Answer::status(200).header("content-type", media::INDEX).body(index.to_string());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(wanted) = &wanted {
            answer = answer.header("oci-filters-applied", "artifactType");
            query.append_pair("artifactType", wanted);
        }
        if more {
            let query = query.append_pair("from", &(first + per_page).to_string()).finish();
            let next = format!("</v2/{}/referrers/{digest}?{query}>; rel=\"next\"", repository.path());
            answer = answer.header("link", &next);
        }
        answer
    }
}

fn image_name(text: &str) -> ImageName {
    text.parse().map_or_else(|_| ImageName::Tag(text.to_owned()), ImageName::Digest)
}
