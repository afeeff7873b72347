//! What is wrong with a document, and how it is looked at.

use std::collections::BTreeSet;
use std::fmt;

use packageurl::PackageUrl;
use serde_json::Value;

/// Findings at most: a document of ten thousand bad packages is one bad document.
const MOST: usize = 1000;

/// Something that a document should not say, or not in this way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where: `packages[3].licenseDeclared`.
    pub place: String,
    /// What is wrong.
    pub detail: String,
    /// Whether the document is invalid, or only worse than it could be.
    pub severity: Severity,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// The specification forbids it.
    Error,
    /// It is allowed, and some programs will make nothing of it.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    /// Where the shape is wrong already, so that nothing more has to be said.
    shaped: BTreeSet<String>,
}

impl Findings {
    fn push(&mut self, severity: Severity, place: String, detail: String) {
        if self.list.len() < MOST {
            self.list.push(Finding { place, detail, severity });
        }
    }

    fn add(&mut self, severity: Severity, place: &str, detail: impl Into<String>) {
        if !self.shaped.contains(place) {
            self.push(severity, place.to_owned(), detail.into());
        }
    }

    /// What is wrong with the shape; about the same place nothing more is said.
    pub(super) fn misshapen(&mut self, place: String, detail: String) {
        self.shaped.insert(place.clone());
        self.push(Severity::Error, place, detail);
    }

    pub(super) fn warning(&mut self, place: &str, detail: impl Into<String>) {
        self.add(Severity::Warning, place, detail);
    }

    pub(super) fn error(&mut self, place: &str, detail: impl Into<String>) {
        self.add(Severity::Error, place, detail);
    }

    /// Everything, in the order in which it was found.
    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }

    pub(super) fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether a text is a package URL, and one that others can make something of.
    pub(super) fn purl(&mut self, place: &str, locator: &str) {
        match locator.parse::<PackageUrl<'_>>() {
            Err(error) => self.error(place, format!("{locator:?} is no package URL: {error}")),
            Ok(purl) => {
                // What became of an address that was not known: a host as a namespace.
                let is_host = |part: &str| part.ends_with(':') || part.contains("://");
                let namespace = purl.namespace().unwrap_or_default();
                if namespace.split('/').any(is_host) || namespace.contains("unknown") {
                    self.warning(place, format!("{locator:?} names no real place"));
                }
                if purl.version().is_none() {
                    self.warning(place, format!("{locator:?} has no version"));
                }
            }
        }
    }
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
