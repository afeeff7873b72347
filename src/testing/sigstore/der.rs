//! A writer of DER (ITU-T X.690), just large enough for certificates and
//! timestamps. It checks nothing: what is minted here is wrong on purpose at times.

use crate::time::Timestamp;

/// A value under a one-byte tag.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = strip_zeros(&bytes);
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// SET OF, whose members DER wants in the order of their encodings.
pub(super) fn set(parts: &[&[u8]]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    value(0x31, &parts.concat())
}

/// `[number]` around one or more whole values (EXPLICIT, or IMPLICIT over a constructed type).
pub(super) fn tagged(number: u8, content: &[u8]) -> Vec<u8> {
    value(0xa0 | number, content)
}

/// `[number] IMPLICIT` over a primitive type.
pub(super) fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    value(0x80 | number, content)
}

/// An unsigned INTEGER from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = strip_zeros(bytes);
    let sign: &[u8] = if bytes.first().is_none_or(|b| b & 0x80 != 0) { &[0] } else { &[] };
    value(0x02, &[sign, bytes].concat())
}

pub(super) fn boolean(flag: bool) -> Vec<u8> {
    value(0x01, &[if flag { 0xff } else { 0 }])
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    value(0x04, bytes)
}

/// A BIT STRING of whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    value(0x03, &[&[0], bytes].concat())
}

pub(super) fn utf8(text: &str) -> Vec<u8> {
    value(0x0c, text.as_bytes())
}

/// An OBJECT IDENTIFIER from its arcs.
pub(super) fn oid(arcs: &[u32]) -> Vec<u8> {
    let (root, rest) = arcs.split_at(2.min(arcs.len()));
    let first = root.iter().fold(0, |sum, arc| sum * 40 + arc);
    let mut content = Vec::new();
    for arc in std::iter::once(first).chain(rest.iter().copied()) {
        let groups = (0..5).rev().map(|group| (arc >> (7 * group)) & 0x7f);
        let mut groups: Vec<u8> = groups.skip_while(|&g| g == 0).map(|g| g as u8 | 0x80).collect();
        match groups.last_mut() {
            Some(last) => *last &= 0x7f,
            None => groups.push(0),
        }
        content.extend(groups);
    }
    value(0x06, &content)
}

/// A time in a certificate: UTCTime through 2049, GeneralizedTime after (RFC 5280, 4.1.2.5).
pub(super) fn certificate_time(time: Timestamp) -> Vec<u8> {
    let text = digits(time);
    match text.get(..4) {
        Some(year) if ("1950".."2050").contains(&year) => value(0x17, &text.as_bytes()[2..]),
        _ => value(0x18, text.as_bytes()),
    }
}

/// A GeneralizedTime of whole seconds.
pub(super) fn generalized_time(time: Timestamp) -> Vec<u8> {
    value(0x18, digits(time).as_bytes())
}

/// `YYYYMMDDhhmmssZ`.
fn digits(time: Timestamp) -> String {
    let text = time.to_string();
    let whole = text.trim_end_matches('Z').split('.').next().unwrap_or_default();
    whole.chars().filter(char::is_ascii_digit).chain(['Z']).collect()
}

fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&b| b == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_x_690_says() {
        assert_eq!(oid(&[1, 2, 840, 113_549]), [6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(oid(&[2, 5, 29, 17]), [6, 3, 0x55, 0x1d, 0x11]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 1]), [2, 1, 1]);
        assert_eq!(value(4, &[7; 200])[..4], [4, 0x81, 200, 7]);
        assert_eq!(value(4, &[7; 300])[..5], [4, 0x82, 1, 44, 7]);
        assert_eq!(set(&[&[5, 0], &[1, 1, 0]]), [0x31, 5, 1, 1, 0, 5, 0]);
        let time: Timestamp = "2026-07-16T08:07:48.5Z".parse().expect("a time");
        assert_eq!(certificate_time(time), value(0x17, b"260716080748Z"));
        assert_eq!(generalized_time(time), value(0x18, b"20260716080748Z"));
        let late: Timestamp = "2150-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(certificate_time(late), value(0x18, b"21500101000000Z"));
    }
}
