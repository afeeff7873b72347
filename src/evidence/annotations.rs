//! cosign's legacy annotations, read and written (cosign `specs/SIGNATURE_SPEC.md`).
//!
//! White space inside base64 is dropped: real layers have line ends in it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use x509_cert::der::Decode as _;
use x509_cert::der::pem;

use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::unhex;
use crate::json;
use crate::limits::Limits;
use crate::sigstore::{LegacyEntry, LegacyParts, LegacySigned};

/// The signature of a layer, base64; empty where it is in an envelope.
pub(crate) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The signer's certificate, PEM; absent where a managed key signed.
pub(crate) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// What stands above the certificate, PEM.
const CHAIN: &str = "dev.sigstore.cosign/chain";
/// The log's promise, and what it is over.
pub(super) const BUNDLE: &str = "dev.sigstore.cosign/bundle";
/// A signed timestamp.
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// The predicate type of an attestation's layer.
pub(super) const LEGACY_PREDICATE: &str = "predicateType";

type Annotations = BTreeMap<String, String>;

#[derive(Deserialize)]
struct WireBundle {
    #[serde(rename = "SignedEntryTimestamp")]
    signed_entry_timestamp: String,
    #[serde(rename = "Payload")]
    payload: WirePayload,
}

#[derive(Deserialize)]
struct WirePayload {
    body: String,
    #[serde(rename = "integratedTime")]
    integrated_time: i64,
    #[serde(rename = "logIndex")]
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
struct WireTimestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: String,
}

fn invalid(what: &str, problem: impl std::fmt::Display) -> Failure {
    Failure::new(CheckName::Structure, Code::BundleInvalid, format!("{what}: {problem}"))
}

/// The parts of a `.sig` layer: the signature is in an annotation.
pub(super) fn simple_signing(annotations: &Annotations, limits: &Limits) -> Result<LegacyParts, Failure> {
    let Some(text) = annotations.get(SIGNATURE).filter(|text| !text.trim().is_empty()) else {
        return Err(invalid(SIGNATURE, "the layer has no signature"));
    };
    parts(annotations, LegacySigned::Payload { signature: decode(SIGNATURE, text)? }, limits)
}

/// The parts of a `.att` layer: the signature is in the envelope.
pub(super) fn envelope(annotations: &Annotations, json: &[u8], limits: &Limits) -> Result<LegacyParts, Failure> {
    parts(annotations, LegacySigned::Envelope { json: json.to_vec() }, limits)
}

fn parts(annotations: &Annotations, signed: LegacySigned, limits: &Limits) -> Result<LegacyParts, Failure> {
    let present = |key: &str| annotations.get(key).filter(|text| !text.trim().is_empty());
    let mut certificates =
        present(CERTIFICATE).map_or(Ok(Vec::new()), |text| certificates(CERTIFICATE, text, limits))?;
    if certificates.len() > 1 {
        return Err(invalid(CERTIFICATE, "more than one certificate"));
    }
    if !certificates.is_empty() {
        // Intermediates only ever help to build the path; it has to end in the trust root.
        let chain = present(CHAIN).map_or(Ok(Vec::new()), |text| self::certificates(CHAIN, text, limits))?;
        certificates.extend(chain);
    }
    let entry = present(BUNDLE).map(|text| entry(text)).transpose()?;
    let timestamp = present(TIMESTAMP).filter(|text| text.trim() != "null").map(|text| timestamp(text)).transpose()?;
    Ok(LegacyParts { certificates, entry, timestamp, signed })
}

/// The annotations of a layer, as cosign writes them. An attestation names its
/// predicate type, and its signature's annotation is empty: it is in the envelope.
#[cfg(feature = "sign")]
pub(crate) fn written(parts: &LegacyParts, predicate_type: Option<&str>) -> Annotations {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let signature = match &parts.signed {
        LegacySigned::Payload { signature } => base64(signature),
        LegacySigned::Envelope { .. } => String::new(),
    };
    let mut out = BTreeMap::from([(SIGNATURE.to_owned(), signature)]);
    out.extend(predicate_type.map(|text| (LEGACY_PREDICATE.to_owned(), text.to_owned())));
    let pem = |der: &Vec<u8>| pem::encode_string("CERTIFICATE", pem::LineEnding::LF, der).unwrap_or_default();
    if let [leaf, chain @ ..] = parts.certificates.as_slice() {
        out.insert(CERTIFICATE.to_owned(), pem(leaf));
        if !chain.is_empty() {
            out.insert(CHAIN.to_owned(), chain.iter().map(pem).collect());
        }
    }
    if let Some(entry) = &parts.entry {
        let bundle = serde_json::json!({
            "SignedEntryTimestamp": base64(&entry.signed_entry_timestamp),
            "Payload": {
                "body": base64(&entry.body),
                "integratedTime": entry.integrated_time,
                "logIndex": entry.log_index,
                "logID": crate::digest::hex(&entry.log_id),
            },
        });
        out.insert(BUNDLE.to_owned(), bundle.to_string());
    }
    if let Some(token) = &parts.timestamp {
        let json = serde_json::json!({ "SignedRFC3161Timestamp": base64(token) });
        out.insert(TIMESTAMP.to_owned(), json.to_string());
    }
    out
}

