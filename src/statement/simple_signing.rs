//! Simple-signing documents, the signed bytes of cosign's legacy image signatures.

use serde::Deserialize;

use super::StatementError;
use crate::digest::Digest;
use crate::json;

/// A simple-signing document: it names one manifest digest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleSigning {
    /// The digest that is signed.
    pub digest: Digest,
    /// The repository that the signer named. It is shown and decides nothing:
    /// Chainguard's images named another repository than they are served from.
    pub docker_reference: String,
}

#[derive(Deserialize)]
struct Wire {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: WireIdentity,
    image: WireImage,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct WireIdentity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Deserialize)]
struct WireImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

impl SimpleSigning {
    /// Reads a document; the type has to be cosign's container image signature (scenario G-19).
    ///
    /// # Errors
    /// When it is malformed, ambiguous or of another type.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let wire: Wire = json::parse(payload).map_err(|e| StatementError::Malformed(e.to_string()))?;
        // Written by cosign and, in another case of the first letter, by nobody.
        if wire.critical.kind != "cosign container image signature" {
            return Err(StatementError::Type(wire.critical.kind.chars().take(200).collect()));
        }
        Ok(Self { digest: wire.critical.image.digest, docker_reference: wire.critical.identity.docker_reference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: &str, digest: &str) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"{kind}"}},"optional":null}}"#
        )
    }

    #[test]
    fn type_and_digest_are_checked() {
        let digest = Digest::sha256(b"image");
        let good = document("cosign container image signature", &digest.to_string());
        assert_eq!(SimpleSigning::parse(good.as_bytes()).map(|s| s.digest), Ok(digest.clone()));
        let other = document("atomic container signature", &digest.to_string());
        assert!(matches!(SimpleSigning::parse(other.as_bytes()), Err(StatementError::Type(_))));
        let broken = document("cosign container image signature", "sha256:xyz");
        assert!(SimpleSigning::parse(broken.as_bytes()).is_err());
    }
}
