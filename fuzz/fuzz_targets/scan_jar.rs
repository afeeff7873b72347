//! An archive of Java ends, whatever is inside of it.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::scan;
use cg_attest_fuzz::each_reader_complains_once;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (packages, problems) = scan::file("app/shop-1.0.jar", bytes, &Limits::default());
    each_reader_complains_once(&problems);
    assert!(packages.iter().all(|package| !package.name.is_empty()));
});
