//! Where an image comes from, for people and as JSON.

use cg_attest::digest::Digest;
use cg_attest::policy::{Agreement, FieldAgreement, ShownLevel};
use cg_attest::signer::Signer;
use cg_attest::statement::{Dependency, Field, Provenance, Stated};
use cg_attest::time::Timestamp;
use cg_attest::verify::VerifiedBundle;
use serde::Serialize;

use super::document::one_or_lines;
use super::signer;
use crate::error::CliError;
use crate::printer::{Tone, escape, paint};

/// Dependencies that the text lists; JSON has all of them.
const SHOWN: usize = 20;

/// Provenance of one platform: verified, beside the certificate that signed it, or of nobody.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    platform: String,
    digest: Digest,
    /// Whether a policy accepts it.
    verified: bool,
    /// None where nobody signed it.
    signer: Option<Signer>,
    #[serde(skip)]
    signed_by: String,
    provenance: Provenance,
    beside_certificate: Vec<FieldAgreement>,
    slsa_level: Option<ShownLevel>,
}

impl Origin {
    pub(crate) fn new(
        platform: String,
        digest: Digest,
        bundle: &VerifiedBundle,
        now: Timestamp,
        provenance: Provenance,
    ) -> Self {
        Self {
            platform,
            digest,
            verified: true,
            signer: Some(bundle.signer().clone()),
            signed_by: signer(bundle, now),
            beside_certificate: provenance.beside(bundle.signer()),
            slsa_level: Some(provenance.level(bundle.signer())),
            provenance,
        }
    }

    /// What nobody signed.
    pub(crate) fn unsigned(platform: String, digest: Digest, provenance: Provenance) -> Self {
        Self {
            platform,
            digest,
            verified: false,
            signer: None,
            signed_by: "nobody: UNVERIFIED, and anybody can have written it".to_owned(),
            beside_certificate: provenance.alone(),
            slsa_level: None,
            provenance,
        }
    }
}

/// One document, or one line for each of several.
pub(crate) fn origins_json(origins: &[Origin]) -> Result<String, CliError> {
    one_or_lines("Provenance", origins)
}

/// One paragraph for each platform.
pub(crate) fn origins(origins: &[Origin], colored: bool) -> String {
    let paragraphs: Vec<String> = origins.iter().map(|origin| paragraph(origin, colored)).collect();
    paragraphs.join("\n")
}

fn paragraph(origin: &Origin, colored: bool) -> String {
    let provenance = &origin.provenance;
    let title = format!("{} @{}:{}…", origin.platform, origin.digest.algorithm().as_str(), origin.digest.short());
    let mut out = format!("{}\n", paint(colored, Tone::Strong, &escape(&title)));
    let mut line = |name: &str, text: &str| out.push_str(&format!("  {name:<12}  {text}\n"));
    line("signed by", &origin.signed_by);
    line("build type", &escape(provenance.build_type.as_deref().unwrap_or("not stated")));
    for beside in &origin.beside_certificate {
        line(name_of(beside.field), &field(beside));
    }
    match (provenance.started_on, provenance.finished_on) {
        (None, None) => line("built", "not stated"),
        (started, finished) => {
            let text = |time: Option<Timestamp>| time.map_or_else(|| "?".to_owned(), |time| time.to_string());
            line("built", &format!("{} to {}", text(started), text(finished)));
        }
    }
    match &origin.slsa_level {
        Some(shown) => line("SLSA", &format!("{} ({})", level(shown), shown.source)),
        None => line("SLSA", "no level: a level is what a signer shows"),
    }
    line("dependencies", &counted(&provenance.dependencies));
    for dependency in provenance.dependencies.iter().take(SHOWN) {
        out.push_str(&format!("    {}\n", one(dependency)));
    }
    out
}

fn name_of(field: Field) -> &'static str {
    match field {
        Field::SourceRepository => "source",
        Field::SourceRef => "ref",
        Field::SourceCommit => "commit",
        Field::EntryPoint => "described in",
        Field::Invocation => "run",
        Field::Builder => "builder",
        other => other.as_str(),
    }
}

/// What is said, and who says it: the certificate is the authority's word, the provenance the signer's.
fn field(beside: &FieldAgreement) -> String {
    let ours = escape(beside.provenance.value().unwrap_or_default());
    let theirs = escape(beside.certificate.as_deref().unwrap_or_default());
    match beside.agreement {
        Agreement::Equal => format!("{ours}   (as in the certificate)"),
        Agreement::Differs => format!("{ours}   (the certificate says {theirs})"),
        Agreement::NotComparable => format!("{ours}   (not comparable with the certificate's {theirs})"),
        Agreement::ProvenanceOnly => ours,
        Agreement::CertificateOnly => format!("{theirs}   (by the certificate)"),
        _ if beside.provenance == Stated::NotComparable => "the build type defines none".to_owned(),
        _ => "not stated".to_owned(),
    }
}

fn level(shown: &ShownLevel) -> String {
    match shown.number {
        0 => format!("no level: {}", shown.why),
        number => format!("level {number}: {}", shown.why),
    }
}

fn counted(dependencies: &[Dependency]) -> String {
    match dependencies.len() {
        0 => "none stated".to_owned(),
        n if n > SHOWN => format!("{n}, the first {SHOWN} are"),
        n => n.to_string(),
    }
}

fn one(dependency: &Dependency) -> String {
    let name = dependency.uri.as_deref().or(dependency.name.as_deref()).unwrap_or("without a name");
    let digests: Vec<String> = dependency.digest.iter().map(|(algorithm, hex)| format!("{algorithm}:{hex}")).collect();
    format!("{}  {}", escape(name), escape(&digests.join(" "))).trim_end().to_owned()
}
