//! The verifier's typed errors as rows and reason codes of ours.

use sigstore_verify::bundle::Error as BundleError;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use crate::check::{CheckName, Failure};
use crate::code::Code;

/// Maps an error to the one row that failed. An error of a later version that
/// is not known here is a failure of the structure, never a pass.
pub(super) fn from_verifier(error: &Error) -> Failure {
    let (check, code) = match error {
        Error::SignatureInvalid(_) => (CheckName::Signature, Code::SigInvalid),
        // A hashedrekord entry whose hash is another one has the same variant as a
        // bundle that contradicts itself; the text, for display, tells them apart.
        Error::ArtifactMismatch(text) if text.contains("hashedrekord") => (CheckName::LogEntry, Code::LogMismatch),
        Error::ArtifactMismatch(_) => (CheckName::Signature, Code::BundleInvalid),
        Error::Certificate(error) => certificate(error),
        Error::TransparencyLog(error) => log(error),
        Error::Timestamp(error) => time(error),
        Error::Bundle(error) => shape(error),
        Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => {
            (CheckName::Structure, Code::UnsupportedEvidence)
        }
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
            (CheckName::Structure, Code::TrustRoot)
        }
        _ => (CheckName::Structure, Code::BundleInvalid),
    };
    Failure::new(check, code, error.to_string())
}

fn certificate(error: &CertificateError) -> (CheckName, Code) {
    let code = match error {
        CertificateError::Malformed(_) => Code::CertProfile,
        // The path builder's own words, kept by the verifier as text. They only
        // choose which refusal is shown; `bin/tests/it/liveness.rs` holds them.
        CertificateError::ChainInvalid(text) if text.contains("CertExpired") || text.contains("CertNotValidYet") => {
            Code::TimeWindow
        }
        CertificateError::ChainInvalid(text) if text.contains("Eku") || text.contains("EndEntityUsedAsCa") => {
            Code::CertProfile
        }
        CertificateError::NotYetValid { .. }
        | CertificateError::Expired { .. }
        | CertificateError::NoValidAuthority { .. } => Code::TimeWindow,
        CertificateError::Sct(_) => return (CheckName::Sct, Code::CertSct),
        _ => Code::CertChain,
    };
    (CheckName::Certificate, code)
}

fn log(error: &TransparencyLogError) -> (CheckName, Code) {
    match error {
        TransparencyLogError::EntryMismatch(_) => (CheckName::LogEntry, Code::LogMismatch),
        TransparencyLogError::MalformedEntry(_) => (CheckName::LogEntry, Code::BundleInvalid),
        TransparencyLogError::IntegratedTime(_) => (CheckName::Time, Code::TimeWindow),
        TransparencyLogError::UnknownLog { .. } | TransparencyLogError::InclusionPromise(_) => {
            (CheckName::Log, Code::LogKey)
        }
        // "No matching Rekor key …", "No valid Rekor signature …": as above, text for display.
        TransparencyLogError::Checkpoint(text) if text.starts_with("No ") => (CheckName::Log, Code::LogKey),
        _ => (CheckName::Log, Code::LogProof),
    }
}

fn time(error: &TimestampError) -> (CheckName, Code) {
    let code = match error {
        TimestampError::OutsideAuthorityValidity { .. } => Code::TimeWindow,
        TimestampError::NoVerifiedTimestamp(_) => Code::TimeMissing,
        _ => Code::TimeUntrusted,
    };
    (CheckName::Time, code)
}

fn shape(error: &BundleError) -> (CheckName, Code) {
    match error {
        BundleError::MissingInclusionPromise(_)
        | BundleError::MissingInclusionProof(_)
        | BundleError::MissingCheckpoint
        | BundleError::LogIndexOutOfRange { .. }
        | BundleError::CheckpointRootMismatch => (CheckName::Log, Code::LogProof),
        BundleError::MissingSigningTimeEvidence | BundleError::MissingTimestamp => (CheckName::Time, Code::TimeMissing),
        BundleError::UnsupportedMediaType(_) => (CheckName::Structure, Code::UnsupportedEvidence),
        _ => (CheckName::Structure, Code::BundleInvalid),
    }
}
