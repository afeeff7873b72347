//! One file after the other.

use std::io;

use super::extended::Extended;
use super::header::{BLOCK, Header, Malformed};

/// Bytes of an extended header or a long name; the bound of Go's reader.
const META: u64 = 1 << 20;

/// Where an archive comes from: bytes are looked at in place, as with
/// [`std::io::BufRead`], so that content which nobody wants is never copied.
pub(in crate::scan) trait Source {
    /// The next bytes, at least one unless there is no more.
    fn fill(&mut self) -> io::Result<&[u8]>;
    /// Goes on by `count` bytes of what [`Source::fill`] gave.
    fn consume(&mut self, count: usize);
    /// Goes on by `count` bytes that nobody wants; `false` if there are not so many.
    fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let here = self.fill()?.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            if here == 0 {
                return Ok(false);
            }
            self.consume(here);
            count -= here as u64;
        }
        Ok(true)
    }
}

/// What a file of the archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scan) enum Kind {
    File,
    Folder,
    SymbolicLink,
    HardLink,
    /// A device or a pipe: it has no content.
    Other,
}

/// A file of the archive, before its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scan) struct Entry {
    /// The path as it is written.
    pub(in crate::scan) path: Vec<u8>,
    /// What a link leads to, as it is written.
    pub(in crate::scan) link: Vec<u8>,
    pub(in crate::scan) kind: Kind,
    /// The permission bits.
    pub(in crate::scan) mode: u32,
    /// The bytes of its content.
    pub(in crate::scan) size: u64,
}

/// Why an archive cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(in crate::scan) enum ArchiveError {
    #[error("{0}")]
    Malformed(Malformed),
    #[error(transparent)]
    Source(#[from] io::Error),
}

/// A tar archive that is read once, from the front.
pub(in crate::scan) struct Archive<S> {
    source: S,
    /// Bytes of the current file's content that were not read.
    content: u64,
    /// Bytes after the content up to a whole block.
    padding: u64,
}

impl<S: Source> Archive<S> {
    pub(in crate::scan) fn new(source: S) -> Self {
        Self { source, content: 0, padding: 0 }
    }

    /// What the archive is read from; after [`Archive::next`] it stands before the content.
    pub(in crate::scan) fn source(&self) -> &S {
        &self.source
    }

    /// What the archive was read from; after the last file, whatever follows it is still to come.
    pub(in crate::scan) fn into_source(self) -> S {
        self.source
    }

    /// The next file, `None` after the last. Content of the one before that was not read is passed over.
    pub(in crate::scan) fn next(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let mut extended = Extended::default();
        let (mut long_path, mut long_link) = (None, None);
        let mut meta = false;
        loop {
            self.skip_content()?;
            let Some(header) = self.header()? else {
                return if meta { Err(malformed("an extended header is followed by nothing")) } else { Ok(None) };
            };
            match header.kind {
                b'x' => extended = Extended::parse(&self.meta(&header)?).map_err(ArchiveError::Malformed)?,
                b'L' => long_path = Some(until_nul(self.meta(&header)?)),
                b'K' => long_link = Some(until_nul(self.meta(&header)?)),
                // Global headers change nothing for container runtimes.
                b'g' => drop(self.meta(&header)?),
                kind => {
                    let path = long_path.or(extended.path).unwrap_or(header.path);
                    let link = long_link.or(extended.link).unwrap_or(header.link);
                    let size = extended.size.unwrap_or(header.size);
                    return self.entry(kind, path, link, header.mode, size).map(Some);
                }
            }
            meta = header.kind != b'g';
        }
    }

    fn entry(&mut self, kind: u8, path: Vec<u8>, link: Vec<u8>, mode: u32, size: u64) -> Result<Entry, ArchiveError> {
        let kind = match kind {
            // A name with a slash at its end was a folder before there was a type for it.
            b'\0' if path.ends_with(b"/") => Kind::Folder,
            b'0' | b'\0' | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'3' | b'4' | b'6' => Kind::Other,
            b'5' => Kind::Folder,
            b'S' => return Err(malformed("it has a sparse file")),
            _ => return Err(malformed("it has a file of an unknown type")),
        };
        // Whatever size stands there, only files have content.
        let size = if kind == Kind::File { size } else { 0 };
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(Entry { path, link, kind, mode, size })
    }

    /// Reads content of the current file into `buffer`, until one of them has no more.
    pub(in crate::scan) fn read(&mut self, buffer: &mut Vec<u8>, most: u64) -> Result<(), ArchiveError> {
        self.pass(most, |bytes| buffer.extend_from_slice(bytes))
    }

    /// Shows `each` what was not read of the current file's content, in place.
    pub(in crate::scan) fn rest(&mut self, each: impl FnMut(&[u8])) -> Result<(), ArchiveError> {
        self.pass(u64::MAX, each)
    }

    fn pass(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<(), ArchiveError> {
        let mut left = most.min(self.content);
        while left > 0 {
            let bytes = self.source.fill()?;
            let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if count == 0 {
                return Err(malformed("it ends inside a file"));
            }
            each(&bytes[..count]);
            self.source.consume(count);
            self.content -= count as u64;
            left -= count as u64;
        }
        Ok(())
    }

    fn skip_content(&mut self) -> Result<(), ArchiveError> {
        if !self.source.skip(self.content.saturating_add(self.padding))? {
            return Err(malformed("it ends inside a file"));
        }
        (self.content, self.padding) = (0, 0);
        Ok(())
    }

    /// The next header, `None` at the end: two blocks of zeros, one before the
    /// last byte, or simply nothing more.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block != [0; BLOCK] {
            return Header::parse(&block).map(Some).map_err(ArchiveError::Malformed);
        }
        match self.block()? {
            Some(block) if block != [0; BLOCK] => Err(malformed("it goes on after a block of zeros")),
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let bytes = self.source.fill()?;
            let count = bytes.len().min(BLOCK - filled);
            if count == 0 {
                return if filled == 0 { Ok(None) } else { Err(malformed("it ends inside a header")) };
            }
            block[filled..filled + count].copy_from_slice(&bytes[..count]);
            self.source.consume(count);
            filled += count;
        }
        Ok(Some(block))
    }

    /// The content of a header that is about the next file.
    fn meta(&mut self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        if header.size > META {
            return Err(malformed("an extended header or a long name has more than a mebibyte"));
        }
        self.content = header.size;
        self.padding = header.size.next_multiple_of(BLOCK as u64) - header.size;
        let mut bytes = Vec::new();
        self.read(&mut bytes, header.size)?;
        Ok(bytes)
    }
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    bytes
}

fn malformed(why: Malformed) -> ArchiveError {
    ArchiveError::Malformed(why)
}
