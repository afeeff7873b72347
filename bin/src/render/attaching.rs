//! What would be attached, and what was.

use std::fmt::Write as _;

use cg_attest::attach::{Action, Attached, LayerStep, Plan, Step, Superseded};
use cg_attest::statement::{COSIGN_SIGN, Family};
use serde::Serialize;

use super::document::Document;
use crate::error::CliError;
use crate::printer::escape;
use crate::settings::Format;

#[derive(Serialize)]
struct Named<'a, T> {
    reference: &'a str,
    #[serde(flatten)]
    content: T,
}

pub(super) fn json(kind: &'static str, reference: &str, content: impl Serialize) -> Result<String, CliError> {
    Document::new(kind, Named { reference, content }).pretty()
}

/// What would be written.
pub(crate) fn plan(reference: &str, plan: &Plan, format: Format) -> Result<String, CliError> {
    if format == Format::Json {
        return json("AttachPlan", reference, plan);
    }
    let layers = || plan.targets.iter().flat_map(|target| &target.layers);
    let written = plan.writes().count() + layers().filter(|step| step.action == Action::Write).count();
    let all = plan.targets.iter().map(|target| target.steps.len()).sum::<usize>() + layers().count();
    let there = if all > written { format!(", {} are there already", all - written) } else { String::new() };
    Ok(format!("{}{written} would be attached{there}; nothing was written\n", steps(reference, plan)))
}

/// What was written.
pub(crate) fn attached(reference: &str, plan: &Plan, done: &Attached, format: Format) -> Result<String, CliError> {
    if format == Format::Json {
        #[derive(Serialize)]
        struct Both<'a> {
            #[serde(flatten)]
            plan: &'a Plan,
            result: &'a Attached,
        }
        return json("AttachResult", reference, Both { plan, result: done });
    }
    let mut out = steps(reference, plan);
    for replaced in &done.replaced {
        let what = match replaced.outcome {
            Superseded::Deleted => "deleted",
            Superseded::Unlisted => "no longer listed",
            _ => "still there, superseded: the registry does not delete",
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{}: {} {what}", escape(&replaced.target.to_string()), replaced.manifest);
    }
    let (written, skipped) = (done.written.len() + done.tags.len(), done.skipped.len());
    let _ = match (written, skipped) {
        (0, _) => writeln!(out, "everything was attached already"),
        (_, 0) => writeln!(out, "attached {written}, read back and verified"),
        _ => writeln!(out, "attached {written}, read back and verified; {skipped} were there already"),
    };
    Ok(out)
}

fn steps(reference: &str, plan: &Plan) -> String {
    let mut out = format!("{}\n", escape(reference));
    out.push_str(&elsewhere(reference, &plan.repository));
    for target in &plan.targets {
        let _ = writeln!(out, "{}  {}", escape(&target.subject.name.to_string()), target.subject.descriptor.digest);
        for step in &target.steps {
            out.push_str(&line(step));
        }
        target.layers.iter().for_each(|step| out.push_str(&layer_line(step)));
    }
    out
}

/// Where evidence goes, if that is not beside the image.
pub(super) fn elsewhere(reference: &str, repository: &str) -> String {
    let beside = reference.starts_with(repository) || reference.starts_with("oci:");
    if beside { String::new() } else { format!("evidence in {}\n", escape(repository)) }
}

fn layer_line(step: &LayerStep) -> String {
    let what = kind(step.layer.predicate_type());
    let sign = if step.action == Action::Write { '+' } else { '=' };
    format!("  {sign} {what}, legacy, at {}\n", step.layer.tag())
}

fn line(step: &Step) -> String {
    let what = kind(step.bundle.predicate_type());
    let who = escape(&step.bundle.signer().identity().value);
    let mut out = match step.action {
        Action::Write => format!("  + {what} by {who}  {}\n", step.manifest),
        _ => format!("  = {what} by {who}  {} is there\n", step.manifest),
    };
    for older in &step.replaces {
        let _ = writeln!(out, "  - replaces {older}");
    }
    out
}

/// What is said of a type in one word, where there is one.
pub(crate) fn kind(predicate_type: Option<&str>) -> String {
    match predicate_type {
        None | Some(COSIGN_SIGN) => "signature".to_owned(),
        Some(other) => Family::name_of(other).map_or_else(|| escape(other), str::to_owned),
    }
}
