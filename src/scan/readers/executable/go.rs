//! The build information that the Go linker puts into every binary, stripped or not.
//!
//! Where it is and how it is written is said by Go's package `debug/buildinfo`:
//! a magic number at an address divisible by 16, then, since Go 1.18, two texts
//! in place, before that the addresses of two string headers.

use object::{Object as _, ObjectSection as _, ObjectSegment as _, SectionKind};

use super::super::bytes::{array, slice};
use super::super::{Facts, Unreadable};
use super::go_info::BuildInfo;
use super::section::section;

const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGNMENT: usize = 16;
/// Where the texts begin.
const HEADER: usize = 32;
/// What stands before and after the text of modules, for other tools to find it.
const SENTINEL: usize = 16;

/// Adds the modules that the Go binary `object` is made of; nothing if it is no Go binary.
pub(super) fn read(object: &object::File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
    let Some(blob) = find(object) else { return Ok(()) };
    let wrong = || Unreadable::new("its Go build information is cut off");
    let flags = *blob.get(15).ok_or_else(wrong)?;
    let (version, modules) = if flags & 2 != 0 {
        let (version, rest) = text(blob.get(HEADER..).ok_or_else(wrong)?).ok_or_else(wrong)?;
        let (modules, _) = text(rest).ok_or_else(wrong)?;
        (version, modules)
    } else {
        let memory = Memory { object, wide: blob[14] == 8, big_endian: flags & 1 != 0 };
        let pointer = |at: usize| memory.word(blob, at);
        let width = if memory.wide { 8 } else { 4 };
        let version = pointer(16).and_then(|address| memory.string(address)).ok_or_else(wrong)?;
        let modules = pointer(16 + width).and_then(|address| memory.string(address)).ok_or_else(wrong)?;
        (version, modules)
    };
    // Programs that were not built as a module have no text, or one without sentinels.
    let modules = match modules.len().checked_sub(SENTINEL) {
        Some(end) if end > SENTINEL && modules[end - 1] == b'\n' => &modules[SENTINEL..end],
        _ => &[],
    };
    let [version, modules] = [version, modules].map(std::str::from_utf8);
    let (Ok(version), Ok(modules)) = (version, modules) else {
        return Err(Unreadable::new("its Go build information is not UTF-8"));
    };
    BuildInfo::parse(version, modules)?.packages(content, facts)
}

/// The build information, from its magic number on.
fn find<'a>(object: &object::File<'a>) -> Option<&'a [u8]> {
    if let Some(found) = section(object, &[".go.buildinfo", "__go_buildinfo"]).and_then(after_magic) {
        return Some(found);
    }
    // Where the section has no name of its own (PE), or the names were stripped.
    let named = object.sections().filter(|section| section.kind() == SectionKind::Data);
    let found = named.filter_map(|section| section.data().ok()).find_map(after_magic);
    found.or_else(|| object.segments().filter_map(|segment| segment.data().ok()).find_map(after_magic))
}

fn after_magic(data: &[u8]) -> Option<&[u8]> {
    let at = data.chunks(ALIGNMENT).position(|chunk| chunk.starts_with(MAGIC))?;
    data.get(at * ALIGNMENT..).filter(|blob| blob.len() >= HEADER)
}

/// A text after its length, and what follows.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// The memory of a program as it is loaded.
struct Memory<'a, 'b> {
    object: &'b object::File<'a>,
    wide: bool,
    big_endian: bool,
}

