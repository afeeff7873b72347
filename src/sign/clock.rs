//! The time now: certificates live for ten minutes, so a session has to know it.
#![expect(
    clippy::disallowed_methods,
    reason = "a signing session is an edge; what it checks takes the time as a value"
)]

use crate::time::Timestamp;

/// How far the clocks of services may be ahead of ours.
const SKEW_SECONDS: i64 = 60;

pub(super) fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now())
}

/// The time that nothing which was just signed may be after.
pub(super) fn latest() -> Timestamp {
    let now = now();
    Timestamp::from_unix(now.unix() + SKEW_SECONDS).unwrap_or(now)
}
