//! Decoded evidence as text. All of it is marked as unverified.

use cg_attest::digest::Digest;
use cg_attest::evidence::{
    Decoded, Listing, Reading, Unread, UnverifiedBundle, UnverifiedCertificate, UnverifiedContent, UnverifiedLogEntry,
};
use cg_attest::policy::Preset;
use cg_attest::signer::IdentityKind;
use cg_attest::statement::COSIGN_SIGN;
use cg_attest::verify::ImageFacts;

use super::claimed::next;
use super::matrix;
use super::text::size;
use crate::printer::{Tone, escape, paint};

/// What `inspect` found.
pub(crate) struct Inspection {
    /// The image or file, as the user wrote it.
    pub(crate) argument: String,
    /// What is known of the image; nothing where a file was decoded.
    pub(crate) facts: Option<ImageFacts>,
    pub(crate) listings: Vec<Listing>,
    pub(crate) found: Vec<Decoded>,
    /// The preset that goes with the image's name.
    pub(crate) preset: Option<Preset>,
}

const WARNING: &str = "UNVERIFIED: nothing below was checked. Whoever may write to the repository
can attach anything, by any name. `cg-attest verify` checks.
";

/// The text.
pub(crate) fn inspection(inspection: &Inspection, colored: bool) -> String {
    let mut out = paint(colored, Tone::Bad, WARNING.trim_end()) + "\n\n";
    match &inspection.facts {
        None => {
            out.push_str(&format!("{}\n", escape(&inspection.argument)));
            inspection.found.iter().for_each(|found| out.push_str(&evidence(found, None, colored)));
        }
        Some(facts) => {
            let name = facts.reference.split_once('@').map_or(facts.reference.as_str(), |(name, _)| name);
            out.push_str(&format!("{} @sha256:{}…\n", escape(name), facts.digest.short()));
            if let Some(source) = &facts.source {
                out.push_str(&format!("read from {}\n", escape(source)));
            }
            targets(inspection, facts, colored, &mut out);
        }
    }
    out.push_str(&next(inspection));
    out
}

fn targets(inspection: &Inspection, facts: &ImageFacts, colored: bool, out: &mut String) {
    for (n, target) in facts.targets.iter().enumerate() {
        let title = paint(colored, Tone::Strong, &target.name.to_string());
        out.push_str(&format!("\n{title}  {}\n", target.digest));
        let mut none = true;
        for listing in inspection.listings.iter().filter(|listing| listing.target == n) {
            if let Some(failure) = &listing.failure {
                none = false;
                let text = format!("! {} could not be listed", listing.kind);
                out.push_str(&format!("  {}\n{}", paint(colored, Tone::Doubt, &text), problem(failure)));
            }
        }
        for found in inspection.found.iter().filter(|found| found.target == n) {
            none = false;
            out.push_str(&evidence(found, Some(&target.digest), colored));
        }
        if none {
            out.push_str("  nothing is attached\n");
        }
    }
}

/// A line of a name and a value; further lines of the same name leave it out.
fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(&format!("    {name:<11}  {value}\n"));
}

fn problem(problem: &Unread) -> String {
    format!("    {} ({})\n", escape(&problem.detail), problem.code)
}

fn evidence(found: &Decoded, target: Option<&Digest>, colored: bool) -> String {
    let kind = match (&found.bundle, found.predicate_type()) {
        (_, Some(COSIGN_SIGN)) => "signature".to_owned(),
        (_, Some(predicate)) => matrix::short(predicate),
        (Some(bundle), None) if signs_image(bundle) => "signature".to_owned(),
        (_, None) if found.reading == Reading::Unsigned => "attestations".to_owned(),
        (_, None) => "evidence".to_owned(),
    };
    let kind = paint(colored, Tone::Strong, &kind);
    let mut out = format!("\n  {kind}  {}, {}\n", found.origin.kind.as_str(), size(found.size));
    if let Some(digest) = &found.digest {
        field(&mut out, "digest", &digest.to_string());
    }
    match (found.reading, &found.problem) {
        (Reading::Unsigned, _) => field(&mut out, "unsigned", "nobody signed it; it satisfies no policy"),
        (Reading::Unread, Some(why)) => out.push_str(&format!("    could not be read:\n{}", problem(why))),
        (_, Some(why)) => out.push_str(&format!("    cannot be decoded:\n{}", problem(why))),
        _ => {}
    }
    if let Some(bundle) = &found.bundle {
        content(&mut out, &bundle.content, target);
        signer(&mut out, bundle);
        log(&mut out, bundle);
    }
    out
}

/// A signature of an image, as opposed to an attestation.
fn signs_image(bundle: &UnverifiedBundle) -> bool {
    matches!(&bundle.content, UnverifiedContent::SimpleSigning { .. } | UnverifiedContent::Message { .. })
}

