//! What a piece of evidence says of itself, for people to read.
//!
//! Decoding is not verifying: every type here that holds what a stranger wrote
//! is called `Unverified…`, none of them is accepted where a policy decides,
//! and none holds a [`Signer`](crate::signer::Signer).

use serde::{Deserialize, Serialize};

use super::timestamp::time_of;
use super::{Candidate, Content, Origin, Unread};
use crate::check::Failure;
use crate::code::Code;
use crate::digest::{Digest, VerifiedBlob};
use crate::limits::Limits;
use crate::signer::{Claims, Identity, Unverified};
use crate::sigstore::{Bundle, SignedContent};
use crate::statement::{PAYLOAD_TYPE, SimpleSigning, Statement, Subject};
use crate::time::Timestamp;

/// A candidate, decoded and **not verified**: anybody may have written any of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Decoded {
    /// The target it is listed for, by its place in the list of targets.
    #[serde(skip)]
    pub target: usize,
    /// Where it was found.
    pub origin: Origin,
    /// The digest of the bundle or layer.
    pub digest: Option<Digest>,
    /// The digest of the manifest that carries it.
    pub manifest_digest: Option<Digest>,
    /// The size of the bundle or layer, in bytes.
    pub size: u64,
    /// The predicate type that an annotation claims.
    pub hint: Option<String>,
    /// How far it could be read.
    pub reading: Reading,
    /// Why no further.
    pub problem: Option<Unread>,
    /// What it says, where it could be decoded.
    pub bundle: Option<UnverifiedBundle>,
}

/// How far a candidate could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reading {
    /// To the end.
    Decoded,
    /// Not at all: its bytes are not there, could not be had, or are over a limit.
    Unread,
    /// It is malformed, contradicts its listing, or is of a form that is not known.
    Invalid,
    /// It is a statement that nobody signed; it was not read.
    Unsigned,
    /// It was not read, because nothing asked for it.
    Skipped,
}

/// What a bundle or legacy layer says.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnverifiedBundle {
    /// The media type of the bundle; a legacy layer counts as the first version.
    pub media_type: &'static str,
    /// What its certificate says; none for a managed key.
    pub certificate: Option<UnverifiedCertificate>,
    /// Why the certificate names no signer.
    pub certificate_problem: Option<String>,
    /// What a bundle by a managed key says about which; often nothing.
    pub key_hint: Option<String>,
    /// The log entries that came with it.
    pub log_entries: Vec<UnverifiedLogEntry>,
    /// The signed timestamps that came with it.
    pub timestamps: Vec<UnverifiedTimestamp>,
    /// What the signature is said to be over.
    pub content: UnverifiedContent,
}

/// What a certificate says. Who issued it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnverifiedCertificate {
    /// The name.
    #[serde(flatten)]
    pub identity: Identity,
    /// The OIDC issuer.
    pub issuer: Option<String>,
    /// The SHA-256 digest of the certificate, lower-case hex.
    pub sha256: Option<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Every other claim.
    pub claims: Claims,
}

/// What a log entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnverifiedLogEntry {
    /// The log's key ID, lower-case hex.
    pub log_id: String,
    /// The index in the log, decimal.
    pub index: String,
    /// The kind and version of the entry.
    pub kind: String,
    /// When the log says that it took the entry; Rekor v2 does not say.
    pub integrated_time: Option<Timestamp>,
    /// Whether a proof of inclusion is there.
    pub proof: bool,
    /// Whether a promise of inclusion is there.
    pub promise: bool,
}

/// What a signed timestamp (RFC 3161) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnverifiedTimestamp {
    /// The time, where it can be found.
    pub time: Option<Timestamp>,
}

/// What the signature is said to be over.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum UnverifiedContent {
    /// An in-toto statement.
    Statement {
        /// Its own type.
        statement_type: String,
        /// What it is about.
        subjects: Vec<Subject>,
        /// The predicate type.
        predicate_type: String,
        /// The size of the predicate, in bytes.
        predicate_size: u64,
    },
    /// A simple-signing document.
    SimpleSigning {
        /// The digest that it names.
        digest: Digest,
        /// The repository that the signer named.
        docker_reference: String,
    },
    /// A message that is not in the bundle.
    Message {
        /// The digest that the bundle gives.
        digest: Option<Digest>,
    },
    /// An envelope with something else in it.
    Other {
        /// The payload type.
        payload_type: String,
        /// The size of the payload, in bytes.
        size: u64,
    },
    /// A statement or document that cannot be read.
    Invalid {
        /// Why.
        problem: Unread,
    },
}

#[derive(Deserialize)]
struct StatementType {
    #[serde(rename = "_type")]
    kind: String,
}

