//! The bundle, version 0.3, as cosign, sigstore-go and sigstore-python all read it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::json;

use super::entry::{Content, Entry};
use crate::image::media;
use crate::statement::PAYLOAD_TYPE;

/// Everything that a signature consists of.
pub(super) struct Parts<'a> {
    pub(super) material: Material<'a>,
    pub(super) entries: &'a [Entry],
    /// DER, `TimeStampResp`.
    pub(super) timestamps: &'a [Vec<u8>],
    pub(super) content: Content<'a>,
    pub(super) signature: &'a [u8],
}

/// What the signature is verified with, as a bundle names it.
pub(super) enum Material<'a> {
    Certificate(&'a [u8]),
    KeyHint(&'a str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireBundle<'a> {
    media_type: &'static str,
    verification_material: WireMaterial<'a>,
    #[serde(flatten)]
    content: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireMaterial<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<serde_json::Value>,
    tlog_entries: &'a [Entry],
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<serde_json::Value>,
}

/// What a DSSE signature over a statement is over (DSSE v1, pre-authentication encoding).
pub(super) fn pae(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Parts<'_> {
    /// The bundle's JSON; its bytes are what is verified and what leaves.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let (certificate, public_key) = match self.material {
            Material::Certificate(der) => (Some(json!({ "rawBytes": base64(der) })), None),
            Material::KeyHint(hint) => (None, Some(json!({ "hint": hint }))),
        };
        let timestamps: Vec<_> = self.timestamps.iter().map(|t| json!({ "signedTimestamp": base64(t) })).collect();
        let timestamps = (!timestamps.is_empty()).then(|| json!({ "rfc3161Timestamps": timestamps }));
        let (name, content) = match self.content {
            Content::Statement { payload, .. } => (
                "dsseEnvelope",
                json!({
                    "payload": base64(payload),
                    "payloadType": PAYLOAD_TYPE,
                    "signatures": [{ "sig": base64(self.signature) }],
                }),
            ),
            Content::Message { digest } => (
                "messageSignature",
                json!({
                    "messageDigest": {
                        "algorithm": "SHA2_256",
                        "digest": base64(&digest.to_bytes()),
                    },
                    "signature": base64(self.signature),
                }),
            ),
        };
        serde_json::to_vec(&WireBundle {
            media_type: media::BUNDLE,
            verification_material: WireMaterial {
                certificate,
                public_key,
                tlog_entries: self.entries,
                timestamp_verification_data: timestamps,
            },
            content: serde_json::Map::from_iter([(name.to_owned(), content)]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn the_encoding_that_is_signed_is_dsses() {
        assert_eq!(pae(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }

    #[test]
    fn absent_parts_are_not_written() {
        let digest = Digest::sha256(b"");
        let content = Content::Message { digest: &digest };
        let parts = Parts { material: Material::KeyHint("h"), entries: &[], timestamps: &[], content, signature: b"s" };
        let wanted = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"h"},"tlogEntries":[]},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},"signature":"cw=="}}"#;
        assert_eq!(String::from_utf8(parts.to_json().expect("JSON")).expect("text"), wanted);
    }
}
