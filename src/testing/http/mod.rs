//! Servers on the loopback address that answer as told: well, badly, or not at all.

mod controls;
mod fault;
mod record;
mod server;
mod waves;

pub use fault::{Answer, Fault};
pub use record::RecordedRequest;
pub use waves::Waves;

pub(super) use controls::controls;
pub(super) use record::parameter;
pub(super) use server::{Answering, Handler, Server, lock};
