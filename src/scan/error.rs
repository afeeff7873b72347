//! Why an image could not be scanned.

use crate::code::Code;
use crate::digest::Digest;
use crate::image::ConfigurationError;
use crate::registry::RegistryError;

/// Why the content of an image is not known. There is no scan with a layer less:
/// what that layer hid or brought would be missing without a word (scenario N-04).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Something could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The configuration or a layer is not where the manifest says.
    #[error("{what} {digest} of the image is absent")]
    Absent {
        /// `the configuration` or `the layer`.
        what: &'static str,
        /// The blob.
        digest: Digest,
    },
    /// The configuration is not one of an image.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The configuration lists no layers, so that nothing says what is in them.
    #[error("the configuration {digest} is not valid: it has no rootfs.diff_ids")]
    NoLayers {
        /// The configuration.
        digest: Digest,
    },
    /// The configuration lists another number of layers than the manifest.
    #[error("the manifest has {wanted} layers, and the configuration {digest} lists {found}")]
    LayerCount {
        /// The configuration.
        digest: Digest,
        /// Layers of the manifest.
        wanted: usize,
        /// Layers of the configuration.
        found: usize,
    },
    /// A folder or an archive cannot be read, or is not what it should be.
    #[error("{place}: {error}")]
    Place {
        /// Its path.
        place: String,
        /// What happened.
        error: LayerError,
    },
    /// A layer could not be read to its end.
    #[error("layer {digest}: {error}")]
    Layer {
        /// The layer.
        digest: Digest,
        /// What happened.
        error: LayerError,
    },
}

/// Why a layer could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// It is of a kind that this version does not read: encrypted, kept
    /// elsewhere, or unknown.
    #[error("a layer of the type {media_type} is not read: {why}")]
    Unsupported {
        /// Its media type.
        media_type: String,
        /// Why not.
        why: &'static str,
    },
    /// It is no archive, or one that programs read differently.
    #[error("{0}")]
    Malformed(String),
    /// Its content is not what the configuration says.
    #[error("wanted the diff_id {wanted} of the configuration, the content has {found}")]
    DiffId {
        /// What the configuration lists.
        wanted: Digest,
        /// What the content has.
        found: Digest,
    },
    /// It is over a limit.
    #[error("more than {limit} {what}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// A file of a folder or an archive cannot be read.
    #[error("{path}: {detail}")]
    File {
        /// Its path.
        path: String,
        /// What the operating system says.
        detail: String,
    },
    /// The time for this image is over.
    #[error("the time for this image is over")]
    Time,
    /// The blob could not be read.
    #[error(transparent)]
    Registry(RegistryError),
}

impl ScanError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Registry(error) => error.code(),
            Self::Absent { .. } => Code::EvidenceAbsent,
            Self::Configuration(error) => error.code(),
            Self::NoLayers { .. } => Code::ManifestInvalid,
            Self::LayerCount { .. } => Code::DigestMismatch,
            Self::Layer { error, .. } | Self::Place { error, .. } => error.code(),
        }
    }
}

impl LayerError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unsupported { .. } => Code::LayerUnsupported,
            Self::Malformed(_) => Code::LayerInvalid,
            Self::DiffId { .. } => Code::DigestMismatch,
            Self::Limit { .. } => Code::Limit,
            Self::File { .. } => Code::FileUnreadable,
            Self::Time => Code::RegistryUnavailable,
            Self::Registry(error) => error.code(),
        }
    }

    /// There is no thread to read it in any more.
    pub(super) fn shutting_down() -> Self {
        Self::Malformed("the runtime is shutting down".to_owned())
    }

    /// What made a read fail: one of ours, or that the bytes are not what they should be.
    pub(super) fn of_io(error: &std::io::Error) -> Self {
        let inner = error.get_ref();
        if let Some(ours) = inner.and_then(|inner| inner.downcast_ref::<Self>()) {
            return ours.clone();
        }
        Self::Malformed(error.to_string())
    }
}
