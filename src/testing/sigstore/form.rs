//! The forms that evidence comes in, and which can be wrong in which way.

use super::fault::Fault;

/// A version of the Sigstore bundle format, with its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleVersion {
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`: a promise is required, a proof may be missing.
    V01,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.2`: a proof is required.
    V02,
    /// `application/vnd.dev.sigstore.bundle.v0.3+json`: one certificate instead of a chain.
    V03,
    /// Version 0.3 in the older spelling, `application/vnd.dev.sigstore.bundle+json;version=0.3`.
    V03OldSpelling,
}

impl BundleVersion {
    /// Every version and spelling.
    pub const ALL: &'static [Self] = &[Self::V01, Self::V02, Self::V03, Self::V03OldSpelling];

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V01 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V02 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V03 => crate::image::media::BUNDLE,
            Self::V03OldSpelling => "application/vnd.dev.sigstore.bundle+json;version=0.3",
        }
    }

    pub(super) fn has_chain(self) -> bool {
        matches!(self, Self::V01 | Self::V02)
    }
}

/// Where a signature is logged, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Log {
    /// Rekor v1: `dsse` 0.0.1 for a statement, `hashedrekord` 0.0.1 for anything else.
    RekorV1,
    /// Rekor v1, `intoto` 0.0.2: what older attestations have.
    RekorV1Intoto,
    /// Rekor v1, `intoto` 0.0.1: what the first attestations have. Its entry does not name the signature.
    RekorV1FirstIntoto,
    /// Rekor v2, `hashedrekord` 0.0.2: no promise and no time, so a timestamp belongs to it.
    RekorV2,
    /// Nowhere.
    None,
}

impl Log {
    pub(super) fn is_v1(self) -> bool {
        matches!(self, Self::RekorV1 | Self::RekorV1Intoto | Self::RekorV1FirstIntoto)
    }
}

/// Everything about a piece of evidence but its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) keyless: bool,
    pub(super) statement: bool,
    /// An annotated layer rather than a bundle.
    pub(super) legacy: bool,
    pub(super) version: BundleVersion,
    pub(super) log: Log,
    pub(super) promise: bool,
    pub(super) proof: bool,
    /// The only entry of its log.
    pub(super) alone: bool,
    pub(super) timestamp: bool,
}

impl Form {
    /// Whether evidence of this form has the part that `fault` breaks.
    pub(super) fn can_have(self, fault: Fault) -> bool {
        let logged = self.log != Log::None;
        match fault {
            Fault::CertificateExpired
            | Fault::CertificateOfAnotherAuthority
            | Fault::CertificateOfRetiredAuthority
            | Fault::CertificateOfLapsedAuthority
            | Fault::KeyUsageMissing
            | Fault::KeyUsageForeign
            | Fault::SctMissing
            | Fault::SctListEmpty
            | Fault::SctByUnknownKey
            | Fault::SctOfAnotherCertificate
            | Fault::SctByRetiredLog
            | Fault::TwoNames
            | Fault::NameMissing
            | Fault::NameExtensionTwice
            | Fault::IssuersDiffer
            | Fault::IssuerMalformed
            | Fault::IssuerExtensionTwice => self.keyless,

            Fault::SignatureBad => true,
            Fault::SignatureOverPayload
            | Fault::PayloadTypeForeign
            | Fault::TwoSignatures
            | Fault::NoSignatures
            | Fault::StatementNotJson
            | Fault::StatementTypeUnknown
            | Fault::SubjectsEmpty
            | Fault::PredicateTypeTwice => self.statement,
            Fault::MessageDigestOfAnotherArtifact => !self.statement && !self.legacy,

            Fault::EntryOfAnotherArtifact | Fault::EntryWithAnotherCertificate | Fault::EntryWithAnotherHash => logged,
            // The entry of this kind holds no signature.
            Fault::EntryWithAnotherSignature | Fault::EntryWithMirroredSignature => {
                logged && self.log != Log::RekorV1FirstIntoto
            }
            Fault::EntryByUnknownLog => logged,
            Fault::EntryByRetiredLog => self.log.is_v1(),
            Fault::EntryTwice | Fault::SecondEntryOfAnotherArtifact => logged && !self.legacy,
            // A layer's annotation has no such field.
            Fault::KindVersionDisagrees | Fault::KindVersionUnknown => logged && !self.legacy,

            Fault::PromiseByUnknownKey | Fault::PromiseOfAnotherEntry | Fault::PromiseForAnotherTime => self.promise,
            Fault::ProofOfAnotherEntry
            | Fault::CheckpointMissing
            | Fault::CheckpointByUnknownKey
            | Fault::CheckpointByAnotherLog
            | Fault::CheckpointOfAnotherTree
            | Fault::CheckpointOverRootHash
            | Fault::CheckpointKeyHintWrong => self.proof,
            // A proof of the only entry has no hash to corrupt.
            Fault::ProofHashCorrupted => self.proof && !self.alone,
            Fault::ProofMissing => self.proof && self.version != BundleVersion::V01,

            // Version 0.1 without a promise, and a managed key without a time, are matters of their own.
            Fault::TimeMissing => self.keyless && logged && !self.legacy && self.version != BundleVersion::V01,
            Fault::IntegratedTimeOutsideCertificate => self.keyless && self.promise,
            Fault::IntegratedTimeInFuture => self.promise,
            Fault::TimestampOfAnotherSignature
            | Fault::TimestampByUntrustedAuthority
            | Fault::TimestampByAnotherKey
            | Fault::TimestampByForeignCertificate
            | Fault::TimestampOutsideAuthority
            | Fault::TimestampInFuture => self.timestamp,
            Fault::TimestampOutsideCertificate => self.keyless && self.timestamp,
        }
    }
}
