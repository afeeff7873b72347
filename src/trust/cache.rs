//! What a refresh leaves for later runs: one file for each repository.
//!
//! It is one file so that it changes as a whole: it is written beside its
//! place and renamed, so processes side by side need no lock, and whoever is
//! last wins (scenario M-14). Nothing in it is trusted: every signature is
//! checked again on every use (M-08). One that cannot be read is none.
#![expect(clippy::disallowed_methods, reason = "the cache is a file, read with a bound and replaced by renaming")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::json;
use crate::sigstore::Files;
use crate::time::Timestamp;

/// The form of the file.
const VERSION: u32 = 1;

/// The cache of one repository.
pub(super) struct Cache {
    path: PathBuf,
}

/// What is in it.
pub(super) struct Kept {
    /// When the repository last confirmed the files. It is not signed: it decides
    /// whether to ask again, never whether something is genuine.
    pub(super) checked: Timestamp,
    pub(super) files: Files,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    checked: String,
    files: BTreeMap<String, String>,
}

impl Cache {
    /// The cache of the repository at `url` in `folder`.
    pub(super) fn new(folder: &Path, url: &str) -> Self {
        // A name that people recognise, and that no URL can lead out of the folder (M-07).
        let digest = Digest::sha256(url.as_bytes());
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
        let host = url.split('/').nth(2).unwrap_or_default().chars().take(64).map(plain).collect::<String>();
        Self { path: folder.join(format!("{host}-{}.json", digest.short())) }
    }

    /// The folder, for people.
    pub(super) fn folder(&self) -> String {
        self.path.parent().unwrap_or(&self.path).display().to_string()
    }

    /// What was kept, if anything was. The file has at most `limit` bytes.
    pub(super) fn read(&self, limit: u64) -> Result<Option<Kept>, String> {
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        // Opening a pipe would wait for its other end.
        if !found.is_file() {
            return Err("it is not a plain file".to_owned());
        }
        let mut bytes = Vec::new();
        let file = File::open(&self.path).map_err(|error| error.to_string())?;
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > limit {
            return Err(format!("it has more than {limit} bytes"));
        }
        let wire: Wire = json::object(&bytes).map_err(|error| error.to_string())?;
        if wire.version != VERSION {
            return Err(format!("it has the form {}, and {VERSION} is read", wire.version));
        }
        let checked = wire.checked.parse().map_err(|error: crate::time::TimeError| error.to_string())?;
        let files = wire.files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        Ok(Some(Kept { checked, files }))
    }

    /// Replaces what was kept.
    pub(super) fn write(&self, kept: Kept) -> io::Result<()> {
        let text = |(name, bytes)| Ok((name, String::from_utf8(bytes).map_err(io::Error::other)?));
        let files = kept.files.into_iter().map(text).collect::<io::Result<_>>()?;
        let wire = Wire { version: VERSION, checked: kept.checked.to_string(), files };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&wire)?)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://tuf.example.test/repository/";

    fn kept(checked: &str) -> Kept {
        let files = Files::from([("timestamp.json".to_owned(), b"{}".to_vec())]);
        Kept { checked: checked.parse().expect("a time"), files }
    }

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(&folder.path().join("made/when/needed"), URL);
        assert!(cache.read(1000).expect("absence is no error").is_none());
        cache.write(kept("2026-11-01T00:00:00Z")).expect("written");
        let read = cache.read(1000).expect("read").expect("there");
        assert_eq!((read.checked.to_string().as_str(), read.files.len()), ("2026-11-01T00:00:00Z", 1));

        assert_eq!(cache.read(10).err(), Some("it has more than 10 bytes".to_owned()));
        let good = fs::read_to_string(&cache.path).expect("text");
        for bad in [
            &good[..good.len() - 1],
            &good.replace("\"version\":1", "\"version\":2"),
            &good.replace("\"version\":1", "\"version\":1,\"version\":1"),
            &good.replace("2026", "soon"),
            "",
        ] {
            fs::write(&cache.path, bad).expect("written");
            assert!(cache.read(1000).is_err(), "{bad}");
        }
        cache.write(kept("2026-11-02T00:00:00Z")).expect("a damaged file is replaced");
        assert!(cache.read(1000).is_ok());
        assert_eq!(fs::read_dir(folder.path().join("made/when/needed")).expect("a folder").count(), 1);
    }

    #[test]
    fn no_url_leads_out_of_the_folder_and_two_have_two_files() {
        let name = |url: &str| Cache::new(Path::new("kept"), url).path;
        for url in [URL, "https://../..", "http://[::1]:8080/", "https://con/\0", "https:///etc/passwd", ""] {
            assert_eq!(name(url).parent(), Some(Path::new("kept")), "{url}");
        }
        assert!(name(URL).to_string_lossy().contains("tuf.example.test-"));
        assert_ne!(name(URL), name("https://tuf.example.test/other/"));
    }

    #[test]
    fn a_link_is_replaced_and_not_written_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), URL);
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&victim, &cache.path).expect("a link");
        cache.write(kept("2026-11-01T00:00:00Z")).expect("written");
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
        assert!(cache.read(1000).expect("read").is_some());
    }
}
