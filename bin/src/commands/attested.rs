//! Verified attestations of one type: what `get` and `provenance` share.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::Platform;
use cg_attest::policy::Requirement;
use cg_attest::report::{Report, Verdict};
use cg_attest::verify::{Assessed, Cell};

use super::verify::missing_policy;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{PolicyArgs, RegistryArgs, Source, TrustArgs, now};

/// What is asked, and how.
pub(super) struct Asked<'a> {
    pub(super) image: &'a str,
    pub(super) platforms: &'a [Platform],
    pub(super) requirement: Requirement,
    /// Whether the bytes are needed besides what was signed.
    pub(super) keep_content: bool,
    pub(super) policy: &'a PolicyArgs,
    pub(super) registry: &'a RegistryArgs,
    pub(super) trust: &'a TrustArgs,
    /// What else there is to do without a policy.
    pub(super) without_policy: Option<&'static str>,
}

/// The report of what the policy accepts. Anything else is said on stderr, and
/// only the status is left of it.
pub(super) async fn accepted(
    asked: &Asked<'_>,
    source: &Source,
    printer: &Printer,
) -> Result<Result<Report, ExitStatus>, CliError> {
    let requirement = std::slice::from_ref(&asked.requirement);
    let policy = asked.policy.policy_with(source.policy_name.as_ref(), Some(requirement));
    let policy = policy.map_err(|error| {
        let error = missing_policy(error, asked.image);
        match (&error.hint, asked.without_policy) {
            (Some(hint), Some(more)) if error.code == Code::PolicyMissing => {
                let hint = format!("{hint}; {more}");
                error.hint(hint)
            }
            _ => error,
        }
    })?;
    let (trust, now) = (asked.trust.source()?, now()?);
    let client = Client::builder(Arc::clone(&source.pull), trust.load(now).await?)
        .limits(asked.registry.limits()?)
        .evidence_repository(asked.registry.attestation_repo().cloned())
        .build();
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, now);
    request.image = source.image.clone().platforms(asked.platforms.to_vec());
    request.keep_content = asked.keep_content;
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
pub(super) fn newest<'a>(report: &'a Report, cell: &Cell, printer: &Printer) -> Option<&'a Assessed> {
    let satisfying = cell.candidates.iter().filter_map(|n| report.candidates().get(*n));
    let time = |candidate: &Assessed| candidate.verified().and_then(|bundle| bundle.times().last()).map(|t| t.time);
    let newest = satisfying.max_by_key(|candidate| time(candidate))?;
    if cell.candidates.len() > 1 {
        let when = time(newest).map(|time| format!(", of {time}")).unwrap_or_default();
        let count = cell.candidates.len();
        printer
            .note(&format!("{}: {count} attestations satisfy the policy; the newest{when}, is printed", cell.target));
    }
    Some(newest)
}
