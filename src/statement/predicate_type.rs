//! Predicate types and the families that people ask for by a short name.

use std::fmt;
use std::str::FromStr;

/// The predicate type of the statement that cosign 3 signs for an image.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
/// SPDX 2, of every minor version: what `cosign --type spdxjson` finds.
pub(crate) const SPDX_2: &str = "https://spdx.dev/Document";
/// SPDX 3.
pub(crate) const SPDX_3: &str = "https://spdx.dev/Document/v3";
/// CycloneDX, of every version.
pub(crate) const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// SLSA provenance 1.
pub(crate) const SLSA_1: &str = "https://slsa.dev/provenance/v1";
/// SLSA provenance 0.2.
pub(crate) const SLSA_0_2: &str = "https://slsa.dev/provenance/v0.2";

/// A set of predicate types that answer the same question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    name: &'static str,
    types: &'static [&'static str],
    /// Types that begin like this and go on with a version.
    prefixes: &'static [&'static str],
}

const SLSA: Family =
    Family { name: "slsa", types: &[SLSA_1, SLSA_0_2, "https://slsa.dev/provenance/v0.1"], prefixes: &[] };

const SPDX: Family = Family {
    name: "spdx",
    types: &[SPDX_2, "https://spdx.dev/Document/v2.2", "https://spdx.dev/Document/v2.3", SPDX_3],
    prefixes: &["https://spdx.dev/Document/v3."],
};

/// The families, by the name used in `--require` and `--type`.
const FAMILIES: &[Family] = &[
    SPDX,
    Family { name: "cyclonedx", types: &[CYCLONEDX], prefixes: &["https://cyclonedx.org/bom/v1."] },
    SLSA,
    Family {
        name: "vsa",
        types: &["https://slsa.dev/verification_summary/v1", "https://slsa.dev/verification_summary/v0.2"],
        prefixes: &[],
    },
    Family { name: "openvex", types: &["https://openvex.dev/ns"], prefixes: &["https://openvex.dev/ns/v"] },
    Family {
        name: "vuln",
        types: &[
            "https://cosign.sigstore.dev/attestation/vuln/v1",
            "https://in-toto.io/attestation/vulns",
            "https://in-toto.io/attestation/vulns/v0.1",
        ],
        prefixes: &[],
    },
    Family { name: "apko", types: &["https://apko.dev/image-configuration"], prefixes: &[] },
    Family { name: "eol", types: &["https://chainguard.dev/end-of-life"], prefixes: &[] },
    Family {
        name: "link",
        types: &["https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"],
        prefixes: &[],
    },
    Family { name: "custom", types: &["https://cosign.sigstore.dev/attestation/v1"], prefixes: &[] },
];

/// cosign's spellings of `--type` that are not a family's name, with cosign's exact meaning.
const COSIGN_ALIASES: &[(&str, &str)] =
    &[("spdxjson", SPDX_2), ("slsaprovenance", SLSA_0_2), ("slsaprovenance02", SLSA_0_2), ("slsaprovenance1", SLSA_1)];

/// What a predicate may be: one of a family, or exactly one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateType {
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Family(Family),
    Exact(String),
}

/// A text that is neither a family, an alias nor a URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a predicate type: wanted {}, or a full URI{}", Family::names().join(", "), meant(text))]
pub struct PredicateTypeError {
    text: String,
}

/// What somebody means who calls a document by what it is for.
fn meant(text: &str) -> &'static str {
    match text.to_ascii_lowercase().as_str() {
        "sbom" => " (an SBOM is spdx or cyclonedx)",
        "provenance" => " (provenance is slsa)",
        "vex" => " (VEX is openvex)",
        _ => "",
    }
}

impl Family {
    /// The names of all families.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        FAMILIES.iter().map(|family| family.name).collect()
    }

    /// The predicate types of SLSA provenance.
    pub(crate) const SLSA: &'static [&'static str] = SLSA.types;

    /// The short name of the family that `uri` belongs to.
    #[must_use]
    pub fn name_of(uri: &str) -> Option<&'static str> {
        FAMILIES.iter().find(|family| family.contains(uri)).map(|family| family.name)
    }

    fn contains(&self, uri: &str) -> bool {
        let version = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        self.types.contains(&uri) || self.prefixes.iter().any(|p| uri.strip_prefix(p).is_some_and(version))
    }
}

