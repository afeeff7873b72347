//! One layer, read once: what it changes, and what readers find in its files.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

use super::LayerError;
use super::archive::{Archive, ArchiveError, Entry, Kind};
use super::entries::{Change, Entries};
use super::inflate::{Inflated, Total};
use super::path;
use super::readers::{self, Fact, Facts, File, HEAD};
use super::sums::{Summing, Sums};
use crate::digest::Digest;
use crate::registry::Context;

/// What a whiteout's name begins with (OCI image specification, layer, whiteouts).
const WHITEOUT: &[u8] = b".wh.";
/// The whiteout of everything in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Notes of the AUFS file system, which no other has ever read.
const AUFS: &[u8] = b".wh..wh.";

/// Bytes of a file that several layers may hold at the same time; of larger ones there is one.
const SMALL: u64 = 1 << 20;

/// What all layers of an image share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) bytes: Total,
    pub(super) entries: Total,
    pub(super) packages: Total,
    /// Bytes of paths, and of what readers found: both stay in memory.
    pub(super) paths: Total,
    pub(super) found: Total,
    /// Held while a large file is in memory.
    pub(super) large: Arc<Mutex<()>>,
    /// Whether checksums of files are wanted.
    pub(super) sums: bool,
}

impl Shared {
    pub(super) fn new(context: &Context, sums: bool) -> Self {
        Self {
            context: context.clone(),
            bytes: Total::default(),
            entries: Total::default(),
            packages: Total::default(),
            paths: Total::default(),
            found: Total::default(),
            large: Arc::default(),
            sums,
        }
    }

    /// For another reading of some layers: only what readers find is added to what there is.
    pub(super) fn again(&self) -> Self {
        let Self { context, packages, found, large, .. } = self.clone();
        Self { packages, found, large, ..Self::new(&context, false) }
    }

    /// Counts a path that stays in memory.
    pub(super) fn keep(&self, text: &[u8]) -> Result<(), LayerError> {
        let limit = self.context.limits().kept_bytes;
        match self.paths.add(text.len() as u64, limit) {
            true => Ok(()),
            false => Err(LayerError::Limit { what: "bytes of paths in all layers", limit }),
        }
    }
}

/// A file to read, and the path that a reader should take it to be at.
pub(super) type Chosen = (usize, String);

/// Which files of a layer are read.
pub(super) enum Wanted {
    /// Those that a reader wants by path, mode and first bytes.
    ByReaders,
    /// These, by their number in the layer: links lead to them (the second reading of a layer).
    These(BTreeMap<usize, Vec<Chosen>>),
}

/// A layer that was read.
pub(super) struct Layer {
    pub(super) entries: Entries,
    pub(super) findings: Vec<Finding>,
    /// Checksums by the number of the file, if they are wanted.
    pub(super) sums: Vec<(usize, Sums)>,
}

/// What a reader found in a file.
#[derive(Debug)]
pub(super) struct Finding {
    /// The number of the file in its layer.
    pub(super) entry: usize,
    /// The number of the reader.
    pub(super) reader: usize,
    /// The path that the reader took it to be at.
    pub(super) path: String,
    pub(super) facts: Vec<Fact>,
    /// Why the facts are not everything.
    pub(super) problem: Option<String>,
}

/// Reads a layer and checks that its content is what the configuration calls `diff_id`.
pub(super) fn read(
    compressed: impl BufRead,
    diff_id: &Digest,
    wanted: &Wanted,
    shared: &Shared,
) -> Result<Layer, LayerError> {
    let source = Inflated::new(compressed, diff_id.algorithm(), &shared.context, &shared.bytes);
    let source = source.map_err(|error| LayerError::of_io(&error))?;
    let mut reading = Reading {
        archive: Archive::new(source),
        layer: Layer { entries: Entries::default(), findings: Vec::new(), sums: Vec::new() },
        content: Vec::new(),
        wanted,
        shared,
    };
    while let Some(entry) = reading.archive.next().map_err(failed)? {
        reading.entry(&entry)?;
    }
    let Reading { archive, layer, .. } = reading;
    // Runtimes hash what follows the archive too, and read nothing of it.
    let found = archive.into_source().finish().map_err(|error| LayerError::of_io(&error))?;
    if found != *diff_id {
        return Err(LayerError::DiffId { wanted: diff_id.clone(), found });
    }
    Ok(layer)
}

struct Reading<'a, R: BufRead> {
    archive: Archive<Inflated<R>>,
    layer: Layer,
    /// The content of one file after the other.
    content: Vec<u8>,
    wanted: &'a Wanted,
    shared: &'a Shared,
}

