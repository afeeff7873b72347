//! In-toto statements, versions 0.1 and 1, with the predicate kept as it was signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::code::Code;
use crate::digest::Digest;
use crate::json::{Members, unique_map};
use crate::limits::Limits;

/// The DSSE payload type of an in-toto statement (in-toto attestation framework, envelope).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An in-toto statement: subjects, a predicate type and a predicate.
///
/// The predicate stays the text that was signed; nothing is re-serialised.
/// Clones share that text: it may be megabytes, and a report has many.
#[derive(Debug, Clone)]
pub struct Statement {
    subjects: Vec<Subject>,
    predicate_type: String,
    payload: Arc<str>,
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

/// The members that decide something; the predicate and all others are walked.
#[derive(Default)]
struct Wire {
    kind: Option<String>,
    subjects: Option<Vec<Named>>,
    predicate_type: Option<String>,
}

impl<'de> Members<'de> for Wire {
    fn keep<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "_type" => self.kind = Some(map.next_value()?),
            "subject" => self.subjects = Some(map.next_value()?),
            "predicateType" => self.predicate_type = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A subject as it is written.
struct Named(Subject);

#[derive(Default)]
struct WireSubject {
    name: Option<String>,
    digests: Option<Digests>,
}

#[derive(Deserialize)]
struct Digests(#[serde(deserialize_with = "unique_map")] BTreeMap<String, String>);

impl<'de> Members<'de> for WireSubject {
    fn keep<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "name" => self.name = map.next_value()?,
            "digest" => self.digests = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WireSubject { name, digests } = WireSubject::read(deserializer)?;
        let Digests(digests) = digests.ok_or_else(|| D::Error::missing_field("digest"))?;
        Ok(Self(Subject { name: name.unwrap_or_default(), digests }))
    }
}

impl Statement {
    /// Reads a statement. Repeated keys, wherever they stand, no subject and unknown types are refused.
    ///
    /// # Errors
    /// When the payload is not a statement that everybody reads the same way.
    pub fn parse(payload: &[u8], limits: &Limits) -> Result<Self, StatementError> {
        let malformed = |e: &dyn std::fmt::Display| StatementError::Malformed(e.to_string());
        // Fields that are passed over may hold any bytes for serde, and other readers refuse or replace them.
        let text = std::str::from_utf8(payload).map_err(|e| malformed(&e))?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let wire = Wire::read(&mut deserializer).map_err(|e| malformed(&e))?;
        deserializer.end().map_err(|e| malformed(&e))?;
        let absent = |name: &str| StatementError::Malformed(format!("it has no {name}"));
        let kind = wire.kind.ok_or_else(|| absent("_type"))?;
        let subjects = wire.subjects.ok_or_else(|| absent("subject"))?;
        let subjects: Vec<Subject> = subjects.into_iter().map(|Named(subject)| subject).collect();
        let predicate_type = wire.predicate_type.ok_or_else(|| absent("predicateType"))?;
        if !matches!(kind.as_str(), "https://in-toto.io/Statement/v0.1" | "https://in-toto.io/Statement/v1") {
            return Err(StatementError::Type(kind.chars().take(200).collect()));
        }
        if subjects.len() > limits.subjects {
            return Err(StatementError::TooMany(subjects.len(), limits.subjects));
        }
        if subjects.is_empty() || subjects.iter().any(|subject| subject.digests.is_empty()) {
            return Err(StatementError::NoSubject);
        }
        Ok(Self { subjects, predicate_type, payload: text.into() })
    }

    /// The whole statement, JSON exactly as it was signed.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// The subjects, at least one.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The predicate type, a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate, JSON exactly as it was signed. The specification reads
    /// an absent one as the empty object. It is looked for in the payload by each
    /// call: verifying does not need it, and it may be megabytes.
    #[must_use]
    pub fn predicate(&self) -> &str {
        #[derive(Deserialize)]
        struct Only<'a> {
            #[serde(borrow, default)]
            predicate: Option<&'a RawValue>,
        }
        // It was walked when the statement was read, so it is there to be found.
        let found: Option<Only<'_>> = serde_json::from_str(&self.payload).ok();
        found.and_then(|only| only.predicate).map_or("{}", RawValue::get)
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
        let spaced = statement("v1", &subject, r#", "predicate" : "é" "#);
        let read = parse(&spaced).expect("a statement");
        assert_eq!((read.predicate(), read.payload()), (r#""é""#, spaced.as_str()));
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
        let rest = r#","note":{"a":{"b":1},"b":1},"predicate":{"a":[{"b":1},{"b":2}],"b":1e99}"#;
        assert!(parse(&statement("v1", good, rest)).is_ok());
        let described = r#"[{"digest":{"sha256":"00"},"uri":"a","name":null,"annotations":{"a":{"b":1},"b":1}}]"#;
        assert!(parse(&statement("v1", described, "")).is_ok());
        for (subject, rest) in [
            ("[]", ""),
            ("null", ""),
            ("[null]", ""),
            (r#"[{"digest":null}]"#, ""),
            (r#"[{"digest":{}}]"#, ""),
            (r#"[{"digest":{"sha256":"00","sha256":"01"}}]"#, ""),
            (r#"[{"name":"a"}]"#, ""),
            // As an array of the values, which is the same for serde.
            (r#"[["a",{"sha256":"00"}]]"#, ""),
            (good, r#","predicateType":"q""#),
            (good, r#","subject":[]"#),
            (r#"[{"digest":{"sha256":"00"},"uri":"a","uri":"b"}]"#, ""),
            (r#"[{"digest":{"sha256":"00"},"annotations":{"a":{"b":1,"b":1}}}]"#, ""),
            (good, r#","note":1,"note":2"#),
            (good, r#","predicate":{},"predicate":{}"#),
            (good, r#","predicate":{"a":[{"b":1,"\u0062":2}]}"#),
            (good, r#","predicate":1e999"#),
            (good, r#","predicate":{}} {"#),
        ] {
            let error = parse(&statement("v1", subject, rest)).expect_err(subject);
            assert_eq!(error.code(), Code::StmtInvalid, "{subject}{rest}");
        }
        assert!(matches!(parse(&statement("v2", good, "")), Err(StatementError::Type(_))));
        let many = format!("[{}]", vec![r#"{"digest":{"sha256":"00"}}"#; 1025].join(","));
        assert_eq!(parse(&statement("v1", &many, "")).expect_err("too many").code(), Code::Limit);
    }
}
