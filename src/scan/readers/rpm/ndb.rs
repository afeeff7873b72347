//! The rpm database of SUSE (`Packages.db`), rpm's own "ndb" format.
//!
//! A header of 32 bytes, pages of 16-byte slots, and blobs in blocks of 16
//! bytes. Each blob has a head that repeats the slot, and a tail with the
//! Adler-32 checksum of all before it. The source is the only specification:
//! <https://github.com/rpm-software-management/rpm/blob/rpm-4.20.x/lib/backend/ndb/rpmpkg.c>.

use super::super::Unreadable;
use super::super::bytes::{index, le32, slice};
use super::sqlite::Each;

/// How every file of this format begins.
pub(super) const MAGIC: &[u8] = b"RpmP";

const SLOT: u32 = u32::from_le_bytes(*b"Slot");
const HEAD: u32 = u32::from_le_bytes(*b"BlbS");
const TAIL: u32 = u32::from_le_bytes(*b"BlbE");
/// Bytes of a page of slots.
const PAGE: usize = 4096;
/// Bytes of a block, of a slot, and of a blob's head.
const BLOCK: usize = 16;
/// Bytes of a blob's tail.
const TAIL_LENGTH: usize = 12;

/// Gives each package header to `each`, in the order of the packages' numbers.
pub(super) fn headers(bytes: &[u8], each: &mut Each<'_>) -> Result<(), Unreadable> {
    let truncated = || malformed("it is cut off");
    let version = le32(bytes, 4).ok_or_else(truncated)?;
    if !bytes.starts_with(MAGIC) || version != 0 {
        return Err(malformed("it is no ndb file of version 0"));
    }
    let pages = index(le32(bytes, 12).ok_or_else(truncated)?);
    // The file's header takes the room of two slots.
    let slots = pages.checked_mul(PAGE).and_then(|end| bytes.get(2 * BLOCK..end)).ok_or_else(truncated)?;

    let mut found = Vec::new();
    for slot in slots.chunks_exact(BLOCK) {
        let [magic, number, offset, count] = [0, 4, 8, 12].map(|at| le32(slot, at).unwrap_or_default());
        if magic != SLOT {
            return Err(malformed("a slot is none"));
        }
        if number != 0 {
            found.push((number, offset, count));
        }
    }
    found.sort_unstable();
    if found.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(malformed("two slots are of one package"));
    }
    // Blocks cannot overlap. Held here, because overlapping ones would make a lot
    // of work out of few bytes.
    let blocks: usize = found.iter().map(|(_, _, count)| index(*count)).fold(0, usize::saturating_add);
    if blocks > bytes.len() / BLOCK {
        return Err(malformed("its packages take more room than there is"));
    }
    for (number, offset, count) in found {
        let at = index(offset).checked_mul(BLOCK).ok_or_else(truncated)?;
        let length = index(count).checked_mul(BLOCK).ok_or_else(truncated)?;
        each(blob(slice(bytes, at, length).ok_or_else(truncated)?, number)?)?;
    }
    Ok(())
}

/// The package header in these blocks.
fn blob(blocks: &[u8], number: u32) -> Result<&[u8], Unreadable> {
    let length = le32(blocks, 12).map_or(0, index);
    if le32(blocks, 0) != Some(HEAD) || le32(blocks, 4) != Some(number) {
        return Err(malformed("a slot does not lead to its package"));
    }
    let body = slice(blocks, BLOCK, length).ok_or_else(|| malformed("a package is longer than its blocks"))?;
    let tail_at = blocks.len().checked_sub(TAIL_LENGTH).filter(|at| *at >= BLOCK + length);
    let tail_at = tail_at.ok_or_else(|| malformed("a package has no tail"))?;
    let tail = &blocks[tail_at..];
    if le32(tail, 8) != Some(TAIL) || le32(tail, 4).map(index) != Some(length) {
        return Err(malformed("the tail of a package is another's"));
    }
    if le32(tail, 0) != Some(adler32(&blocks[..tail_at])) {
        return Err(malformed("the checksum of a package is wrong"));
    }
    Ok(body)
}

/// Adler-32 of RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // As many as fit before the sums overflow.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= 65521;
        high %= 65521;
    }
    (high << 16) | low
}

fn malformed(detail: &str) -> Unreadable {
    Unreadable::new(detail)
}
