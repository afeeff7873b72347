//! Extended headers of pax archives: lines of `LENGTH KEY=VALUE`.

use super::header::Malformed;

/// What the extended header before a file changes about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Extended {
    /// Reads the content of an extended header. A key without a value takes an earlier one back.
    pub(super) fn parse(mut records: &[u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        while !records.is_empty() {
            let (key, value, rest) = record(records).ok_or("an extended header is malformed")?;
            records = rest;
            let text = || {
                // What C reads as the end of a name would be a second name (scenario L-13).
                if value.contains(&0) { Err("a name in an extended header contains NUL") } else { Ok(value.to_vec()) }
            };
            match key {
                b"path" => found.path = Some(text()?).filter(|text| !text.is_empty()),
                b"linkpath" => found.link = Some(text()?).filter(|text| !text.is_empty()),
                b"size" if value.is_empty() => found.size = None,
                b"size" => found.size = Some(decimal(value).ok_or("a size in an extended header is no number")?),
                _ if key.starts_with(b"GNU.sparse.") => return Err("it has a sparse file"),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The first record, and what follows it.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&records[..space])?).ok()?;
    let body = records.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let key = Some(&body[..equals]).filter(|key| !key.is_empty() && !key.contains(&0))?;
    Some((key, &body[equals + 1..], &records[length..]))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().filter(|value| *value <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_their_own_length() {
        let found = Extended::parse(b"11 path=a/b\n14 linkpath=c\n10 size=7\n16 comment=a=b \n");
        assert!(found.is_err(), "the last length is one too long: {found:?}");
        let found = Extended::parse(b"12 path=a/b\n14 linkpath=c\n10 size=7\n15 comment=a=b\n").expect("records");
        assert_eq!(found, Extended { path: Some(b"a/b".into()), link: Some(b"c".into()), size: Some(7) });
        let taken_back = Extended::parse(b"12 path=a/b\n8 path=\n").expect("records");
        assert_eq!(taken_back, Extended::default());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert!(Extended::parse(b"12 path=a/b\n").is_ok());
        for bad in [
            &b"12 path=a/b"[..],
            b"11 path=a/b\n",
            b"99 path=a/b\n",
            b"x path=a/b\n",
            b"12 path a/b\n",
            b"-1 path=a/b\n",
            b"12 path=a\0b\n",
            b"11 size=-7\n",
            b"27 size=99999999999999999999\n",
            b"22 GNU.sparse.major=1\n",
        ] {
            assert!(Extended::parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
