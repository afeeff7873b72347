//! Flags and environment as typed settings. Only this room reads the environment.

mod image;
pub(crate) mod output;
mod policy;
mod registry;
mod trust;

pub(crate) use image::{Source, Sources};
pub(crate) use policy::PolicyArgs;
pub(crate) use registry::RegistryArgs;
pub(crate) use trust::TrustArgs;

use std::io::Read;

use cg_attest::time::Timestamp;

use crate::error::CliError;

/// The time now, the one place where the command reads the clock for it.
pub(crate) fn now() -> Result<Timestamp, CliError> {
    std::time::SystemTime::now().try_into().map_err(CliError::internal)
}

/// Reads a file that a flag names.
pub(crate) fn read_file(path: &std::path::Path, limit: u64) -> Result<Vec<u8>, CliError> {
    let file = std::fs::File::open(path).map_err(|e| CliError::file(path, e))?;
    read_all(path, file, limit)
}

/// As [`read_file`], with `-` for stdin.
pub(crate) fn read_input(path: &std::path::Path, limit: u64) -> Result<Vec<u8>, CliError> {
    if path.as_os_str() == "-" { read_all(path, std::io::stdin().lock(), limit) } else { read_file(path, limit) }
}

fn read_all(path: &std::path::Path, from: impl Read, limit: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).map_err(|e| CliError::file(path, e))?;
    if bytes.len() as u64 > limit {
        return Err(CliError::file(path, format!("longer than {limit} bytes")));
    }
    Ok(bytes)
}
