//! Who claims to have signed, and the command that would require it.

use std::collections::BTreeMap;

use cg_attest::evidence::Decoded;
use cg_attest::statement::{COSIGN_SIGN, Family};
use serde::Serialize;

use super::text::quoted;
use super::{Inspection, matrix};

/// Signers in the text: whoever may write to the repository can make up any number.
const SHOWN: usize = 10;

/// What a signature of the image is called among the types.
const SIGNATURE: &str = "signature";

/// Somebody who claims to have signed, and what.
#[derive(Debug, Serialize)]
pub(super) struct ClaimedSigner<'a> {
    identity: Option<&'a str>,
    issuer: Option<&'a str>,
    /// Whether it is a managed key that signed.
    key: bool,
    /// How many of which types: families by their name, others by their URI.
    signed: BTreeMap<String, usize>,
}

/// Everybody who claims to have signed, those who signed most first.
pub(super) fn signers(found: &[Decoded]) -> Vec<ClaimedSigner<'_>> {
    let mut signers: Vec<ClaimedSigner<'_>> = Vec::new();
    for decoded in found {
        let Some(bundle) = decoded.bundle.as_ref().filter(|bundle| bundle.certificate_problem.is_none()) else {
            continue;
        };
        let certificate = bundle.certificate.as_ref();
        let identity = certificate.map(|c| c.identity.value.as_str()).or(bundle.key_hint.as_deref());
        let issuer = certificate.and_then(|c| c.issuer.as_deref());
        let key = certificate.is_none();
        let what = match decoded.predicate_type() {
            None | Some(COSIGN_SIGN) => SIGNATURE.to_owned(),
            Some(predicate) => Family::name_of(predicate).unwrap_or(predicate).to_owned(),
        };
        let same = |s: &ClaimedSigner<'_>| (s.identity, s.issuer, s.key) == (identity, issuer, key);
        let n = signers.iter().position(same).unwrap_or_else(|| {
            signers.push(ClaimedSigner { identity, issuer, key, signed: BTreeMap::new() });
            signers.len() - 1
        });
        *signers[n].signed.entry(what).or_default() += 1;
    }
    signers.sort_by_key(|signer| std::cmp::Reverse(signer.signed.values().sum::<usize>()));
    signers
}

/// What to do with all this: the flags for each signer, as a command to copy.
pub(super) fn next(inspection: &Inspection) -> String {
    let signers = signers(&inspection.found);
    let mut out = String::new();
    if let Some((preset, image)) = inspection.preset.as_ref().zip(quoted(&inspection.argument)) {
        let name = preset.name();
        out.push_str(&format!("\nThe preset {name} names the signer of this image:\n\n  cg-attest verify {image}\n"));
    }
    if signers.is_empty() {
        return out;
    }
    out.push_str("\nThese names claim to have signed. Where the publisher documents the same name,\n");
    out.push_str("for example on its web site, require it:\n");
    for signer in signers.iter().take(SHOWN) {
        let signed = signer.signed.iter().map(|(what, count)| format!("{count} {}", matrix::short(what)));
        out.push_str(&format!("\n  # {}\n", signed.collect::<Vec<_>>().join(", ")));
        match command(inspection, signer) {
            Some(command) => out.push_str(&command),
            None => out.push_str("  a name that cannot be copied as it looks, or without an issuer; do not trust it\n"),
        }
    }
    if signers.len() > SHOWN {
        out.push_str(&format!("\n… and {} more; `-o json` has them all\n", signers.len() - SHOWN));
    }
    out
}

/// The command that requires a signer. `None` where a part of it would not be
/// what it looks like: that is not for copying.
fn command(inspection: &Inspection, signer: &ClaimedSigner<'_>) -> Option<String> {
    let flags = match (signer.key, signer.identity, signer.issuer) {
        (true, ..) => "--key FILE".to_owned(),
        (false, Some(identity), Some(issuer)) => {
            format!("--identity {} \\\n    --issuer {}", quoted(identity)?, quoted(issuer)?)
        }
        _ => return None,
    };
    let argument = quoted(&inspection.argument)?;
    let types: Vec<&str> = signer.signed.keys().map(String::as_str).filter(|what| *what != SIGNATURE).collect();
    // Several types are joined by commas, which may also stand in a URI.
    let types = quoted(&types.join(",")).filter(|_| !types.iter().any(|what| what.contains(',')));
    // A signature is what is required by default.
    let types = types.filter(|_| !signer.signed.contains_key(SIGNATURE));
    let (verb, flag) = if inspection.facts.is_some() {
        (format!("verify {argument}"), "--require")
    } else {
        (format!("verify-blob FILE --bundle {argument}"), "--type")
    };
    let types = types.map(|types| format!(" {flag} {types}")).unwrap_or_default();
    Some(format!("  cg-attest {verb}{types} \\\n    {flags}\n"))
}

#[cfg(test)]
mod tests {
    use cg_attest::digest::Digest;
    use cg_attest::policy::Preset;
    use cg_attest::verify::ImageFacts;

    use super::*;

    #[test]
    fn a_preset_of_the_name_is_mentioned() {
        let facts = ImageFacts::new("cgr.dev/chainguard/nginx", Digest::sha256(b"image"), "", Vec::new());
        let argument = "cgr.dev/chainguard/nginx".to_owned();
        let mut inspection =
            Inspection { argument, facts: Some(facts), listings: Vec::new(), found: Vec::new(), preset: None };
        assert_eq!(next(&inspection), "");
        inspection.preset = Some(Preset::ChainguardPublic);
        let text = next(&inspection);
        assert!(text.contains("preset chainguard-public") && text.ends_with("verify cgr.dev/chainguard/nginx\n"));
    }
}
