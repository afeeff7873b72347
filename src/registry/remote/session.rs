//! What is known of one kind of access to one repository: nothing, that it is open, or a grant.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::grant::Grant;

/// What is known about one kind of access to one repository.
#[derive(Debug)]
pub(super) struct Session {
    /// Held while somebody finds out what the registry wants.
    pub(super) flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) state: State,
    /// Rises with every change, so that of many refused requests only one renews.
    pub(super) serial: u64,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Unknown,
    /// Nothing is wanted.
    Open,
    Granted(Grant),
}

/// How a request goes out at first.
pub(super) struct Opening {
    pub(super) session: Arc<Session>,
    pub(super) grant: Option<Grant>,
    pub(super) serial: u64,
    /// Held if this request is the one that finds out.
    pub(super) flight: Option<OwnedMutexGuard<()>>,
}

impl Session {
    pub(super) fn new(state: State) -> Self {
        Self { flight: Arc::default(), known: Mutex::new(Known { state, serial: 0 }) }
    }

    pub(super) fn known(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match &known.state {
            State::Granted(Grant { expires: Some(expires), .. }) if *expires <= Instant::now() => {
                Known { state: State::Unknown, ..known }
            }
            _ => known,
        }
    }

    pub(super) fn learn(&self, state: State) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.state = state;
        known.serial += 1;
    }

    /// What to send first. Waits while another request finds out.
    pub(super) async fn open(self: Arc<Self>) -> Opening {
        let mut known = self.known();
        let mut flight = None;
        if matches!(known.state, State::Unknown) {
            let guard = Arc::clone(&self.flight).lock_owned().await;
            known = self.known();
            flight = matches!(known.state, State::Unknown).then_some(guard);
        }
        let grant = match known.state {
            State::Granted(grant) => Some(grant),
            State::Unknown | State::Open => None,
        };
        Opening { session: self, grant, serial: known.serial, flight }
    }
}

impl Opening {
    /// Whether this is the request that finds out, and without credentials.
    pub(super) fn is_first_of_a_stranger(&self) -> bool {
        self.flight.is_some() && self.grant.is_none()
    }

    /// The registry did not ask who we are.
    pub(super) fn admitted(self) {
        if self.flight.is_some() {
            self.session.learn(State::Open);
        }
    }
}
