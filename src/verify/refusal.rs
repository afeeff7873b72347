//! Why a cell is refused: the candidate that got furthest, or what is attached where.

use super::assess::age_row;
use super::decide::{Matrix, may_hold};
use super::signed::is_met_by;
use super::{Assessed, Cell, State};
use crate::check::{Check, CheckName};
use crate::code::Code;
use crate::digest::Digest;
use crate::policy::{Level, Policy, Requirement, Wanted};
use crate::statement::{COSIGN_SIGN, Family};

impl Matrix<'_> {
    /// Why a cell is refused: the nearest candidate, or what is attached where.
    pub(super) fn explain(&self, mut cell: Cell, target: usize, requirement: &Requirement) -> Cell {
        let index = self.index_for(target).filter(|_| requirement.level() == Level::Either);
        let nearest = self.nearest(target, requirement).or_else(|| self.nearest(index?, requirement));
        if let Some((n, nearest)) = nearest {
            cell.candidates = vec![n];
            self.refusal_of(&mut cell, nearest, requirement);
            return cell;
        }
        let about = |c: &&Assessed| c.predicate_type().is_some_and(|t| is_met_by(requirement.wanted(), t));
        if self.candidates.iter().filter(|c| c.unsigned && c.target == target).any(|c| about(&c)) {
            cell.state = State::Unsigned;
            cell.code = Some(Code::Unsigned);
            cell.message = Some("only an unsigned attestation of this type is attached".to_owned());
            return cell;
        }
        let elsewhere: Vec<usize> = (0..self.facts.targets.len())
            .filter(|n| *n != target && !self.satisfying(*n, requirement).is_empty())
            .collect();
        let places: Vec<String> = elsewhere.iter().map(|n| format!("on {}", self.place(*n))).collect();
        let signature = *requirement.wanted() == Wanted::Signature;
        let what = if signature { "signature" } else { "attestation of this type" };
        if self.index_for(target).is_some_and(|index| elsewhere.contains(&index)) && !signature {
            cell.state = State::OnIndex;
            cell.code = Some(Code::OnIndex);
            cell.message = Some(format!(
                "an {what} exists {}, not here; `--level {}=either` accepts the index's",
                places.join(" and "),
                cell.requirement
            ));
            return cell;
        }
        cell.code = Some(if signature { Code::NoSignature } else { Code::NoAttestation });
        cell.message = Some(if places.is_empty() {
            format!("no {what} is attached{}", self.types_at(target, requirement))
        } else {
            format!("an {what} exists {}, not here", places.join(" and ")).replace("an signature", "a signature")
        });
        cell
    }

    /// What else is attached to a target, for the message of a missing requirement: by the names that requirements
    /// go by, but other versions of what is missing in full.
    fn types_at(&self, target: usize, missing: &Requirement) -> String {
        let wanted = missing.name();
        let family = Family::name_of(&wanted).unwrap_or(&wanted);
        let name = |found| match found {
            COSIGN_SIGN => "signature",
            found => Family::name_of(found).filter(|name| *name != family).unwrap_or(found),
        };
        let here = self.candidates.iter().filter(|c| c.target == target);
        let mut types: Vec<&str> = here.filter_map(Assessed::predicate_type).map(name).collect();
        types.sort_unstable();
        types.dedup();
        if types.is_empty() { String::new() } else { format!("; attached are {}", types.join(", ")) }
    }

    /// The candidate of the wanted type, or of no known type, that got furthest.
    fn nearest(&self, target: usize, requirement: &Requirement) -> Option<(usize, &Assessed)> {
        let relevant = |c: &Assessed| {
            let of_type = c.predicate_type().is_none_or(|claimed| is_met_by(requirement.wanted(), claimed));
            c.target == target
                && of_type
                && may_hold(c.origin.kind, requirement)
                && !c.unsigned
                && !c.skipped
                && c.unread.is_none()
        };
        let distance = |c: &Assessed| c.failure().map_or(CheckName::Age, |check| check.name);
        let here = self.candidates.iter().enumerate().filter(|(_, c)| relevant(c));
        // The first of equals, so that the order of the report decides.
        here.rev().max_by_key(|(_, c)| distance(c))
    }

    fn refusal_of(&self, cell: &mut Cell, nearest: &Assessed, requirement: &Requirement) {
        let Some(check) = nearest.failure() else {
            // It passed every row and did not satisfy: only its age can be why.
            let stale = age_row(requirement, nearest.verified.as_ref(), self.assessor.now()).and_then(Result::err);
            cell.state = if stale.is_some() { State::Stale } else { State::Invalid };
            cell.code = Some(stale.as_ref().map_or(Code::Internal, |failure| failure.code));
            cell.message = stale.map(|failure| failure.detail);
            return;
        };
        cell.code = check.code;
        cell.message = Some(format!("{}: {}", check.name, check.detail.clone().unwrap_or_default()));
        cell.state = State::of_row(check);
        (cell.wanted, cell.found) = compared(check, self.assessor.policy(), nearest, cell.digest.as_ref());
        if check.name == CheckName::Subject {
            let target = self.facts.targets.iter().position(|t| Some(&t.digest) == nearest.subject.as_ref());
            if let Some(target) = target {
                cell.message =
                    Some(format!("it is about {}, which is {}", nearest_subject(nearest), self.place(target)));
            }
        }
    }
}

/// What a failed row wanted and found, where both are one text that can be compared.
pub(super) fn compared(
    row: &Check,
    policy: &Policy,
    candidate: &Assessed,
    digest: Option<&Digest>,
) -> (Vec<String>, Option<String>) {
    let signer = candidate.verified.as_ref().map(|bundle| bundle.signer());
    match row.name {
        CheckName::Identity => (policy.trusted_names(), signer.map(|s| s.identity().value.clone())),
        CheckName::Issuer => (policy.trusted_issuers(), signer.and_then(|s| s.issuer().map(str::to_owned))),
        CheckName::Subject => {
            (digest.iter().map(ToString::to_string).collect(), candidate.subject.as_ref().map(ToString::to_string))
        }
        _ => (row.wanted.iter().cloned().collect(), row.found.clone()),
    }
}

fn nearest_subject(nearest: &Assessed) -> String {
    nearest.subject.as_ref().map(ToString::to_string).unwrap_or_default()
}
