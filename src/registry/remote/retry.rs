//! Trying again: what is worth it, how long to wait, and when to stop.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

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

/// The bounds of the pauses: exponential with full jitter, so that many
/// clients refused at once do not come back at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(4) }
    }
}

impl Backoff {
    /// The pause after attempt number `attempt`, counted from 1.
    fn pause(self, attempt: u32) -> Duration {
        let bound = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.longest);
        // Randomness that no secret hangs on: the keys of a new hash map.
        let random = RandomState::new().hash_one(attempt) >> 11;
        bound.mul_f64(random as f64 / (1_u64 << 53) as f64)
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
    let mut made = 0;
    loop {
        made += 1;
        let Failure { error, retry } = match within(context, operation, attempt()).await? {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        if !retry || made >= context.limits().attempts {
            return Err(error);
        }
        let asked = error.retry_after();
        let pause = asked.unwrap_or_else(|| backoff.pause(made));
        if context.remaining().is_none_or(|left| pause >= left) {
            // Waiting out the run and failing then would only cost time (scenario I-13).
            return Err(match asked {
                Some(_) => error.and(&format!("; it asks to wait {}, longer than this run may last", human(pause))),
                None => error,
            });
        }
        tracing::debug!(operation, attempt = made, ?pause, problem = ?error.problem(), "trying again");
        tokio::time::sleep(pause).await;
    }
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

/// `Retry-After` as a wait: seconds, or a date, which is read against the
/// server's own clock. Anything else is ignored.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // A number too long to be read is a very long wait.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let (until, now) = (httpdate::parse_http_date(value).ok()?, httpdate::parse_http_date(text(DATE)?).ok()?);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after_value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_value.parse().expect("a header"));
        if let Some(date) = date {
            headers.insert(DATE, date.parse().expect("a header"));
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_wait_is_read_in_both_forms() {
        assert_eq!(asked("30", None), Some(30));
        assert_eq!(asked("0", None), Some(0));
        assert_eq!(asked("99999999", None), Some(99_999_999));
        assert_eq!(asked("99999999999999999999999", None), Some(u64::MAX));
        let date = Some("Sun, 06 Nov 1994 08:49:00 GMT");
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(37));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", None), None);
        for bad in ["-1", "soon", "", "1.5", "+3"] {
            assert_eq!(asked(bad, date), None, "{bad}");
        }
    }

    #[test]
    fn pauses_stay_below_their_bounds() {
        let backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.pause(1) <= Duration::from_millis(250));
            assert!(backoff.pause(2) <= Duration::from_millis(500));
            assert!(backoff.pause(60) <= Duration::from_secs(4));
        }
        let drawn: std::collections::BTreeSet<_> = (0..8).map(|_| backoff.pause(5)).collect();
        assert!(drawn.len() > 1, "pauses are drawn at random");
    }
}
