//! One report as text: the verdict, what was enforced, the matrix, what to do.

use std::collections::BTreeMap;

use cg_attest::digest::Digest;
use cg_attest::policy::Policy;
use cg_attest::report::{Report, Verdict};

use super::{matrix, refusal, signed_by};
use crate::printer::{Tone, WIDTH, escape, paint};

/// The whole text of one report.
pub(crate) fn report(report: &Report, colored: bool, stats: bool) -> String {
    let mut out = header(report, colored);
    if let Err(why) = report.facts() {
        out.push_str(&format!("{} ({})\n", escape(&why.message), why.code));
        out.push_str(&format!("  → {}\n", why.code.remedy()));
    } else {
        if let Some(line) = signed_by(report) {
            out.push_str(&line);
            out.push('\n');
        }
        out.push_str(&bases(report));
        out.push_str(&matrix::matrix(report, colored));
        out.push_str(&superseded(report));
        out.push_str(&refusal::refusals(report, colored));
    }
    for warning in report.warnings() {
        out.push_str(&format!("warning[{}]: {}\n", warning.code, escape(&warning.message)));
    }
    if stats {
        out.push_str(&costs(report));
    }
    out
}

/// `built on NAME @sha256:… (by its provenance)   preset NAME`, once for each base.
fn bases(report: &Report) -> String {
    let mut lines: Vec<String> = Vec::new();
    for base in report.bases() {
        let policy = base.policy_name();
        let line = format!("built on {} ({})   policy {policy}\n", escape(&base.image), base.source);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.concat()
}

/// `superseded: spdx of linux/amd64 @sha256:…, by a newer one of the same signer`, and of many of one kind their number.
fn superseded(report: &Report) -> String {
    let targets = report.facts().map(|facts| facts.targets.as_slice()).unwrap_or_default();
    let mut older: BTreeMap<(usize, String), Vec<&Digest>> = BTreeMap::new();
    for candidate in report.candidates().iter().filter(|candidate| report.superseded_by(candidate).is_some()) {
        let digest = candidate.manifest_digest().or(candidate.digest());
        if let (Some(kind), Some(digest)) = (candidate.predicate_type(), digest) {
            older.entry((candidate.target(), matrix::short(kind))).or_default().push(digest);
        }
    }
    let lines = older.into_iter().filter_map(|((target, kind), digests)| {
        let name = &targets.get(target)?.name;
        Some(match digests[..] {
            [digest] => {
                format!("superseded: {kind} of {name} @sha256:{}…, by a newer one of the same signer\n", digest.short())
            }
            _ => format!("superseded: {} {kind} of {name}, each by a newer one of the same signer\n", digests.len()),
        })
    });
    lines.collect()
}

/// `NAME @sha256:…   preset NAME   ACCEPTED`
fn header(report: &Report, colored: bool) -> String {
    let reference = report.reference();
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    let mut line = escape(name);
    if let Ok(facts) = report.facts() {
        line.push_str(&format!(" @{}:{}…", facts.digest.algorithm().as_str(), facts.digest.short()));
    }
    let mut judged = report.policy().map(|policy| policy_name(policy) + "   ").unwrap_or_default();
    // The verdict is what everybody looks for: it is never where a terminal breaks a line.
    let plain = verdict(report.verdict(), false).len();
    let fits = [&line, "   ", &judged].iter().map(|part| part.chars().count()).sum::<usize>() + plain <= WIDTH;
    line.push_str(if fits { "   " } else { "\n" });
    judged.push_str(&verdict(report.verdict(), colored));
    line.push_str(&format!("{judged}\n"));
    if let Some(source) = report.facts().ok().and_then(|facts| facts.source.as_deref()) {
        line.push_str(&format!("read from {}\n", escape(source)));
    }
    if let Some(repository) = report.facts().ok().and_then(|facts| facts.evidence_repository.as_deref()) {
        line.push_str(&format!("evidence from {}\n", escape(repository)));
    }
    // What changes whom we trust is said, also when it came from the environment.
    let (root, _) = report.trust_root();
    if !["tuf ", "cache ", "embedded"].iter().any(|usual| root.starts_with(usual)) {
        line.push_str(&format!("trust root: {}\n", escape(root)));
    }
    line
}

/// `preset NAME`, or what the flags say.
pub(super) fn policy_name(policy: &Policy) -> String {
    if policy.name() == "flags" { "policy from flags".to_owned() } else { format!("preset {}", policy.name()) }
}

/// The verdict in one word.
pub(super) fn verdict(verdict: Verdict, colored: bool) -> String {
    let (word, tone) = match verdict {
        Verdict::Accept => ("ACCEPTED", Tone::Good),
        Verdict::Refuse => ("REFUSED", Tone::Bad),
        _ => ("UNDECIDED", Tone::Doubt),
    };
    paint(colored, tone, word)
}

fn costs(report: &Report) -> String {
    let Some(stats) = report.stats() else { return String::new() };
    let phases: Vec<String> = stats.phases.iter().map(|(phase, ms)| format!("{phase} {ms:.1} ms")).collect();
    format!("{} requests, {} bytes; {}\n", stats.requests, stats.bytes, phases.join(", "))
}