impl<R: BufRead> Reading<'_, R> {
    fn entry(&mut self, entry: &Entry) -> Result<(), LayerError> {
        let limit = self.shared.context.limits().layer_entries;
        if !self.shared.entries.add(1, limit) {
            return Err(LayerError::Limit { what: "files in all layers", limit });
        }
        let normal = |path: &[u8]| {
            path::normal(path).map_err(|why| {
                let shown: String = String::from_utf8_lossy(path).chars().take(120).collect();
                LayerError::Malformed(format!("{shown:?}: {why}"))
            })
        };
        let path = normal(&entry.path)?;
        self.shared.keep(&path)?;
        self.shared.keep(&entry.link)?;
        let (folder, name) = split(&path);
        if name.starts_with(WHITEOUT) {
            return self.whiteout(folder, name);
        }
        let change = match entry.kind {
            Kind::File => return self.file(&path, entry),
            Kind::Folder => Change::Folder,
            Kind::Other => Change::Other,
            Kind::SymbolicLink if entry.link.len() > path::LONGEST_PATH => {
                return Err(LayerError::Malformed("a link leads to a path that is too long".to_owned()));
            }
            Kind::SymbolicLink => Change::Link(&entry.link),
            Kind::HardLink => {
                let to = normal(&entry.link)?;
                self.layer.entries.push(&path, Change::SameAs(&to));
                return Ok(());
            }
        };
        self.layer.entries.push(&path, change);
        Ok(())
    }

    fn whiteout(&mut self, folder: &[u8], name: &[u8]) -> Result<(), LayerError> {
        if name == OPAQUE {
            self.layer.entries.push(folder, Change::Emptied);
        } else if !name.starts_with(AUFS) {
            let hidden = &name[WHITEOUT.len()..];
            if matches!(hidden, b"" | b"." | b"..") {
                return Err(LayerError::Malformed("a whiteout names no file".to_owned()));
            }
            let path = if folder.is_empty() { hidden.to_vec() } else { [folder, b"/", hidden].concat() };
            self.layer.entries.push(&path, Change::Gone);
        }
        Ok(())
    }

    fn file(&mut self, path: &[u8], entry: &Entry) -> Result<(), LayerError> {
        let number = self.layer.entries.len();
        self.content.clear();
        self.archive.read(&mut self.content, HEAD as u64).map_err(failed)?;
        let text = String::from_utf8_lossy(path);
        let head = std::mem::take(&mut self.content);
        let mut summing = self.shared.sums.then(|| Summing::of(&head));
        let file = File { path: &text, size: entry.size, mode: entry.mode, head: &head };
        self.layer.entries.push(path, Change::File { size: entry.size, executable: file.is_executable() });
        let chosen = match self.wanted {
            Wanted::ByReaders => by_readers(&file),
            Wanted::These(these) => these.get(&number).cloned().unwrap_or_default(),
        };
        let done = if chosen.is_empty() { Ok(()) } else { self.whole(number, &file, chosen, summing.as_mut()) };
        self.content = head;
        done?;
        if let Some(mut summing) = summing {
            self.archive.rest(|bytes| summing.update(bytes)).map_err(failed)?;
            self.layer.sums.push((number, summing.finish()));
        }
        Ok(())
    }

    /// Has readers read the whole of a file of which the head was read.
    fn whole(
        &mut self,
        number: usize,
        file: &File<'_>,
        chosen: Vec<Chosen>,
        summing: Option<&mut Summing>,
    ) -> Result<(), LayerError> {
        let archive = &mut self.archive;
        let rest = |content: &mut Vec<u8>| {
            let start = content.len();
            archive.read(content, file.size).map_err(failed)?;
            summing.into_iter().for_each(|summing| summing.update(&content[start..]));
            Ok(())
        };
        examine(number, file, chosen, self.shared, rest, &mut self.layer.findings)
    }
}

/// Has readers read the whole of a file of which the head was read; `rest` adds what follows the head.
pub(super) fn examine<E>(
    number: usize,
    file: &File<'_>,
    chosen: Vec<Chosen>,
    shared: &Shared,
    rest: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    findings: &mut Vec<Finding>,
) -> Result<(), E> {
    let limit = shared.context.limits().whole_file;
    let mut add = |reader, path, facts, problem| {
        findings.push(Finding { entry: number, reader, path, facts, problem });
    };
    if file.size > limit {
        for (reader, path) in chosen {
            let problem = format!("it has {} bytes, the limit is {limit}", file.size);
            add(reader, path, Vec::new(), Some(problem));
        }
        return Ok(());
    }
    // A reader that panicked left nothing behind that could be half done.
    let large = || shared.large.lock().unwrap_or_else(PoisonError::into_inner);
    let _one_at_a_time = (file.size > SMALL).then(large);
    let mut content = Vec::with_capacity(usize::try_from(file.size.min(SMALL)).unwrap_or(0));
    content.extend_from_slice(file.head);
    rest(&mut content)?;
    for (reader, path) in chosen {
        let limits = shared.context.limits();
        let mut facts = Facts::new(&shared.packages, limits.packages).keeping(&shared.found, limits.kept_bytes);
        let file = File { path: &path, ..*file };
        let problem = readers::all()[reader].read(&file, &content, &mut facts).err().map(|error| error.0);
        add(reader, path, facts.into_list(), problem);
    }
    Ok(())
}

/// The readers that want a file at its own path.
pub(super) fn by_readers(file: &File<'_>) -> Vec<Chosen> {
    let all = readers::all().iter().enumerate();
    all.filter(|(_, reader)| reader.wants(file)).map(|(number, _)| (number, file.path.to_owned())).collect()
}

/// The folder of a path, empty for the root, and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

fn failed(error: ArchiveError) -> LayerError {
    match error {
        ArchiveError::Malformed(why) => LayerError::Malformed(why.to_owned()),
        ArchiveError::Source(error) => LayerError::of_io(&error),
    }
}
