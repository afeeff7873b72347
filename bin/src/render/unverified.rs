//! What documents begin with that show evidence and verify none.

use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unverified<'a> {
    api_version: &'static str,
    kind: &'static str,
    verified: bool,
    /// Whether everything could be read that was asked for.
    complete: bool,
    reference: &'a str,
    source: Option<&'a str>,
}

impl<'a> Unverified<'a> {
    pub(super) fn new(kind: &'static str, complete: bool, reference: &'a str, source: Option<&'a str>) -> Self {
        Self { api_version: "cg-attest/v1", kind, verified: false, complete, reference, source }
    }
}
