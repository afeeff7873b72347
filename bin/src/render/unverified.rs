//! What documents say first that show evidence and verify none.

use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unverified<'a> {
    verified: bool,
    /// Whether everything could be read that was asked for.
    complete: bool,
    reference: &'a str,
    source: Option<&'a str>,
}

impl<'a> Unverified<'a> {
    pub(super) fn new(complete: bool, reference: &'a str, source: Option<&'a str>) -> Self {
        Self { verified: false, complete, reference, source }
    }
}
