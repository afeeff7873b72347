//! An attestation as one line of JSON.

use serde::Serialize;
use serde_json::value::RawValue;

/// An attestation to print.
#[derive(Debug)]
pub(crate) struct Attestation {
    /// `index`, `image` or a platform.
    pub(crate) target: String,
    /// Whether it is the only one asked for.
    pub(crate) alone: bool,
    /// What it is about.
    pub(crate) digest: String,
    pub(crate) predicate_type: String,
    /// The part asked for, JSON as it was found.
    pub(crate) bytes: Vec<u8>,
}

/// Which part of an attestation is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Predicate,
    Statement,
    Envelope,
    Bundle,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    platform: &'a str,
    digest: &'a str,
    predicate_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a RawValue>,
}

/// One attestation of several, on one line. `None` if it is not JSON.
pub(crate) fn json_line(attestation: &Attestation, form: Form) -> Option<String> {
    let text = std::str::from_utf8(&attestation.bytes).ok()?;
    // Line ends can stand only between the tokens of JSON: as blanks they leave it the same document.
    let part = RawValue::from_string(text.replace(['\n', '\r'], " ")).ok()?;
    let mut line = Line {
        platform: &attestation.target,
        digest: &attestation.digest,
        predicate_type: &attestation.predicate_type,
        ..Line::default()
    };
    *match form {
        Form::Predicate => &mut line.predicate,
        Form::Statement => &mut line.statement,
        Form::Envelope => &mut line.envelope,
        Form::Bundle => &mut line.bundle,
    } = Some(&part);
    serde_json::to_string(&line).ok().map(|line| line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_keeps_every_number() {
        let (target, digest, predicate_type) = ("linux/amd64".to_owned(), "sha256:00".to_owned(), "p".to_owned());
        let bytes = b"{\n  \"a\": 1.10,\r\n  \"b\": \"x\\ny\"\n}\n".to_vec();
        let mut attestation = Attestation { target, alone: false, digest, predicate_type, bytes };
        assert_eq!(
            json_line(&attestation, Form::Predicate).as_deref(),
            Some(concat!(
                r#"{"platform":"linux/amd64","digest":"sha256:00","predicateType":"p","#,
                r#""predicate":{   "a": 1.10,    "b": "x\ny" }}"#,
                "\n"
            ))
        );
        attestation.bytes = b"1\n2".to_vec();
        // Not JSON before, so the line ends between two values must not make it so.
        assert_eq!(json_line(&attestation, Form::Predicate), None);
    }
}