fn content(out: &mut String, content: &UnverifiedContent, target: Option<&Digest>) {
    let about = |text: &str| match target {
        Some(target) if target.to_string() == text => "this digest".to_owned(),
        Some(_) => format!("{} (another digest)", escape(text)),
        None => escape(text),
    };
    match content {
        UnverifiedContent::Statement { statement_type, subjects, predicate_type, predicate_size } => {
            field(out, "type", &escape(statement_type));
            field(out, "predicate", &format!("{}, {}", escape(predicate_type), size(*predicate_size)));
            let digests = subjects.iter().flat_map(|subject| {
                subject.digests.iter().map(|(algorithm, hex)| (&subject.name, format!("{algorithm}:{hex}")))
            });
            for (n, (name, digest)) in digests.enumerate() {
                let name = if name.is_empty() { String::new() } else { format!(", as {}", escape(name)) };
                field(out, if n == 0 { "about" } else { "" }, &format!("{}{name}", about(&digest)));
            }
        }
        UnverifiedContent::SimpleSigning { digest, docker_reference } => {
            field(out, "about", &format!("{}, as {}", about(&digest.to_string()), escape(docker_reference)));
        }
        UnverifiedContent::Message { digest: Some(digest) } => field(out, "about", &about(&digest.to_string())),
        UnverifiedContent::Message { digest: None } => field(out, "about", "a message that it does not name"),
        UnverifiedContent::Other { payload_type, size: bytes } => {
            field(out, "payload", &format!("{}, {}", escape(payload_type), size(*bytes)));
        }
        UnverifiedContent::Invalid { problem: why } => {
            out.push_str(&format!("    what is signed cannot be decoded:\n{}", problem(why)));
        }
        _ => {}
    }
}

fn signer(out: &mut String, bundle: &UnverifiedBundle) {
    if let Some(certificate) = &bundle.certificate {
        field(out, "identity", &format!("{}{}", escape(&certificate.identity.value), kind_of(certificate)));
        field(out, "issuer", &certificate.issuer.as_deref().map_or_else(|| "none".to_owned(), escape));
        field(out, "certificate", &format!("valid {} to {}", certificate.not_before, certificate.not_after));
        if let Some(sha256) = &certificate.sha256 {
            field(out, "", &format!("sha256:{sha256}"));
        }
        for (n, (name, value)) in claims(certificate).into_iter().enumerate() {
            field(out, if n == 0 { "claims" } else { "" }, &format!("{name}={}", escape(value)));
        }
    } else if let Some(why) = &bundle.certificate_problem {
        field(out, "certificate", &escape(why));
    } else {
        let hint = bundle.key_hint.as_deref().map_or_else(|| "none: which key signed is not said".to_owned(), escape);
        field(out, "key hint", &hint);
    }
}

/// The kind of name, where it is not the usual one.
fn kind_of(certificate: &UnverifiedCertificate) -> &'static str {
    match certificate.identity.kind {
        IdentityKind::Uri => "",
        IdentityKind::Email => " (e-mail)",
        IdentityKind::Username => " (user name)",
        _ => " (another kind of name)",
    }
}

/// The claims without repetitions: one name for each value, the newer ones
/// first, and none for the identity and the issuer themselves.
fn claims(certificate: &UnverifiedCertificate) -> Vec<(&'static str, &str)> {
    let old = |name: &str| name.starts_with("githubWorkflow") || name == "issuerV1";
    let mut all: Vec<_> = certificate.claims.iter().collect();
    all.sort_by_key(|(name, _)| old(name));
    let mut said = vec![certificate.identity.value.as_str()];
    said.extend(certificate.issuer.as_deref());
    all.retain(|(name, value)| {
        let new = !said.contains(value);
        said.push(value);
        new || !(old(name) || name.ends_with("URI") || *name == "issuer" || name.ends_with("Digest"))
    });
    all
}

fn log(out: &mut String, bundle: &UnverifiedBundle) {
    let entry = |entry: &UnverifiedLogEntry| {
        let evidence = match (entry.proof, entry.promise) {
            (true, true) => "proof and promise",
            (true, false) => "proof",
            (false, true) => "promise only",
            (false, false) => "neither proof nor promise",
        };
        let time = entry.integrated_time.map(|time| format!(", {time}")).unwrap_or_default();
        let id: String = entry.log_id.chars().take(12).collect();
        format!("{} in {id}…, {}{time}, {evidence}", entry.index, entry.kind)
    };
    for (n, text) in bundle.log_entries.iter().map(entry).enumerate() {
        field(out, if n == 0 { "log" } else { "" }, &text);
    }
    if bundle.log_entries.is_empty() {
        field(out, "log", "no entry");
    }
    for (n, timestamp) in bundle.timestamps.iter().enumerate() {
        let time = timestamp.time.map_or_else(|| "a timestamp whose time cannot be read".to_owned(), |t| t.to_string());
        field(out, if n == 0 { "timestamp" } else { "" }, &time);
    }
}
