//! Changing a document at a tag that others change too.
//!
//! A registry has no compare-and-swap: whoever reads, changes and writes may
//! undo what was written in between, and nobody is told (scenario P-06). What
//! makes it safe among writers who keep to these rules:
//!
//! 1. Nobody writes what was read more than [`Timing::fresh`] ago.
//! 2. Every run reads again [`Timing::settle`] after its last write, which is
//!    longer: whoever had read before that write has written by then. Whatever
//!    of the run is missing is written again, *everything* of it at once, and
//!    the wait begins anew, until two readings agree.
//!
//! A writer who keeps what was read for longer can still undo entries after
//! that; `docs/attaching.md` says so.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::Attacher;
use super::error::{AttachError, Part};
use super::timing::Timing;
use crate::digest::VerifiedBlob;
use crate::image::ImageName;
use crate::registry::{Context, Fetched};

/// A change that can be made, or found made, at any time.
pub(super) trait Edit: Send + Sync {
    /// What the document has to become; `None` if everything is in it.
    fn edit(&self, current: Option<&Fetched>) -> Result<Option<Edited>, AttachError>;
}

/// A changed document.
pub(super) struct Edited {
    pub(super) media_type: &'static str,
    pub(super) manifest: VerifiedBlob,
    /// What it refers to and the registry may not have.
    pub(super) blobs: Vec<VerifiedBlob>,
}

/// A document at a tag.
pub(super) struct Tagged<'a> {
    attacher: &'a Attacher,
    context: &'a Context,
    tag: ImageName,
}

impl Attacher {
    /// The document at `tag`, where evidence is written.
    pub(super) fn tagged<'a>(&'a self, context: &'a Context, tag: ImageName) -> Tagged<'a> {
        Tagged { attacher: self, context, tag }
    }
}

/// Rounds of writing again before other writers are blamed.
const ROUNDS: u32 = 24;

impl Tagged<'_> {
    /// Makes the change; when it was written, if it had to be.
    pub(super) async fn assert(&self, edit: &dyn Edit) -> Result<Option<Instant>, AttachError> {
        let Self { attacher, context, tag } = self;
        for _ in 0..ROUNDS {
            let read = Instant::now();
            let current = self.read().await?;
            let Some(edited) = edit.edit(current.as_ref())? else { return Ok(None) };
            for blob in &edited.blobs {
                let put = || attacher.push.push_blob(context, attacher.place(), blob);
                attacher.again(context, put).await.map_err(|error| AttachError::write(error, Part::Blob))?;
            }
            // Too old to be written: somebody may have written since (rule 1).
            if read.elapsed() > attacher.timing.fresh {
                continue;
            }
            let (kind, manifest) = (edited.media_type, &edited.manifest);
            match attacher.push.push_manifest(context, attacher.place(), tag, kind, manifest).await {
                Ok(_) => return Ok(Some(Instant::now())),
                // Never the same bytes again: what may be tried again begins with reading.
                Err(error) if Timing::is_passing(&error) => {
                    let pause = error.retry_after().unwrap_or(attacher.timing.pause);
                    if context.remaining().is_none_or(|left| pause >= left) {
                        return Err(AttachError::write(error, Part::Tag));
                    }
                    sleep(pause).await;
                }
                Err(error) => return Err(AttachError::write(error, Part::Tag)),
            }
        }
        Err(AttachError::Contended { tag: self.tag.to_string() })
    }

    /// Sees to it that the change stays, after it was `written` (rule 2).
    pub(super) async fn settle(&self, edit: &dyn Edit, written: Instant) -> Result<(), AttachError> {
        let mut written = written;
        for round in 0..ROUNDS {
            sleep_until(written + self.attacher.timing.settle).await;
            let mut agreed = 0;
            while agreed < 2 && edit.edit(self.read().await?.as_ref())?.is_none() {
                agreed += 1;
                sleep(self.attacher.timing.again).await;
            }
            if agreed == 2 {
                return Ok(());
            }
            // Whoever undid this one is about to find the same: not all at once.
            sleep(self.jitter(round)).await;
            written = self.assert(edit).await?.unwrap_or_else(Instant::now);
        }
        Err(AttachError::Contended { tag: self.tag.to_string() })
    }

    /// The document now. `None` is a definite absence.
    async fn read(&self) -> Result<Option<Fetched>, AttachError> {
        let Self { attacher, context, tag } = self;
        Ok(attacher.push.manifest(context, attacher.place(), tag).await?)
    }

    /// A pause drawn at random, longer from round to round.
    fn jitter(&self, round: u32) -> Duration {
        // Randomness that no secret hangs on: the keys of a new hash map.
        let drawn = (RandomState::new().hash_one(round) >> 11) as f64 / (1_u64 << 53) as f64;
        self.attacher.timing.fresh.saturating_mul(1 << round.min(3)).mul_f64(drawn)
    }
}
