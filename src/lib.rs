#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The vocabulary.
pub mod code;
pub mod digest;
mod json;
pub mod limits;
pub mod time;

// The pure core, in the order in which a reader and the data go.
pub mod image;

// The edges.
#[cfg(feature = "client")]
pub mod registry;

// Feature `testing`.
#[cfg(feature = "testing")]
pub mod testing;
