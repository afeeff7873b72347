//! Finding the files of a layout inside a tar, without extracting anything.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read, Seek, SeekFrom};

use tar::{Archive, EntryType};

use super::names::{INDEX, MARKER};
use crate::limits::Limits;
use crate::registry::{Problem, RegistryError};

/// Bytes of headers, long names and extended headers allowed per file: three
/// blocks are usual, and a name of sixty-four kilobytes must not fill the memory.
const HEADER_BYTES: u64 = 2048;

/// A run of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    /// The number of bytes.
    pub(super) size: u64,
}

/// Where each file of the layout in the tar `file` is. Other files in the tar
/// (`docker save` adds some) are passed over.
pub(super) fn index(
    file: impl Read + Seek,
    limits: &Limits,
    operation: &str,
) -> Result<BTreeMap<String, Extent>, RegistryError> {
    let error = |problem, detail: String| RegistryError::new(problem, operation, detail);
    let failed = |found: io::Error| match found.get_ref().is_some_and(|inner| inner.is::<OverBudget>()) {
        true => error(Problem::Limit, format!("the archive has more than {} files", limits.layout_entries)),
        false => error(Problem::File, found.to_string()),
    };
    let entries = u64::try_from(limits.layout_entries).unwrap_or(u64::MAX);
    // At least the records of one ordinary small archive, whatever the limit.
    let mut file = Budget { inner: file, left: entries.saturating_mul(HEADER_BYTES).max(16 << 10) };
    check_kind(&mut file, operation)?;

    let mut found: BTreeMap<String, Extent> = BTreeMap::new();
    let mut archive = Archive::new(file);
    let mut twins = Vec::new();
    for (number, entry) in archive.entries_with_seek().map_err(failed)?.enumerate() {
        let entry = entry.map_err(failed)?;
        if number >= limits.layout_entries {
            return Err(error(Problem::Limit, format!("the archive has more than {} files", limits.layout_entries)));
        }
        let Some(name) = layout_name(&entry.path_bytes()) else { continue };
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            // Links lead elsewhere, and a sparse file's bytes are not in one place.
            _ => return Err(error(Problem::Protocol, format!("{name} in the archive is no regular file"))),
        }
        let extent = Extent { offset: entry.raw_file_position(), size: entry.size() };
        match found.entry(name) {
            Entry::Vacant(place) => {
                place.insert(extent);
            }
            Entry::Occupied(first) => twins.push((first.key().clone(), *first.get(), extent)),
        }
    }
    let mut file = archive.into_inner().inner;
    for (name, first, second) in twins {
        if !same(&mut file, &name, first, second, limits).map_err(failed)? {
            let detail = format!("{name} is in the archive twice with different content");
            return Err(error(Problem::Protocol, detail));
        }
    }
    Ok(found)
}

/// Says what to do about the files that people mistake for a tar.
fn check_kind(file: &mut (impl Read + Seek), operation: &str) -> Result<(), RegistryError> {
    let error = |problem, detail: &str| RegistryError::new(problem, operation, detail);
    let mut head = [0; 512];
    let mut read = || -> io::Result<usize> {
        let mut filled = 0;
        while let count @ 1.. = file.read(&mut head[filled..])? {
            filled += count;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(filled)
    };
    let filled = read().map_err(|found| error(Problem::File, &found.to_string()))?;
    match &head[..filled] {
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] => {
            Err(error(Problem::File, "it is compressed; unpack it first"))
        }
        block if block.get(257..262) == Some(b"ustar") => Ok(()),
        _ => Err(error(Problem::File, "it is neither a folder nor a tar")),
    }
}

/// The name inside the layout, if the entry belongs to one. It is only ever
/// looked up, so that `../` or a leading slash in it reach nothing.
fn layout_name(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let ours = path == INDEX || path == MARKER || path.starts_with("blobs/");
    ours.then(|| path.trim_end_matches('/').to_owned())
}

