//! Simple-signing documents, the signed bytes of cosign's legacy image signatures.

use serde::Deserialize;

use super::StatementError;
use crate::digest::Digest;
use crate::json::{self, Object};

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
    critical: Object<Critical>,
}

#[derive(Deserialize)]
struct Critical {
    identity: Object<WireIdentity>,
    image: Object<WireImage>,
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
        let wire: Wire = json::object(payload).map_err(|e| StatementError::Malformed(e.to_string()))?;
        let Critical { identity: Object(identity), image: Object(image), kind } = wire.critical.0;
        // Written by cosign and, in another case of the first letter, by nobody.
        if kind != "cosign container image signature" {
            return Err(StatementError::Type(kind.chars().take(200).collect()));
        }
        Ok(Self { digest: image.digest, docker_reference: identity.docker_reference })
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
        // An array of an object's values is no object, wherever it stands.
        for (object, array) in [
            (r#"{"docker-reference":"r"}"#.to_owned(), r#"["r"]"#.to_owned()),
            (format!(r#"{{"docker-manifest-digest":"{digest}"}}"#), format!(r#"["{digest}"]"#)),
        ] {
            assert!(good.contains(&object));
            assert!(SimpleSigning::parse(good.replace(&object, &array).as_bytes()).is_err(), "{array}");
        }
        let whole = format!(r#"[[["r"],["{digest}"],"cosign container image signature"]]"#);
        assert!(SimpleSigning::parse(whole.as_bytes()).is_err());
    }
}