impl<'a> Memory<'a, '_> {
    /// The pointer or length at `at` of `bytes`.
    fn word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        Some(match (self.wide, self.big_endian) {
            (true, true) => u64::from_be_bytes(array(bytes, at)?),
            (true, false) => u64::from_le_bytes(array(bytes, at)?),
            (false, true) => u32::from_be_bytes(array(bytes, at)?).into(),
            (false, false) => u32::from_le_bytes(array(bytes, at)?).into(),
        })
    }

    /// The Go string whose header is at `address`: a pointer and a length.
    fn string(&self, address: u64) -> Option<&'a [u8]> {
        let width = if self.wide { 8 } else { 4 };
        let header = self.at(address, 2 * width)?;
        self.at(self.word(header, 0)?, usize::try_from(self.word(header, width)?).ok()?)
    }

    fn at(&self, address: u64, length: usize) -> Option<&'a [u8]> {
        self.object.segments().find_map(|segment| {
            let offset = usize::try_from(address.checked_sub(segment.address())?).ok()?;
            slice(segment.data().ok()?, offset, length)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing;
    use super::super::file::Executable;
    use super::*;

    /// Where the one segment is, in the file and in memory.
    const OFFSET: usize = 128;
    const ADDRESS: u64 = 0x40_0000;

    /// An executable with nothing but a writable segment of this content.
    fn elf(segment: &[u8]) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        file.extend([ADDRESS, 64, 0].map(u64::to_le_bytes).concat());
        file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
        file.extend([1, 0, 0, 0, 6, 0, 0, 0]);
        let length = segment.len() as u64;
        file.extend([OFFSET as u64, ADDRESS, ADDRESS, length, length, 16].map(u64::to_le_bytes).concat());
        file.resize(OFFSET, 0);
        file.extend(segment);
        file
    }

    fn modules() -> Vec<u8> {
        [[7; 16].as_slice(), b"path\ta.b/app\nmod\ta.b/app\tv1.0.0\ndep\tc.d/e\tv2.0.0\n", &[8; 16]].concat()
    }

    /// As Go writes it since 1.18, after sixteen other bytes.
    fn inline() -> Vec<u8> {
        let modules = modules();
        let header = [&[0; 16], MAGIC, &[8, 2], &[0; 16]].concat();
        [header, vec![6], b"go1.22".to_vec(), vec![modules.len() as u8], modules].concat()
    }

    /// As Go wrote it before.
    fn by_pointer() -> Vec<u8> {
        let modules = modules();
        let at = |offset: u64| (ADDRESS + offset).to_le_bytes();
        let header = [MAGIC, &[8, 0], &at(32), &at(48)].concat();
        let strings = [at(64), 6_u64.to_le_bytes(), at(70), (modules.len() as u64).to_le_bytes()].concat();
        [header, strings, b"go1.17".to_vec(), modules].concat()
    }

    fn found(segment: &[u8]) -> Result<Vec<String>, String> {
        let found = testing::read(&Executable, "usr/bin/app", &elf(segment))?;
        Ok(found
            .into_iter()
            .map(|package| format!("{:?} {} {}", package.namespace, package.name, package.version))
            .collect())
    }

    #[test]
    fn both_ways_to_write_it_are_read() {
        assert_eq!(
            found(&inline()).expect("it is read"),
            ["None stdlib 1.22", "Some(\"c.d\") e v2.0.0", "Some(\"a.b\") app v1.0.0"]
        );
        assert_eq!(
            found(&by_pointer()).expect("it is read"),
            ["None stdlib 1.17", "Some(\"c.d\") e v2.0.0", "Some(\"a.b\") app v1.0.0"]
        );
    }

    #[test]
    fn others_are_no_go_binaries_and_damaged_ones_are_refused() {
        assert_eq!(found(&[0; 64]).expect("it is read"), [""; 0]);
        let shifted = inline()[1..].to_vec();
        assert_eq!(found(&shifted).expect("it is read"), [""; 0]);
        let cut = "its Go build information is cut off";
        let inline = inline();
        assert_eq!(found(&inline[..inline.len() - 1]).expect_err("it is refused"), cut);
        let mut outside = by_pointer();
        outside[56] = 255;
        assert_eq!(found(&outside).expect_err("it is refused"), cut);
        let mut binary = by_pointer();
        binary[66] = 255;
        assert_eq!(found(&binary).expect_err("it is refused"), "its Go build information is not UTF-8");
        let broken = &elf(&inline)[..100];
        assert_eq!(testing::read(&Executable, "usr/bin/app", broken), Ok(Vec::new()));
    }
}
