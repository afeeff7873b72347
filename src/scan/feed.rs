//! A blob of a registry as something to read from in a thread of its own.

use std::io::{self, BufRead, Read};

use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, future};
use tokio::sync::mpsc;

use super::{LayerError, Progress, ScanError};
use crate::image::Descriptor;
use crate::registry::{BlobStream, BoxFuture, RegistryError, blocking};

/// Chunks that wait for the thread: reading ahead, but not much.
const AHEAD: usize = 8;

/// The bytes of a blob. Its end is only seen if size and digest were right.
pub(super) struct Feed {
    chunks: mpsc::Receiver<Result<Bytes, RegistryError>>,
    chunk: Bytes,
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => {
                    self.chunk = chunk.map_err(|error| io::Error::other(LayerError::Registry(error)))?;
                }
                None => break,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.chunk.advance(count);
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Where the layers of an image come from.
pub(super) trait Source: Sync {
    /// The blob as a stream that ends in an error unless it is the one described; `None` if there is none.
    fn open<'a>(&'a self, layer: &'a Descriptor) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>>;
}

/// Runs `work` over the bytes of a layer in a thread that may block. Dropping
/// the future ends it: the bytes stop coming.
pub(super) async fn read<T, F>(
    source: &dyn Source,
    progress: &dyn Progress,
    layer: &Descriptor,
    work: F,
) -> Result<T, ScanError>
where
    T: Send + 'static,
    F: FnOnce(Feed) -> Result<T, LayerError> + Send + 'static,
{
    let digest = || layer.digest.clone();
    let Some(mut stream) = source.open(layer).await? else {
        return Err(ScanError::Absent { what: "the layer", digest: digest() });
    };
    progress.begin(&layer.digest, layer.size);
    let (sender, chunks) = mpsc::channel(AHEAD);
    let worker = blocking(move || work(Feed { chunks, chunk: Bytes::new() }));
    let pump = async move {
        while let Some(chunk) = stream.next().await {
            if let Ok(chunk) = &chunk {
                progress.arrived(&layer.digest, chunk.len() as u64);
            }
            // Nobody takes it: the worker gave up, and says why.
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
    };
    let ((), done) = future::join(pump, worker).await;
    done.unwrap_or_else(|| Err(LayerError::shutting_down())).map_err(|error| match error {
        LayerError::Registry(error) => ScanError::Registry(error),
        error => ScanError::Layer { digest: digest(), error },
    })
}
