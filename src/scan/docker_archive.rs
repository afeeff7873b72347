//! Images as `docker save` writes them: a tar with `manifest.json`, which names
//! a configuration and layers (Docker image specification 1.2).

#![expect(clippy::disallowed_methods, reason = "an archive is a file, and this is its edge")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;

use super::archive::{Archive, ArchiveError, Kind, Source};
use super::contents::Contents;
use super::feed;
use super::image::{Plan, Scan};
use super::options::Options;
use super::{LayerError, ScanError, path};
use crate::digest::{Algorithm, Digest, Hasher, VerifiedBlob};
use crate::image::{Configuration, Descriptor};
use crate::json;
use crate::limits::Limits;
use crate::registry::{BlobStream, BoxFuture, Context, Problem, RegistryError, blocking};

/// Links followed from the name of a layer: old archives name one layer by another's.
const LINKS: usize = 8;

/// Bytes that are read in one go.
const CHUNK: u64 = 256 << 10;

const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// An archive of `docker save`. Its images have no manifest, so that they are
/// called by the digest of their configuration.
#[derive(Debug)]
pub struct DockerArchive {
    path: PathBuf,
    files: BTreeMap<Vec<u8>, Extent>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    images: Vec<Saved>,
}

#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    size: u64,
}

/// An entry of `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl DockerArchive {
    /// Opens the archive at `path` and reads what is in it, but no layer.
    ///
    /// # Errors
    /// When it cannot be read or is no such archive.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ScanError> {
        Self::read(path, limits).map_err(|error| ScanError::Place { place: path.display().to_string(), error })
    }

    /// The tags of the images, a list for each.
    #[must_use]
    pub fn images(&self) -> Vec<&[String]> {
        self.images.iter().map(|image| image.repo_tags.as_deref().unwrap_or_default()).collect()
    }

    /// Says what is in one image: the one with `tag`, or the only one. Otherwise as [`image`](super::image).
    ///
    /// # Errors
    /// As [`image`](super::image), and when there is no such image, or more than one.
    pub async fn scan(
        &self,
        context: &Context,
        tag: Option<&str>,
        options: &Options<'_>,
    ) -> Result<Contents, ScanError> {
        let failed = |error| ScanError::Place { place: self.path.display().to_string(), error };
        let saved = self.choose(tag).map_err(failed)?;
        let (plan, layers) = self.plan(saved, context).map_err(failed)?;
        let layers = Layers { path: &self.path, extents: layers, context };
        Scan { source: &layers, context, options }.contents(plan).await
    }

    /// The configuration of one image: the one with `tag`, or the only one.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or there is no such image, or more than one.
    pub fn configuration(&self, tag: Option<&str>, limits: &Limits) -> Result<VerifiedBlob, ScanError> {
        let content = self.choose(tag).and_then(|saved| self.content(&saved.config, limits.manifest_bytes));
        let failed = |error| ScanError::Place { place: self.path.display().to_string(), error };
        content.map(VerifiedBlob::of).map_err(failed)
    }

    fn read(path: &Path, limits: &Limits) -> Result<Self, LayerError> {
        let file = File::open(path).map_err(|error| file_error(path, &error))?;
        let size = file.metadata().map_err(|error| file_error(path, &error))?.len();
        let mut archive = Archive::new(Seeking { inner: BufReader::new(file), position: 0, size });
        let mut this =
            Self { path: path.to_owned(), files: BTreeMap::new(), links: BTreeMap::new(), images: Vec::new() };
        let mut number = 0;
        let broken = |error| match error {
            ArchiveError::Malformed(why) => malformed(why),
            ArchiveError::Source(error) => file_error(path, &error),
        };
        while let Some(entry) = archive.next().map_err(broken)? {
            number += 1;
            if number > limits.layout_entries {
                return Err(LayerError::Limit { what: "files", limit: limits.layout_entries as u64 });
            }
            let name = path::normal(&entry.path).map_err(|why| malformed(&why.to_string()))?;
            match entry.kind {
                Kind::File => {
                    this.files.insert(name, Extent { offset: archive.source().position, size: entry.size });
                }
                Kind::SymbolicLink => {
                    let folder = name.iter().rposition(|byte| *byte == b'/').map_or(&name[..0], |slash| &name[..slash]);
                    let to = path::normal(&[folder, b"/", &entry.link].concat())
                        .map_err(|why| malformed(&why.to_string()))?;
                    this.links.insert(name, to);
                }
                Kind::HardLink => {
                    let to = path::normal(&entry.link).map_err(|why| malformed(&why.to_string()))?;
                    this.links.insert(name, to);
                }
                Kind::Folder | Kind::Other => {}
            }
        }
        let manifest = this.content("manifest.json", limits.manifest_bytes)?;
        this.images = json::parse(&manifest).map_err(|error| malformed(&format!("manifest.json: {error}")))?;
        Ok(this)
    }

    fn choose(&self, tag: Option<&str>) -> Result<&Saved, LayerError> {
        let has = |image: &&Saved| match tag {
            Some(tag) => image.repo_tags.iter().flatten().any(|known| known == tag),
            None => true,
        };
        let found: Vec<&Saved> = self.images.iter().filter(has).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(malformed("it has no such image")),
            several => {
                let tags = several.iter().flat_map(|image| image.repo_tags.iter().flatten());
                let tags: Vec<&str> = tags.map(String::as_str).take(20).collect();
                Err(malformed(&format!("it has several images, name one: {}", tags.join(", "))))
            }
        }
    }

    /// Gives the files of an image the digests that the rest of the scan calls them by.
    fn plan(&self, saved: &Saved, context: &Context) -> Result<(Plan, BTreeMap<Digest, Extent>), LayerError> {
        let config = VerifiedBlob::of(self.content(&saved.config, context.limits().manifest_bytes)?);
        let configuration = Configuration::parse(&config).map_err(|error| malformed(&error.to_string()))?;
        let diff_ids = configuration.diff_ids.as_deref().unwrap_or_default();
        let (mut extents, mut layers) = (BTreeMap::new(), Vec::new());
        for (number, name) in saved.layers.iter().enumerate() {
            let extent = self.extent(name)?;
            // A plain layer is called by its diff_id already; of another, the digest is computed.
            let digest = match diff_ids.get(number) {
                Some(diff_id) if self.is_plain(extent)? => diff_id.clone(),
                _ => self.digest(extent, context)?,
            };
            layers.push(Descriptor::new(LAYER, digest.clone(), extent.size));
            extents.insert(digest, extent);
        }
        let plan = Plan { digest: config.digest().clone(), media_type: CONFIG.to_owned(), configuration, layers };
        Ok((plan, extents))
    }

    fn extent(&self, name: &str) -> Result<Extent, LayerError> {
        let mut name = path::normal(name.as_bytes()).map_err(|why| malformed(&why.to_string()))?;
        for _ in 0..LINKS {
            match self.links.get(&name) {
                Some(to) => name.clone_from(to),
                None => break,
            }
        }
        let found = self.files.get(&name).copied();
        found.ok_or_else(|| malformed(&format!("there is no {}", String::from_utf8_lossy(&name))))
    }

    fn content(&self, name: &str, limit: u64) -> Result<Vec<u8>, LayerError> {
        let extent = self.extent(name)?;
        if extent.size > limit {
            return Err(LayerError::Limit { what: "bytes in a manifest or configuration", limit });
        }
        let mut bytes = Vec::new();
        let read = self.at(extent).and_then(|file| file.take(extent.size).read_to_end(&mut bytes));
        read.map_err(|error| file_error(&self.path, &error))?;
        Ok(bytes)
    }

    fn is_plain(&self, extent: Extent) -> Result<bool, LayerError> {
        let mut head = Vec::new();
        let read = self.at(extent).and_then(|file| file.take(extent.size.min(4)).read_to_end(&mut head));
        read.map_err(|error| file_error(&self.path, &error))?;
        Ok(!head.starts_with(&[0x1f, 0x8b]) && !head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
    }

    fn digest(&self, extent: Extent, context: &Context) -> Result<Digest, LayerError> {
        let failed = |error| file_error(&self.path, &error);
        let mut file = BufReader::with_capacity(128 << 10, self.at(extent).map_err(failed)?.take(extent.size));
        let mut hasher = Hasher::new(Algorithm::Sha256);
        loop {
            if context.remaining().is_none() {
                return Err(LayerError::Time);
            }
            let bytes = file.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                return Ok(hasher.finish());
            }
            hasher.update(bytes);
            let count = bytes.len();
            file.consume(count);
        }
    }

    fn at(&self, extent: Extent) -> io::Result<File> {
        open_at(&self.path, extent)
    }
}

