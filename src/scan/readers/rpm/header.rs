//! The header of a package, as it stands in every rpm database: an index of
//! tags, then the data that they point into.
//!
//! <https://rpm-software-management.github.io/rpm/manual/format_header.html>;
//! the tags are those of <https://rpm-software-management.github.io/rpm/manual/tags.html>.

use std::collections::HashMap;

use super::super::Unreadable;
use super::super::bytes::{be32, index, slice};
use crate::scan::FileList;

/// Files of one package; real packages have a hundred thousand.
const FILES: usize = 1 << 20;

/// Bytes of a path. Linux has no longer ones.
const PATH_LENGTH: usize = 4096;

mod tag {
    pub(super) const NAME: u32 = 1000;
    pub(super) const VERSION: u32 = 1001;
    pub(super) const RELEASE: u32 = 1002;
    pub(super) const EPOCH: u32 = 1003;
    pub(super) const SUMMARY: u32 = 1004;
    pub(super) const VENDOR: u32 = 1011;
    pub(super) const LICENSE: u32 = 1014;
    pub(super) const URL: u32 = 1020;
    pub(super) const ARCH: u32 = 1022;
    pub(super) const OLD_FILE_NAMES: u32 = 1027;
    pub(super) const FILE_MODES: u32 = 1030;
    pub(super) const SOURCE_RPM: u32 = 1044;
    pub(super) const PROVIDE_NAME: u32 = 1047;
    pub(super) const REQUIRE_NAME: u32 = 1049;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
}

/// What an rpm database says about one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Header {
    pub(super) name: String,
    /// Epoch, version and release in one text, as rpm writes them: `1:2.3-4.el9`.
    pub(super) version: String,
    pub(super) architecture: Option<String>,
    pub(super) license: Option<String>,
    pub(super) vendor: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) homepage: Option<String>,
    /// The file name of the source package.
    pub(super) source: Option<String>,
    pub(super) provides: Vec<String>,
    pub(super) requires: Vec<String>,
    pub(super) files: FileList,
}

impl Header {
    /// Reads the header in `bytes`.
    ///
    /// # Errors
    ///
    /// If it is cut off, contradicts itself, or has no name, version and release.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let tags = Tags::read(bytes)?;
        let required = |tag, name| {
            let text = tags.text(tag)?.filter(|text| !text.is_empty());
            text.ok_or_else(|| malformed(&format!("it has no {name}")))
        };
        // Absent values are left out, and some builders write this instead.
        let optional = |tag| {
            let text = tags.text(tag);
            text.map(|text| text.filter(|text| !text.is_empty() && text != "(none)"))
        };
        let mut version = format!("{}-{}", required(tag::VERSION, "version")?, required(tag::RELEASE, "release")?);
        if let Some(epoch) = tags.numbers(tag::EPOCH)?.next() {
            version = format!("{epoch}:{version}");
        }
        Ok(Self {
            name: required(tag::NAME, "name")?,
            version,
            architecture: optional(tag::ARCH)?,
            license: optional(tag::LICENSE)?,
            vendor: optional(tag::VENDOR)?,
            summary: optional(tag::SUMMARY)?,
            homepage: optional(tag::URL)?,
            source: optional(tag::SOURCE_RPM)?,
            provides: tags.texts(tag::PROVIDE_NAME)?.collect(),
            requires: tags.texts(tag::REQUIRE_NAME)?.collect(),
            files: tags.files()?,
        })
    }

    /// Whether this is a key that was imported into the database, which rpm
    /// stores as if it was a package.
    pub(super) fn is_key(&self) -> bool {
        self.name == "gpg-pubkey" && self.architecture.is_none()
    }
}

/// The kinds of values that are read here.
const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// The index of a header, over its data.
struct Tags<'a> {
    entries: HashMap<u32, Entry>,
    data: &'a [u8],
}

#[derive(Clone, Copy)]
struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

