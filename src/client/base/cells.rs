//! The cells of the column `base`. A base is a fact about layers: its layers
//! are the first layers of the image, in a manifest that its own signers vouch for.

use crate::code::Code;
use crate::evidence::Target;
use crate::image::{Manifest, PinnedReference};
use crate::report::{BASE, BaseRecord, Report, Verdict};
use crate::verify::{Cell, State};

/// The cell of a target whose base is not known, not trusted or could not be read.
pub(super) fn unknown(target: &Target, state: State, code: Code, message: String) -> Cell {
    Cell { code: Some(code), message: Some(message), ..cell(target, state) }
}

fn cell(target: &Target, state: State) -> Cell {
    Cell {
        target: target.name.to_string(),
        digest: Some(target.digest.clone()),
        requirement: BASE.to_owned(),
        state,
        code: None,
        message: None,
        wanted: Vec::new(),
        found: None,
        candidates: Vec::new(),
    }
}

/// The cell of a target whose base was verified: refused or undecided as the base itself is.
pub(super) fn not_accepted(target: &Target, base: &PinnedReference, report: &Report) -> Cell {
    let refused = |cell: &&Cell| !cell.state.is_satisfied() && cell.state != State::Undecided;
    let cells = report.cells();
    let why = cells.iter().find(refused).or_else(|| cells.iter().find(|cell| !cell.state.is_satisfied()));
    let (state, code, detail) = match (why, report.facts()) {
        (_, Err(unresolved)) => (State::Undecided, unresolved.code, unresolved.message.clone()),
        (Some(cell), Ok(_)) if report.verdict() == Verdict::Undecided => {
            (State::Undecided, cell.code.unwrap_or(Code::Internal), cell.message.clone().unwrap_or_default())
        }
        (Some(cell), Ok(_)) => {
            let code = cell.code.map(|code| format!(" ({code})")).unwrap_or_default();
            let message = cell.message.as_deref().unwrap_or_default();
            let detail = format!("{} × {}: {}{code}: {message}", cell.target, cell.requirement, cell.state.as_str());
            (cell.state, Code::BaseRefused, detail)
        }
        (None, Ok(_)) => (State::Invalid, Code::BaseRefused, "nothing of it was accepted".to_owned()),
    };
    unknown(target, state, code, format!("the base {base}: {detail}"))
}

/// The cell of a target whose base is accepted: its layers have to be the first ones.
pub(super) fn of_layers(target: &Target, image: &Manifest, base: &Manifest, record: &BaseRecord) -> Cell {
    let (ours, theirs) = (image.layers(), base.layers());
    let mismatch = |wanted: String, found: String, message: String| Cell {
        wanted: vec![wanted],
        found: Some(found),
        ..unknown(target, State::Mismatch, Code::BaseMismatch, message)
    };
    if theirs.is_empty() {
        let message = format!("{} has no layers, so that everything is built on it", record.image);
        return unknown(target, State::Mismatch, Code::BaseMismatch, message);
    }
    for (n, wanted) in theirs.iter().enumerate() {
        let found = ours.get(n).map_or_else(|| "no layer".to_owned(), |layer| layer.digest.to_string());
        if found != wanted.digest.to_string() {
            let message = format!("layer {} of {} is not that of {}", n + 1, theirs.len(), record.image);
            return mismatch(wanted.digest.to_string(), found, message);
        }
    }
    cell(target, State::Ok)
}
