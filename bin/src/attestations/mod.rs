//! Attestations of one type, as several commands print them: those that a policy
//! accepts, those that are attached whoever attached them, those that nobody signed, and those that were not asked for.

mod unsigned;
mod unused;
mod unverified;
mod verified;

pub(crate) use unsigned::{SIGNERS, Unsigned, unsigned};
pub(crate) use unused::name_unused_sboms;
pub(crate) use unverified::{Wanted, unverified};
pub(crate) use verified::{Asked, accepted, newest, verified};
