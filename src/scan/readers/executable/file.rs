//! Executables and libraries, whose compilers wrote down what they are made of.

use object::FileKind;

use super::super::{Facts, File, Reader, Unreadable};
use super::{go, rust};

/// Reads ELF, PE and Mach-O files, runnable or not: a library names its parts as well.
pub(in super::super) struct Executable;

impl Reader for Executable {
    fn name(&self) -> &'static str {
        "executable"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.is_elf() || file.head.starts_with(b"MZ") || is_macho(file.head)
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        // What is no executable after all has no packages in it; nothing could run it.
        let Some(object) = parse(content) else { return Ok(()) };
        go::read(&object, content, facts)?;
        rust::read(&object, facts)
    }
}

/// The file, if it is one of the kinds that are read here; archives and objects in
/// the making are not.
pub(super) fn parse(content: &[u8]) -> Option<object::File<'_>> {
    use FileKind::{Elf32, Elf64, MachO32, MachO64, Pe32, Pe64};
    let kind = FileKind::parse(content).ok()?;
    if !matches!(kind, Elf32 | Elf64 | MachO32 | MachO64 | Pe32 | Pe64) {
        return None;
    }
    object::File::parse(content).ok()
}

fn is_macho(head: &[u8]) -> bool {
    const MAGICS: [[u8; 4]; 4] =
        [[0xfe, 0xed, 0xfa, 0xce], [0xfe, 0xed, 0xfa, 0xcf], [0xce, 0xfa, 0xed, 0xfe], [0xcf, 0xfa, 0xed, 0xfe]];
    MAGICS.iter().any(|magic| head.starts_with(magic))
}
