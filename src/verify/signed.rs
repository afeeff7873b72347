//! What is signed, read once, from the bytes that the signature is over.

use super::assessed::Accepted;
use super::verified::{
    VerifiedAttestation, VerifiedBundle, VerifiedSignature, VerifiedSimpleSigning, VerifiedStatement,
};
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::policy::Wanted;
use crate::sigstore::{Bundle, SignedContent};
use crate::statement::{COSIGN_SIGN, PAYLOAD_TYPE, SimpleSigning, Statement};

/// Whether what is signed is what a requirement wants. The type of a
/// simple-signing document is the word `signature`, which no URI is.
pub(super) fn is_met_by(wanted: &Wanted, predicate_type: &str) -> bool {
    match wanted {
        Wanted::Signature => predicate_type == SIGNATURE || predicate_type == COSIGN_SIGN,
        other => other.is_met_by(predicate_type),
    }
}

/// What stands for the predicate type of a signature that has none.
pub(super) const SIGNATURE: &str = "signature";

/// What is signed, parsed once, from the bytes that the signature is over.
pub(super) enum Signed {
    Statement(Statement),
    Simple(SimpleSigning),
    Message(Digest),
}

impl Signed {
    /// Step 0, second half: what is signed is well-formed and of a kind that can be bound to an image.
    pub(super) fn read(bundle: &Bundle, payload: Option<&[u8]>, limits: &Limits) -> Result<Self, Failure> {
        let structure = |code, detail: String| Failure::new(CheckName::Structure, code, detail);
        match (bundle.signed_content()?, payload) {
            (SignedContent::Dsse { payload_type, payload }, _) => {
                if payload_type != PAYLOAD_TYPE {
                    return Err(structure(Code::DsseType, format!("the payload type is {payload_type}")));
                }
                let statement = Statement::parse(payload, limits).map_err(|e| structure(e.code(), e.to_string()))?;
                Ok(Self::Statement(statement))
            }
            (SignedContent::Message { .. }, Some(bytes)) => {
                let document = SimpleSigning::parse(bytes).map_err(|e| structure(e.code(), e.to_string()))?;
                Ok(Self::Simple(document))
            }
            (SignedContent::Message { digest: Some(digest) }, None) => Ok(Self::Message(digest)),
            (SignedContent::Message { digest: None }, None) => {
                let detail = "the bundle does not name the digest of what it signs".to_owned();
                Err(structure(Code::UnsupportedEvidence, detail))
            }
        }
    }

    /// As [`Signed::read`], for a bundle of a file: a message is the file
    /// unless the bundle says that it is another one.
    pub(super) fn of_blob(bundle: &Bundle, blob: &Digest, limits: &Limits) -> Result<Self, Failure> {
        match bundle.signed_content()? {
            SignedContent::Message { digest } => Ok(Self::Message(digest.unwrap_or_else(|| blob.clone()))),
            SignedContent::Dsse { .. } => Self::read(bundle, None, limits),
        }
    }

    pub(super) fn predicate_type(&self) -> &str {
        match self {
            Self::Statement(statement) => statement.predicate_type(),
            Self::Simple(_) | Self::Message(_) => SIGNATURE,
        }
    }

    pub(super) fn is_about(&self, wanted: &Digest) -> bool {
        match self {
            Self::Statement(statement) => statement.is_about(wanted),
            Self::Simple(document) => document.digest == *wanted,
            Self::Message(digest) => digest == wanted,
        }
    }

    pub(super) fn first_digest(&self) -> Option<Digest> {
        match self {
            Self::Statement(statement) => statement.first_digest(),
            Self::Simple(document) => Some(document.digest.clone()),
            Self::Message(digest) => Some(digest.clone()),
        }
    }

    pub(super) fn accept(self, bundle: VerifiedBundle, wanted: &Digest) -> Option<Accepted> {
        match self {
            Self::Statement(statement) => {
                let is_signature = statement.predicate_type() == COSIGN_SIGN;
                let statement = VerifiedStatement::bind(bundle, statement, wanted)?;
                Some(if is_signature {
                    Accepted::Signature(VerifiedSignature::of_statement(statement))
                } else {
                    Accepted::Attestation(Some(Box::new(VerifiedAttestation::accept(statement))))
                })
            }
            Self::Simple(document) => VerifiedSimpleSigning::bind(bundle, document, wanted)
                .map(|simple| Accepted::Signature(VerifiedSignature::of_document(simple))),
            Self::Message(digest) => VerifiedSimpleSigning::bind_message(bundle, &digest, wanted)
                .map(|simple| Accepted::Signature(VerifiedSignature::of_document(simple))),
        }
    }
}
