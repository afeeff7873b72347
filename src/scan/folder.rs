//! A folder as the root of an image, without layers and digests.
//!
//! Links are looked at and never followed by the operating system: what they
//! lead to is found inside the folder (scenario N-02).

#![expect(clippy::disallowed_methods, reason = "the folder of an unpacked image is an edge")]

use std::collections::BTreeMap;
use std::fs::{self, File as Opened};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::assemble::{AllSums, assemble};
use super::contents::Contents;
use super::entries::{Change, Entries};
use super::layer::{Chosen, Finding, Shared, by_readers, examine};
use super::options::Options;
use super::path;
use super::readers::{File, HEAD};
use super::select::{Selection, content};
use super::sums::{Summing, Sums};
use super::tree::Tree;
use super::{LayerError, ScanError};
use crate::registry::{Context, blocking};

/// Says what is in the folder `root`, as if it were the root of an image.
///
/// It is read in the blocking pool of tokio. Nothing is known of platform and
/// layers, so the answer has neither.
///
/// # Errors
/// When a file or folder in it cannot be read, or a limit of the context is reached.
pub async fn folder(context: &Context, root: &Path, options: &Options<'_>) -> Result<Contents, ScanError> {
    let (context, root, files) = (context.clone(), root.to_owned(), options.files);
    let place = root.display().to_string();
    let done = blocking(move || contents(&context, &root, files)).await;
    done.unwrap_or_else(|| Err(LayerError::shutting_down())).map_err(|error| ScanError::Place { place, error })
}

fn contents(context: &Context, root: &Path, files: bool) -> Result<Contents, LayerError> {
    let (shared, entries) = (Shared::new(context, files), Entries::default());
    let mut walk = Walk { root, shared, entries, findings: Vec::new(), sums: AllSums::new() };
    walk.all()?;
    let Walk { entries, findings, shared, sums, .. } = walk;
    let mut tree = Tree::default();
    tree.apply(0, &entries, context)?;
    let mut selection = Selection::of(&tree, vec![findings]);
    if let Some(again) = std::mem::take(&mut selection.again).remove(&0) {
        selection.add(0, read_again(root, &entries, again, &shared)?);
    }
    Ok(assemble(tree, selection, files.then_some(sums)))
}

struct Walk<'a> {
    root: &'a Path,
    shared: Shared,
    entries: Entries,
    findings: Vec<Finding>,
    sums: AllSums,
}

impl Walk<'_> {
    /// Every file, folder by folder, in the order of names: what the file system's
    /// own order is, no document shows.
    fn all(&mut self) -> Result<(), LayerError> {
        let mut waiting = vec![Vec::new()];
        while let Some(folder) = waiting.pop() {
            let mut names = Vec::new();
            let at = place(self.root, &folder);
            for entry in fs::read_dir(&at).map_err(|error| failed(&at, &error))? {
                names.push(bytes(&entry.map_err(|error| failed(&at, &error))?.file_name()));
            }
            names.sort();
            for name in names {
                let path = if folder.is_empty() { name } else { [folder.as_slice(), b"/", &name].concat() };
                let path = path::normal(&path).map_err(|why| LayerError::Malformed(why.to_string()))?;
                if self.one(&path)? {
                    waiting.push(path);
                }
            }
        }
        Ok(())
    }

    /// One file; answers whether it is a folder.
    fn one(&mut self, path: &[u8]) -> Result<bool, LayerError> {
        let limits = self.shared.context.limits();
        if !self.shared.entries.add(1, limits.layer_entries) {
            return Err(LayerError::Limit { what: "files", limit: limits.layer_entries });
        }
        if self.shared.context.remaining().is_none() {
            return Err(LayerError::Time);
        }
        self.shared.keep(path)?;
        let at = place(self.root, path);
        let metadata = fs::symlink_metadata(&at).map_err(|error| failed(&at, &error))?;
        if metadata.is_dir() {
            self.entries.push(path, Change::Folder);
        } else if metadata.is_symlink() {
            let to = fs::read_link(&at).map_err(|error| failed(&at, &error))?;
            let to = bytes(to.as_os_str());
            self.shared.keep(&to)?;
            self.entries.push(path, Change::Link(&to));
        } else if metadata.is_file() {
            self.file(path, &at, metadata.len(), mode(&metadata))?;
        } else {
            // A pipe would be opened for ever.
            self.entries.push(path, Change::Other);
        }
        Ok(metadata.is_dir())
    }

    fn file(&mut self, path: &[u8], at: &Path, size: u64, mode: u32) -> Result<(), LayerError> {
        let number = self.entries.len();
        let mut opened = Opened::open(at).map_err(|error| failed(at, &error))?;
        let mut head = Vec::new();
        opened.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| failed(at, &error))?;
        let text = String::from_utf8_lossy(path);
        let file = File { path: &text, size, mode, head: &head };
        self.entries.push(path, Change::File { size, executable: file.is_executable() });
        if self.shared.sums {
            self.sums.insert(content(0, number), summed(&self.shared, at, size)?);
        }
        let chosen = by_readers(&file);
        if chosen.is_empty() {
            return Ok(());
        }
        examine(number, &file, chosen, &self.shared, |content| rest(opened, at, size, content), &mut self.findings)
    }
}

/// Reads a file for its checksums alone; where a reader wants it as well, the system has it at hand.
fn summed(shared: &Shared, at: &Path, size: u64) -> Result<Sums, LayerError> {
    let mut summing = Summing::default();
    let opened = Opened::open(at).map_err(|error| failed(at, &error))?;
    let mut opened = BufReader::with_capacity(128 << 10, opened.take(size));
    loop {
        if shared.context.remaining().is_none() {
            return Err(LayerError::Time);
        }
        let bytes = opened.fill_buf().map_err(|error| failed(at, &error))?;
        if bytes.is_empty() {
            return Ok(summing.finish());
        }
        summing.update(bytes);
        let count = bytes.len();
        opened.consume(count);
    }
}

/// Reads the files that turned out to be something else.
fn read_again(
    root: &Path,
    entries: &Entries,
    mut again: BTreeMap<usize, Vec<Chosen>>,
    shared: &Shared,
) -> Result<Vec<Finding>, LayerError> {
    let mut findings = Vec::new();
    entries.try_for_each(|number, path, change| {
        let (Some(chosen), Change::File { size, .. }) = (again.remove(&number), change) else { return Ok(()) };
        let at = place(root, path);
        let opened = Opened::open(&at).map_err(|error| failed(&at, &error))?;
        let file = File { path: "", size, mode: 0, head: &[] };
        examine(number, &file, chosen, shared, |content| rest(opened, &at, size, content), &mut findings)
    })?;
    Ok(findings)
}

/// What follows in a file of `size` bytes; a file that changes meanwhile is no longer than it was.
fn rest(opened: Opened, at: &Path, size: u64, content: &mut Vec<u8>) -> Result<(), LayerError> {
    let left = size.saturating_sub(content.len() as u64);
    opened.take(left).read_to_end(content).map_err(|error| failed(at, &error)).map(drop)
}

fn failed(at: &Path, error: &io::Error) -> LayerError {
    LayerError::File { path: at.display().to_string(), detail: error.to_string() }
}

#[cfg(unix)]
fn place(root: &Path, path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    root.join(std::ffi::OsStr::from_bytes(path))
}

#[cfg(unix)]
fn bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    name.as_bytes().to_vec()
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn place(root: &Path, path: &[u8]) -> PathBuf {
    root.join(&*String::from_utf8_lossy(path))
}

#[cfg(not(unix))]
fn bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    name.to_string_lossy().replace('\\', "/").into_bytes()
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0o644
}