impl PredicateType {
    /// The family of SLSA provenance.
    #[must_use]
    pub fn slsa() -> Self {
        Self { wanted: Wanted::Family(SLSA) }
    }

    /// The family of SPDX documents.
    #[must_use]
    pub fn spdx() -> Self {
        Self { wanted: Wanted::Family(SPDX) }
    }

    /// Whether every statement that is wanted is an SPDX document.
    pub(crate) fn is_spdx(&self) -> bool {
        match &self.wanted {
            Wanted::Family(family) => *family == SPDX,
            Wanted::Exact(uri) => SPDX.contains(uri),
        }
    }

    /// Whether a statement of the type `uri` is what is wanted. Types are
    /// compared as they stand: a trailing slash or `http` is another type (scenario G-15).
    #[must_use]
    pub fn matches(&self, uri: &str) -> bool {
        match &self.wanted {
            Wanted::Family(family) => family.contains(uri),
            Wanted::Exact(exact) => exact == uri,
        }
    }

    /// The type to write: of a family, the one that most readers know.
    #[must_use]
    pub fn to_write(&self) -> &str {
        match &self.wanted {
            Wanted::Family(family) => family.types.first().copied().unwrap_or(family.name),
            Wanted::Exact(exact) => exact,
        }
    }

    /// Whether this is the family of that name.
    #[must_use]
    pub fn is_family(&self, name: &str) -> bool {
        matches!(&self.wanted, Wanted::Family(family) if family.name == name)
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Family(family) => f.write_str(family.name),
            Wanted::Exact(exact) => f.write_str(exact),
        }
    }
}

impl FromStr for PredicateType {
    type Err = PredicateTypeError;

    fn from_str(text: &str) -> Result<Self, PredicateTypeError> {
        if let Some(family) = FAMILIES.iter().find(|family| family.name == text) {
            return Ok(Self { wanted: Wanted::Family(*family) });
        }
        if let Some((_, exact)) = COSIGN_ALIASES.iter().find(|(alias, _)| *alias == text) {
            return Ok(Self { wanted: Wanted::Exact((*exact).to_owned()) });
        }
        let is_uri = text.split_once(':').is_some_and(|(scheme, rest)| {
            let word = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
            !scheme.is_empty() && scheme.bytes().all(word) && !rest.is_empty()
        });
        if is_uri && text.len() <= 1024 && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self { wanted: Wanted::Exact(text.to_owned()) });
        }
        Err(PredicateTypeError { text: text.chars().take(160).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_match_their_versions_and_nothing_else() {
        let spdx: PredicateType = "spdx".parse().expect("a family");
        for good in ["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3", "https://spdx.dev/Document/v3.0.1"]
        {
            assert!(spdx.matches(good), "{good}");
        }
        for bad in ["https://spdx.dev/Document/", "http://spdx.dev/Document", "https://spdx.dev/Document/v3.x", ""] {
            assert!(!spdx.matches(bad), "{bad}");
        }
        assert_eq!(Family::name_of("https://slsa.dev/provenance/v0.2"), Some("slsa"));
    }

    #[test]
    fn cosigns_aliases_keep_their_meaning() {
        let alias: PredicateType = "slsaprovenance".parse().expect("an alias");
        assert!(alias.matches("https://slsa.dev/provenance/v0.2") && !alias.matches("https://slsa.dev/provenance/v1"));
        let exact: PredicateType = "https://example.org/p/v1".parse().expect("a URI");
        assert!(exact.matches("https://example.org/p/v1") && !exact.matches("https://example.org/p/v2"));
        for bad in ["", "spxd", "not a type", ":x"] {
            assert!(bad.parse::<PredicateType>().is_err(), "{bad}");
        }
    }
}