fn open_at(path: &Path, extent: Extent) -> io::Result<File> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(extent.offset))?;
    Ok(file)
}

fn malformed(why: &str) -> LayerError {
    LayerError::Malformed(why.to_owned())
}

fn file_error(path: &Path, error: &io::Error) -> LayerError {
    LayerError::File { path: path.display().to_string(), detail: error.to_string() }
}

/// A file in which content is sought past, not read.
struct Seeking {
    inner: BufReader<File>,
    position: u64,
    size: u64,
}

impl Source for Seeking {
    fn fill(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.position += count as u64;
    }

    fn skip(&mut self, count: u64) -> io::Result<bool> {
        let to = self.position.saturating_add(count);
        let Ok(by) = i64::try_from(count) else { return Ok(false) };
        if to > self.size {
            return Ok(false);
        }
        self.inner.seek_relative(by)?;
        self.position = to;
        Ok(true)
    }
}

/// The layers of one image of an archive.
struct Layers<'a> {
    path: &'a Path,
    extents: BTreeMap<Digest, Extent>,
    context: &'a Context,
}

/// A blob of which some was read.
struct Reading {
    file: File,
    hasher: Hasher,
    wanted: Digest,
    left: u64,
}

impl Reading {
    /// The next bytes, `None` after the last if all of them were the blob's.
    fn next(mut self) -> Result<Option<(Bytes, Self)>, String> {
        let mut chunk = Vec::new();
        (&self.file).take(self.left.min(CHUNK)).read_to_end(&mut chunk).map_err(|error| error.to_string())?;
        self.hasher.update(&chunk);
        self.left -= chunk.len() as u64;
        if !chunk.is_empty() {
            return Ok(Some((chunk.into(), self)));
        }
        let found = self.hasher.finish();
        if found == self.wanted { Ok(None) } else { Err(format!("wanted {}, the file has {found}", self.wanted)) }
    }
}

