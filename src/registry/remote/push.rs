//! Writing: blobs in one piece, manifests under a tag or their digest.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use url::Url;

use super::Remote;
use super::answer::Answer;
use super::call::{Access, Call};
use super::exchange::check_link;
use super::retry::within;
use super::target::{Target, host_and_port};
use super::transport::DOCKER_CONTENT_DIGEST;
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{ImageDocument, ImageName};
use crate::registry::{Context, Deleted, Problem, Pushed, RegistryError};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

impl Remote {
    /// Uploads a blob that is not there yet (`POST` and one `PUT`).
    pub(super) async fn upload_blob(
        &self,
        context: &Context,
        target: &Target,
        blob: &VerifiedBlob,
    ) -> Result<(), RegistryError> {
        let there = target.url(&format!("blobs/{}", blob.digest()));
        let head = Call::new(context, target, Access::Push, Method::HEAD, there);
        if self.open(&head, &[404]).await?.is_some() {
            return Ok(());
        }
        self.upload_new_blob(context, target, blob).await
    }

    /// Uploads a blob without asking whether it is there.
    pub(super) async fn upload_new_blob(
        &self,
        context: &Context,
        target: &Target,
        blob: &VerifiedBlob,
    ) -> Result<(), RegistryError> {
        let begin = Call::new(context, target, Access::Push, Method::POST, target.url("blobs/uploads/"));
        let begun = self.write(&begin, 202).await?;
        let url = upload_url(&begun, target, blob)?;
        // It keeps a place among the requests in flight, and the next one needs one:
        // uploads that each hold one and wait for another would wait forever.
        drop(begun);
        let mut put = Call::new(context, target, Access::Push, Method::PUT, url);
        put.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        put.body = Some(Bytes::copy_from_slice(blob.bytes()));
        self.write(&put, 201).await.map(|_| ())
    }

    /// Stores a manifest.
    pub(super) async fn put_manifest(
        &self,
        context: &Context,
        target: &Target,
        name: &ImageName,
        media_type: &str,
        manifest: &VerifiedBlob,
    ) -> Result<Pushed, RegistryError> {
        let mut put = Call::new(context, target, Access::Push, Method::PUT, target.manifest_url(name)?);
        if let ImageName::Digest(wanted) = name
            && wanted != manifest.digest()
        {
            let detail = format!("wanted {wanted}, the manifest has {}", manifest.digest());
            return Err(RegistryError::new(Problem::Digest, &put.operation, detail));
        }
        let content_type = HeaderValue::from_str(media_type).map_err(|_| {
            RegistryError::new(Problem::Protocol, &put.operation, format!("{media_type:?} is not a media type"))
        })?;
        put.headers.insert(CONTENT_TYPE, content_type);
        put.body = Some(Bytes::copy_from_slice(manifest.bytes()));
        let answer = self.write(&put, 201).await?;
        let digest = manifest.digest().to_string();
        if answer.header(&DOCKER_CONTENT_DIGEST).is_some_and(|stored| stored != digest) {
            return Err(answer.error(Problem::Digest, "the registry stored it under another digest"));
        }
        let document = ImageDocument::parse(manifest.clone(), Some(media_type)).ok();
        let subject = document.as_ref().and_then(ImageDocument::subject).map(|subject| subject.digest.to_string());
        Ok(Pushed::new(subject.is_some() && answer.header(&OCI_SUBJECT) == subject.as_deref()))
    }

    /// Deletes a manifest by its digest. Registries without deletion answer 405
    /// (the specification's word for it), 400 or 501, all of which mean that it stays.
    pub(super) async fn remove_manifest(
        &self,
        context: &Context,
        target: &Target,
        digest: &Digest,
    ) -> Result<Deleted, RegistryError> {
        let url = target.url(&format!("manifests/{digest}"));
        let call = Call::new(context, target, Access::Delete, Method::DELETE, url);
        let answer = within(context, &call.operation, self.exchange().attempt(&call)).await?;
        let answer = answer.map_err(|failure| failure.error)?;
        match answer.status().as_u16() {
            200 | 202 | 204 => Ok(Deleted::Done),
            404 => Ok(Deleted::Absent),
            400 | 405 | 501 => Ok(Deleted::Unsupported),
            _ => Err(answer.refuse().await.failure.error),
        }
    }

    /// Sends a writing request. It is never sent twice, except after a 401,
    /// which says that nothing was done.
    async fn write(&self, call: &Call<'_>, success: u16) -> Result<Answer, RegistryError> {
        let answer = within(call.context, &call.operation, self.exchange().attempt(call)).await?;
        let answer = answer.map_err(|failure| failure.error)?;
        // Some registries answer 200 or 204 where the specification has 201.
        if answer.status() == success || (success == 201 && matches!(answer.status().as_u16(), 200 | 204)) {
            return Ok(answer);
        }
        let rejected = answer.status().is_client_error();
        let error = answer.refuse().await.failure.error;
        if rejected && error.problem() == Problem::Protocol {
            let status = error.status().unwrap_or(400);
            let told = RegistryError::new(Problem::Rejected, error.operation(), error.detail());
            return Err(told.with_status(status));
        }
        Err(error)
    }
}

/// Where the bytes go: the `Location` with its query kept (a registry's state is
/// in it) and the digest added. Only the registry's own origin: the bytes and
/// the credentials are for nobody else (scenario J-07).
fn upload_url(begun: &Answer, target: &Target, blob: &VerifiedBlob) -> Result<Url, RegistryError> {
    let wrong = |detail: &str| begun.error(Problem::Protocol, detail);
    let location = begun.header(&LOCATION).ok_or_else(|| wrong("an upload without a Location"))?;
    let mut url = begun.url.join(location).map_err(|_| wrong("an upload to something that is no URL"))?;
    check_link(&begun.operation, &begun.url, &url)?;
    if !target.owns(&url) {
        let detail = format!("the upload would go to {}", host_and_port(&url));
        return Err(begun.error(Problem::CredentialScope, detail));
    }
    url.query_pairs_mut().append_pair("digest", &blob.digest().to_string());
    Ok(url)
}
