//! From evidence to a verdict. No input or output, no clock: bytes, a policy, a
//! trust root and a time go in, a [`Report`](crate::report::Report) comes out.
//!
//! # The steps, and the attack each one stops
//!
//! One candidate goes through all of them on its own; nothing that one
//! candidate passed is ever credited to another (scenarios A-10, B-16).
//!
//! | step | check | what would pass without it |
//! |---|---|---|
//! | 0 | `structure` | a bundle that two readers understand differently; an envelope without a subject |
//! | 1 | `time` | an expired certificate, judged at a time that nobody vouches for |
//! | 2 | `certificate` | a certificate from somebody else's authority |
//! | 3 | `sct` | a certificate that was issued in secret |
//! | 4 | `log` | a signature that the log never saw, or saw in another log |
//! | 5 | `signature` | bytes that were changed after signing |
//! | 6 | `log-entry` | somebody else's genuine log entry beside a forged signature |
//! | 7 | `signer` | a certificate with two names, one of which is read by us and the other by you |
//! | 8 | `identity`, `issuer`, `claims` | a genuine signature by anybody at all |
//! | 9 | `log-evidence` | a bundle from which the proof was cut |
//! | 10 | `subject` | a genuine attestation of another image or platform |
//! | 11 | `predicate` | an SBOM passed off as a signature, a scan as an SBOM |
//! | 12 | `provenance`, `source`, `builder`, `slsa-level` | genuine provenance of another source or builder, or one that its own certificate belies |
//! | 13 | `age` | an old signature, replayed by a stale mirror |
//!
//! Steps 0 to 6 are those of `sigstore-verify` (its order, audited); the rows
//! of the report name them. Then [`decide`] puts candidates and requirements
//! together: a cell of the matrix is satisfied by one candidate that passed
//! everything, and no other candidate can take that away.

mod assess;
mod assessed;
mod blob;
mod cells;
mod decide;
mod facts;
mod merge;
mod refusal;
mod signed;
mod verified;

pub use assess::{Assessor, BlobInput, Keep};
pub use assessed::Assessed;
pub(crate) use blob::cell_of_blob;
pub use cells::{Cell, State};
pub use decide::decide;
pub use facts::ImageFacts;
pub use verified::{
    LogRecord, TimeSource, VerifiedAttestation, VerifiedBundle, VerifiedSignature, VerifiedSimpleSigning,
    VerifiedStatement, VerifiedTime,
};
