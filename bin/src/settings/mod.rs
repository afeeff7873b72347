//! Flags and environment as typed settings. Only this room reads the environment.

mod base;
mod build;
mod credential;
mod evidence;
mod image;
mod look;
mod output;
mod policy;
mod provenance;
mod registry;
mod services;
mod signing;
mod trust;
mod writing;
mod yaml;

pub(crate) use base::BaseArgs;
pub(crate) use build::{BuildArgs, BuildFacts};
pub(crate) use evidence::EvidenceArgs;
pub(crate) use image::{PlatformArgs, Source, Sources, Wanted};
pub(crate) use look::LookArgs;
pub(crate) use output::{Format, place_for, write_atomically};
pub(crate) use policy::{PolicyArgs, naming_the_signer};
pub(crate) use registry::{RegistryArgs, limits_with_time};
pub(crate) use services::SigningConfigArgs;
pub(crate) use signing::SigningArgs;
pub(crate) use trust::TrustArgs;
pub(crate) use writing::WriteArgs;

use std::io::Read;

use cg_attest::code::Code;
use cg_attest::time::Timestamp;

use crate::error::CliError;

/// The time now, the one place where the command reads the clock for it.
pub(crate) fn now() -> Result<Timestamp, CliError> {
    std::time::SystemTime::now().try_into().map_err(CliError::internal)
}

/// Layers that are read at the same time.
pub(crate) fn threads() -> std::num::NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN)
}

/// The folder that the command runs in.
pub(crate) fn here() -> Result<std::path::PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::file(".".as_ref(), error))
}

/// The time that documents are to bear (reproducible-builds.org, `SOURCE_DATE_EPOCH`).
pub(crate) fn source_date_epoch() -> Result<Option<Timestamp>, CliError> {
    let Some(text) = std::env::var("SOURCE_DATE_EPOCH").ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 0);
    let time = seconds.and_then(|seconds| Timestamp::from_unix(seconds).ok());
    let wrong = || CliError::usage(Code::Usage, format!("SOURCE_DATE_EPOCH={text:?}: wanted seconds since 1970"));
    time.map(Some).ok_or_else(wrong)
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
