//! What a scan answers.

use super::{Claim, OperatingSystem, Package};
use crate::code::Code;
use crate::digest::Digest;
use crate::image::Platform;
use crate::time::Timestamp;

/// What is in an image.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Contents {
    /// The digest of the image's manifest; of its configuration (the image id of
    /// Docker) where it has none, and `None` for a folder.
    pub digest: Option<Digest>,
    /// The media type of what the digest is of.
    pub media_type: String,
    /// The platform in the configuration.
    pub platform: Option<Platform>,
    /// When the image says that it was made.
    pub created: Option<Timestamp>,
    /// The user that the configuration runs it as, as written; `None` is root.
    pub user: Option<String>,
    /// The layers, the lowest first.
    pub layers: Vec<LayerFacts>,
    /// The operating system.
    pub system: Option<OperatingSystem>,
    /// The packages, by ecosystem, namespace, name, version and architecture; none twice.
    pub packages: Vec<Package>,
    /// Which package needs which: numbers in `packages`, sorted.
    pub dependencies: Vec<(usize, usize)>,
    /// How much of the image belongs to a package.
    pub coverage: Coverage,
    /// What documents in the image say of packages, by path; some may contradict the database.
    pub claims: Vec<Claim>,
    /// The configuration that apko left in `/etc/apko.json`, as it stands, or why it cannot be read.
    pub apko_json: Option<Result<String, String>>,
    /// What could not be read. If there is any, the packages are not all.
    pub problems: Vec<Problem>,
    /// Every regular file that the finished image shows, by path; `None` unless
    /// [`Options::files`](super::Options::files) asks for them.
    pub files: Option<Vec<FileFacts>>,
    /// Packages that a layer brought and the finished image does not show, as `packages` sorted.
    pub history: Vec<Hidden>,
}

/// A regular file of the finished image. All of this was computed by the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileFacts {
    /// The path, without a leading slash; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The bytes of its content.
    pub size: u64,
    /// SHA-1 of its content, which SPDX 2.3 asks for.
    pub sha1: [u8; 20],
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
    /// The number of the package that owns it.
    pub package: Option<usize>,
    /// The layer that it is in, counted from zero.
    pub layer: usize,
}

/// A package that is in a layer, and that a later layer hid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hidden {
    /// What it was; its files are not kept.
    pub package: Package,
    /// The layer that removed it or put another in its place, counted from
    /// zero; `None` where that is not known.
    pub gone_in: Option<usize>,
    /// The version that is there instead.
    pub replaced_by: Option<String>,
}

impl Default for Contents {
    /// An empty folder.
    fn default() -> Self {
        Self {
            digest: None,
            media_type: "inode/directory".to_owned(),
            platform: None,
            created: None,
            user: None,
            layers: Vec::new(),
            system: None,
            packages: Vec::new(),
            dependencies: Vec::new(),
            coverage: Coverage::default(),
            claims: Vec::new(),
            apko_json: None,
            problems: Vec::new(),
            files: None,
            history: Vec::new(),
        }
    }
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerFacts {
    /// The digest of the blob.
    pub digest: Digest,
    /// The digest of the content, as computed.
    pub diff_id: Digest,
    /// The media type of the blob.
    pub media_type: String,
    /// The bytes of the blob.
    pub size: u64,
}

/// How much of an image belongs to a package. A file with several names counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Regular files.
    pub files: u64,
    /// Those of a package.
    pub owned_files: u64,
    /// Bytes in regular files.
    pub bytes: u64,
    /// Those of a package.
    pub owned_bytes: u64,
    /// ELF files, and others that may be executed.
    pub executables: u64,
    /// The paths of executables of no package, sorted; the first ten thousand.
    pub unowned_executables: Vec<String>,
    /// How many executables are of no package.
    pub unowned_count: u64,
}

/// Something that a package reader wanted and did not get whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Problem {
    /// The path in the image.
    pub path: String,
    /// What it should have been: `apk database`.
    pub reader: &'static str,
    /// What is wrong.
    pub detail: String,
}

impl Problem {
    /// The reason code: what is written about the image is less than there is.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::SbomIncomplete
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.reader, self.path, self.detail)
    }
}
