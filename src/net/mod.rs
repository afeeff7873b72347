//! What every HTTP client of this crate is made from.

mod http;
mod retry;
mod secret;
#[cfg(feature = "sign")]
mod service;
mod tls;

pub(crate) use http::{builder, is_loopback, root_cause, words};
pub(crate) use retry::{Attempt, Backoff, GaveUp, attempts, may_pass, retry_after};
pub(crate) use secret::Secret;
#[cfg(feature = "sign")]
pub(crate) use service::{Ask, Http, HttpError, Reply};
#[cfg(all(test, feature = "sign"))]
pub(crate) use tls::believing_nobody as believing_nobody_for_tests;
pub(crate) use tls::{TlsError, certificates};
