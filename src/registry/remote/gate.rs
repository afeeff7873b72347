//! How many requests are in flight towards one registry, and how many large answers are taken in at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Large answers that are held in part at once. Their requests were all sent and
/// wait in the connections, so that this costs no round trip; without it as many
/// half-read attestations as requests in flight would be in memory.
const LARGE_AT_ONCE: usize = 4;
/// Bytes above which an answer is large. Manifests and most bundles are not.
const LARGE: u64 = 64 << 10;

/// The gates of all registries.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: Mutex<BTreeMap<String, Arc<Gate>>>,
}

#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    large: Arc<Semaphore>,
    width: AtomicUsize,
    /// Places that are to go when whoever has them leaves.
    debt: AtomicUsize,
}

/// A place among the requests in flight; leaving it lets the next one in.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
    place: Option<OwnedSemaphorePermit>,
    /// How wide the gate was on entering.
    width: usize,
}

impl Gates {
    /// Waits for a place. The first one to enter decides how many there are.
    pub(super) async fn enter(&self, registry: &str, width: usize) -> Permit {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            let width = width.clamp(1, Semaphore::MAX_PERMITS);
            Arc::clone(gates.entry(registry.to_owned()).or_insert_with(|| Arc::new(Gate::new(width))))
        };
        // The semaphore is never closed; without a place the request would only go uncounted.
        let place = Arc::clone(&gate.places).acquire_owned().await.ok();
        let width = gate.width.load(Ordering::Relaxed);
        Permit { gate, place, width }
    }
}

impl Gate {
    fn new(width: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(width)),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            width: AtomicUsize::new(width),
            debt: AtomicUsize::new(0),
        }
    }
}

impl Permit {
    /// Waits until a body of this length may be held, whole: `None` for one that
    /// is not large. A body that does not tell its length may be.
    pub(super) async fn take_in(&self, announced: Option<u64>) -> Option<OwnedSemaphorePermit> {
        if announced.is_some_and(|length| length <= LARGE) {
            return None;
        }
        // Never closed, as the places are.
        Arc::clone(&self.gate.large).acquire_owned().await.ok()
    }

    /// Halves the gate, because the registry refused this request for now. Of
    /// requests that entered together only the first one does.
    pub(super) fn narrow(&self) {
        let half = (self.width / 2).max(1);
        let change = self.gate.width.compare_exchange(self.width, half, Ordering::Relaxed, Ordering::Relaxed);
        if change.is_ok() {
            let gone = self.gate.places.forget_permits(self.width - half);
            self.gate.debt.fetch_add(self.width - half - gone, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let pay = |debt: usize| debt.checked_sub(1);
        if self.gate.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
            && let Some(place) = self.place.take()
        {
            place.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_refusal_halves_the_gate_once_for_all_who_entered_together() {
        let gates = Gates::default();
        let all: Vec<_> = [gates.enter("a", 4).await, gates.enter("a", 4).await, gates.enter("a", 4).await].into();
        all.iter().for_each(Permit::narrow);
        // Of four places two are left, and three are taken.
        assert!(gates.enter("a", 4).now_or_never().is_none());
        drop(all);
        let first = gates.enter("a", 4).await;
        let second = gates.enter("a", 4).await;
        assert!(gates.enter("a", 4).now_or_never().is_none());
        drop((first, second));
        assert!(gates.enter("b", 1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn large_answers_are_taken_in_a_few_at_once_and_small_ones_as_they_come() {
        let gates = Gates::default();
        let permit = gates.enter("a", 32).await;
        let taken = [Some(LARGE + 1), None, Some(LARGE + 1), Some(u64::MAX)]
            .map(|length| permit.take_in(length).now_or_never().flatten().expect("a place"));
        assert!(permit.take_in(Some(LARGE + 1)).now_or_never().is_none());
        assert!(permit.take_in(None).now_or_never().is_none());
        assert!(permit.take_in(Some(LARGE)).now_or_never().is_some_and(|place| place.is_none()));
        drop(taken);
        assert!(permit.take_in(None).now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn a_gate_never_closes() {
        let gates = Gates::default();
        for _ in 0..5 {
            gates.enter("a", 4).await.narrow();
        }
        assert!(gates.enter("a", 4).now_or_never().is_some());
    }
}
