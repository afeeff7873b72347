//! A file in place of an image: one bundle, and each requirement on its own.

use super::decide::satisfies;
use super::refusal::compared;
use super::{Assessed, Assessor, Cell, State};
use crate::check::{Check, CheckName, Outcome};
use crate::code::Code;
use crate::digest::Digest;
use crate::policy::Requirement;

/// The cell of one requirement. The bundle is all that there is: a type that
/// it has not got is not attached elsewhere, so the first row that failed is the reason.
pub(crate) fn cell_of_blob(
    assessor: &Assessor<'_>,
    assessed: &Assessed,
    blob: &Digest,
    requirement: &Requirement,
) -> Cell {
    let mut cell = Cell {
        target: "file".to_owned(),
        digest: Some(blob.clone()),
        requirement: requirement.name(),
        state: State::Ok,
        code: None,
        message: None,
        wanted: Vec::new(),
        found: None,
        candidates: vec![0],
    };
    if satisfies(assessed, requirement, assessor.now()) {
        return cell;
    }
    let Some(check) = assessed.checks().iter().find(|check| check.outcome == Outcome::Fail) else {
        // Its type is what another requirement asks for.
        cell.state = State::Missing;
        cell.code = Some(Code::PredicateMismatch);
        (cell.wanted, cell.found) = of_type(assessed, requirement);
        return cell;
    };
    cell.state = state_of_row(check);
    cell.code = check.code;
    cell.message = Some(format!("{}: {}", check.name, check.detail.as_deref().unwrap_or_default()));
    (cell.wanted, cell.found) = match check.name {
        CheckName::Predicate => of_type(assessed, requirement),
        _ => compared(check, assessor.policy(), assessed, Some(blob)),
    };
    cell
}

fn of_type(assessed: &Assessed, requirement: &Requirement) -> (Vec<String>, Option<String>) {
    (vec![requirement.name()], assessed.predicate_type().map(str::to_owned))
}

fn state_of_row(check: &Check) -> State {
    match (check.name, check.code) {
        // A bound that is reached says nothing of the rest (scenario I-01).
        (_, Some(Code::Limit)) => State::Undecided,
        (CheckName::Predicate, _) => State::Missing,
        _ => State::of_row(check),
    }
}
