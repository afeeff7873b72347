//! How long writers wait for each other.

use std::time::Duration;

use super::Attacher;
use crate::net::{Attempt, Backoff, attempts};
use crate::registry::{BoxFuture, Context, Problem, RegistryError};

/// The waits of attaching. The defaults are what all writers have to agree on;
/// others are for tests and for registries that nobody else writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// The age at which a reading of a shared tag is too old to be written back.
    pub fresh: Duration,
    /// How long after the last write a shared tag is read again; longer than
    /// `fresh`, with room for a slow request.
    pub settle: Duration,
    /// Between the two readings that have to agree.
    pub again: Duration,
    /// Before something that failed is tried again, about doubled each time.
    pub pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(2),
            settle: Duration::from_secs(5),
            again: Duration::from_secs(1),
            pause: Duration::from_millis(250),
        }
    }
}

impl Timing {
    /// The waits of a place that nobody else writes to at the same time.
    #[must_use]
    pub fn alone() -> Self {
        let short = Duration::from_millis(1);
        Self { settle: short, again: short, pause: short, ..Self::default() }
    }

    pub(super) fn is_passing(error: &RegistryError) -> bool {
        matches!(error.problem(), Problem::Unavailable | Problem::RateLimited)
    }
}

impl Attacher {
    /// Repeats a write of what is named by its digest, or a deletion: a second
    /// one changes nothing. Whoever reads repeats that by itself ([`Pull`](crate::registry::Pull)).
    pub(super) async fn again<'a, T>(
        &self,
        context: &Context,
        mut write: impl FnMut() -> BoxFuture<'a, Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let backoff = Backoff { first: self.timing.pause, ..Backoff::default() };
        let attempt = || {
            let written = write();
            async move {
                let failed = |error: RegistryError| Attempt {
                    retry: Timing::is_passing(&error),
                    asked: error.retry_after(),
                    error,
                };
                written.await.map_err(failed)
            }
        };
        let done = attempts(context.limits().attempts, backoff, || context.remaining(), attempt).await;
        done.map_err(|gave_up| gave_up.error)
    }
}
