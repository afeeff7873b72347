//! What an image's configuration says (OCI image specification, configuration).

use serde::Deserialize;

use super::ScanError;
use crate::digest::{Digest, VerifiedBlob};
use crate::image::Platform;
use crate::json;
use crate::time::Timestamp;

/// The part of a configuration that a scan needs.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub(super) platform: Option<Platform>,
    pub(super) created: Option<Timestamp>,
    pub(super) user: Option<String>,
    pub(super) diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    created: Option<String>,
    config: Option<WireProcess>,
    rootfs: WireRoot,
}

/// How the image is run.
#[derive(Deserialize)]
struct WireProcess {
    #[serde(rename = "User")]
    user: Option<String>,
}

#[derive(Deserialize)]
struct WireRoot {
    diff_ids: Vec<Digest>,
}

impl Configuration {
    pub(super) fn parse(blob: &VerifiedBlob) -> Result<Self, ScanError> {
        let wire: Wire = json::parse(blob.bytes())
            .map_err(|error| ScanError::Configuration { digest: blob.digest().clone(), detail: error.to_string() })?;
        let variant = wire.variant.as_deref().filter(|variant| !variant.is_empty());
        Ok(Self {
            platform: Platform::new(&wire.os, &wire.architecture, variant),
            // A date that is none is as good as none: it is the builder's word on nothing that is checked.
            created: wire.created.and_then(|text| text.parse().ok()),
            user: wire.config.and_then(|config| config.user).filter(|user| !user.is_empty()),
            diff_ids: wire.rootfs.diff_ids,
        })
    }
}
