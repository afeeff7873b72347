//! Platforms as image indexes name them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::Code;

/// An operating system, an architecture and where needed a variant, such as
/// `linux/arm64` or `linux/arm/v7` (OCI image specification, image index).
///
/// `linux/arm64` and `linux/arm64/v8` are the same platform, and so are
/// `amd64` and `amd64/v1`: equality, order and text use the short form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
    os_version: Option<String>,
}

/// A text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a platform: wanted OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, for example linux/arm64")]
pub struct PlatformError {
    text: String,
}

impl PlatformError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::ReferenceInvalid
    }
}

/// The wire form inside a descriptor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WirePlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    variant: String,
    #[serde(default, rename = "os.version", skip_serializing_if = "String::is_empty")]
    os_version: String,
}

impl Platform {
    /// A platform from its parts, normalised; `None` if a part is not one word
    /// of the characters that registries use.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Option<Self> {
        let word = |s: &str| {
            let known = |b: u8| b.is_ascii_alphanumeric() || b"._-+".contains(&b);
            !s.is_empty() && s.len() <= 64 && s.bytes().all(known)
        };
        if !word(os) || !word(architecture) || !variant.is_none_or(word) {
            return None;
        }
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let variant = variant.filter(|v| !matches!((architecture, *v), ("arm64", "v8") | ("amd64", "v1")));
        Some(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: None,
        })
    }

    /// Whether this is BuildKit's place for attestation manifests, `unknown/unknown`.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// Whether a user who asks for `wanted` means this platform: a variant or
    /// OS version that `wanted` leaves out may be any.
    #[must_use]
    pub fn matches(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.variant == wanted.variant)
            && (wanted.os_version.is_none() || self.os_version == wanted.os_version)
    }
}

impl TryFrom<WirePlatform> for Platform {
    type Error = PlatformError;

    fn try_from(wire: WirePlatform) -> Result<Self, PlatformError> {
        let variant = Some(wire.variant.as_str()).filter(|v| !v.is_empty());
        let version = Some(wire.os_version.clone()).filter(|v| !v.is_empty());
        let safe = |v: &String| v.len() <= 64 && v.bytes().all(|b| b.is_ascii_graphic());
        match Self::new(&wire.os, &wire.architecture, variant) {
            Some(platform) if version.as_ref().is_none_or(safe) => Ok(Self { os_version: version, ..platform }),
            _ => {
                let text = format!("{}/{}/{}", wire.os, wire.architecture, wire.variant);
                Err(PlatformError { text: text.chars().take(160).collect() })
            }
        }
    }
}

impl From<&Platform> for WirePlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone().unwrap_or_default(),
            os_version: platform.os_version.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if let Some(variant) = &self.variant {
            write!(f, "/{variant}")?;
        }
        if let Some(version) = &self.os_version {
            write!(f, ":{version}")?;
        }
        Ok(())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let platform = match parts[..] {
            [os, architecture] => Self::new(os, architecture, None),
            [os, architecture, variant] => Self::new(os, architecture, Some(variant)),
            _ => None,
        };
        platform.ok_or_else(|| PlatformError { text: text.chars().take(160).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm64_means_arm64_v8_and_the_other_way_round() {
        let plain: Platform = "linux/arm64".parse().expect("a platform");
        let v8: Platform = "linux/arm64/v8".parse().expect("a platform");
        assert_eq!(plain, v8);
        assert_eq!(v8.to_string(), "linux/arm64");
        let v7: Platform = "linux/arm/v7".parse().expect("a platform");
        let arm: Platform = "linux/arm".parse().expect("a platform");
        assert!(v7.matches(&arm) && !arm.matches(&v7));
    }

    #[test]
    fn a_platform_is_two_or_three_words() {
        for bad in ["", "linux", "linux/", "/arm64", "linux/arm64/v8/x", "li nux/arm64", "linux/\u{1b}"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
