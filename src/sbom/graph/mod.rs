//! What a document says, whatever the version of SPDX that it is written in.
//!
//! ```text
//! document ─describes▶ image ─contains▶ layers ─contains▶ packages ─depends on▶ packages
//!                        └───contains▶ operating system     └─generated from▶ sources
//! image, packages ─contains▶ files, where they are asked for
//! document ─describes▶ index ◀variant of─ images of platforms
//! ```

mod document;
mod element;
mod files;
mod of_contents;
mod of_index;

pub(super) use document::{Graph, NAMESPACES, TOOL};
pub(super) use element::{Element, Kind, Party, Purpose, Relation, Text};
pub(super) use files::File;