impl Decoded {
    /// Decodes a candidate. Nothing is verified, and nothing fails: what cannot be decoded says why.
    #[must_use]
    pub fn of(candidate: &Candidate, limits: &Limits) -> Self {
        let (reading, problem, bundle) = match &candidate.content {
            Content::Skipped => (Reading::Skipped, None, None),
            Content::Unsigned => (Reading::Unsigned, None, None),
            Content::Failed(unread) => (Reading::Unread, Some(unread.clone()), None),
            _ => match candidate.to_bundle(limits) {
                Some(Ok((bundle, payload))) => {
                    (Reading::Decoded, None, Some(UnverifiedBundle::of(&bundle, payload, limits)))
                }
                // What is over a limit was not read to the end: it may be good.
                Some(Err(Failure { code: code @ Code::Limit, detail, .. })) => {
                    (Reading::Unread, Some(Unread::new(code, detail)), None)
                }
                Some(Err(failure)) => (Reading::Invalid, Some(Unread::new(failure.code, failure.detail)), None),
                None => (Reading::Skipped, None, None),
            },
        };
        Self {
            target: candidate.target,
            origin: candidate.origin.clone(),
            digest: candidate.digest.clone(),
            manifest_digest: candidate.manifest_digest.clone(),
            size: candidate.size,
            hint: candidate.hint.clone(),
            reading,
            problem,
            bundle,
        }
    }

    /// The predicate type that the statement names, else the one that an annotation claims.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        match self.bundle.as_ref().map(|bundle| &bundle.content) {
            Some(UnverifiedContent::Statement { predicate_type, .. }) => Some(predicate_type),
            _ => self.hint.as_deref(),
        }
    }
}

impl UnverifiedBundle {
    fn of(bundle: &Bundle, payload: Option<&VerifiedBlob>, limits: &Limits) -> Self {
        let (certificate, certificate_problem) = match bundle.leaf().map(Unverified::read) {
            None => (None, None),
            Some(Ok(read)) => (Some(UnverifiedCertificate::of(read)), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let log_entries = bundle.entries().map(|entry| UnverifiedLogEntry {
            log_id: entry.log_id,
            index: entry.index.to_string(),
            kind: entry.kind,
            integrated_time: entry.integrated_time,
            proof: entry.proof,
            promise: entry.promise,
        });
        Self {
            media_type: bundle.media_type(),
            certificate,
            certificate_problem,
            key_hint: bundle.key_hint().map(str::to_owned),
            log_entries: log_entries.collect(),
            timestamps: bundle.timestamps().map(|token| UnverifiedTimestamp { time: time_of(token) }).collect(),
            content: UnverifiedContent::of(bundle, payload, limits),
        }
    }
}

impl UnverifiedCertificate {
    fn of(read: Unverified) -> Self {
        let Unverified { signer, not_before, not_after } = read;
        Self {
            identity: signer.identity().clone(),
            issuer: signer.issuer().map(str::to_owned),
            sha256: signer.certificate_sha256().map(str::to_owned),
            not_before,
            not_after,
            claims: signer.claims().clone(),
        }
    }
}

impl UnverifiedContent {
    fn of(bundle: &Bundle, payload: Option<&VerifiedBlob>, limits: &Limits) -> Self {
        let invalid = |code, detail: String| Self::Invalid { problem: Unread::new(code, detail) };
        match (bundle.signed_content(), payload) {
            (Err(failure), _) => invalid(failure.code, failure.detail),
            (Ok(SignedContent::Dsse { payload_type, payload }), _) if payload_type == PAYLOAD_TYPE => {
                match Statement::parse(payload, limits) {
                    Ok(statement) => Self::statement(&statement, payload),
                    Err(error) => invalid(error.code(), error.to_string()),
                }
            }
            (Ok(SignedContent::Dsse { payload_type, payload }), _) => {
                Self::Other { payload_type: payload_type.to_owned(), size: payload.len() as u64 }
            }
            (Ok(SignedContent::Message { .. }), Some(document)) => match SimpleSigning::parse(document.bytes()) {
                Ok(SimpleSigning { digest, docker_reference }) => Self::SimpleSigning { digest, docker_reference },
                Err(error) => invalid(error.code(), error.to_string()),
            },
            (Ok(SignedContent::Message { digest }), None) => Self::Message { digest },
        }
    }

    fn statement(statement: &Statement, payload: &[u8]) -> Self {
        let kind: Option<StatementType> = serde_json::from_slice(payload).ok();
        Self::Statement {
            statement_type: kind.map(|read| read.kind).unwrap_or_default(),
            subjects: statement.subjects().to_vec(),
            predicate_type: statement.predicate_type().to_owned(),
            predicate_size: statement.predicate().len() as u64,
        }
    }
}
