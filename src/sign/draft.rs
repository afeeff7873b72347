//! A statement before it is signed.

use super::{Predicate, PredicateError};
use crate::check::Failure;
use crate::code::Code;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::policy::ProvenanceRules;
use crate::signer::Signer;
use crate::statement::{COSIGN_SIGN, PredicateType, Statement, written};

/// An in-toto statement v1 about one digest, with the name of its repository:
/// what cosign, sigstore-go and sigstore-python all read.
#[derive(Debug, Clone)]
pub struct Draft {
    subject: Digest,
    predicate: Predicate,
    payload: Vec<u8>,
}

impl Draft {
    /// The statement that is an image's signature (cosign's sign predicate).
    #[must_use]
    pub fn signature(name: &str, subject: &Digest) -> Self {
        Self::attestation(name, subject, Predicate::of(COSIGN_SIGN, "{}"))
    }

    /// A statement with a predicate. That it is about this subject was checked
    /// by [`Predicate::check`].
    #[must_use]
    pub fn attestation(name: &str, subject: &Digest, predicate: Predicate) -> Self {
        let payload = written(Some(name), [subject], predicate.predicate_type(), predicate.raw()).into_bytes();
        Self { subject: subject.clone(), predicate, payload }
    }

    /// Whether provenance says what the certificate of its signer says, where
    /// its build type makes both the same: what a build's environment was made
    /// to say is not signed (scenario P-09). Nothing else is judged here.
    ///
    /// # Errors
    /// When a field differs (`provenance-mismatch`).
    pub fn check_signer(&self, signer: &Signer, limits: &Limits) -> Result<(), PredicateError> {
        if !PredicateType::slsa().matches(self.predicate_type()) || signer.issuer().is_none() {
            return Ok(());
        }
        let Ok(statement) = Statement::parse(&self.payload, limits) else { return Ok(()) };
        let rows = ProvenanceRules::new().agreeing().check(signer, &statement, limits);
        let belied = |(_, row): (_, Option<Result<String, Failure>>)| {
            row?.err().filter(|failure| failure.code == Code::ProvenanceMismatch)
        };
        rows.into_iter().find_map(belied).map_or(Ok(()), |failure| Err(PredicateError::Belied(failure.detail)))
    }

    /// The digest that it is about.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        &self.subject
    }

    /// The predicate type.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        self.predicate.predicate_type()
    }

    /// The predicate, JSON exactly as it will be signed.
    #[must_use]
    pub fn predicate(&self) -> &str {
        self.predicate.raw().get()
    }

    /// The statement, JSON exactly as it will be signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// The document that the older signature format signs instead of a statement
/// (cosign, `SIGNATURE_SPEC.md`; simple signing).
#[must_use]
pub fn simple_signing_payload(repository: &str, subject: &Digest) -> Vec<u8> {
    let document = serde_json::json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": subject },
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    document.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::SimpleSigning;

    #[test]
    fn a_draft_is_a_statement_that_our_reader_takes() {
        let subject = Digest::sha256(b"image");
        let draft = Draft::signature("registry.example/app", &subject);
        let wanted = format!(
            concat!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"registry.example/app","#,
                r#""digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#
            ),
            subject.hex()
        );
        assert_eq!(String::from_utf8(draft.payload().to_vec()).expect("text"), wanted);
        let read = Statement::parse(draft.payload(), &Limits::default()).expect("a statement");
        assert!(read.is_about(&subject) && read.predicate() == draft.predicate());
        let document = SimpleSigning::parse(&simple_signing_payload("registry.example/app", &subject));
        assert_eq!(document.expect("a document").digest, subject);
    }
}
