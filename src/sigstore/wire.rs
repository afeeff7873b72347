//! The JSON of bundles and envelopes, as far as it is read here.
//!
//! The outermost object and the envelope are read here, what is in them by the
//! types of `sigstore-types`, but for the payload: it may be megabytes, and is
//! decoded in place, where those types copy it twice and look through it once
//! more than it takes.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use sigstore_verify::types::bundle::{MessageSignature, VerificationMaterial};
use sigstore_verify::types::dsse::DsseSignature;
use sigstore_verify::types::{Bundle, DsseEnvelope, MediaType, PayloadBytes, SignatureContent};

use crate::json::Object;

/// A bundle (protobuf-specs, `sigstore_bundle.proto`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBundle {
    /// The first versions of cosign left it out.
    #[serde(default = "first_version")]
    media_type: MediaType,
    verification_material: VerificationMaterial,
    dsse_envelope: Option<Object<WireEnvelope>>,
    message_signature: Option<MessageSignature>,
}

impl WireBundle {
    /// The bundle; the reason why not, where it has not exactly one content.
    pub(super) fn into_inner(self) -> Result<Bundle, &'static str> {
        let content = match (self.dsse_envelope, self.message_signature) {
            (Some(Object(envelope)), None) => SignatureContent::DsseEnvelope(envelope.into_inner()?),
            (None, Some(message)) => SignatureContent::MessageSignature(message),
            (None, None) => return Err("the bundle has neither a dsseEnvelope nor a messageSignature"),
            (Some(_), Some(_)) => return Err("the bundle has a dsseEnvelope and a messageSignature"),
        };
        Ok(Bundle::new(self.media_type, self.verification_material, content))
    }
}

fn first_version() -> MediaType {
    MediaType::Bundle0_1
}

/// A DSSE envelope (DSSE protocol, "File format").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEnvelope {
    payload_type: String,
    #[serde(deserialize_with = "payload")]
    payload: PayloadBytes,
    signatures: Vec<DsseSignature>,
}

impl WireEnvelope {
    /// The envelope; the reason why not, where it has not exactly one signature:
    /// certificate, timestamps and log entries vouch for one (scenario G-08).
    pub(super) fn into_inner(self) -> Result<DsseEnvelope, &'static str> {
        match <[DsseSignature; 1]>::try_from(self.signatures) {
            Ok([signature]) => Ok(DsseEnvelope::new(self.payload_type, self.payload, signature)),
            Err(_) => Err("the envelope has not exactly one signature"),
        }
    }
}

fn payload<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PayloadBytes, D::Error> {
    struct Base64;
    impl Visitor<'_> for Base64 {
        type Value = PayloadBytes;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("base64")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<PayloadBytes, E> {
            decode(text).map(PayloadBytes::new).map_err(|e| E::custom(format_args!("the payload is not base64: {e}")))
        }
    }
    deserializer.deserialize_str(Base64)
}

/// Bytes in the JSON form of protobuf: one of the two alphabets, padded or not.
fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    let with = |alphabet: &Alphabet| {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, config).decode(text)
    };
    // The other alphabet is rare: whether it is meant is asked where the usual one was not.
    with(&STANDARD).or_else(|error| if text.contains(['-', '_']) { with(&URL_SAFE) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_and_no_mixture() {
        for good in ["-_-_", "+/+/"] {
            assert_eq!(decode(good), Ok(vec![0xfb, 0xff, 0xbf]), "{good}");
        }
        assert_eq!((decode("YQ=="), decode("YQ")), (Ok(b"a".to_vec()), Ok(b"a".to_vec())));
        for bad in ["+_+_", "YR==", "Y", "YQ==\n", " YQ=="] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_envelope_has_one_payload_and_one_signature() {
        let read = |payload: &str, signatures: &str| {
            let text = format!(r#"{{"payloadType":"t","payload":{payload},"signatures":{signatures}}}"#);
            let wire = serde_json::from_str::<WireEnvelope>(&text).map_err(|error| error.to_string())?;
            wire.into_inner().map(|envelope| envelope.payload.as_bytes().to_vec()).map_err(str::to_owned)
        };
        let one = r#"[{"sig":"YQ=="}]"#;
        // Escapes are not part of the text.
        for good in [r#""YQ==""#, r#""\u0059Q==""#] {
            assert_eq!(read(good, one), Ok(b"a".to_vec()), "{good}");
        }
        for (payload, signatures, problem) in [
            (r#""YQ==""#, "[]", "exactly one signature"),
            (r#""YQ==""#, r#"[{"sig":"YQ=="},{"sig":"YQ=="}]"#, "exactly one signature"),
            (r#""Y*==""#, one, "not base64"),
            ("[97]", one, "base64"),
            ("null", one, "base64"),
        ] {
            let error = read(payload, signatures).expect_err(payload);
            assert!(error.contains(problem), "{error}");
        }
    }
}
