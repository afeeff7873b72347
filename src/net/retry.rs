//! Trying again: what to wait for, how long, and when to stop.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The bounds of the pauses: exponential with full jitter, so that many
/// clients refused at once do not come back at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
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

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Attempt<E> {
    pub(crate) error: E,
    /// Whether the next attempt may end otherwise.
    pub(crate) retry: bool,
    /// The pause that the server asks for.
    pub(crate) asked: Option<Duration>,
}

/// Why no further attempt was made.
#[derive(Debug)]
pub(crate) struct GaveUp<E> {
    /// How the last one failed.
    pub(crate) error: E,
    /// The pause that the server asks for, if there is no time for it.
    pub(crate) too_long: Option<Duration>,
}

/// Makes at most `most` attempts, until one succeeds or fails for good. `left`
/// tells how much time there is for a pause.
pub(crate) async fn attempts<T, E, F>(
    most: u32,
    backoff: Backoff,
    left: impl Fn() -> Option<Duration>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, GaveUp<E>>
where
    F: Future<Output = Result<T, Attempt<E>>>,
{
    let mut made = 0;
    loop {
        made += 1;
        let Attempt { error, retry, asked } = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        if !retry || made >= most {
            return Err(GaveUp { error, too_long: None });
        }
        let pause = asked.unwrap_or_else(|| backoff.pause(made));
        if left().is_none_or(|left| pause >= left) {
            // Waiting out the run and failing then would only cost time (scenario I-13).
            return Err(GaveUp { error, too_long: asked });
        }
        tracing::debug!(attempt = made, ?pause, "trying again");
        tokio::time::sleep(pause).await;
    }
}

/// Whether a server that answers so may answer otherwise later.
pub(crate) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// `Retry-After` as a wait: seconds, or a date, which is read against the
/// server's own clock. Anything else is ignored.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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
