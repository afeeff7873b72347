//! Which version of SPDX a document is of, and what it says.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::document::{Document, DocumentError};
use super::{spdx3, spdx23};
use crate::json;
use crate::limits::Limits;

impl Document {
    /// Reads a document in JSON.
    ///
    /// # Errors
    /// When it is malformed, ambiguous, of another version or over a limit.
    pub(super) fn parse(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let malformed = |error: serde_json::Error| DocumentError::Malformed(error.to_string());
        // Older versions of cosign put the document into a JSON text.
        let inner: Option<String> = match document.trim_ascii_start().first() {
            Some(b'"') => Some(json::parse(document).map_err(malformed)?),
            _ => None,
        };
        let document = inner.as_deref().map_or(document, str::as_bytes);
        let version: Version = json::object(document).map_err(malformed)?;
        let read = match version {
            Version { context: Some(_), spdx_version: None } => spdx3::read(document)?,
            _ => spdx23::read(document)?,
        };
        if read.packages.len() as u64 > limits.packages {
            return Err(DocumentError::TooMany(read.packages.len(), limits.packages));
        }
        Ok(read)
    }
}

/// What tells the versions apart: 3 has a context.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<IgnoredAny>,
}
