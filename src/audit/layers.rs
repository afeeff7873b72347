//! The requirement `sbom=layers`: the accepted SBOM of each platform against its layers.

use super::Reader;
use crate::code::Code;
use crate::discover::ImageRequest;
use crate::evidence::{Target, Unread};
use crate::limits::Limits;
use crate::policy::Wanted;
use crate::report::{Report, Verdict};
use crate::sbom::check::{Claimed, Evidence, Finding, Outcome, compare};
use crate::scan::Contents;
use crate::verify::{Cell, State};

/// Reads the layers of every platform, where the policy of a report asks whether
/// the SBOM agrees with them, and decides these cells. Compared is the newest SBOM
/// that satisfies its requirement: the one that is printed for the image.
///
/// The layers of an image that is refused without them are not read. A report
/// whose policy asks nothing of layers comes back as it is.
pub async fn read_layers(reader: &Reader<'_>, image: &ImageRequest, report: Report) -> Report {
    let Some(name) = name_of(&report, |wanted| *wanted == Wanted::Layers) else { return report };
    if report.verdict() == Verdict::Refuse {
        return report;
    }
    let Ok(facts) = report.facts() else { return report };
    let before = reader.spent();
    let mut judged = Vec::new();
    for target in facts.images() {
        judged.push(judge(reader, image, &report, target, &name).await);
    }
    let after = reader.spent();
    report.with_layers(judged, (after.0 - before.0, after.1 - before.1))
}

/// The name of the first requirement for something.
fn name_of(report: &Report, is_it: impl Fn(&Wanted) -> bool) -> Option<String> {
    let requirements = report.policy()?.requirements();
    requirements.iter().find(|requirement| is_it(requirement.wanted())).map(crate::policy::Requirement::name)
}

/// The cell of one platform.
async fn judge(reader: &Reader<'_>, image: &ImageRequest, report: &Report, target: &Target, name: &str) -> Cell {
    let blank = Cell {
        target: target.name.to_string(),
        digest: Some(target.digest.clone()),
        requirement: name.to_owned(),
        state: State::Undecided,
        code: None,
        message: None,
        wanted: Vec::new(),
        found: None,
        candidates: Vec::new(),
    };
    let refused = |state, code, message: String| Cell { state, code, message: Some(message), ..blank.clone() };
    let (number, sbom) = match accepted(report, target, &reader.limits) {
        Ok(accepted) => accepted,
        Err(cell) => {
            let why = cell.as_ref().and_then(|cell| cell.message.clone()).unwrap_or_default();
            let (state, code) = cell.map_or((State::Missing, Some(Code::NoAttestation)), |cell| match cell.state {
                // What is about the index says nothing of one platform's packages.
                State::ViaIndex => (State::OnIndex, Some(Code::OnIndex)),
                state => (state, cell.code),
            });
            return refused(state, code, format!("there is no accepted SBOM of this image to compare: {why}"));
        }
    };
    let claimed = match sbom {
        Ok(claimed) => claimed,
        Err(unread) => {
            return Cell { candidates: vec![number], ..refused(State::Invalid, Some(unread.code), unread.detail) };
        }
    };
    let (outcome, contents) = match held(reader, image, target, &claimed).await {
        Ok(held) => held,
        Err(unread) => return refused(State::Undecided, Some(unread.code), unread.detail),
    };
    if let Some(problem) = contents.problems.first() {
        return refused(State::Undecided, Some(problem.code()), problem.to_string());
    }
    let cell = Cell { candidates: vec![number], ..blank.clone() };
    match outcome.findings.as_slice() {
        [] if claimed.names_no_package() && !contents.packages.is_empty() => {
            let message = format!("the SBOM lists no package, and the layers have {}", contents.packages.len());
            Cell { state: State::Mismatch, code: Some(Code::SbomPackageMissing), message: Some(message), ..cell }
        }
        [] => Cell { state: State::Ok, ..cell },
        [first, more @ ..] => {
            Cell { state: State::Mismatch, code: Some(first.code), message: Some(words(first, more)), ..cell }
        }
    }
}

/// The newest SBOM that satisfies its requirement for the image itself, with its
/// place in the report, or the cell that says why there is none.
fn accepted<'a>(
    report: &'a Report,
    target: &Target,
    limits: &Limits,
) -> Result<(usize, Result<Claimed, Unread>), Option<&'a Cell>> {
    let requirements = report.policy().map(crate::policy::Policy::requirements).unwrap_or_default();
    let names: Vec<String> = requirements.iter().filter(|r| r.is_spdx()).map(|r| r.name()).collect();
    let own = target.name.to_string();
    let mut cells = report.cells().iter().filter(|cell| cell.target == own && names.contains(&cell.requirement));
    let first = cells.clone().next();
    let cell = cells.find(|cell| cell.state == State::Ok).ok_or(first)?;
    let newest = report.newest(cell).ok_or(Some(cell))?;
    let number = report.candidates().iter().position(|candidate| std::ptr::eq(candidate, newest)).ok_or(Some(cell))?;
    let statement = newest.attestation().ok_or(Some(cell))?.statement().statement();
    let claimed = Claimed::parse(statement.predicate().as_bytes(), limits);
    Ok((number, claimed.map_err(|error| Unread::new(error.code(), format!("the SBOM cannot be compared: {error}")))))
}

async fn held(
    reader: &Reader<'_>,
    image: &ImageRequest,
    target: &Target,
    sbom: &Claimed,
) -> Result<(Outcome, Contents), Unread> {
    let repository = image.reference.repository();
    let manifest = reader.manifest(repository, &target.digest).await?;
    let contents = reader.contents(repository, &manifest).await;
    let contents = contents.map_err(|error| Unread::new(error.code(), error.to_string()))?;
    let evidence = Evidence {
        platform: target.platform(),
        contents: Some(&contents),
        sbom: Some(sbom),
        ..Evidence::new(&manifest)
    };
    Ok((compare(&evidence, &[]), contents))
}

/// The first contradiction in words, and how many there are besides.
fn words(first: &Finding, more: &[Finding]) -> String {
    match more.len() {
        0 => first.to_string(),
        count => format!("{first}; and {count} more, which `cg-attest check` lists"),
    }
}
