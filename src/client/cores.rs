//! Verifying on every core.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::registry::blocking;

/// Places for work that computes, one for each core besides the caller's own.
/// Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Cores {
    others: Arc<Semaphore>,
}

impl Cores {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { others: Arc::new(Semaphore::new(cores - 1)) }
    }

    /// Runs `work` on another core if one is free, else here and now: what
    /// would wait for a core would wait with its bytes in memory, and while this
    /// task computes it reads no more of them.
    ///
    /// When the caller goes away, work that has begun elsewhere is finished and
    /// dropped: it is one candidate, and touches nothing but memory. `None` if
    /// the runtime ends before the work is done.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let Ok(place) = Arc::clone(&self.others).try_acquire_owned() else { return Some(work()) };
        let placed = move || {
            let done = work();
            drop(place);
            done
        };
        blocking(placed).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn as_much_is_computed_at_once_as_there_are_cores() {
        let cores = Cores { others: Arc::new(Semaphore::new(2)) };
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20).map(|number| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            cores.run(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                number
            })
        });
        let done: Vec<_> = join_all(work).await.into_iter().flatten().collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "two elsewhere and one here");
    }

    #[tokio::test]
    async fn without_another_core_work_is_done_here() {
        let own = std::thread::current().id();
        for (others, here) in [(0, true), (1, false)] {
            let cores = Cores { others: Arc::new(Semaphore::new(others)) };
            assert_eq!(cores.run(|| std::thread::current().id()).await.map(|id| id == own), Some(here));
        }
    }

    #[tokio::test]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_is_passed_on() {
        let cores = Cores { others: Arc::new(Semaphore::new(1)) };
        cores.run(|| panic!("on purpose")).await.unwrap_or_default()
    }
}
