//! The lies that services tell on request.

/// An answer that is well-formed and false. What HTTP can do wrong is a [`RegistryFault`](crate::testing::RegistryFault).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ServiceFault {
    /// Fulcio: the certificate is for a key that nobody asked about.
    CertificateForAnotherKey,
    /// Fulcio: the certificate names `mallory@example.com`.
    CertificateForAnotherIdentity,
    /// Fulcio: the certificate is from an authority with the same names that nobody trusts.
    CertificateByAnotherAuthority,
    /// Fulcio: the certificate has no timestamp of a transparency log.
    CertificateWithoutSct,
    /// Rekor: the entry is proven and is about other bytes.
    EntryForAnotherPayload,
    /// Rekor: the entry is proven and holds another signature.
    EntryForAnotherSignature,
    /// Rekor v1: the promise is signed by a key that is not the log's.
    PromiseByAnotherKey,
    /// Rekor: a hash of the proof has a wrong bit.
    ProofCorrupted,
    /// Rekor: the checkpoint is signed by a key that is not the log's.
    CheckpointByAnotherKey,
    /// Timestamp authority: the time is signed over other bytes.
    TimestampOverOtherBytes,
    /// Timestamp authority: the answer has another nonce than the query.
    TimestampWithAnotherNonce,
    /// Timestamp authority: the time is signed by a key that is not the authority's.
    TimestampByAnotherKey,
    /// Timestamp authority: the time is an hour before the certificate.
    TimestampTooEarly,
    /// Timestamp authority: status 201, and inside a rejection instead of a token.
    TimestampRejected,
    /// Issuer: every token has expired.
    TokenExpired,
    /// Issuer: every token is for another audience.
    TokenForAnotherAudience,
}
