//! Blobs: hashed as they arrive.

use futures_util::stream;

use super::Remote;
use super::answer::Answer;
use super::call::Call;
use super::target::Target;
use crate::digest::{Hasher, VerifiedBlob};
use crate::image::Descriptor;
use crate::registry::{BlobStream, Context, Problem, RegistryError};

impl Remote {
    /// A blob as a stream. The descriptor's `urls` are never followed (scenario J-20).
    pub(super) async fn stream_blob(
        &self,
        context: &Context,
        target: &Target,
        descriptor: &Descriptor,
    ) -> Result<Option<BlobStream>, RegistryError> {
        let call = blob_call(context, target, descriptor);
        let Some(answer) = self.open(&call, &[404]).await? else { return Ok(None) };
        check_announced(&answer, descriptor)?;
        Ok(Some(Box::pin(stream::try_unfold(Some(Arriving::new(answer, descriptor)), |arriving| async move {
            match arriving {
                Some(arriving) => arriving.next().await,
                None => Ok(None),
            }
        }))))
    }

    /// A whole blob of at most `limit` bytes. Unlike a stream, it is fetched again when it breaks off.
    pub(super) async fn get_blob(
        &self,
        context: &Context,
        target: &Target,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<VerifiedBlob>, RegistryError> {
        let call = blob_call(context, target, descriptor);
        if descriptor.size > limit {
            let detail = format!("it has {} bytes, the limit is {limit}", descriptor.size);
            return Err(RegistryError::new(Problem::Limit, &call.operation, detail));
        }
        if let Some(embedded) = descriptor.embedded() {
            return Ok(Some(embedded.clone()));
        }
        // One byte more than wanted is enough to know that it is not the blob.
        let bytes = match self.fetch(&call, descriptor.size, &[404]).await {
            Ok(Some(whole)) => whole.bytes,
            Ok(None) => return Ok(None),
            Err(error) if error.problem() == Problem::Limit && error.status() == Some(200) => {
                return Err(longer(&call.operation, descriptor));
            }
            Err(error) => return Err(error),
        };
        let checked = VerifiedBlob::check(bytes, &descriptor.digest, Some(descriptor.size));
        checked.map(Some).map_err(|error| RegistryError::mismatch(&call.operation, &error))
    }
}

fn blob_call<'a>(context: &'a Context, target: &'a Target, descriptor: &Descriptor) -> Call<'a> {
    Call::get(context, target, target.url(&format!("blobs/{}", descriptor.digest)))
}

fn longer(operation: &str, descriptor: &Descriptor) -> RegistryError {
    let detail = format!("more than the {} bytes of its descriptor", descriptor.size);
    RegistryError::new(Problem::Digest, operation, detail)
}

/// The size is checked before a byte is read.
fn check_announced(answer: &Answer, descriptor: &Descriptor) -> Result<(), RegistryError> {
    match answer.announced().filter(|length| *length != descriptor.size) {
        Some(length) => {
            let detail = format!("{length} bytes are announced, the descriptor says {}", descriptor.size);
            Err(answer.error(Problem::Digest, detail))
        }
        None => Ok(()),
    }
}

/// A blob on its way in.
struct Arriving {
    answer: Answer,
    descriptor: Descriptor,
    hasher: Hasher,
}

impl Arriving {
    fn new(answer: Answer, descriptor: &Descriptor) -> Self {
        let hasher = Hasher::new(descriptor.digest.algorithm());
        Self { answer, descriptor: descriptor.clone(), hasher }
    }

    /// The next bytes; the end only if size and digest are the descriptor's.
    async fn next(mut self) -> Result<Option<(bytes::Bytes, Option<Self>)>, RegistryError> {
        let Self { answer, descriptor, hasher } = &mut self;
        if let Some(chunk) = answer.chunk().await.map_err(|failure| failure.error)? {
            if hasher.size() + chunk.len() as u64 > descriptor.size {
                return Err(longer(&answer.operation, descriptor));
            }
            hasher.update(&chunk);
            return Ok(Some((chunk, Some(self))));
        }
        if hasher.size() != descriptor.size {
            let detail = format!("ended after {} of {} bytes", hasher.size(), descriptor.size);
            return Err(answer.error(Problem::Digest, detail));
        }
        let found = self.hasher.finish();
        if found != self.descriptor.digest {
            let detail = format!("wanted {}, the bytes received have {found}", self.descriptor.digest);
            return Err(self.answer.error(Problem::Digest, detail));
        }
        Ok(None)
    }
}
