//! The header of an rpm package, in a database whose checksum is right.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::scan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    let Ok(length) = u32::try_from(header.len()) else { return };
    let mut blob = [b"BlbS".as_slice(), &1_u32.to_le_bytes(), &[0; 4], &length.to_le_bytes(), header].concat();
    blob.resize((blob.len() + 12).next_multiple_of(16) - 12, 0);
    let (low, high) = blob.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    blob.extend([&((high << 16) | low).to_le_bytes(), length.to_le_bytes().as_slice(), b"BlbE"].concat());
    let blocks = u32::try_from(blob.len() / 16).unwrap_or(u32::MAX);

    let mut database = [b"RpmP".as_slice(), &[0; 8], &1_u32.to_le_bytes(), &[0; 16]].concat();
    database.extend([b"Slot".as_slice(), &1_u32.to_le_bytes(), &256_u32.to_le_bytes(), &blocks.to_le_bytes()].concat());
    while database.len() < 4096 {
        database.extend([b"Slot".as_slice(), &[0; 12]].concat());
    }
    database.extend(blob);

    let (packages, problems) = scan::file("var/lib/rpm/Packages.db", &database, &Limits::default());
    // It is a package, a key, or malformed; never something of the container.
    assert!(packages.len() + problems.len() <= 1);
    assert!(problems.iter().all(|problem| problem.detail.starts_with("the header of a package")), "{problems:?}");
});
