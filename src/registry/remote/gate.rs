//! How many requests are in flight towards one registry.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The gates of all registries.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: Mutex<BTreeMap<String, Arc<Gate>>>,
}

#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
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
        Self { places: Arc::new(Semaphore::new(width)), width: AtomicUsize::new(width), debt: AtomicUsize::new(0) }
    }
}

impl Permit {
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
    async fn a_gate_never_closes() {
        let gates = Gates::default();
        for _ in 0..5 {
            gates.enter("a", 4).await.narrow();
        }
        assert!(gates.enter("a", 4).now_or_never().is_some());
    }
}
