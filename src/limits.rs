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
    /// Lines of a log's checkpoint. The first say what it is about, each of the
    /// others is a signature that may have to be verified.
    pub checkpoint_lines: usize,
    /// Certificates that stand above the signer's in one piece of evidence; real chains have two or three.
    pub chain: usize,
    /// Subjects of one statement.
    pub subjects: usize,
    /// Dependencies (materials) of one provenance document.
    pub dependencies: usize,
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
    /// Layers of an image whose content is read; Docker stops at 127.
    pub layers: u64,
    /// Bytes of all its layers together, inflated (scenario N-07).
    pub layer_bytes: u64,
    /// How many times larger a layer may become when it is inflated. It counts
    /// after the first 16 MiB; gzip reaches 1028 and zstd 32,000 (scenario K-08).
    pub layer_ratio: u64,
    /// Files, folders and links in all layers together.
    pub layer_entries: u64,
    /// Bytes of a file that a package reader needs whole (an executable, a jar,
    /// a database); larger ones make the document incomplete.
    pub whole_file: u64,
    /// Packages, and other facts of package readers, in all layers together.
    pub packages: u64,
    /// Bytes that are kept of all layers together until the document is written:
    /// of paths, and separately of what package readers found. The counts above do
    /// not bound it, because a path may have 4096 bytes and a list of files may be
    /// as long as a file; an image with 200,000 files has 20 MB of paths.
    pub kept_bytes: u64,
}

impl Limits {
    /// The same with the time and the bytes that it takes to read whole images:
    /// an hour, and as many bytes as their layers may have.
    #[must_use]
    pub fn for_content(self) -> Self {
        Self { total_bytes: self.layer_bytes, total_time: Duration::from_secs(3600), ..self }
    }
}

/// The most [`Limits::for_jobs`] allows. RFC 9113 (6.5.2) recommends that a
/// server allows no fewer than 100 streams on a connection; this stays below.
const MOST_IN_FLIGHT: usize = 64;

impl Limits {
    /// The same bounds for a run that has `jobs` images on their way at once.
    ///
    /// Requests in flight are a bound on what is done to a registry and not on
    /// an image, and 32 suit one image: an index of two platforms asks for nine
    /// things at once, and then for as many as are attached. Sixteen images
    /// behind that bound wait for each other more than for the registry, so
    /// each gets four places, up to 64 together. A registry that finds them too
    /// many answers 429, and the bound is halved.
    #[must_use]
    pub fn for_jobs(self, jobs: usize) -> Self {
        let places = jobs.saturating_mul(4).min(MOST_IN_FLIGHT).max(self.concurrency);
        Self { concurrency: places, ..self }
    }
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
            checkpoint_lines: 128,
            chain: 8,
            subjects: 1024,
            dependencies: 65_536,
            token_bytes: 64 << 10,
            error_bytes: 8 << 10,
            trusted_root_bytes: 5 << 20,
            requests: 8192,
            total_bytes: 512 << 20,
            concurrency: 32,
            total_time: Duration::from_secs(120),
            attempts: 4,
            layers: 512,
            layer_bytes: 20 << 30,
            layer_ratio: 200,
            layer_entries: 2_000_000,
            whole_file: 256 << 20,
            packages: 250_000,
            kept_bytes: 256 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_images_share_more_places_up_to_a_bound() {
        let places = |jobs| Limits::default().for_jobs(jobs).concurrency;
        assert_eq!([0, 1, 8, 9, 16, 17, usize::MAX].map(places), [32, 32, 32, 36, 64, 64, 64]);
        let narrow = Limits { concurrency: 100, ..Limits::default() };
        assert_eq!(narrow.for_jobs(16).concurrency, 100, "never fewer than were asked for");
    }
}
