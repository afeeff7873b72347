//! Timestamp authorities (RFC 3161): a question about a hash, and an answer to exactly that question.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use x509_cert::der::asn1::{Any, ObjectIdentifier, OctetString};
use x509_cert::der::{Decode as _, Tag, Tagged as _};

use super::SignError;
use super::key::KeyError;
use super::service::Desk;
use crate::code::Code;
use crate::digest::Digest;
use crate::net::Ask;

/// Bytes of an answer; with a chain of certificates they have five thousand.
const ANSWER_BYTES: u64 = 64 << 10;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Has `signature` stamped, and checks that the answer is about it (scenario P-02). DER, a `TimeStampResp`.
pub(super) async fn stamp(desk: Desk<'_>, signature: &[u8]) -> Result<Vec<u8>, SignError> {
    let mut nonce = [0; 8];
    SystemRandom::new().fill(&mut nonce).map_err(|_| KeyError::Random)?;
    // Positive and of full length, so that its DER has one form.
    nonce[0] = nonce[0] & 0x7f | 0x40;
    let digest = Digest::sha256(signature).to_bytes();
    let question = question(&digest, &nonce);
    let ask = Ask::post(desk.base.clone(), "application/timestamp-query", question, ANSWER_BYTES);
    let reply = desk.ask(&ask).await?;
    if !matches!(reply.status, 200 | 201) {
        return Err(desk.refused(&reply, None).into());
    }
    let answer = Answer::read(&reply.body).ok_or_else(|| desk.protocol("its answer is no timestamp"))?;
    let granted = answer.status.as_slice() == [0] || answer.status.as_slice() == [1];
    let Some(stamped) = answer.stamped.filter(|_| granted) else {
        return Err(desk.error(Code::ServiceRefused, "it grants no timestamp").into());
    };
    if stamped.algorithm != SHA256 || stamped.digest != digest {
        return Err(desk.error(Code::TimestampForeign, "its timestamp is over other bytes").into());
    }
    // Without it, an old answer could be played again.
    if stamped.nonce.as_deref() != Some(nonce.as_slice()) {
        return Err(desk.error(Code::TimestampForeign, "its timestamp answers another question").into());
    }
    Ok(reply.body)
}

/// A `TimeStampReq` (RFC 3161, 2.4.1): version 1, SHA-256, a nonce, and with the authority's certificate.
/// All lengths are below 128, so each is one byte.
fn question(digest: &[u8], nonce: &[u8; 8]) -> Vec<u8> {
    const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0];
    let value = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let imprint = value(0x30, &[ALGORITHM.as_slice(), &value(4, digest)].concat());
    value(0x30, &[value(2, &[1]), imprint, value(2, nonce), value(1, &[0xff])].concat())
}

/// The parts of a `TimeStampResp` that are compared. Its signature is verified with the bundle.
struct Answer {
    status: Vec<u8>,
    stamped: Option<Stamped>,
}

struct Stamped {
    algorithm: ObjectIdentifier,
    digest: Vec<u8>,
    nonce: Option<Vec<u8>>,
}

impl Answer {
    fn read(der: &[u8]) -> Option<Self> {
        let response = Vec::<Any>::from_der(der).ok()?;
        let status = response.first()?.decode_as::<Vec<Any>>().ok()?.first()?.value().to_vec();
        let stamped = match response.get(1) {
            Some(token) => Some(Stamped::read(token)?),
            None => None,
        };
        Some(Self { status, stamped })
    }
}

impl Stamped {
    /// Through the layers of a `ContentInfo` with `SignedData` over a `TSTInfo` (RFC 5652, RFC 3161 2.4.2).
    fn read(token: &Any) -> Option<Self> {
        let parts = |any: &Any| any.decode_as::<Vec<Any>>().ok();
        // `[0] EXPLICIT`: the value is one whole value.
        let inside = |any: &Any| Any::from_der(any.value()).ok();
        let token = parts(token)?;
        if token.first()?.decode_as::<ObjectIdentifier>().ok()? != SIGNED_DATA {
            return None;
        }
        let signed = parts(&inside(token.get(1)?)?)?;
        let content = parts(signed.get(2)?)?;
        if content.first()?.decode_as::<ObjectIdentifier>().ok()? != TST_INFO {
            return None;
        }
        let info: OctetString = inside(content.get(1)?)?.decode_as().ok()?;
        let info = Vec::<Any>::from_der(info.as_bytes()).ok()?;
        let imprint = parts(info.get(2)?)?;
        let algorithm = parts(imprint.first()?)?.first()?.decode_as().ok()?;
        let digest = imprint.get(1)?.decode_as::<OctetString>().ok()?.as_bytes().to_vec();
        // After version, policy, imprint, serial number and time; only the nonce is an INTEGER there.
        let nonce = info.iter().skip(5).find(|any| any.tag() == Tag::Integer).map(|any| any.value().to_vec());
        Some(Self { algorithm, digest, nonce })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_der() {
        let question = question(&[7; 32], &[0x40, 1, 2, 3, 4, 5, 6, 7]);
        let parts = Vec::<Any>::from_der(&question).expect("a sequence");
        assert_eq!(parts.len(), 4);
        let imprint = parts[1].decode_as::<Vec<Any>>().expect("an imprint");
        let algorithm = imprint[0].decode_as::<Vec<Any>>().expect("an algorithm");
        assert_eq!(algorithm[0].decode_as::<ObjectIdentifier>().expect("a name"), SHA256);
        assert_eq!(imprint[1].decode_as::<OctetString>().expect("a hash").as_bytes(), [7; 32]);
        assert_eq!((question.len(), parts[2].value()), (71 - 2, &[0x40, 1, 2, 3, 4, 5, 6, 7][..]));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for bad in [&b""[..], b"<html>", &[0x30, 0], &[0x30, 2, 5, 0], &[0x30, 5, 0x30, 3, 2, 1, 0, 0]] {
            assert!(Answer::read(bad).is_none(), "{bad:?}");
        }
        let refused = Answer::read(&[0x30, 5, 0x30, 3, 2, 1, 2]).expect("a refusal");
        assert!(refused.stamped.is_none() && refused.status == [2]);
    }
}
