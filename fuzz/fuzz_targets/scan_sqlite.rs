//! An rpm database in SQLite ends, and says so when it is not read whole.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::scan;
use cg_attest_fuzz::each_reader_complains_once;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (packages, problems) = scan::file("var/lib/rpm/rpmdb.sqlite", bytes, &Limits::default());
    each_reader_complains_once(&problems);
    assert!(packages.iter().all(|package| !package.name.is_empty() && !package.version.is_empty()));
});
