//! The ways in which evidence can be wrong.

macro_rules! faults {
    ($($variant:ident $meaning:literal;)*) => {
        /// One thing that is wrong with a piece of evidence, everything else
        /// about it being right: its signatures, its log entry and its times
        /// are made for the faulty artifact, so that only the check meant can refuse it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $meaning] $variant,)*
        }

        impl Fault {
            /// Every fault, in the order of a verification.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What is wrong, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

faults! {
    // The certificate (scenarios D-01, D-03, E-01, E-04 to E-06, E-08, E-10, E-11, F-11, F-12).
    CertificateExpired "The certificate had expired before every verified time.";
    CertificateOfAnotherAuthority "The certificate is from an authority with the same names and other keys; a chain in the bundle is that authority's.";
    CertificateOfRetiredAuthority "The certificate is from an authority that was trusted until years before.";
    CertificateOfLapsedAuthority "The certificate is from an authority that is trusted and whose own certificate had expired years before.";
    KeyUsageMissing "The certificate has no extended key usage.";
    KeyUsageForeign "The certificate is for client authentication, not for signing code.";
    SctMissing "The certificate has no timestamp of a transparency log.";
    SctListEmpty "The certificate has a list of timestamps with nothing in it.";
    SctByUnknownKey "The timestamp in the certificate names the trusted log and is signed by another key.";
    SctOfAnotherCertificate "The timestamp in the certificate is the trusted log's, for another certificate.";
    SctByRetiredLog "The timestamp in the certificate is from a log that was trusted until years before.";
    TwoNames "The certificate names two signers.";
    NameMissing "The certificate names no signer.";
    NameExtensionTwice "The certificate has two subject alternative name extensions, with different names.";
    IssuersDiffer "The old issuer extension (1.1) and the new one (1.8) differ.";
    IssuerMalformed "The issuer extension (1.8) is not DER; the old one (1.1) is fine.";
    IssuerExtensionTwice "The certificate has two issuer extensions (1.8), with different issuers.";

    // The signature and what is signed (A-05, A-07, B-15, G-03, G-04, G-08, G-12, G-14).
    SignatureBad "The signature is the signer's, over other bytes, and is what the log entry holds.";
    SignatureOverPayload "The signature is over the payload alone, without the pre-authentication encoding.";
    PayloadTypeForeign "The envelope's payload is of a type that is no statement, and is signed as such.";
    TwoSignatures "The envelope has two signatures, both right.";
    NoSignatures "The envelope has no signature.";
    StatementNotJson "The signed statement ends too early to be JSON.";
    StatementTypeUnknown "The signed statement calls itself version 2.";
    SubjectsEmpty "The signed statement is about nothing.";
    PredicateTypeTwice "The signed statement names two predicate types.";
    MessageDigestOfAnotherArtifact "The bundle's message digest is that of another artifact; the signature is right.";

    // The log entry (B-01 to B-11, B-16, C-16, M-11).
    EntryOfAnotherArtifact "The log entry is right in itself and belongs to another artifact.";
    EntryWithAnotherSignature "The log entry holds another signature of the same bytes by the same key.";
    EntryWithMirroredSignature "The log entry holds the signature's mirror image (r, n - s), which verifies as well.";
    EntryWithAnotherCertificate "The log entry holds another certificate (or key).";
    EntryWithAnotherHash "The log entry holds the hash of other bytes.";
    EntryByUnknownLog "The log entry is right in itself and from a log that nobody trusts.";
    EntryByRetiredLog "The log entry is from a log that was trusted until years before.";
    EntryTwice "The same log entry stands in the bundle twice.";
    SecondEntryOfAnotherArtifact "A second log entry, right in itself, belongs to another artifact.";
    KindVersionDisagrees "The bundle says that the entry is of another kind than its body is.";
    KindVersionUnknown "The bundle says that the entry is of a kind that does not exist.";

    // The log's promise (C-11, C-12).
    PromiseByUnknownKey "The log's promise is signed by another key.";
    PromiseOfAnotherEntry "The log's promise is for another entry.";
    PromiseForAnotherTime "The log's promise is for another time than the bundle says.";

    // The proof and the checkpoint (A-04, C-01 to C-04, C-08, C-14).
    ProofMissing "There is a promise and no proof, in a version that requires one.";
    ProofOfAnotherEntry "The proof is right in itself and proves another entry.";
    ProofHashCorrupted "One hash of the proof has a wrong bit.";
    CheckpointMissing "The proof has no checkpoint.";
    CheckpointByUnknownKey "The checkpoint has the log's name and key hint and is signed by another key.";
    CheckpointByAnotherLog "The checkpoint is signed by another log than the entry's, also a trusted one.";
    CheckpointOfAnotherTree "The checkpoint is the log's, with another root hash.";
    CheckpointOverRootHash "The checkpoint is signed by the log, over the root hash alone.";
    CheckpointKeyHintWrong "The checkpoint is signed by the log, under the key hint of another key.";

    // Time (D-02, D-04, D-05, D-07 to D-11, D-13).
    TimeMissing "Nothing authenticated says when the signature was made.";
    IntegratedTimeOutsideCertificate "The log's time, which it signed, is an hour before the certificate.";
    IntegratedTimeInFuture "The log's time, which it signed, is fifty years ahead, and the certificate is valid then.";
    TimestampOfAnotherSignature "The timestamp is over other bytes than the signature.";
    TimestampByUntrustedAuthority "The timestamp is from an authority that brings its own chain.";
    TimestampByAnotherKey "The timestamp names the trusted authority, holds its chain, and is signed by another key.";
    TimestampByForeignCertificate "The timestamp is signed by a code signer of the authority's root, behind the authority's own certificate.";
    TimestampOutsideAuthority "The timestamp is from a retired authority, after the end of its window.";
    TimestampOutsideCertificate "The timestamp is an hour before the certificate.";
    TimestampInFuture "The timestamp is fifty years ahead, and the certificate is valid then.";
}
