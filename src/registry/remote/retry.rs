//! The attempts of one request, and the end of the run.

use std::future::Future;

use crate::net::{self, Attempt, Backoff, GaveUp};
use crate::registry::{Context, Problem, RegistryError};
use crate::time::human;

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: RegistryError,
    /// Whether the next attempt may end otherwise.
    pub(super) retry: bool,
}

impl Failure {
    /// One that may pass.
    pub(super) fn passing(error: RegistryError) -> Self {
        Self { error, retry: true }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self { error, retry: false }
    }
}

/// Makes attempts until one succeeds, fails for good, or the run's limits are reached.
pub(super) async fn attempts<T, F>(
    context: &Context,
    backoff: Backoff,
    operation: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, RegistryError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let attempt = || {
        let attempt = within(context, operation, attempt());
        async move {
            let failure = match attempt.await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(failure)) => failure,
                Err(late) => late.into(),
            };
            tracing::debug!(operation, problem = ?failure.error.problem(), "an attempt failed");
            Err(Attempt { asked: failure.error.retry_after(), error: failure.error, retry: failure.retry })
        }
    };
    let done = net::attempts(context.limits().attempts, backoff, || context.remaining(), attempt).await;
    done.map_err(|GaveUp { error, too_long }| match too_long {
        Some(pause) => error.and(&format!("; it asks to wait {}, longer than this run may last", human(pause))),
        None => error,
    })
}

/// The result of `future`, unless the run's time ends first.
pub(super) async fn within<T>(
    context: &Context,
    operation: &str,
    future: impl Future<Output = T>,
) -> Result<T, RegistryError> {
    tokio::time::timeout_at(context.deadline().into(), future).await.map_err(|_| {
        let detail = format!("no answer within the {} of this run", human(context.limits().total_time));
        RegistryError::new(Problem::Timeout, operation, detail)
    })
}
