//! A blob of a registry as something to read from in a thread of its own.

use std::io::{self, BufRead, Read};

use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, future};
use tokio::sync::mpsc;

use super::{LayerError, Progress, ScanError};
use crate::image::{Descriptor, Repository};
use crate::registry::{Context, Pull, RegistryError};

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

/// Where blobs come from.
#[derive(Clone, Copy)]
pub(super) struct Blobs<'a> {
    pub(super) pull: &'a dyn Pull,
    pub(super) context: &'a Context,
    pub(super) repository: &'a Repository,
    pub(super) progress: &'a dyn Progress,
}

impl Blobs<'_> {
    /// Runs `work` over the bytes of a layer in a thread that may block. Dropping
    /// the future ends it: the bytes stop coming.
    pub(super) async fn read<T, F>(&self, descriptor: &Descriptor, work: F) -> Result<T, ScanError>
    where
        T: Send + 'static,
        F: FnOnce(Feed) -> Result<T, LayerError> + Send + 'static,
    {
        let digest = || descriptor.digest.clone();
        let failed = |error| match error {
            LayerError::Registry(error) => ScanError::Registry(error),
            error => ScanError::Layer { digest: digest(), error },
        };
        let Some(mut stream) = self.pull.blob(self.context, self.repository, descriptor).await? else {
            return Err(ScanError::Absent { what: "the layer", digest: digest() });
        };
        self.progress.begin(&descriptor.digest, descriptor.size);
        let (sender, chunks) = mpsc::channel(AHEAD);
        let worker = tokio::task::spawn_blocking(move || work(Feed { chunks, chunk: Bytes::new() }));
        let pump = async move {
            while let Some(chunk) = stream.next().await {
                if let Ok(chunk) = &chunk {
                    self.progress.arrived(&descriptor.digest, chunk.len() as u64);
                }
                // Nobody takes it: the worker gave up, and says why.
                if sender.send(chunk).await.is_err() {
                    break;
                }
            }
        };
        let ((), done) = future::join(pump, worker).await;
        match done {
            Ok(result) => result.map_err(failed),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(failed(LayerError::Malformed("the runtime is shutting down".to_owned()))),
        }
    }
}
