//! A statement as we write it (in-toto attestation framework, Statement v1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::digest::Digest;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Subject<'a>>,
    predicate_type: &'a str,
    predicate: &'a RawValue,
}

#[derive(Serialize)]
struct Subject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    digest: BTreeMap<&'static str, &'a str>,
}

/// The statement about these subjects, by this name if there is one.
pub(crate) fn written<'a>(
    name: Option<&'a str>,
    subjects: impl IntoIterator<Item = &'a Digest>,
    predicate_type: &str,
    predicate: &RawValue,
) -> String {
    let subject = |digest: &'a Digest| Subject { name, digest: [(digest.algorithm().as_str(), digest.hex())].into() };
    let subject = subjects.into_iter().map(subject).collect();
    let wire = Wire { kind: "https://in-toto.io/Statement/v1", subject, predicate_type, predicate };
    serde_json::to_string(&wire).expect("texts and JSON are JSON")
}
