//! SPDX 3.0.1 in JSON-LD.

mod model;
mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;

/// What a document says first (SPDX 3.0.1, annex on serialisation).
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
