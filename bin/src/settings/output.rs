//! What the command writes, and where.

use std::io::Write as _;
use std::path::Path;

use crate::error::CliError;

/// What most commands print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Writes a file whole or not at all: beside it first, then under its name.
/// Something that is there already and is not a plain file stays (scenario O-05).
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let folder = folder_of(path)?;
    let error = |e: std::io::Error| CliError::file(path, e);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(error)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(error)?;
    file.persist(path).map_err(|e| CliError::file(path, e.error))?;
    Ok(())
}

/// The folder in which a file can be written under its name. Asked beforehand
/// where what is written could not be made again without a trace: a signature is
/// in a public log by the time there is a file.
pub(crate) fn place_for(path: &Path) -> Result<(), CliError> {
    let folder = folder_of(path)?;
    // Only who tries is told of permissions and of file systems that are read-only.
    let tried = tempfile::NamedTempFile::new_in(folder);
    let wrong =
        |e: std::io::Error| CliError::file(path, format!("no file can be made in {}: {}", folder.display(), e.kind()));
    tried.map(drop).map_err(wrong)
}

fn folder_of(path: &Path) -> Result<&Path, CliError> {
    if let Ok(found) = std::fs::symlink_metadata(path)
        && !found.is_file()
    {
        return Err(CliError::file(path, "something that is not a plain file is there"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if !folder.is_dir() {
        return Err(CliError::file(path, format!("there is no folder {}", folder.display())));
    }
    Ok(folder)
}
