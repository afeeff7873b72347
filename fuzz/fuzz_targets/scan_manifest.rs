//! Text files that name packages: the first byte chooses which.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::scan;
use cg_attest_fuzz::each_reader_complains_once;
use libfuzzer_sys::fuzz_target;

const PATHS: &[&str] = &[
    "lib/apk/db/installed",
    "var/lib/dpkg/status",
    "app/node_modules/a/package.json",
    "a.dist-info/METADATA",
    "a/b.dist-info/RECORD",
    "specifications/a-1.gemspec",
    "vendor/composer/installed.json",
    "app/a.deps.json",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let path = PATHS[usize::from(*kind) % PATHS.len()];
    let (packages, problems) = scan::file(path, rest, &Limits::default());
    each_reader_complains_once(&problems);
    assert!(packages.iter().all(|package| !package.name.is_empty()));
});
