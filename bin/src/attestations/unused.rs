//! What is attached and was not asked for: named, so that nobody takes a
//! generated document for the publisher's.

use cg_attest::discover::{self, ImageRequest};
use cg_attest::evidence::{Candidate, Decoded, Reading};
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Pull};
use cg_attest::statement::Family;

use crate::printer::{Printer, escape};

/// Lines at most: whoever may write to the repository can attach any number.
const SHOWN: usize = 5;

/// What shows the words of nobody.
const ALLOW: &str = "`--source attached --allow-unsigned`";

/// Says which SBOMs are attached, and who claims to have signed them.
pub(crate) async fn name_unused_sboms(
    pull: &dyn Pull,
    limits: &Limits,
    evidence: &Repository,
    request: &ImageRequest,
    printer: &Printer,
) {
    let context = Context::new(limits.clone());
    let is_sbom = |text: &str| matches!(Family::name_of(text), Some("spdx" | "cyclonedx"));
    let wanted = |hint: Option<&str>| hint.is_none_or(is_sbom);
    let decode = |candidate: &Candidate| Decoded::of(candidate, limits);
    let read = match discover::everything(pull, &context, evidence, request, wanted, decode).await {
        Ok(read) => read,
        Err(error) => {
            printer.note(&format!("what is attached could not be listed: {}", escape(&error.to_string())));
            return;
        }
    };
    let mut lines: Vec<String> = read.found.iter().filter_map(|found| line(found, is_sbom)).collect();
    lines.sort();
    lines.dedup();
    for line in lines.iter().take(SHOWN) {
        printer.note(line);
    }
    if lines.len() > SHOWN {
        printer.note(&format!("… and {} more; `cg-attest tree IMAGE` shows them", lines.len() - SHOWN));
    }
}

fn line(found: &Decoded, is_sbom: impl Fn(&str) -> bool) -> Option<String> {
    // An index does not say of which type they are, and they are read on request only.
    if found.reading == Reading::Unsigned && found.predicate_type().is_none() {
        return Some(format!("attached and not read: what BuildKit says and nobody signed; {ALLOW} prints its SBOM"));
    }
    let name = found.predicate_type().filter(|text| is_sbom(text)).and_then(Family::name_of)?;
    if found.reading == Reading::Unsigned {
        return Some(format!("attached and not used: an unsigned {name} document of BuildKit; {ALLOW} prints it"));
    }
    let bundle = found.bundle.as_ref()?;
    let Some(certificate) = &bundle.certificate else {
        return Some(format!("attached and not used: {name}, signed with a key; `--key FILE` verifies and prints it"));
    };
    let identity = escape(&certificate.identity.value);
    let issuer = escape(certificate.issuer.as_deref().unwrap_or_default());
    Some(format!(
        "attached and not used: {name}, which {identity} claims to have signed; `--identity {identity} --issuer {issuer}` verifies and prints it"
    ))
}
