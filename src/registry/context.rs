//! What one run carries through every call: its limits, its deadline, its counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Problem, RegistryError};
use crate::limits::Limits;

/// The bounds and counters of one run over one image. Clones share the counters.
#[derive(Debug, Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    deadline: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Context {
    /// A run that has to end `limits.total_time` after now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a deadline is the one use of the monotonic clock; it decides no verdict"
    )]
    pub fn new(limits: Limits) -> Self {
        let deadline = Instant::now() + limits.total_time;
        Self { inner: Arc::new(Inner { limits, deadline, requests: AtomicU64::new(0), bytes: AtomicU64::new(0) }) }
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// When the run has to end.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.inner.deadline
    }

    /// The time left, `None` when there is none.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "see `new`")]
    pub fn remaining(&self) -> Option<Duration> {
        self.inner.deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Counts one request that is about to be sent.
    ///
    /// # Errors
    /// When this would be more requests, or more bytes were received, than the limits allow.
    pub fn count_request(&self, operation: &str) -> Result<(), RegistryError> {
        let sent = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        if sent >= self.limits().requests {
            let detail = format!("more than {} requests for one image", self.limits().requests);
            return Err(RegistryError::new(Problem::Limit, operation, detail));
        }
        // A thousand manifests may name the same large bundle (scenario K-01).
        if self.bytes() > self.limits().total_bytes {
            let detail = format!("more than {} bytes for one image", self.limits().total_bytes);
            return Err(RegistryError::new(Problem::Limit, operation, detail));
        }
        Ok(())
    }

    /// Counts bytes received.
    pub fn count_bytes(&self, bytes: u64) {
        self.inner.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Requests sent so far, retries and token requests included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Bytes of bodies received so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inner.bytes.load(Ordering::Relaxed)
    }
}
