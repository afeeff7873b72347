//! What a document says, whatever the version of SPDX that it is written in.
//!
//! ```text
//! document ─describes▶ image ─contains▶ layers ─contains▶ packages ─depends on▶ packages
//!                        └───contains▶ operating system     └─generated from▶ sources
//! document ─describes▶ index ◀variant of─ images of platforms
//! ```

mod element;
mod of_contents;
mod of_index;

pub(super) use element::{Element, Kind, Party, Purpose, Relation, Text};

use super::Options;
use super::license::Extracted;
use crate::time::Timestamp;

/// Elements and what joins them. The first element is what the document describes.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    /// What the document is called.
    pub(super) name: String,
    /// What it is about, in the letters of a namespace.
    pub(super) subject: String,
    /// When it was made, in whole seconds: SPDX has no others (SPDX 2.3, 6.9).
    pub(super) created: String,
    /// What it covers.
    pub(super) comment: String,
    pub(super) elements: Vec<Element<'a>>,
    /// In a fixed order, the same for every version.
    pub(super) relations: Vec<Relation>,
    /// What has to be explained of the licences.
    pub(super) extracted: Extracted,
    /// What could not be read: the document is not all that there is.
    pub(super) problems: Vec<String>,
}

/// What makes the documents.
pub(super) const TOOL: &str = concat!("cg-attest-", env!("CARGO_PKG_VERSION"));

/// Where the documents' own names are. What follows ends in a digest of the document.
pub(super) const NAMESPACES: &str = "https://spdx.org/spdxdocs/cg-attest";

fn seconds(time: Option<Timestamp>) -> String {
    let seconds = time.map_or(0, Timestamp::unix);
    Timestamp::from_unix(seconds).map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// A digest, after the repository that it is in if that is known.
fn called(digest: &crate::digest::Digest, options: &Options) -> String {
    match &options.repository {
        Some(repository) => format!("{repository}@{digest}"),
        None => digest.to_string(),
    }
}
