//! The rpm database as SQLite (`rpmdb.sqlite`; rpm 4.16 and later), read without
//! SQLite: one table is wanted, and the file is an attacker's.
//!
//! The format is <https://www.sqlite.org/fileformat2.html>. A page is read once
//! at most, so the work is bounded by the size of the file however its pages
//! point at each other.

use std::mem;

use super::super::Unreadable;
use super::super::bytes::{be16, be32, index, slice};

/// How every SQLite file begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Gives each package header of the table `Packages` to `each`.
pub(super) fn headers(bytes: &[u8], each: &mut Each<'_>) -> Result<(), Unreadable> {
    let mut database = Database::open(bytes)?;
    let mut root = None;
    database.walk(1, &mut |record| {
        if let Some([Value::Bytes(b"table"), Value::Bytes(b"Packages"), _, Value::Integer(page)]) = columns(record)? {
            root = u32::try_from(page).ok();
        }
        Ok(())
    })?;
    let root = root.ok_or_else(|| malformed("it has no table Packages"))?;
    database.walk(root, &mut |record| match columns(record)? {
        Some([_, Value::Bytes(header)]) => each(header),
        _ => Err(malformed("a row of Packages is no package")),
    })
}

/// What is done with each record, or with the header in it.
pub(super) type Each<'a> = dyn FnMut(&[u8]) -> Result<(), Unreadable> + 'a;

/// A database file: its pages, and which of them were read.
struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    pages: u32,
    seen: Vec<bool>,
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let header = slice(bytes, 0, 100).ok_or_else(truncated)?;
        if !header.starts_with(MAGIC) {
            return Err(malformed("it is no SQLite file"));
        }
        let page_size = match be16(header, 16) {
            Some(1) => 65536,
            Some(size) if size.is_power_of_two() && size >= 512 => usize::from(size),
            _ => return Err(malformed("a page has an impossible size")),
        };
        let usable = page_size.saturating_sub(usize::from(header[20]));
        if usable < 480 {
            return Err(malformed("its pages have no room"));
        }
        // Read versions 1 and 2; the encoding matters for the names in the schema alone.
        if header[19] > 2 || be32(header, 56).is_some_and(|encoding| encoding > 1) {
            return Err(malformed("it is of a later SQLite, or not in UTF-8"));
        }
        // The count in the header holds if the last writer knew of it.
        let there = u32::try_from(bytes.len() / page_size).unwrap_or(u32::MAX);
        let pages = be32(header, 28).filter(|_| be32(header, 24) == be32(header, 92)).unwrap_or(there);
        if pages > there {
            return Err(truncated());
        }
        Ok(Self { bytes, page_size, usable, pages, seen: vec![false; index(pages).saturating_add(1)] })
    }

    /// The page of this number, which nothing has pointed at before.
    fn page(&mut self, number: u32) -> Result<&'a [u8], Unreadable> {
        if number == 0 || number > self.pages {
            return Err(malformed("a page is named that it does not have"));
        }
        if mem::replace(&mut self.seen[index(number)], true) {
            return Err(malformed("two places name the same page"));
        }
        slice(self.bytes, (index(number) - 1).saturating_mul(self.page_size), self.page_size).ok_or_else(truncated)
    }

    /// Gives each record of the table at `root` to `each`, in the order of its keys.
    fn walk(&mut self, root: u32, each: &mut Each<'_>) -> Result<(), Unreadable> {
        self.seen.fill(false);
        let mut next = vec![root];
        while let Some(number) = next.pop() {
            let page = self.page(number)?;
            let start = if number == 1 { 100 } else { 0 };
            let kind = page.get(start).copied();
            let cells = usize::from(be16(page, start + 3).unwrap_or_default());
            match kind {
                Some(0x05) => {
                    let from = next.len();
                    for cell in cell_pointers(page, start + 12, cells)? {
                        next.push(be32(page, cell).ok_or_else(outside)?);
                    }
                    next.push(be32(page, start + 8).ok_or_else(outside)?);
                    next[from..].reverse();
                }
                Some(0x0d) => {
                    // Cells cannot overlap. Held here, because a page of overlapping
                    // cells would make a lot of work out of few bytes.
                    let mut room = self.usable;
                    for cell in cell_pointers(page, start + 8, cells)? {
                        let mut scratch = Vec::new();
                        let (record, local) = self.record(page, cell, &mut scratch)?;
                        room = room.checked_sub(local).ok_or_else(|| malformed("cells of a page overlap"))?;
                        each(record)?;
                    }
                }
                _ => return Err(malformed("a page of a table is of another kind")),
            }
        }
        Ok(())
    }

    /// The record of the cell at `at`, and how many of its bytes stand in the
    /// page itself; the rest is in a chain of overflow pages.
    fn record<'b>(
        &mut self,
        page: &'b [u8],
        at: usize,
        whole: &'b mut Vec<u8>,
    ) -> Result<(&'b [u8], usize), Unreadable> {
        let (length, after) = varint(page, at).ok_or_else(outside)?;
        let (_row, after) = varint(page, after).ok_or_else(outside)?;
        let length = usize::try_from(length).map_err(|_| malformed("a record has an impossible length"))?;
        let most = self.usable - 35;
        if length <= most {
            return Ok((slice(page, after, length).ok_or_else(outside)?, length));
        }
        if length > self.usable.saturating_mul(index(self.pages)) {
            return Err(malformed("a record is longer than the file"));
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (self.usable - 4);
        let local = if fitting <= most { fitting } else { least };
        whole.reserve_exact(length);
        whole.extend_from_slice(slice(page, after, local).ok_or_else(outside)?);
        let mut number = be32(page, after + local).ok_or_else(outside)?;
        while whole.len() < length {
            let page = self.page(number)?;
            let part = (length - whole.len()).min(self.usable - 4);
            whole.extend_from_slice(slice(page, 4, part).ok_or_else(outside)?);
            number = be32(page, 0).ok_or_else(outside)?;
        }
        Ok((whole, local))
    }
}

