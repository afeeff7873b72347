//! From drafts to evidence that is attached: what is there already is neither
//! signed nor written again.

use std::str::FromStr;

use futures_util::future::join_all;
use serde::Serialize;

use super::{AttachError, Attacher, LegacyLayer, Plan, Subject, Subjects, Survey, Wanted};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::registry::Context;
use crate::sign::{
    Draft, LegacySignature, Predicate, PredicateError, Session, SignError, SignedBundle, simple_signing_payload,
};

/// In which form evidence is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Form {
    /// Sigstore bundles, which every current client reads.
    #[default]
    Bundle,
    /// Layers of tagged images, for older clients and registries that take no artifacts.
    Legacy,
    /// Both.
    Both,
}

/// A text that is no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no form: wanted bundle, legacy or both")]
pub struct FormError(String);

impl FromStr for Form {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        match text {
            "bundle" => Ok(Self::Bundle),
            "legacy" => Ok(Self::Legacy),
            "both" => Ok(Self::Both),
            other => Err(FormError(other.chars().take(40).collect())),
        }
    }
}

/// What is to be signed about a subject.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Drafted {
    /// What it is about.
    pub subject: Subject,
    /// The statement.
    pub draft: Draft,
    is_signature: bool,
}

impl Drafted {
    /// The signature of an image by this name.
    #[must_use]
    pub fn signature(subject: &Subject, name: &str) -> Self {
        let draft = Draft::signature(name, &subject.descriptor.digest);
        Self { subject: subject.clone(), draft, is_signature: true }
    }

    /// An attestation of an image by this name.
    #[must_use]
    pub fn attestation(subject: &Subject, name: &str, predicate: Predicate) -> Self {
        let draft = Draft::attestation(name, &subject.descriptor.digest, predicate);
        Self { subject: subject.clone(), draft, is_signature: false }
    }

    /// Whether a bundle is made of it: the older form signs another document for
    /// the signature of an image, and takes attestations out of their bundles.
    #[must_use]
    pub fn becomes_bundle(&self, form: Form) -> bool {
        form != Form::Legacy || !self.is_signature
    }
}

/// What is attached already of what was drafted.
#[derive(Debug, Clone, Default)]
pub struct There {
    survey: Survey,
    bundles: Vec<SignedBundle>,
    layers: Vec<LegacyLayer>,
}

/// What was signed, in the forms that were asked for.
#[derive(Debug, Default)]
pub struct Signed {
    bundles: Vec<SignedBundle>,
    payloads: Vec<(Digest, LegacySignature)>,
}

impl Signed {
    /// The bundles, in the order of the drafts that [become one](Drafted::becomes_bundle).
    #[must_use]
    pub fn bundles(&self) -> &[SignedBundle] {
        &self.bundles
    }

    /// Signs what was drafted for images of a repository by this name: with one
    /// certificate, logs and timestamps at once. The older form signs another
    /// document for the signature of an image, so that one is signed for it.
    /// Nothing gets into a log that the certificate belies.
    ///
    /// # Errors
    /// When provenance says otherwise than the certificate, a service does not
    /// answer as it should, or our verifier does not accept what was made.
    pub async fn of(
        session: &Session,
        name: &str,
        drafts: &[Drafted],
        form: Form,
        limits: &Limits,
    ) -> Result<Self, ProduceError> {
        if !drafts.is_empty() {
            let signer = session.signer().await?;
            drafts.iter().try_for_each(|drafted| drafted.draft.check_signer(&signer, limits))?;
        }
        let bundles = drafts
            .iter()
            .filter(|drafted| drafted.becomes_bundle(form))
            .map(|Drafted { draft, .. }| session.sign_statement(draft.payload(), draft.subject()));
        let bundles = join_all(bundles).await.into_iter().collect::<Result<_, _>>()?;
        let as_payload = |drafted: &&Drafted| form != Form::Bundle && drafted.is_signature;
        let payloads = drafts.iter().filter(as_payload).map(async |drafted| {
            let subject = drafted.draft.subject();
            let payload = simple_signing_payload(name, subject);
            session.sign_payload(&payload, subject).await.map(|signed| (subject.clone(), signed))
        });
        let payloads = join_all(payloads).await.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { bundles, payloads })
    }
}

/// Why nothing was produced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProduceError {
    /// The certificate says otherwise than the provenance.
    #[error("the provenance: {0}")]
    Predicate(#[from] PredicateError),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It could not be attached, or what is attached could not be read.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

impl Attacher {
    /// Leaves out of the drafts what this signer has attached already in every
    /// form that is written, before it is written into a log.
    ///
    /// # Errors
    /// When what is attached cannot be read, or the signer cannot be known.
    pub async fn missing(
        &self,
        context: &Context,
        session: &Session,
        subjects: &Subjects,
        drafts: Vec<Drafted>,
        form: Form,
    ) -> Result<(Vec<Drafted>, There), ProduceError> {
        let survey = self.survey(context, subjects, &wanted(&drafts, form)).await?;
        let mut there = There { survey, ..There::default() };
        if there.survey.bundles().next().is_none() && there.survey.layers().next().is_none() {
            return Ok((drafts, there));
        }
        let signer = session.signer().await?;
        let mut missing = Vec::new();
        for drafted in drafts {
            let bundle = there.survey.bundles().find(|bundle| bundle.says_what(&drafted.draft, &signer)).cloned();
            let layer = there.survey.layers().find(|layer| layer.says_what(&drafted.draft, &signer)).cloned();
            let everywhere = (form == Form::Legacy || bundle.is_some()) && (form == Form::Bundle || layer.is_some());
            if everywhere {
                there.bundles.extend(bundle);
                there.layers.extend(layer);
            } else {
                missing.push(drafted);
            }
        }
        Ok((missing, there))
    }

    /// The plan for what was signed. What is there takes part in it, so that it
    /// says so, and replaces what it has to.
    ///
    /// # Errors
    /// As [`Attacher::plan`], and when something has no older form.
    pub async fn plan_signed(
        &self,
        context: &Context,
        subjects: &Subjects,
        signed: &Signed,
        there: There,
        form: Form,
    ) -> Result<Plan, AttachError> {
        let mut layers = Vec::new();
        if form != Form::Bundle {
            for bundle in signed.bundles.iter().filter(|bundle| !bundle.is_signature()) {
                layers.push(self.layer_of_bundle(bundle)?);
            }
            for (subject, payload) in &signed.payloads {
                layers.push(self.layer_of_signature(payload, subject)?);
            }
        }
        let mut bundles = if form == Form::Legacy { Vec::new() } else { signed.bundles.clone() };
        bundles.extend(there.bundles);
        layers.extend(there.layers);
        self.plan_after(there.survey, context, subjects, &bundles, &layers).await
    }
}

/// What has to be known of what is attached, to tell what is missing.
pub(super) fn wanted(drafts: &[Drafted], form: Form) -> Vec<Wanted<'_>> {
    let mut wanted = Vec::new();
    for Drafted { draft, is_signature, .. } in drafts {
        let (subject, predicate_type) = (draft.subject(), Some(draft.predicate_type()));
        if form != Form::Legacy {
            wanted.push(Wanted::Bundle { subject, predicate_type });
        }
        if form != Form::Bundle {
            wanted.push(Wanted::Layer { subject, signature: *is_signature });
        }
    }
    wanted
}
