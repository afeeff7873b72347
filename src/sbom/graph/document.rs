//! The whole of what a document says.

use super::{Element, File, Relation};
use crate::digest::Digest;
use crate::sbom::Options;
use crate::sbom::license::Extracted;
use crate::time::Timestamp;

/// Elements and what joins them. The first element is what the document describes.
#[derive(Debug)]
pub(in crate::sbom) struct Graph<'a> {
    /// What the document is called.
    pub(in crate::sbom) name: String,
    /// What it is about, in the letters of a namespace.
    pub(in crate::sbom) subject: String,
    /// When it was made, in whole seconds: SPDX has no others (SPDX 2.3, 6.9).
    pub(in crate::sbom) created: String,
    /// What it covers.
    pub(in crate::sbom) comment: String,
    pub(in crate::sbom) elements: Vec<Element<'a>>,
    /// In a fixed order, the same for every version. What contains a file, the file says.
    pub(in crate::sbom) relations: Vec<Relation>,
    /// Files by path, if these are asked for.
    pub(in crate::sbom) files: Vec<File<'a>>,
    /// What has to be explained of the licences.
    pub(in crate::sbom) extracted: Extracted,
    /// What could not be read: the document is not all that there is.
    pub(in crate::sbom) problems: Vec<String>,
}

/// What makes the documents.
pub(in crate::sbom) const TOOL: &str = concat!("cg-attest-", env!("CARGO_PKG_VERSION"));

/// Where the documents' own names are. What follows ends in a digest of the document.
pub(in crate::sbom) const NAMESPACES: &str = "https://spdx.org/spdxdocs/cg-attest";

pub(super) fn seconds(time: Option<Timestamp>) -> String {
    let seconds = time.map_or(0, Timestamp::unix);
    Timestamp::from_unix(seconds).map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// A digest, after the repository that it is in if that is known.
pub(super) fn called(digest: &Digest, options: &Options) -> String {
    match &options.repository {
        Some(repository) => format!("{repository}@{digest}"),
        None => digest.to_string(),
    }
}