impl feed::Source for Layers<'_> {
    fn open<'a>(&'a self, layer: &'a Descriptor) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        Box::pin(async move {
            self.context.count_request("reading a file of an archive")?;
            let Some(extent) = self.extents.get(&layer.digest).copied() else { return Ok(None) };
            let operation = format!("reading {} of {}", layer.digest, self.path.display());
            let failed = move |problem, detail: &str| RegistryError::new(problem, operation.clone(), detail);
            let path = self.path.to_owned();
            let opened = blocking(move || open_at(&path, extent)).await;
            let opened = opened.ok_or_else(|| failed(Problem::File, SHUTTING_DOWN))?;
            let file = opened.map_err(|error| failed(Problem::File, &error.to_string()))?;
            let wanted = layer.digest.clone();
            let reading = Reading { file, hasher: Hasher::new(wanted.algorithm()), wanted, left: extent.size };
            let chunks = stream::try_unfold(reading, move |reading| {
                let failed = failed.clone();
                async move {
                    let read = blocking(move || reading.next()).await;
                    let read = read.ok_or_else(|| failed(Problem::File, SHUTTING_DOWN))?;
                    read.map_err(|detail| failed(Problem::Digest, &detail))
                }
            });
            let stream: BlobStream = Box::pin(chunks);
            Ok(Some(stream))
        })
    }
}

const SHUTTING_DOWN: &str = "the runtime is shutting down";
