//! The files of a layout: the only place here that touches the file system.
//!
//! A name is made of literals and checked digests, so it cannot lead outside
//! the layout (scenario H-15); links are refused, so nothing in the layout can
//! lead outside either, and a device or pipe cannot be opened (scenario N-02).

#![expect(clippy::disallowed_methods, reason = "an OCI layout is a folder or a file, and this is its edge")]

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::archive::{self, Extent};
use super::names::{INDEX, MARKER, blob_name};
use crate::digest::{BlobError, Digest, VerifiedBlob};
use crate::limits::Limits;
use crate::registry::{Problem, RegistryError};

/// A layout's files, by their names inside it.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Folder,
    /// Where in the tar each file is.
    Archive(BTreeMap<String, Extent>),
}

impl Files {
    /// Finds out by content whether `path` is a folder or a tar.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, RegistryError> {
        let operation = format!("opening the OCI layout {}", path.display());
        let failed = |error: io::Error| RegistryError::new(Problem::File, operation.clone(), error.to_string());
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Ok(Self { path: path.to_owned(), kind: Kind::Folder });
        }
        if !metadata.is_file() {
            return Err(RegistryError::new(Problem::File, operation, "it is neither a folder nor a file"));
        }
        let file = File::open(path).map_err(failed)?;
        let entries = archive::index(file, limits, &operation)?;
        Ok(Self { path: path.to_owned(), kind: Kind::Archive(entries) })
    }

    /// What was opened, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A failure to do `what` with the file `name` of this layout.
    pub(super) fn error(&self, problem: Problem, what: &str, name: &str, detail: impl Into<String>) -> RegistryError {
        RegistryError::new(problem, format!("{what} {name} of the OCI layout {}", self.path.display()), detail)
    }

    fn io_error(&self, what: &str, name: &str, error: &io::Error) -> RegistryError {
        self.error(Problem::File, what, name, error.to_string())
    }

    /// Where the file `name` is and how long it is, `None` if there is none.
    pub(super) fn find(&self, name: &str) -> Result<Option<Extent>, RegistryError> {
        if let Kind::Archive(entries) = &self.kind {
            return Ok(entries.get(name).copied());
        }
        let mut at = self.path.clone();
        let mut found: Option<Metadata> = None;
        for part in name.split('/') {
            if found.is_some_and(|metadata| !metadata.is_dir()) {
                return Err(self.error(Problem::Protocol, "reading", name, "a folder of it is a file or a link"));
            }
            at.push(part);
            // Not followed: what a link leads to is not part of the layout.
            found = match fs::symlink_metadata(&at) {
                Ok(metadata) => Some(metadata),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(self.io_error("reading", name, &error)),
            };
        }
        match found {
            Some(metadata) if metadata.is_file() => Ok(Some(Extent { offset: 0, size: metadata.len() })),
            _ => Err(self.error(Problem::Protocol, "reading", name, "it is a link or otherwise no regular file")),
        }
    }

    /// The whole file `name`, of at most `limit` bytes.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(extent) = self.find(name)? else { return Ok(None) };
        let too_long =
            || self.error(Problem::Limit, "reading", name, format!("it is longer than the limit of {limit} bytes"));
        if extent.size > limit {
            return Err(too_long());
        }
        let most = match self.kind {
            Kind::Archive(_) => extent.size,
            // One byte more than allowed: a file that grows meanwhile is noticed.
            Kind::Folder => limit.saturating_add(1),
        };
        let mut bytes = Vec::new();
        let read = self.at(name, extent)?.take(most).read_to_end(&mut bytes);
        read.map_err(|error| self.io_error("reading", name, &error))?;
        if bytes.len() as u64 > limit {
            return Err(too_long());
        }
        Ok(Some(bytes))
    }

    /// The blob `digest` of at most `limit` bytes, checked.
    pub(super) fn read_blob(
        &self,
        digest: &Digest,
        size: Option<u64>,
        limit: u64,
    ) -> Result<Option<VerifiedBlob>, RegistryError> {
        let name = blob_name(digest);
        // Not read only to find out that it is too long: a few names could stand for the whole disk (scenario K-01).
        if let Some(wanted) = size
            && let Some(Extent { size: found, .. }) = self.find(&name)?
            && found != wanted
        {
            return Err(self.mismatch(&name, &BlobError::Size { digest: digest.clone(), wanted, found }));
        }
        let Some(bytes) = self.read(&name, limit)? else { return Ok(None) };
        VerifiedBlob::check(bytes, digest, size).map(Some).map_err(|error| self.mismatch(&name, &error))
    }

    /// A blob that is not the one that its name says.
    pub(super) fn mismatch(&self, name: &str, error: &BlobError) -> RegistryError {
        self.error(Problem::Digest, "reading", name, error.to_string())
    }

    /// The file `name`, ready to be read at the beginning of `extent`.
    pub(super) fn at(&self, name: &str, extent: Extent) -> Result<File, RegistryError> {
        let path = match self.kind {
            Kind::Folder => self.path.join(name),
            Kind::Archive(_) => self.path.clone(),
        };
        let open = || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(extent.offset))?;
            Ok(file)
        };
        open().map_err(|error| self.io_error("reading", name, &error))
    }

    /// Writes the file `name` so that a reader sees the old content, the new
    /// content or none, and nothing stays behind after a failure (scenario N-10).
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        if let Kind::Archive(_) = self.kind {
            return Err(self.error(Problem::File, "writing", name, "a tar is only read; push to a folder"));
        }
        // Refuses the links that reading refuses: writing must not follow them either.
        self.find(name)?;
        let target = self.path.join(name);
        let write = || {
            let folder = target.parent().unwrap_or(&self.path);
            fs::create_dir_all(folder)?;
            let mut temporary = Temporary::create(folder)?;
            temporary.file.write_all(bytes)?;
            temporary.file.sync_all()?;
            temporary.rename(&target)
        };
        write().map_err(|error| self.io_error("writing", name, &error))
    }
}

