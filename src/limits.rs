//! Every bound on what is read from outside, in one value.

use std::time::Duration;

/// The bounds of one verification. The defaults suit a hostile registry; raise
/// one only where real evidence needs it.
///
/// A bound that is reached is reported with the code `limit` and makes the
/// outcome undecided, never "not found" (scenarios I-01, I-04 and group K).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a manifest, an index or one page of referrers. The distribution
    /// specification asks clients to support at least 4 MiB.
    pub manifest_bytes: u64,
    /// Bytes of an attestation (bundle or DSSE envelope). cosign's
    /// `COSIGN_MAX_ATTACHMENT_SIZE` is 128 MiB; real ones stay under 10 MiB.
    pub attestation_bytes: u64,
    /// Bytes of a simple-signing payload.
    pub payload_bytes: u64,
    /// Layers of one `.sig` or `.att` manifest.
    pub legacy_layers: usize,
    /// Pages of one referrers listing.
    pub referrer_pages: usize,
    /// Descriptors of one referrers listing, over all pages.
    pub referrers: usize,
    /// Candidates read for one target.
    pub candidates: usize,
    /// Platforms of one index.
    pub platforms: usize,
    /// Files of an OCI layout in an archive, and separately manifests of a
    /// layout that are looked through for referrers.
    pub layout_entries: usize,
    /// Log entries, and separately timestamps, of one bundle.
    pub log_entries: usize,
    /// Subjects of one statement.
    pub subjects: usize,
    /// Bytes of a token answer.
    pub token_bytes: u64,
    /// Bytes of an error body that are read for its message.
    pub error_bytes: u64,
    /// Bytes of a trusted root file; TUF targets have the same bound.
    pub trusted_root_bytes: u64,
    /// Requests for one image, retries included.
    pub requests: u64,
    /// Bytes received for one image, over all its requests.
    pub total_bytes: u64,
    /// Requests in flight towards one registry.
    pub concurrency: usize,
    /// Time for one image, from the first request to the report.
    pub total_time: Duration,
    /// Attempts of one request, the first included.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            attestation_bytes: 64 << 20,
            payload_bytes: 1 << 20,
            legacy_layers: 1000,
            referrer_pages: 16,
            referrers: 2000,
            candidates: 1000,
            platforms: 64,
            layout_entries: 65_536,
            log_entries: 8,
            subjects: 1024,
            token_bytes: 64 << 10,
            error_bytes: 8 << 10,
            trusted_root_bytes: 5 << 20,
            requests: 8192,
            total_bytes: 512 << 20,
            concurrency: 32,
            total_time: Duration::from_secs(120),
            attempts: 4,
        }
    }
}
