//! How many steps of a conversation follow one another, told without a clock.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::lock;

/// Requests that are answered together, at one server or at several. Those of
/// a wave are answered when all of them have arrived, and none before: whoever
/// sends one of them only after the answer to another waits until its own time
/// is over. So a conversation that comes to its end in these waves has at most
/// as many steps as there are waves, however fast the machine is.
///
/// ```
/// use cg_attest::testing::{Registry, Waves};
///
/// let registry = Registry::start();
/// // One request for the image, and then three at once.
/// let waves = Waves::new(&[1, 3]);
/// registry.hold(&waves);
/// assert_eq!(waves.answered(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Waves {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sizes: Vec<usize>,
    /// How many requests of the wave that is not answered yet have arrived.
    arrived: Mutex<usize>,
    /// How many waves were answered.
    answered: watch::Sender<usize>,
}

impl Waves {
    /// Waves of these sizes. A request after the last of them is a wave of its own.
    #[must_use]
    pub fn new(sizes: &[usize]) -> Self {
        let (answered, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { sizes: sizes.to_vec(), arrived: Mutex::default(), answered }) }
    }

    /// How many waves were answered, those after the last one included.
    #[must_use]
    pub fn answered(&self) -> usize {
        *self.shared.answered.borrow()
    }

    /// Waits for the others of the wave.
    pub(super) async fn arrive(&self) {
        let Shared { sizes, arrived, answered } = &*self.shared;
        let mut others = answered.subscribe();
        let wave = {
            let mut arrived = lock(arrived);
            let wave = *answered.borrow();
            *arrived += 1;
            if *arrived >= sizes.get(wave).copied().unwrap_or(1) {
                *arrived = 0;
                answered.send_replace(wave + 1);
            }
            wave
        };
        // The sender is in what is borrowed here, so the channel is open.
        drop(others.wait_for(|answered| *answered > wave).await);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wave_is_answered_when_all_of_it_is_there() {
        let waves = Waves::new(&[1, 3]);
        waves.arrive().await;
        let mut two = Box::pin(join_all([waves.arrive(), waves.arrive()]));
        assert!(two.as_mut().now_or_never().is_none() && waves.answered() == 1);
        let late = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            waves.arrive().await;
        };
        futures_util::future::join(two, late).await;
        assert_eq!(waves.answered(), 2);
        // What was not expected is seen.
        waves.arrive().await;
        assert_eq!(waves.answered(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_after_the_other_is_never_a_wave() {
        let waves = Waves::new(&[2]);
        let in_turn = async {
            waves.arrive().await;
            waves.arrive().await;
        };
        assert!(tokio::time::timeout(Duration::from_secs(3600), in_turn).await.is_err());
        assert_eq!(waves.answered(), 0);
    }
}
