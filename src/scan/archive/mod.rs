//! Tar archives as a stream (POSIX.1-2024 pax, and the GNU and ustar forms).
//!
//! Our own reader: every length is bounded before memory is taken, nothing is
//! ever written, and there is one interpretation of every archive, that of the
//! reader that container runtimes use (scenarios L-13, L-14 and N-07). What
//! that reader would take in another way is refused.

mod extended;
mod header;
mod read;
#[cfg(test)]
mod tests;

pub(super) use read::{Archive, ArchiveError, Entry, Kind, Source};
