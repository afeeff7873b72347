//! The time inside a signed timestamp, for showing it. What decides is read by the verifier.

use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Reader as _, SliceReader, Tag, Tagged as _};

use crate::time::Timestamp;

/// Values of one constructed value that are looked at; the ones wanted stand among the first.
const MAX_CHILDREN: usize = 16;

/// The `genTime` of a `TimeStampResp` or of the `ContentInfo` inside (RFC 3161,
/// 2.4.2; RFC 5652, 5). `None` where it is not plain DER.
pub(super) fn time_of(token: &[u8]) -> Option<Timestamp> {
    let outer = children(AnyRef::from_der(token).ok()?.value())?;
    // A response begins with its status, a token with its type.
    let content_info = if outer.first()?.tag() == Tag::Sequence { children(outer.get(1)?.value())? } else { outer };
    let signed_data = children(inside(*content_info.get(1)?)?.value())?;
    let encapsulated = children(signed_data.get(2)?.value())?;
    let info = AnyRef::from_der(inside(*encapsulated.get(1)?)?.value()).ok()?;
    let time = *children(info.value())?.get(4)?;
    (time.tag() == Tag::GeneralizedTime).then(|| generalized(time.value())).flatten()
}

/// The value that an explicit tag is around.
fn inside(tagged: AnyRef<'_>) -> Option<AnyRef<'_>> {
    AnyRef::from_der(tagged.value()).ok()
}

fn children(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() && found.len() < MAX_CHILDREN {
        found.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(found)
}

/// `20260302120000Z`, with or without a fraction.
fn generalized(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (digits, fraction) = text.split_at_checked(14)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &digits[from..to];
    let date = format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8));
    format!("{date}T{}:{}:{}{fraction}Z", part(8, 10), part(10, 12), part(12, 14)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_have_a_fraction_and_must_be_utc() {
        let read = |text: &str| generalized(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(read("20260302120005Z").as_deref(), Some("2026-03-02T12:00:05Z"));
        assert_eq!(read("20260302120005.25Z").as_deref(), Some("2026-03-02T12:00:05.25Z"));
        for bad in ["20260302120005", "2026030212000Z", "20261302120005Z", "+0260302120005Z", "20260302120005é", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_time() {
        for bad in [&b""[..], b"\x30\x00", b"\x30\x03\x30\x01\x00", b"\x30\x80\x00\x00", &[0x30; 64]] {
            assert_eq!(time_of(bad), None, "{bad:?}");
        }
    }
}
