//! What `sign` and `attest` would do: the plan of a dry run, with every statement as it would be signed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use cg_attest::attach::{Conflict, Form, Outlook, Preview, PreviewedDraft, PreviewedForm, Seen};
use cg_attest::digest::Digest;
use cg_attest::evidence::TargetName;
use cg_attest::sign::{Endpoint, Services, Signatory};
use serde::Serialize;

use super::attaching::{elsewhere, json, kind};
use crate::error::CliError;
use crate::printer::escape;
use crate::settings::Format;

/// Everything that a dry run knows.
pub(crate) struct Intent<'a> {
    pub(crate) reference: &'a str,
    pub(crate) preview: &'a Preview,
    pub(crate) signatory: &'a Signatory,
    pub(crate) services: &'a Services,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    repository: &'a str,
    image: &'a Digest,
    conflict: Conflict,
    signer: Signer<'a>,
    services: Named<'a>,
    statements: Vec<Statement<'a>>,
}

/// Null where it is not known before somebody logs in.
#[derive(Serialize)]
struct Signer<'a> {
    identity: Option<&'a str>,
    issuer: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    certificate_authority: Option<&'a str>,
    logs: Vec<&'a str>,
    timestamp_authorities: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    target: &'a TargetName,
    digest: &'a Digest,
    predicate_type: &'a str,
    action: Outlook,
    forms: &'a [PreviewedForm],
    /// The text that would be signed.
    statement: Cow<'a, str>,
}

impl Intent<'_> {
    pub(crate) fn render(&self, format: Format) -> Result<String, CliError> {
        if format == Format::Json { json("SigningPlan", self.reference, self.content()) } else { Ok(self.text()) }
    }

    fn content(&self) -> Content<'_> {
        let Self { preview, signatory, services, .. } = self;
        let statements = preview.drafts.iter().map(|previewed| {
            let draft = &previewed.drafted.draft;
            Statement {
                target: &previewed.drafted.subject.name,
                digest: draft.subject(),
                predicate_type: draft.predicate_type(),
                action: previewed.outlook(),
                forms: &previewed.forms,
                statement: String::from_utf8_lossy(draft.payload()),
            }
        });
        Content {
            repository: &preview.repository,
            image: &preview.image,
            conflict: preview.conflict,
            signer: Signer { identity: signatory.name(), issuer: signatory.issuer() },
            services: Named {
                certificate_authority: services.authority().map(Endpoint::url),
                logs: services.logs().iter().map(Endpoint::url).collect(),
                timestamp_authorities: services.timestamps().iter().map(Endpoint::url).collect(),
            },
            statements: statements.collect(),
        }
    }

    fn text(&self) -> String {
        let mut out = format!("{}\n{}", escape(self.reference), elsewhere(self.reference, &self.preview.repository));
        out += &self.signer();
        out += &self.services();
        let drafts = &self.preview.drafts;
        let mut told = BTreeSet::new();
        for subject in drafts.iter().map(|previewed| &previewed.drafted.subject) {
            let digest = &subject.descriptor.digest;
            if told.insert(digest) {
                // Writing to a `String` cannot fail.
                let _ = writeln!(out, "{}  {digest}", escape(&subject.name.to_string()));
                let of = drafts.iter().filter(|previewed| previewed.drafted.subject.descriptor.digest == *digest);
                out.extend(of.map(statement));
            }
        }
        let [written, there, open] = self.preview.counts();
        let mut told = vec![format!("{written} would be signed")];
        told.extend((there > 0).then(|| format!("{there} would not, being there")));
        told.extend((open > 0).then(|| format!("{open} would not if the signer is the same")));
        let _ = writeln!(out, "{}; nothing was signed or written", told.join(", "));
        out
    }

    fn signer(&self) -> String {
        match (self.signatory.name(), self.signatory.issuer()) {
            (Some(name), Some(issuer)) => format!("signer: {} ({})\n", escape(name), escape(issuer)),
            (Some(key), None) => format!("signer: the key {}\n", escape(key)),
            (None, Some(issuer)) => format!("signer: a name that {} vouches for\n", escape(issuer)),
            (None, None) => "signer: not known before a login\n".to_owned(),
        }
    }

    fn services(&self) -> String {
        let urls = |all: &[Endpoint]| all.iter().map(|e| escape(e.url())).collect::<Vec<_>>().join(", ");
        let mut told = Vec::new();
        // A key has no issuer, and needs no certificate.
        let certified = self.signatory.issuer().is_some() || self.signatory.name().is_none();
        told.extend(
            self.services.authority().filter(|_| certified).map(|e| format!("certificate {}", escape(e.url()))),
        );
        told.push(format!("log {}", urls(self.services.logs())));
        let timestamps = self.services.timestamps();
        told.extend((!timestamps.is_empty()).then(|| format!("timestamp {}", urls(timestamps))));
        format!("services: {}\n", told.join(", "))
    }
}

/// What becomes of one draft in each form, and what it says.
fn statement(previewed: &PreviewedDraft) -> String {
    let draft = &previewed.drafted.draft;
    let what = kind(Some(draft.predicate_type()));
    let mut out = String::new();
    for form in &previewed.forms {
        let what = if form.form == Form::Legacy { format!("{what}, legacy") } else { what.clone() };
        let of = |ours| form.existing.iter().find(move |seen| seen.same && seen.ours == ours);
        out += &match (form.action, of(Some(true)), of(None)) {
            (Outlook::Skip, Some(seen), _) => format!("  = {what}  {} is there\n", seen.digest),
            (Outlook::DependsOnSigner, _, Some(seen)) => {
                format!("  ? {what}  {} is there, by {}\n", seen.digest, by(seen))
            }
            _ => format!("  + {what}\n"),
        };
        for seen in &form.existing {
            out += &match seen.replaced {
                Some(true) => format!("  - replaces {}\n", seen.digest),
                None => format!("  ? replaces {}, if {} signs\n", seen.digest, by(seen)),
                Some(false) => String::new(),
            };
        }
    }
    if previewed.forms.is_empty() {
        out += &format!("  + {what}, into a file\n");
    }
    format!("{out}    {}\n", escape(&String::from_utf8_lossy(draft.payload())))
}

fn by(seen: &Seen) -> String {
    escape(&seen.identity)
}
