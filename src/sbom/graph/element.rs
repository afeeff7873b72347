//! What is described, and how it belongs together.

use std::borrow::Cow;

use crate::digest::{Algorithm, Digest};

/// A text that is mostly borrowed.
pub(in crate::sbom) type Text<'a> = Cow<'a, str>;

/// An image, a layer, an operating system, a package or a source.
#[derive(Debug, Clone)]
pub(in crate::sbom) struct Element<'a> {
    /// Its identifier, once in a document: `SPDXRef-…`.
    pub(in crate::sbom) id: String,
    pub(in crate::sbom) name: Text<'a>,
    pub(in crate::sbom) version: Option<Text<'a>>,
    pub(in crate::sbom) purpose: Option<Purpose>,
    pub(in crate::sbom) purl: Option<Text<'a>>,
    /// A SHA-256 that was computed, in hex.
    pub(in crate::sbom) sha256: Option<Text<'a>>,
    pub(in crate::sbom) supplier: Option<Party>,
    pub(in crate::sbom) originator: Option<Party>,
    pub(in crate::sbom) homepage: Option<Text<'a>>,
    /// Where in the image it was read.
    pub(in crate::sbom) source_info: Option<String>,
    /// The licence that it declares, a valid expression.
    pub(in crate::sbom) license: Option<String>,
    pub(in crate::sbom) summary: Option<Text<'a>>,
    pub(in crate::sbom) comment: Option<String>,
    /// What stands for all files in it, if these were looked at.
    pub(in crate::sbom) verification_code: Option<String>,
}

/// What an element is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sbom) enum Purpose {
    Container,
    File,
    OperatingSystem,
    Source,
}

/// Who distributes or made a package. With an address it is taken as a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sbom) enum Party {
    Organization(String),
    Person { name: String, address: String },
}

/// How two elements, by their numbers, belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sbom) struct Relation {
    pub(in crate::sbom) from: usize,
    pub(in crate::sbom) kind: Kind,
    pub(in crate::sbom) to: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sbom) enum Kind {
    Contains,
    DependsOn,
    GeneratedFrom,
    VariantOf,
}

impl<'a> Element<'a> {
    /// An element of which nothing but this is said.
    pub(super) fn new(id: String, name: impl Into<Text<'a>>) -> Self {
        Self {
            id,
            name: name.into(),
            version: None,
            purpose: None,
            purl: None,
            sha256: None,
            supplier: None,
            originator: None,
            homepage: None,
            source_info: None,
            license: None,
            summary: None,
            comment: None,
            verification_code: None,
        }
    }

    /// With the digest of what it is, if the documents can say it.
    pub(super) fn digest(mut self, digest: &'a Digest) -> Self {
        self.sha256 = (digest.algorithm() == Algorithm::Sha256).then(|| digest.hex().into());
        self
    }
}

impl Party {
    /// Whoever is named: a name, possibly with an address in `<>`.
    pub(super) fn of(text: &str) -> Self {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match one_line.split_once('<') {
            Some((name, address)) => {
                let address = address.trim_end_matches('>').trim();
                let name = Some(name.trim()).filter(|name| !name.is_empty()).unwrap_or(address);
                Self::Person { name: name.to_owned(), address: address.to_owned() }
            }
            None => Self::Organization(one_line),
        }
    }
}
