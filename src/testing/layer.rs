//! Layers with files in them, good ones and bad ones.

use crate::digest::{Digest, VerifiedBlob};

/// A layer in the making: a tar archive, entry by entry.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is made before an image is built of it"]
pub struct LayerBuilder {
    tar: Vec<u8>,
    compression: Compression,
    media_type: Option<String>,
    diff_id: Option<Digest>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Compression {
    #[default]
    None,
    #[cfg(feature = "scan")]
    Gzip,
    #[cfg(feature = "scan")]
    Zstd,
}

impl LayerBuilder {
    /// A layer without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a file of mode 644.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, "", 0o644, content.as_ref())
    }

    /// With a file of mode 755.
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, "", 0o755, content.as_ref())
    }

    /// With a folder.
    pub fn folder(self, path: &str) -> Self {
        self.entry(b'5', path, "", 0o755, b"")
    }

    /// With a symbolic link at `path` that leads to `to`.
    pub fn symlink(self, path: &str, to: &str) -> Self {
        self.entry(b'2', path, to, 0o777, b"")
    }

    /// With another name, `path`, of the file `to`.
    pub fn hard_link(self, path: &str, to: &str) -> Self {
        self.entry(b'1', path, to, 0o644, b"")
    }

    /// Without what lower layers have at `path`.
    pub fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        self.file(format!("{folder}/.wh.{name}").trim_start_matches('/'), "")
    }

    /// Without what lower layers have in the folder `path`.
    pub fn opaque(self, path: &str) -> Self {
        self.file(format!("{path}/.wh..wh..opq").trim_start_matches('/'), "")
    }

    /// With an entry of any type of the tar format.
    pub fn entry(mut self, kind: u8, path: &str, link: &str, mode: u32, content: &[u8]) -> Self {
        // A name that does not fit goes into an extended header.
        if path.len() > 100 {
            let record = |length: usize| format!("{length} path={path}\n");
            let mut length = record(0).len();
            while record(length).len() != length {
                length = record(length).len();
            }
            self = self.entry(b'x', "extended", "", 0o644, record(length).as_bytes());
        }
        let mut header = [0; 512];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, path.get(..100).unwrap_or(path));
        put(100, &format!("{mode:07o}\0"));
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", content.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(157, link);
        put(257, "ustar\x0000");
        header[156] = kind;
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.tar.extend_from_slice(&header);
        self.tar.extend_from_slice(content);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
        self
    }

    /// Compressed by gzip.
    #[cfg(feature = "scan")]
    pub fn gzip(self) -> Self {
        Self { compression: Compression::Gzip, ..self }
    }

    /// Compressed by zstd.
    #[cfg(feature = "scan")]
    pub fn zstd(self) -> Self {
        Self { compression: Compression::Zstd, ..self }
    }

    /// Under this media type, whatever it is.
    pub fn media_type(self, media_type: &str) -> Self {
        Self { media_type: Some(media_type.to_owned()), ..self }
    }

    /// With this diff_id in the configuration instead of its own.
    pub fn diff_id(self, diff_id: Digest) -> Self {
        Self { diff_id: Some(diff_id), ..self }
    }

    /// The archive itself, not compressed.
    #[must_use]
    pub fn archive(mut self) -> Vec<u8> {
        self.tar.resize(self.tar.len() + 1024, 0);
        self.tar
    }

    /// The media type, the blob and the diff_id.
    pub(super) fn build(mut self) -> (String, VerifiedBlob, Digest) {
        self.tar.resize(self.tar.len() + 1024, 0);
        let diff_id = self.diff_id.unwrap_or_else(|| Digest::sha256(&self.tar));
        let (suffix, bytes) = match self.compression {
            Compression::None => ("", self.tar),
            #[cfg(feature = "scan")]
            Compression::Gzip => ("+gzip", gzip(&self.tar)),
            #[cfg(feature = "scan")]
            Compression::Zstd => ("+zstd", zstd::encode_all(&self.tar[..], 3).unwrap_or_default()),
        };
        let media_type = self.media_type.unwrap_or_else(|| format!("application/vnd.oci.image.layer.v1.tar{suffix}"));
        (media_type, VerifiedBlob::of(bytes), diff_id)
    }
}

#[cfg(feature = "scan")]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes everything")
}
