//! In-toto statements, versions 0.1 and 1, with the predicate kept as it was signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::code::Code;
use crate::digest::Digest;
use crate::json::unique_map;
use crate::limits::Limits;

/// The DSSE payload type of an in-toto statement (in-toto attestation framework, envelope).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An in-toto statement: subjects, a predicate type and a predicate.
///
/// The predicate stays the text that was signed; nothing is re-serialised.
#[derive(Debug, Clone)]
pub struct Statement {
    subjects: Vec<Subject>,
    predicate_type: String,
    predicate: Arc<str>,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Subject {
    /// The name, empty where none was written. It decides nothing.
    pub name: String,
    /// Digests by algorithm, as written.
    pub digests: BTreeMap<String, String>,
}

/// Why a payload is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not JSON of the wanted shape, or ambiguous.
    #[error("not a statement: {0}")]
    Malformed(String),
    /// A `_type` other than in-toto Statement v0.1 and v1.
    #[error("the statement type {0:?} is not in-toto's v0.1 or v1")]
    Type(String),
    /// No subject, or one without a digest.
    #[error("the statement names no subject with a digest, so it could be about anything")]
    NoSubject,
    /// More subjects or digests than the limits allow.
    #[error("the statement has {0} subjects, the limit is {1}")]
    TooMany(usize, usize),
}

impl StatementError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooMany(..) => Code::Limit,
            _ => Code::StmtInvalid,
        }
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WireSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireSubject {
    #[serde(default)]
    name: Option<String>,
    #[serde(deserialize_with = "unique_map")]
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// Reads a statement. Repeated keys, no subject and unknown types are refused.
    ///
    /// # Errors
    /// When the payload is not a statement that everybody reads the same way.
    pub fn parse(payload: &[u8], limits: &Limits) -> Result<Self, StatementError> {
        // Fields that are passed over may hold any bytes for serde, and other readers refuse or replace them.
        let text = std::str::from_utf8(payload).map_err(|e| StatementError::Malformed(e.to_string()))?;
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|e| StatementError::Malformed(e.to_string()))?;
        if !matches!(wire.kind.as_str(), "https://in-toto.io/Statement/v0.1" | "https://in-toto.io/Statement/v1") {
            return Err(StatementError::Type(wire.kind.chars().take(200).collect()));
        }
        if wire.subject.len() > limits.subjects {
            return Err(StatementError::TooMany(wire.subject.len(), limits.subjects));
        }
        if wire.subject.is_empty() || wire.subject.iter().any(|subject| subject.digest.is_empty()) {
            return Err(StatementError::NoSubject);
        }
        let subjects = wire.subject.into_iter();
        let subjects = subjects.map(|s| Subject { name: s.name.unwrap_or_default(), digests: s.digest });
        Ok(Self {
            subjects: subjects.collect(),
            predicate_type: wire.predicate_type,
            // The specification reads an absent predicate as the empty object.
            predicate: wire.predicate.map_or("{}", RawValue::get).into(),
        })
    }

    /// The subjects, at least one.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The predicate type, an URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate, JSON exactly as it was signed.
    #[must_use]
    pub fn predicate(&self) -> &str {
        &self.predicate
    }

    /// Whether `digest` is among the subjects. Algorithm names and hex digits
    /// are compared as they stand: `SHA256` or upper-case digits name nothing (scenario G-06).
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.names(digest))
    }

    /// The first digest of a subject that this crate can compare.
    #[must_use]
    pub fn first_digest(&self) -> Option<Digest> {
        self.subjects.iter().flat_map(Subject::comparable).next()
    }
}

impl Subject {
    fn names(&self, digest: &Digest) -> bool {
        self.digests.get(digest.algorithm().as_str()).is_some_and(|hex| hex == digest.hex())
    }

    fn comparable(&self) -> impl Iterator<Item = Digest> {
        self.digests.iter().filter_map(|(algorithm, hex)| format!("{algorithm}:{hex}").parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Statement, StatementError> {
        Statement::parse(text.as_bytes(), &Limits::default())
    }

    fn statement(kind: &str, subject: &str, rest: &str) -> String {
        format!(r#"{{"_type":"https://in-toto.io/Statement/{kind}","subject":{subject},"predicateType":"p"{rest}}}"#)
    }

    #[test]
    fn a_statement_names_its_subject_and_keeps_its_predicate() {
        let digest = Digest::sha256(b"image");
        let subject = format!(r#"[{{"name":"n","digest":{{"sha256":"{}"}}}}]"#, digest.hex());
        let read = parse(&statement("v1", &subject, r#","predicate":{"b":1, "a":2}"#)).expect("a statement");
        assert!(read.is_about(&digest) && !read.is_about(&Digest::sha256(b"other")));
        assert_eq!(read.predicate(), r#"{"b":1, "a":2}"#);
        assert_eq!(read.first_digest(), Some(digest.clone()));
        assert_eq!(parse(&statement("v0.1", &subject, "")).expect("a statement").predicate(), "{}");
        let upper = format!(r#"[{{"digest":{{"sha256":"{}"}}}}]"#, digest.hex().to_uppercase());
        assert!(!parse(&statement("v1", &upper, "")).expect("a statement").is_about(&digest));
    }

    #[test]
    fn a_field_that_is_passed_over_has_to_be_text_as_well() {
        let with = |byte: u8| {
            let text = statement("v1", r#"[{"digest":{"sha256":"00"}}]"#, r#","note":"?""#);
            let bytes: Vec<u8> = text.bytes().map(|b| if b == b'?' { byte } else { b }).collect();
            Statement::parse(&bytes, &Limits::default()).map(|_| ()).map_err(|error| error.code())
        };
        assert_eq!(with(b'!'), Ok(()));
        assert_eq!(with(0xff), Err(Code::StmtInvalid));
    }

    #[test]
    fn what_could_match_anything_or_be_read_twice_is_refused() {
        let good = r#"[{"digest":{"sha256":"00"}}]"#;
        assert!(parse(&statement("v1", good, "")).is_ok());
        for (subject, rest) in [
            ("[]", ""),
            ("null", ""),
            ("[null]", ""),
            (r#"[{"digest":null}]"#, ""),
            (r#"[{"digest":{}}]"#, ""),
            (r#"[{"digest":{"sha256":"00","sha256":"01"}}]"#, ""),
            (good, r#","predicateType":"q""#),
            (good, r#","subject":[]"#),
        ] {
            let error = parse(&statement("v1", subject, rest)).expect_err(subject);
            assert_eq!(error.code(), Code::StmtInvalid, "{subject}{rest}");
        }
        assert!(matches!(parse(&statement("v2", good, "")), Err(StatementError::Type(_))));
        let many = format!("[{}]", vec![r#"{"digest":{"sha256":"00"}}"#; 1025].join(","));
        assert_eq!(parse(&statement("v1", &many, "")).expect_err("too many").code(), Code::Limit);
    }
}
