//! Who claims to have signed, and the command that would require it.

use std::collections::BTreeMap;

use cg_attest::evidence::Decoded;
use cg_attest::statement::COSIGN_SIGN;
use serde::Serialize;

use super::text::quoted;
use super::{Inspection, matrix};

/// Somebody who claims to have signed, and what.
#[derive(Debug, Serialize)]
pub(super) struct ClaimedSigner<'a> {
    identity: Option<&'a str>,
    issuer: Option<&'a str>,
    /// Whether it is a managed key that signed.
    key: bool,
    /// How many of which types.
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
            None | Some(COSIGN_SIGN) => "signature".to_owned(),
            Some(predicate) => matrix::short(predicate),
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
    let image = quoted(&inspection.argument).filter(|_| inspection.facts.is_some());
    if let (Some(preset), Some(image)) = (&inspection.preset, &image) {
        let name = preset.name();
        out.push_str(&format!("\nThe preset {name} names the signer of this image:\n\n  cg-attest verify {image}\n"));
    }
    if signers.is_empty() {
        return out;
    }
    out.push_str("\nThese names claim to have signed. Where the publisher documents the same name,\n");
    out.push_str("for example on its web site, require it:\n");
    for signer in &signers {
        let signed: Vec<String> = signer.signed.iter().map(|(what, count)| format!("{count} {what}")).collect();
        out.push_str(&format!("\n  # {}\n", signed.join(", ")));
        // A name that a terminal or a shell would change is not offered for copying.
        let flags = match (signer.key, signer.identity, signer.issuer) {
            (true, ..) => Some("--key FILE".to_owned()),
            (false, Some(identity), Some(issuer)) => quoted(identity)
                .zip(quoted(issuer))
                .map(|(identity, issuer)| format!("--identity {identity} \\\n    --issuer {issuer}")),
            _ => None,
        };
        match (flags, &image) {
            (Some(flags), Some(image)) => {
                out.push_str(&format!("  cg-attest verify {image} \\\n    {flags}\n"));
            }
            (Some(flags), None) => out.push_str(&format!("    {flags}\n")),
            (None, _) => out.push_str("  a name with unprintable characters, or without an issuer; do not trust it\n"),
        }
    }
    out
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
