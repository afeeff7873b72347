//! What would be attached, and what was.

use std::fmt::Write as _;

use cg_attest::attach::{Action, Attached, LayerStep, Plan, Step, Subject, Superseded};
use cg_attest::digest::Digest;
use cg_attest::evidence::TargetName;
use cg_attest::sign::Draft;
use cg_attest::statement::{COSIGN_SIGN, Family};
use serde::Serialize;

use crate::error::CliError;
use crate::printer::escape;
use crate::settings::Format;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    reference: &'a str,
    #[serde(flatten)]
    content: T,
}

fn json(kind: &'static str, reference: &str, content: impl Serialize) -> Result<String, CliError> {
    let document = Document { api_version: "cg-attest/v1", kind, reference, content };
    Ok(serde_json::to_string_pretty(&document).map_err(CliError::internal)? + "\n")
}

/// What would be written.
pub(crate) fn plan(reference: &str, plan: &Plan, format: Format) -> Result<String, CliError> {
    if format == Format::Json {
        return json("AttachPlan", reference, plan);
    }
    let mut out = steps(reference, plan);
    out.push_str("nothing was written\n");
    Ok(out)
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

/// What would be signed, exactly.
pub(crate) fn drafts(reference: &str, drafts: &[(&Subject, &Draft)], format: Format) -> Result<String, CliError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Statement<'a> {
        target: &'a TargetName,
        digest: &'a Digest,
        predicate_type: &'a str,
        /// The text that would be signed.
        statement: std::borrow::Cow<'a, str>,
    }
    let statements: Vec<_> = drafts
        .iter()
        .map(|(subject, draft)| Statement {
            target: &subject.name,
            digest: draft.subject(),
            predicate_type: draft.predicate_type(),
            statement: String::from_utf8_lossy(draft.payload()),
        })
        .collect();
    if format == Format::Json {
        #[derive(Serialize)]
        struct Content<'a> {
            statements: &'a [Statement<'a>],
        }
        return json("SigningPlan", reference, Content { statements: &statements });
    }
    let mut out = format!("{}\n", escape(reference));
    for statement in &statements {
        let (target, kind) = (escape(&statement.target.to_string()), kind(Some(statement.predicate_type)));
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{target}  {}\n  {kind}: {}", statement.digest, escape(&statement.statement));
    }
    out.push_str("nothing was signed\n");
    Ok(out)
}

fn steps(reference: &str, plan: &Plan) -> String {
    let mut out = format!("{}\n", escape(reference));
    if !reference.starts_with(&plan.repository) && !reference.starts_with("oci:") {
        let _ = writeln!(out, "evidence in {}", escape(&plan.repository));
    }
    for target in &plan.targets {
        let _ = writeln!(out, "{}  {}", escape(&target.subject.name.to_string()), target.subject.descriptor.digest);
        for step in &target.steps {
            out.push_str(&line(step));
        }
        target.layers.iter().for_each(|step| out.push_str(&layer_line(step)));
    }
    out
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
