//! `sbom validate`: what is wrong with a document.

use std::path::Path;

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::sbom::{self, Severity};

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::settings;

/// Prints what is wrong with a document, a line for each.
pub(super) fn validate(file: &Path, printer: &Printer) -> Result<ExitStatus, CliError> {
    let bytes = settings::read_input(file, Limits::default().attestation_bytes)?;
    let found = sbom::validate(&bytes).map_err(|error| CliError::refused(error.code(), error))?;
    let mut out = String::new();
    for finding in &found {
        let word = if finding.severity == Severity::Error { "error" } else { "warning" };
        out.push_str(&format!("{word}: {}\n", escape(&finding.to_string())));
    }
    printer.data(out.as_bytes())?;
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors == 0 {
        printer.note(&format!("{}: valid, {} warnings", file.display(), found.len()));
        return Ok(ExitStatus::Accepted);
    }
    Err(CliError::refused(Code::SbomInvalid, format!("{}: {errors} errors", file.display())))
}