/// Where the cells of a page begin.
fn cell_pointers(page: &[u8], at: usize, count: usize) -> Result<impl Iterator<Item = usize>, Unreadable> {
    let pointers = slice(page, at, count * 2).ok_or_else(outside)?;
    Ok(pointers.chunks_exact(2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]]))))
}

/// A column of a record, as far as it is of interest.
enum Value<'a> {
    Integer(u64),
    /// Text or a blob.
    Bytes(&'a [u8]),
    Other,
}

/// The first `N` columns of a record; `None` if it has fewer.
fn columns<const N: usize>(record: &[u8]) -> Result<Option<[Value<'_>; N]>, Unreadable> {
    let (header, mut at) = varint(record, 0).ok_or_else(outside)?;
    let header = usize::try_from(header).map_err(|_| outside())?;
    let mut data = header;
    let mut found = [const { Value::Other }; N];
    for column in &mut found {
        if at >= header {
            return Ok(None);
        }
        let (kind, next) = varint(record, at).ok_or_else(outside)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(malformed("a column is of a reserved kind")),
            _ => (kind - 12) / 2,
        };
        let length = usize::try_from(length).map_err(|_| outside())?;
        let bytes = slice(record, data, length).ok_or_else(outside)?;
        data += length;
        *column = match kind {
            1..=6 => Value::Integer(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))),
            8 | 9 => Value::Integer(kind - 8),
            12.. => Value::Bytes(bytes),
            _ => Value::Other,
        };
    }
    Ok(Some(found))
}

/// A number of one to nine bytes, and where the next thing begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for step in 0..8 {
        let byte = *bytes.get(at + step)?;
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + step + 1));
        }
    }
    Some(((number << 8) | u64::from(*bytes.get(at + 8)?), at + 9))
}

fn truncated() -> Unreadable {
    Unreadable::new("it is cut off")
}

fn malformed(detail: &str) -> Unreadable {
    Unreadable::new(detail)
}

fn outside() -> Unreadable {
    malformed("something in a page is outside of it")
}
