//! Zip archives in memory, as far as Java uses them: stored and deflated entries,
//! by the central directory at the end, which is what Java goes by.
//!
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3 and 4.5.
//! Nothing is allocated per entry: the directory is an attacker's, and walking it
//! costs no more than its bytes.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::super::Unreadable;
use super::super::bytes::{le16, le32, le64, slice};

/// An archive, its central directory found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zip<'a> {
    bytes: &'a [u8],
    directory: &'a [u8],
    /// Bytes before the archive: a script that runs it. Offsets count from after them.
    prefix: u64,
}

/// An entry of the central directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// As it is written; not always UTF-8.
    pub(super) name: &'a [u8],
    method: u16,
    encrypted: bool,
    checksum: u32,
    compressed: u64,
    size: u64,
    offset: u64,
}

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_LENGTH: usize = 46;
/// A number that does not fit into 32 bits.
const WIDE: u64 = 0xffff_ffff;
const LOCAL: &[u8] = b"PK\x03\x04";

impl<'a> Zip<'a> {
    /// Finds the directory of the archive in `bytes`.
    ///
    /// # Errors
    ///
    /// If there is none, or it is not where the archive says.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let none = || Unreadable::new("it is no zip archive, or cut off");
        // A comment of at most 64 KiB may follow the end record.
        let from = bytes.len().saturating_sub(END_LENGTH + usize::from(u16::MAX));
        let ends = (from..bytes.len().saturating_sub(END_LENGTH - 1)).rev();
        let mut ends = ends.filter(|at| bytes[*at..].starts_with(END));
        ends.find_map(|at| Self::at(bytes, at)).ok_or_else(none)
    }

    /// The archive whose end record is at `end`.
    fn at(bytes: &'a [u8], end: usize) -> Option<Self> {
        let comment = usize::from(le16(bytes, end + 20)?);
        if end + END_LENGTH + comment > bytes.len() {
            return None;
        }
        let (mut size, mut offset) = (u64::from(le32(bytes, end + 12)?), u64::from(le32(bytes, end + 16)?));
        let mut after = end;
        // Sizes that do not fit are in a larger record before this one.
        let locator = end.checked_sub(20).filter(|at| bytes[*at..].starts_with(LOCATOR_64));
        if let Some(at) = locator.filter(|_| size == WIDE || offset == WIDE) {
            after = at.checked_sub(56).filter(|at| bytes[*at..].starts_with(END_64))?;
            (size, offset) = (le64(bytes, after + 40)?, le64(bytes, after + 48)?);
        }
        let start = after.checked_sub(usize::try_from(size).ok()?)?;
        let directory = &bytes[start..after];
        let prefix = (start as u64).checked_sub(offset)?;
        (directory.is_empty() || directory.starts_with(CENTRAL)).then_some(Self { bytes, directory, prefix })
    }

    /// The entries in the order of the directory; the walk ends at what is no entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<Entry<'a>, Unreadable>> + use<'a> {
        let mut rest = self.directory;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let entry = Entry::read(rest);
            rest = entry.map_or(&[], |(_, rest)| rest);
            Some(entry.map(|(entry, _)| entry).ok_or_else(|| Unreadable::new("its directory is damaged")))
        })
    }

    /// The content of `entry`, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// If it is larger, damaged, encrypted, or compressed in another way.
    pub(super) fn content(&self, entry: &Entry<'a>, limit: u64) -> Result<Cow<'a, [u8]>, Unreadable> {
        let wrong = |why: &str| Unreadable::new(format!("{:?} in it {why}", String::from_utf8_lossy(entry.name)));
        if entry.size > limit {
            return Err(wrong(&format!("is larger than the {limit} bytes that may be inflated")));
        }
        if entry.encrypted {
            return Err(wrong("is encrypted"));
        }
        let raw = self.raw(entry).ok_or_else(|| wrong("is cut off"))?;
        let content = match entry.method {
            0 => Cow::Borrowed(raw),
            8 => {
                // The size is the archive's word; it is neither trusted nor allocated ahead.
                let mut content = Vec::new();
                let inflated = DeflateDecoder::new(raw).take(entry.size.saturating_add(1)).read_to_end(&mut content);
                inflated.map_err(|_| wrong("cannot be inflated"))?;
                Cow::Owned(content)
            }
            _ => return Err(wrong("is compressed in another way than Java's")),
        };
        let mut checksum = Crc::new();
        checksum.update(&content);
        if content.len() as u64 != entry.size || checksum.sum() != entry.checksum {
            return Err(wrong("is damaged"));
        }
        Ok(content)
    }

    fn raw(&self, entry: &Entry<'_>) -> Option<&'a [u8]> {
        let at = usize::try_from(entry.offset.checked_add(self.prefix)?).ok()?;
        let header = slice(self.bytes, at, 30).filter(|header| header.starts_with(LOCAL))?;
        let skip = 30 + usize::from(le16(header, 26)?) + usize::from(le16(header, 28)?);
        slice(self.bytes, at.checked_add(skip)?, usize::try_from(entry.compressed).ok()?)
    }
}

impl<'a> Entry<'a> {
    /// The entry that `bytes` begin with, and what follows it.
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let header = slice(bytes, 0, CENTRAL_LENGTH).filter(|header| header.starts_with(CENTRAL))?;
        let [name, extra, comment] = [28, 30, 32].map(|at| le16(header, at).map(usize::from));
        let (name_end, extra_end) = (CENTRAL_LENGTH + name?, CENTRAL_LENGTH + name? + extra?);
        let mut entry = Self {
            name: bytes.get(CENTRAL_LENGTH..name_end)?,
            method: le16(header, 10)?,
            encrypted: le16(header, 8)? & 1 != 0,
            checksum: le32(header, 16)?,
            compressed: le32(header, 20)?.into(),
            size: le32(header, 24)?.into(),
            offset: le32(header, 42)?.into(),
        };
        entry.widen(bytes.get(name_end..extra_end)?)?;
        Some((entry, bytes.get(extra_end + comment?..)?))
    }

    /// Takes the numbers that do not fit into 32 bits from the extra field.
    fn widen(&mut self, mut extra: &[u8]) -> Option<()> {
        let wide = |number: u64| number == WIDE;
        if !(wide(self.size) || wide(self.compressed) || wide(self.offset)) {
            return Some(());
        }
        loop {
            let (id, length) = (le16(extra, 0)?, usize::from(le16(extra, 2)?));
            let field = slice(extra, 4, length)?;
            if id == 1 {
                let mut at = 0;
                for number in [&mut self.size, &mut self.compressed, &mut self.offset] {
                    if wide(*number) {
                        *number = le64(field, at)?;
                        at += 8;
                    }
                }
                return Some(());
            }
            extra = &extra[4 + length..];
        }
    }
}
