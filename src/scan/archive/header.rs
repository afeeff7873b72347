//! The 512 bytes before every file of a tar archive.

/// Bytes of a block: headers are one, contents are padded to whole ones.
pub(super) const BLOCK: usize = 512;

/// What a header says, names as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) kind: u8,
}

/// Why a block is no header: a lower-case fragment.
pub(super) type Malformed = &'static str;

impl Header {
    /// Reads a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, Malformed> {
        let wanted = number(&block[148..156])?;
        // The sum is over the block with spaces where the sum stands; old archives summed signed bytes.
        let summed = block.iter().enumerate().map(|(n, byte)| if (148..156).contains(&n) { b' ' } else { *byte });
        let unsigned: u64 = summed.clone().map(u64::from).sum();
        let signed: i64 = summed.map(|byte| i64::from(byte.cast_signed())).sum();
        if wanted != unsigned && i64::try_from(wanted) != Ok(signed) {
            return Err("the checksum of a header is wrong");
        }
        let mut path = text(&block[..100]).to_vec();
        // Only POSIX headers have a prefix; GNU's have times there.
        if block[257..265] == *b"ustar\x0000" {
            let prefix = text(&block[345..500]);
            if !prefix.is_empty() {
                path = [prefix, b"/", &path].concat();
            }
        }
        Ok(Self {
            path,
            link: text(&block[157..257]).to_vec(),
            mode: u32::try_from(number(&block[100..108])? & 0o7777).unwrap_or(0),
            size: number(&block[124..136])?,
            kind: block[156],
        })
    }
}

/// A text that ends at the first NUL or fills its field.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number: octal digits among spaces and NULs, or binary where the first bit is set.
fn number(field: &[u8]) -> Result<u64, Malformed> {
    let out_of_range = "a number in a header is negative or too large";
    match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            let (first, negative) = (u64::from(first & 0x3f), first & 0x40 != 0);
            let value = rest.iter().try_fold(first, |value, byte| {
                value.checked_mul(256).and_then(|value| value.checked_add(u64::from(*byte)))
            });
            value.filter(|value| !negative && *value <= i64::MAX as u64).ok_or(out_of_range)
        }
        _ => {
            let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
            let start = field.iter().position(|byte| !is_padding(byte)).unwrap_or(field.len());
            let digits = &field[start..];
            let digits = digits.split(|byte| is_padding(byte)).next().unwrap_or_default();
            digits.iter().try_fold(0, |value: u64, byte| match byte {
                b'0'..=b'7' => value.checked_mul(8).map(|value| value + u64::from(byte - b'0')).ok_or(out_of_range),
                _ => Err("a number in a header is not octal"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Ok(0o644));
        assert_eq!(number(b" 644 \0\0\0"), Ok(0o644));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Ok(0));
        assert_eq!(number(b"77777777777\0"), Ok(0o77_777_777_777));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), Ok(0x2_0000_0001));
        assert!(number(&[0xff; 12]).is_err());
        assert!(number(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(number(b"0000648\0").is_err());
        assert!(number(b"-000644\0").is_err());
    }
}
