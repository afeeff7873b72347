//! What a document says, whatever the version of SPDX that it is written in.
//!
//! ```text
//! document ─describes▶ image ─contains▶ layers ─contains▶ packages ─depends on▶ packages
//!                        └───contains▶ operating system     └─generated from▶ sources
//! document ─describes▶ index ◀variant of─ images of platforms
//! ```

mod document;
mod element;
mod of_contents;
mod of_index;

pub(super) use document::{Graph, NAMESPACES, TOOL};
pub(super) use element::{Element, Kind, Party, Purpose, Relation, Text};
