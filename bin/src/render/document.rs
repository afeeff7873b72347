//! What every JSON document of the command begins with (`docs/json.md`).

use serde::Serialize;

use crate::error::CliError;

/// A document of a kind. Fields are only ever added to one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    content: T,
}

impl<T: Serialize> Document<T> {
    pub(crate) fn new(kind: &'static str, content: T) -> Self {
        Self { api_version: "cg-attest/v1", kind, content }
    }

    /// The document, on lines of its own.
    pub(crate) fn pretty(&self) -> Result<String, CliError> {
        Ok(serde_json::to_string_pretty(self).map_err(CliError::internal)? + "\n")
    }

    fn line(&self) -> Result<String, CliError> {
        Ok(serde_json::to_string(self).map_err(CliError::internal)? + "\n")
    }
}

/// One document, or one line for each of several.
pub(super) fn one_or_lines<T: Serialize>(kind: &'static str, all: &[T]) -> Result<String, CliError> {
    match all {
        [one] => Document::new(kind, one).pretty(),
        several => several.iter().map(|one| Document::new(kind, one).line()).collect(),
    }
}
