//! What compilers wrote into an executable: the first byte chooses how it begins.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::scan;
use cg_attest_fuzz::each_reader_complains_once;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let magic: &[u8] = match kind % 4 {
        0 => b"\x7fELF",
        1 => b"MZ",
        2 => &[0xcf, 0xfa, 0xed, 0xfe],
        // The segment of Go's build information, in the smallest executable.
        _ => return segment(rest),
    };
    let (_, problems) = scan::file("usr/bin/app", &[magic, rest].concat(), &Limits::default());
    each_reader_complains_once(&problems);
});

fn segment(content: &[u8]) {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend([0x40_0000_u64, 64, 0].map(u64::to_le_bytes).concat());
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 6, 0, 0, 0]);
    let length = content.len() as u64;
    file.extend([128, 0x40_0000, 0x40_0000, length, length, 16].map(u64::to_le_bytes).concat());
    file.resize(128, 0);
    file.extend(content);
    let (_, problems) = scan::file("usr/bin/app", &file, &Limits::default());
    each_reader_complains_once(&problems);
}
