//! What the tests of readers share.

use super::{Fact, Facts, File, HEAD, Reader, Unreadable};
use crate::scan::Package;
use crate::scan::inflate::Total;

/// The packages that `reader` finds in a file of this path and content, or why it finds not all.
pub(super) fn read(reader: &dyn Reader, path: &str, content: &[u8]) -> Result<Vec<Package>, String> {
    let head = &content[..content.len().min(HEAD)];
    let file = File { path, size: content.len() as u64, mode: 0o644, head };
    assert!(reader.wants(&file), "{} does not want {path}", reader.name());
    facts(|facts| reader.read(&file, content, facts))
}

/// The packages that `add` adds, or why these are not all.
pub(super) fn facts(add: impl FnOnce(&mut Facts<'_>) -> Result<(), Unreadable>) -> Result<Vec<Package>, String> {
    let (found, error) = partly(add);
    error.map_or(Ok(found), Err)
}

/// The packages that `add` adds, and why these are not all.
pub(super) fn partly(add: impl FnOnce(&mut Facts<'_>) -> Result<(), Unreadable>) -> (Vec<Package>, Option<String>) {
    let total = Total::default();
    let mut facts = Facts::new(&total, 100_000);
    let error = add(&mut facts).err().map(|error| error.0);
    let package = |fact| if let Fact::Package(package) = fact { *package } else { panic!("no package") };
    (facts.into_list().into_iter().map(package).collect(), error)
}