/// The longest pause between two looks at a lock that somebody else has.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

impl Files {
    /// Runs `work` while no other process, and no other part of this one, does:
    /// `index.json` is read, changed and written, and who does the same between
    /// would be undone. The lock is the system's advisory one on the marker
    /// file, which is never replaced; it ends with the process that has it.
    /// `left` bounds the wait for it.
    pub(super) fn locked<T>(
        &self,
        left: impl Fn() -> Option<Duration>,
        work: impl FnOnce() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let failed = |error: &io::Error| self.io_error("locking", MARKER, error);
        if let Kind::Archive(_) = self.kind {
            return Err(self.error(Problem::File, "writing", INDEX, "a tar is only read; push to a folder"));
        }
        // A link is refused here as everywhere.
        self.find(MARKER)?;
        let path = self.path.join(MARKER);
        // Network file systems lock only what is open for writing.
        let file = OpenOptions::new().read(true).write(true).open(&path).or_else(|_| File::open(&path));
        let mut lock = fd_lock::RwLock::new(file.map_err(|error| failed(&error))?);
        loop {
            match lock.try_write() {
                Ok(_held) => return work(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(&error)),
            }
            let Some(pause) = left().map(|left| left.min(LOCK_PAUSE)) else {
                let detail = "another process is writing to the layout, and did not end in time";
                return Err(self.error(Problem::Timeout, "locking", MARKER, detail));
            };
            std::thread::sleep(pause);
        }
    }
}

/// Creates the folder of a new layout, with what makes it one.
pub(super) fn create(path: &Path) -> Result<(), RegistryError> {
    let failed = |error: io::Error| {
        RegistryError::new(Problem::File, format!("creating the OCI layout {}", path.display()), error.to_string())
    };
    fs::create_dir_all(path.join("blobs/sha256")).map_err(failed)?;
    let files = Files { path: path.to_owned(), kind: Kind::Folder };
    // The marker comes last: a folder with it is a whole layout.
    for (name, content) in [
        (INDEX, r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#),
        (MARKER, r#"{"imageLayoutVersion":"1.0.0"}"#),
    ] {
        if files.find(name)?.is_none() {
            files.write(name, content.as_bytes())?;
        }
    }
    Ok(())
}

/// A file that is removed again unless it was renamed.
struct Temporary {
    path: Option<PathBuf>,
    file: File,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".cg-attest-{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path: Some(path), file }),
                // Left by a process that was killed and had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(path);
        }
    }
}
