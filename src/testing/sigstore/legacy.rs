//! cosign's older storage: annotated layers of the images tagged `.sig` and `.att`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::entry::Verifier;
use super::key::{base64, pem};
use super::mint::Signed;
use crate::image::media;

/// One layer of a `.sig` or `.att` image: the bytes and what their descriptor carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// The media type.
    pub media_type: &'static str,
    /// The signed document (`.sig`) or the DSSE envelope (`.att`).
    pub bytes: Vec<u8>,
    /// Signature, certificate, chain, log entry and timestamp.
    pub annotations: BTreeMap<String, String>,
}

impl Layer {
    /// A layer of a `.sig` image: the payload as it is, the signature beside it.
    pub(super) fn signature(payload: &[u8], signed: &Signed) -> Self {
        let annotations = annotations(signed, base64(&signed.signature));
        Self { media_type: media::SIMPLE_SIGNING, bytes: payload.to_vec(), annotations }
    }

    /// A layer of an `.att` image: the envelope, which holds the signature.
    pub(super) fn attestation(envelope: &Value, predicate_type: Option<String>, signed: &Signed) -> Self {
        // cosign writes this annotation empty for attestations.
        let mut annotations = annotations(signed, String::new());
        annotations.extend(predicate_type.map(|text| ("predicateType".to_owned(), text)));
        Self { media_type: media::DSSE, bytes: envelope.to_string().into_bytes(), annotations }
    }
}

fn annotations(signed: &Signed, signature: String) -> BTreeMap<String, String> {
    let mut out = BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), signature)]);
    if let Verifier::Certificate { leaf, chain } = &signed.verifier {
        let chain = chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        out.insert("dev.sigstore.cosign/certificate".to_owned(), pem("CERTIFICATE", leaf));
        out.insert("dev.sigstore.cosign/chain".to_owned(), chain);
    }
    if let Some(entry) = signed.entries.first() {
        out.insert("dev.sigstore.cosign/bundle".to_owned(), entry.annotation());
    }
    if let Some(token) = &signed.timestamp {
        let json = json!({ "SignedRFC3161Timestamp": base64(token) });
        out.insert("dev.sigstore.cosign/rfc3161timestamp".to_owned(), json.to_string());
    }
    out
}
