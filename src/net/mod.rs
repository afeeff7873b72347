//! What every HTTP client of this crate is made from.

mod http;
mod tls;

pub(crate) use http::{builder, is_loopback, root_cause};
pub(crate) use tls::{TlsError, certificates};
