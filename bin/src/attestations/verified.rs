//! Attestations of one type that a policy accepts.

use cg_attest::client::VerifyRequest;
use cg_attest::code::Code;
use cg_attest::image::Platform;
use cg_attest::limits::Limits;
use cg_attest::policy::Requirement;
use cg_attest::report::{Report, Verdict};
use cg_attest::verify::{Assessed, Cell, Keep};

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::{self, Attestation, Form};
use crate::settings::{EvidenceArgs, Source, naming_the_signer, now};

/// What is asked, and how.
pub(crate) struct Asked<'a> {
    pub(crate) image: &'a str,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) requirement: Requirement,
    pub(crate) evidence: &'a EvidenceArgs,
    /// What else there is to do without a policy.
    pub(crate) without_policy: Option<&'static str>,
}

/// The attestations in the form that is wanted, or nothing at all.
pub(crate) async fn verified(
    asked: &Asked<'_>,
    form: Form,
    source: &Source,
    printer: &Printer,
) -> Result<(Vec<Attestation>, ExitStatus), CliError> {
    // The bytes are needed besides what was signed.
    let keep = if matches!(form, Form::Envelope | Form::Bundle) { Keep::Content } else { Keep::Statements };
    let report = match report(asked, keep, source, printer).await? {
        Ok(report) => report,
        Err(status) => return Ok((Vec::new(), status)),
    };
    let limits = asked.evidence.registry.limits()?;
    let alone = report.cells().len() == 1;
    let mut attestations = Vec::new();
    for cell in report.cells() {
        let attestation = of_cell(&report, cell, form, &limits, printer);
        let attestation =
            attestation.ok_or_else(|| CliError::internal("a satisfied requirement has no attestation"))?;
        attestations.push(Attestation { alone, ..attestation });
    }
    Ok((attestations, ExitStatus::Accepted))
}

/// The report of what the policy accepts. Anything else is said on stderr, and
/// only the status is left of it.
pub(crate) async fn accepted(
    asked: &Asked<'_>,
    source: &Source,
    printer: &Printer,
) -> Result<Result<Report, ExitStatus>, CliError> {
    report(asked, Keep::Statements, source, printer).await
}

async fn report(
    asked: &Asked<'_>,
    keep: Keep,
    source: &Source,
    printer: &Printer,
) -> Result<Result<Report, ExitStatus>, CliError> {
    let requirement = std::slice::from_ref(&asked.requirement);
    let policy = asked.evidence.policy.policy_with(source.policy_name.as_ref(), Some(requirement));
    let policy = policy.map_err(|error| {
        let error = naming_the_signer(error, asked.image);
        match (&error.hint, asked.without_policy) {
            (Some(hint), Some(more)) if error.code == Code::PolicyMissing => {
                let hint = format!("{hint}; {more}");
                error.hint(hint)
            }
            _ => error,
        }
    })?;
    let now = now()?;
    let client = asked.evidence.client(source, now).await?;
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, now);
    request.image = source.image.clone().platforms(asked.platforms.clone());
    request.keep = keep;
    let report = client.verify(&request).await;
    if report.verdict() != Verdict::Accept {
        printer.note(render::report(&report, false, false).trim_end());
        return Ok(Err(ExitStatus::of_verdict(report.verdict())));
    }
    for warning in report.warnings() {
        printer.note(&format!("warning[{}]: {}", warning.code, escape(&warning.message)));
    }
    Ok(Ok(report))
}

/// The newest of those that satisfy a cell; says so where there are several.
pub(crate) fn newest<'a>(report: &'a Report, cell: &Cell, printer: &Printer) -> Option<&'a Assessed> {
    let newest = report.newest(cell)?;
    if cell.candidates.len() > 1 {
        let time = newest.verified().and_then(|bundle| bundle.times().last());
        let when = time.map(|time| format!(", of {}", time.time)).unwrap_or_default();
        let count = cell.candidates.len();
        printer
            .note(&format!("{}: {count} attestations satisfy the policy; the newest{when}, is printed", cell.target));
    }
    Some(newest)
}

fn of_cell(report: &Report, cell: &Cell, form: Form, limits: &Limits, printer: &Printer) -> Option<Attestation> {
    let newest = newest(report, cell, printer)?;
    let statement = newest.attestation()?.statement();
    let signer = render::signer(statement.bundle(), report.time());
    printer.note(&format!("{}: verified, signed by {signer}", cell.target));
    Some(Attestation {
        target: cell.target.clone(),
        alone: false,
        digest: statement.subject().to_string(),
        predicate_type: statement.statement().predicate_type().to_owned(),
        bytes: part(newest, form, limits)?,
    })
}

fn part(candidate: &Assessed, form: Form, limits: &Limits) -> Option<Vec<u8>> {
    let statement = candidate.attestation()?.statement();
    match form {
        Form::Predicate => Some(statement.statement().predicate().as_bytes().to_vec()),
        Form::Statement => Some(statement.payload().to_vec()),
        Form::Envelope => candidate.content()?.envelope_json(),
        Form::Bundle => candidate.content()?.bundle_json(limits),
    }
}
