//! Whether what is said of an image is what is in it: the SBOM against the
//! layers, statements against each other, and rules of images.
//!
//! Two witnesses are compared only in fields that mean the same in both. What
//! the writer of a document leaves out by design (files, sources, the operating
//! system) is no finding.

mod apko;
mod claimed;
mod compare;
mod content;
mod finding;
mod rules;
mod statements;
#[cfg(test)]
mod tests;

pub use claimed::Claimed;
pub use compare::{Evidence, Outcome, compare};
pub use finding::Finding;
pub use rules::{Rule, UnknownRule};
