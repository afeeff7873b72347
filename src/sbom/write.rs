//! Documents of images and indexes, in any version.

use std::io::{self, Write};
use std::str::FromStr;

use super::graph::{Graph, NAMESPACES};
use super::{Options, spdx3, spdx23};
use crate::code::Code;
use crate::digest::{Algorithm, Hasher};
use crate::image::Index;
use crate::scan::Contents;

/// A version of SPDX that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// SPDX 2.3 in JSON.
    Spdx23,
    /// SPDX 3.0.1 in JSON-LD.
    Spdx3,
}

/// A text that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format of SBOMs that is written: wanted spdx-json or spdx3-json")]
pub struct UnknownFormat(String);

impl UnknownFormat {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::Usage
    }
}

impl Format {
    /// The name, as syft calls it: `spdx-json`, `spdx3-json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spdx23 => "spdx-json",
            Self::Spdx3 => "spdx3-json",
        }
    }

    /// How files of it are called: `sbom.spdx.json`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Spdx23 => "spdx.json",
            Self::Spdx3 => "spdx3.json",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = [Self::Spdx23, Self::Spdx3].into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// Writes the document of an image, as JSON with an indent of two and no line
/// end. The same contents and options give the same bytes.
///
/// # Errors
/// When `out` does.
pub fn write(format: Format, contents: &Contents, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    document(format, &Graph::of_contents(contents, options), out)
}

/// Writes the document of an index: which images it lists, each a variant of it.
/// It names no packages, so nothing is compared with it. Otherwise as [`write()`].
///
/// # Errors
/// When `out` does.
pub fn write_index(format: Format, index: &Index, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    document(format, &Graph::of_index(index, options), out)
}

// No line end: as a predicate it would be lost, and the bytes that are signed
// are the bytes that were written.
fn document(format: Format, graph: &Graph<'_>, out: &mut dyn Write) -> io::Result<()> {
    let with = |namespace: &str, out: &mut dyn Write| match format {
        Format::Spdx23 => spdx23::write(graph, namespace, out),
        Format::Spdx3 => spdx3::write(graph, namespace, out),
    };
    // The namespace names these very bytes, so that two tools or versions never
    // make two documents of one name (SPDX 2.3, 6.5).
    let mut hashing = Hashing(Hasher::new(Algorithm::Sha256));
    with("", &mut hashing)?;
    let content = hashing.0.finish();
    with(&format!("{NAMESPACES}/{}-{}", graph.subject, content.short()), out)
}

/// Hashes what is written to it.
struct Hashing(Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