fn entry(text: &str) -> Result<LegacyEntry, Failure> {
    let wire: WireBundle = json::object(text.as_bytes()).map_err(|e| invalid(BUNDLE, e))?;
    Ok(LegacyEntry {
        signed_entry_timestamp: decode(BUNDLE, &wire.signed_entry_timestamp)?,
        body: decode(BUNDLE, &wire.payload.body)?,
        integrated_time: wire.payload.integrated_time,
        log_index: wire.payload.log_index,
        log_id: unhex(&wire.payload.log_id).ok_or_else(|| invalid(BUNDLE, "the log ID is not hex digits"))?,
    })
}

fn timestamp(text: &str) -> Result<Vec<u8>, Failure> {
    let wire: WireTimestamp = json::object(text.as_bytes()).map_err(|e| invalid(TIMESTAMP, e))?;
    decode(TIMESTAMP, &wire.token)
}

fn decode(what: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let dense: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).map_err(|e| invalid(what, e))
}

/// The certificates of a PEM text, DER, in order.
fn certificates(what: &str, text: &str, limits: &Limits) -> Result<Vec<Vec<u8>>, Failure> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let block = &rest[start..];
        let end = block.find(END).ok_or_else(|| invalid(what, "a certificate does not end"))? + END.len();
        let (label, der) = pem::decode_vec(&block.as_bytes()[..end]).map_err(|e| invalid(what, e))?;
        if label != "CERTIFICATE" || x509_cert::Certificate::from_der(&der).is_err() {
            return Err(invalid(what, "not a certificate"));
        }
        found.push(der);
        if found.len() > limits.chain {
            // Not read to the end: what is in it stays open (scenario K-04).
            let detail = format!("{what}: more than {} certificates", limits.chain);
            return Err(Failure::new(CheckName::Structure, Code::Limit, detail));
        }
        rest = &block[end..];
    }
    if found.is_empty() { Err(invalid(what, "no certificate in it")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate; nothing verifies it.
    const PEM: &str = concat!(
        "-----BEGIN CERTIFICATE-----\n",
        "MIIBLDCB36ADAgECAhRdJPGpmzklnLqw5pftJk4HiJ1C9zAFBgMrZXAwDDEKMAgG\n",
        "A1UEAwwBeDAeFw0yNjExMjEwMTMwMThaFw0yNjExMjIwMTMwMThaMAwxCjAIBgNV\n",
        "BAMMAXgwKjAFBgMrZXADIQCoXMl9eWLsHa7/bzXcKJHp+Bk16LS5HUixuOxB0coB\n",
        "QaNTMFEwHQYDVR0OBBYEFH+3+SuJ2/idTjvXHeED9RtOUbKgMB8GA1UdIwQYMBaA\n",
        "FH+3+SuJ2/idTjvXHeED9RtOUbKgMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA\n",
        "ojYEHHn9MInQCAQF3niAMmP/FaKuaXI+x9/kgxFWe6pIrXvz9MHYQR6FyszIM7tQ\n",
        "0J+O7dmsriXeNV6EpYMRAA==\n",
        "-----END CERTIFICATE-----\n",
    );

    fn annotated(pairs: &[(&str, &str)]) -> Annotations {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_signature_may_have_line_ends_and_must_be_there() {
        let simple_signing = |annotations: &Annotations| simple_signing(annotations, &Limits::default());
        let good = simple_signing(&annotated(&[(SIGNATURE, "AA\nEC\n")])).expect("parts");
        assert!(matches!(good.signed, LegacySigned::Payload { signature } if signature == [0, 1, 2]));
        assert!(good.certificates.is_empty() && good.entry.is_none());
        for bad in [&[][..], &[(SIGNATURE, "")], &[(SIGNATURE, "A")], &[(SIGNATURE, "AAEC"), (CERTIFICATE, "x")]] {
            assert_eq!(simple_signing(&annotated(bad)).map(|_| ()).map_err(|f| f.code), Err(Code::BundleInvalid));
        }
    }

    #[test]
    fn a_chain_is_read_up_to_a_limit() {
        let chain = |count: usize| annotated(&[(SIGNATURE, "AAEC"), (CERTIFICATE, PEM), (CHAIN, &PEM.repeat(count))]);
        let limits = Limits::default();
        let read =
            |count| simple_signing(&chain(count), &limits).map(|parts| parts.certificates.len()).map_err(|f| f.code);
        assert_eq!(read(limits.chain), Ok(1 + limits.chain));
        assert_eq!(read(limits.chain + 1), Err(Code::Limit));
    }

    #[test]
    fn an_entry_is_read_strictly() {
        let entry = |body: &str| {
            format!(
                r#"{{"SignedEntryTimestamp":"AA==","Payload":{{"body":{body},"integratedTime":1,"logIndex":2,"logID":"c0ff"}}}}"#
            )
        };
        let good = super::entry(&entry(r#""e30=""#)).expect("an entry");
        assert_eq!((good.body.as_slice(), good.log_id.as_slice()), (&b"{}"[..], &[0xc0, 0xff][..]));
        for bad in [entry("{}"), entry(r#""!""#), entry(r#""e30=","body":"e30=""#), "null".to_owned()] {
            assert_eq!(super::entry(&bad).map(|_| ()).map_err(|f| f.code), Err(Code::BundleInvalid), "{bad}");
        }
    }
}
