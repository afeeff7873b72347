//! Blobs: reading them, and the upload sessions.

use std::collections::BTreeMap;

use super::auth::error;
use super::routes::Registered;
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, Repository};
use crate::registry::{Context, Pull as _, Push as _};
use crate::testing::http::{Answer, RecordedRequest};

/// The uploads that were begun and not finished.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    begun: usize,
    open: BTreeMap<usize, Vec<u8>>,
}

impl Registered {
    pub(super) async fn blob(&self, context: &Context, repository: &Repository, digest: &str) -> Answer {
        let Ok(digest) = digest.parse::<Digest>() else { return error(400, "DIGEST_INVALID", digest) };
        // The size is not known to whoever asks by digest; the store does not look at it either.
        let descriptor = Descriptor::new("application/octet-stream", digest.clone(), 0);
        let Ok(Some(mut stream)) = self.content.blob(context, repository, &descriptor).await else {
            return error(404, "BLOB_UNKNOWN", "no such blob");
        };
        let mut bytes = Vec::new();
        while let Some(Ok(chunk)) = futures_util::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&chunk);
        }
        Answer::status(200)
            .header("content-type", "application/octet-stream")
            .header("docker-content-digest", &digest.to_string())
            .body(bytes)
    }

    /// `POST`, `PATCH` and `PUT` below `/blobs/uploads/`.
    pub(super) async fn upload(
        &self,
        context: &Context,
        repository: &Repository,
        session: &str,
        request: &RecordedRequest,
    ) -> Answer {
        let session = if request.method == "POST" {
            let mut uploads = self.uploads();
            uploads.begun += 1;
            let session = uploads.begun;
            uploads.open.insert(session, Vec::new());
            session
        } else {
            // The state travels in the query of the Location, as some registries have it.
            let state = request.parameter("state");
            match session.parse() {
                Ok(number) if state.as_deref() == Some(session) => number,
                _ => return error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload"),
            }
        };
        {
            let mut uploads = self.uploads();
            let Some(received) = uploads.open.get_mut(&session) else {
                return error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
            };
            received.extend_from_slice(&request.body);
        }
        let Some(digest) = request.parameter("digest") else {
            let location = format!("/v2/{}/blobs/uploads/{session}?state={session}", repository.path());
            return Answer::status(202).header("location", &location);
        };
        let received = self.uploads().open.remove(&session).unwrap_or_default();
        let Ok(digest) = digest.parse::<Digest>() else { return error(400, "DIGEST_INVALID", &digest) };
        let Ok(blob) = VerifiedBlob::check(received, &digest, None) else {
            return error(400, "DIGEST_INVALID", "the bytes have another digest");
        };
        match self.content.push_blob(context, repository, &blob).await {
            Ok(()) => {
                let location = format!("/v2/{}/blobs/{digest}", repository.path());
                Answer::status(201).header("location", &location).header("docker-content-digest", &digest.to_string())
            }
            Err(problem) => error(400, "BLOB_UPLOAD_INVALID", problem.detail()),
        }
    }
}
