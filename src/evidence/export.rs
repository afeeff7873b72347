//! The forms in which other programs take evidence. Bytes that were signed are
//! never written anew: what is inside a form is cut out as it stands.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Candidate, Content};
use crate::json;
use crate::limits::Limits;
use crate::sigstore::SignedContent;
use crate::statement::PAYLOAD_TYPE;

#[derive(Deserialize)]
struct WithEnvelope<'a> {
    #[serde(borrow, rename = "dsseEnvelope")]
    envelope: Option<&'a RawValue>,
}

impl Candidate {
    /// The payload of its envelope, if that is an in-toto statement. It is not verified.
    #[must_use]
    pub fn unverified_statement(&self, limits: &Limits) -> Option<Vec<u8>> {
        let (bundle, _) = self.to_bundle(limits)?.ok()?;
        match bundle.signed_content().ok()? {
            SignedContent::Dsse { payload_type, payload } if payload_type == PAYLOAD_TYPE => Some(payload.to_vec()),
            _ => None,
        }
    }
}

impl Content {
    /// The DSSE envelope as JSON, byte for byte as it is stored; `None` if there is none.
    #[must_use]
    pub fn envelope_json(&self) -> Option<Vec<u8>> {
        match self {
            Self::Envelope { envelope, .. } => Some(envelope.bytes().to_vec()),
            Self::Bundle(blob) => {
                json::reject_ambiguity(blob.bytes(), &[]).ok()?;
                let found: WithEnvelope<'_> = serde_json::from_slice(blob.bytes()).ok()?;
                found.envelope.map(|envelope| envelope.get().as_bytes().to_vec())
            }
            _ => None,
        }
    }

    /// A Sigstore bundle: byte for byte as it is stored, or for a legacy layer
    /// one of version 0.1, put together from the layer and its annotations.
    #[must_use]
    pub fn bundle_json(&self, limits: &Limits) -> Option<Vec<u8>> {
        match self {
            Self::Bundle(blob) => Some(blob.bytes().to_vec()),
            _ => self.to_bundle(limits)?.ok()?.0.to_json().map(String::into_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::VerifiedBlob;

    #[test]
    fn an_envelope_is_cut_out_as_it_stands() {
        let bundle = |text: &str| Content::Bundle(VerifiedBlob::of(text.as_bytes().to_vec())).envelope_json();
        let spaced = r#"{ "payload" : "e30=",  "x":[ 1.0 ] }"#;
        assert_eq!(bundle(&format!(r#"{{"mediaType":"m","dsseEnvelope":{spaced}}}"#)), Some(spaced.into()));
        for none in [r#"{"messageSignature":{}}"#, r#"{"dsseEnvelope":{"a":1},"dsseEnvelope":{"a":2}}"#, "x"] {
            assert_eq!(bundle(none), None, "{none}");
        }
    }
}