/// Whether two files of the same name are the same. Two blobs of one size need
/// no reading: whichever is used is checked against the digest in its name.
fn same(file: &mut (impl Read + Seek), name: &str, first: Extent, second: Extent, limits: &Limits) -> io::Result<bool> {
    if first.size != second.size || name.starts_with("blobs/") {
        return Ok(first.size == second.size);
    }
    let mut bytes = |extent: Extent| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(extent.offset))?;
        file.by_ref().take(extent.size.min(limits.manifest_bytes)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // What is longer than the limit is refused when it is read.
    Ok(bytes(first)? == bytes(second)?)
}

/// A reader that ends after so many bytes were read; bytes that are sought
/// past, which is all content, do not count.
struct Budget<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("too many headers")]
struct OverBudget;

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(OverBudget))?;
        Ok(count)
    }
}

impl<R: Seek> Seek for Budget<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A tar of these names and contents.
    fn archive(files: &[(&str, &[u8], EntryType)]) -> Cursor<Vec<u8>> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content, kind) in files {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).expect("an entry");
        }
        Cursor::new(builder.into_inner().expect("a tar"))
    }

    fn problem(files: &[(&str, &[u8], EntryType)], limits: &Limits) -> Option<Problem> {
        index(archive(files), limits, "testing").err().map(|error| error.problem())
    }

    #[test]
    fn files_are_found_by_name_whatever_the_prefix() {
        let long = format!("./blobs/sha512/{}", "a".repeat(128));
        let tar = archive(&[
            ("./index.json", b"{}", EntryType::Regular),
            ("manifest.json", b"[]", EntryType::Regular),
            ("blobs/sha256", b"", EntryType::Directory),
            (&long, b"hello", EntryType::Regular),
        ]);
        let bytes = tar.get_ref().clone();
        let found = index(tar, &Limits::default(), "testing").expect("a layout");
        assert_eq!(found.keys().collect::<Vec<_>>(), [&long[2..], "index.json"]);
        let extent = found[&long[2..]];
        let start = usize::try_from(extent.offset).expect("small");
        assert_eq!(&bytes[start..start + 5], b"hello");
    }

    #[test]
    fn a_name_twice_is_refused_unless_the_content_is_the_same() {
        let (file, limits) = (EntryType::Regular, Limits::default());
        assert_eq!(problem(&[("index.json", b"{}", file), ("./index.json", b"{}", file)], &limits), None);
        let other = [("index.json", b"{}".as_slice(), file), ("./index.json", b"[]", file)];
        assert_eq!(problem(&other, &limits), Some(Problem::Protocol));
        let longer = [("blobs/sha256/a", b"a".as_slice(), file), ("blobs/sha256/a", b"ab", file)];
        assert_eq!(problem(&longer, &limits), Some(Problem::Protocol));
    }

    #[test]
    fn links_and_compressed_archives_are_refused() {
        let limits = Limits::default();
        assert_eq!(problem(&[("blobs/sha256/a", b"", EntryType::Regular)], &limits), None);
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::GNUSparse] {
            let found = problem(&[("blobs/sha256/a", b"", kind)], &limits);
            assert!(matches!(found, Some(Problem::Protocol | Problem::File)), "{kind:?}: {found:?}");
        }
        let gzip = index(Cursor::new([0x1f, 0x8b, 8, 0]), &limits, "testing").expect_err("compressed");
        assert!(gzip.detail().contains("compressed"), "{gzip}");
        assert!(index(Cursor::new([0; 1024]), &limits, "testing").is_err());
    }

    #[test]
    fn too_many_files_and_endless_names_are_a_limit() {
        let limits = Limits { layout_entries: 2, ..Limits::default() };
        let file = ("other", b"".as_slice(), EntryType::Regular);
        assert_eq!(problem(&[file, file], &limits), None);
        assert_eq!(problem(&[file, file, file], &limits), Some(Problem::Limit));
        let endless = "x/".repeat(20 << 10);
        assert_eq!(problem(&[(&endless, b"", EntryType::Regular)], &limits), Some(Problem::Limit));
        assert_eq!(problem(&[(&endless, b"", EntryType::Regular)], &Limits::default()), None);
    }
}
