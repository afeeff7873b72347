//! What an SPDX document of any writer says, as far as images are compared by it.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::digest::Digest;

/// An SPDX document, without what nothing is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) packages: Vec<Package>,
    /// The identifiers of what the document describes.
    pub(super) described: BTreeSet<String>,
    /// Those of what something was made from, and of what describes something: neither is in the image.
    pub(super) sources: BTreeSet<String>,
    /// Whether it says that images are variants of another: it is about an index.
    pub(super) is_index: bool,
}

/// A package of a document. `NOASSERTION`, `NONE` and the empty text are as good as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    /// The licence that it declares.
    pub(super) license: Option<String>,
    /// What it is for, in the words of SPDX 2.3: `LIBRARY`.
    pub(super) purpose: Option<String>,
    /// SHA-256 checksums that are digests.
    pub(super) sha256: Vec<Digest>,
    /// Package URLs, as written.
    pub(super) purls: Vec<String>,
}

/// A document that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON of the wanted shape, or ambiguous.
    #[error("not an SPDX document: {0}")]
    Malformed(String),
    /// Another version of SPDX, or none.
    #[error("{0:?} is no version of SPDX that is compared; wanted is SPDX-2.2, SPDX-2.3 or 3.0")]
    Version(String),
    /// It describes an index: such documents name images and no packages.
    #[error("the document describes an index, which says nothing of the packages of one platform")]
    Index,
    /// More packages than the limits allow.
    #[error("the document has {0} packages, the limit is {1}")]
    TooMany(usize, u64),
}

impl DocumentError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) | Self::Version(_) => Code::SbomInvalid,
            Self::Index => Code::OnIndex,
            Self::TooMany(..) => Code::Limit,
        }
    }
}

/// The text, unless it says that nobody says.
pub(super) fn asserted(text: Option<String>) -> Option<String> {
    text.filter(|text| !matches!(text.as_str(), "NOASSERTION" | "NONE" | ""))
}