impl<'a> Tags<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let truncated = || malformed("it is cut off");
        let entries = index(be32(bytes, 0).ok_or_else(truncated)?);
        let length = index(be32(bytes, 4).ok_or_else(truncated)?);
        let table = slice(bytes, 8, entries.checked_mul(16).ok_or_else(truncated)?).ok_or_else(truncated)?;
        let data = slice(bytes, 8 + table.len(), length).ok_or_else(truncated)?;
        let field = |entry, at| be32(entry, at).unwrap_or_default();
        // What rpm adds at installation comes after what was signed, and replaces it.
        let entries = table.chunks_exact(16).map(|entry| {
            let value = Entry { kind: field(entry, 4), offset: index(field(entry, 8)), count: index(field(entry, 12)) };
            (field(entry, 0), value)
        });
        Ok(Self { entries: entries.collect(), data })
    }

    /// The data that a tag points at, if it has one of these kinds; the tag of
    /// another kind is malformed.
    fn value(&self, tag: u32, kinds: &[u32]) -> Result<Option<(Entry, &'a [u8])>, Unreadable> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        if !kinds.contains(&entry.kind) {
            return Err(malformed(&format!("tag {tag} is of another kind")));
        }
        let data =
            self.data.get(entry.offset..).ok_or_else(|| malformed(&format!("tag {tag} points outside of it")))?;
        Ok(Some((entry, data)))
    }

    /// A text, in the first of its languages.
    fn text(&self, tag: u32) -> Result<Option<String>, Unreadable> {
        let Some((_, data)) = self.value(tag, &[STRING, STRING_ARRAY, I18N_STRING])? else { return Ok(None) };
        text_at(data, tag).map(|(text, _)| Some(text))
    }

    /// The texts of an array; none if the tag is absent.
    fn texts(&self, tag: u32) -> Result<impl Iterator<Item = String> + use<>, Unreadable> {
        let mut found = Vec::new();
        if let Some((entry, mut data)) = self.value(tag, &[STRING, STRING_ARRAY])? {
            for _ in 0..entry.count {
                let (text, rest) = text_at(data, tag)?;
                found.push(text);
                data = rest;
            }
        }
        Ok(found.into_iter())
    }

    /// The numbers of an array; none if the tag is absent.
    fn numbers(&self, tag: u32) -> Result<impl Iterator<Item = u32> + use<'a>, Unreadable> {
        let (entry, data) =
            self.value(tag, &[INT16, INT32])?.unwrap_or((Entry { kind: INT32, offset: 0, count: 0 }, &[]));
        let width = if entry.kind == INT16 { 2 } else { 4 };
        let bytes = slice(data, 0, entry.count.saturating_mul(width));
        let bytes = bytes.ok_or_else(|| malformed(&format!("tag {tag} reaches outside of it")))?;
        Ok(bytes.chunks_exact(width).map(|number| number.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))))
    }

    /// The files of the package, without its folders.
    fn files(&self) -> Result<FileList, Unreadable> {
        // Counted before anything is made of them (scenario K-05).
        for tag in [tag::BASE_NAMES, tag::OLD_FILE_NAMES] {
            if self.entries.get(&tag).is_some_and(|entry| entry.count > FILES) {
                return Err(malformed(&format!("it has more than {FILES} files")));
            }
        }
        let folders: Vec<String> = self.texts(tag::DIR_NAMES)?.collect();
        let mut indexes = self.numbers(tag::DIR_INDEXES)?;
        let mut modes = self.numbers(tag::FILE_MODES)?;
        let mut files = FileList::default();
        let mut path = String::new();
        let mut add = |path: &str| {
            if modes.next().is_none_or(|mode| mode & 0o170_000 != 0o040_000) {
                files.push(path);
            }
        };
        for name in self.texts(tag::BASE_NAMES)? {
            let folder = indexes.next().and_then(|number| folders.get(index(number)));
            let folder = folder.ok_or_else(|| malformed("a file is in no folder"))?;
            // One long folder for very many files would be a lot of text out of few bytes.
            if folder.len() + name.len() > PATH_LENGTH {
                return Err(malformed(&format!("a path is longer than {PATH_LENGTH} bytes")));
            }
            path.clear();
            path.extend([folder.as_str(), &name]);
            add(&path);
        }
        // As it was before folders had a tag of their own.
        self.texts(tag::OLD_FILE_NAMES)?.for_each(|path| add(&path));
        Ok(files)
    }
}

/// The text that ends with the next NUL, and what comes after it. What is not
/// UTF-8 is replaced: old packages have Latin-1 in their summaries.
fn text_at(data: &[u8], tag: u32) -> Result<(String, &[u8]), Unreadable> {
    let end = data.iter().position(|byte| *byte == 0);
    let end = end.ok_or_else(|| malformed(&format!("the text of tag {tag} has no end")))?;
    Ok((String::from_utf8_lossy(&data[..end]).into_owned(), &data[end + 1..]))
}

fn malformed(detail: &str) -> Unreadable {
    Unreadable::new(format!("the header of a package: {detail}"))
}
