//! What signing and attaching would write, before anybody has signed: the plan of a dry run.
//!
//! It reads what a run reads. What it cannot know is who will sign, because
//! nobody is asked for a certificate; where that decides, it says so.

use serde::Serialize;

use super::produce::wanted;
use super::{AttachError, Attacher, Conflict, Drafted, Form, Subjects, Survey};
use crate::digest::Digest;
use crate::registry::Context;
use crate::sign::{Held, Signatory};
use crate::time::Timestamp;

/// What a run would write, as far as that is known before it signs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Preview {
    /// The repository that would be written to.
    pub repository: String,
    /// The digest of the image.
    pub image: Digest,
    /// What happens where the same is attached already.
    pub conflict: Conflict,
    /// One for each draft, in their order.
    pub drafts: Vec<PreviewedDraft>,
}

/// What would become of one draft.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreviewedDraft {
    /// The draft.
    pub drafted: Drafted,
    /// One for each form that was asked for.
    pub forms: Vec<PreviewedForm>,
}

/// What would become of one draft in one form.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreviewedForm {
    /// Which of the two.
    pub form: Form,
    /// Whether it would be signed and attached.
    pub action: Outlook,
    /// What is attached of this type, and holds.
    pub existing: Vec<Seen>,
}

/// Whether a draft would be signed and attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outlook {
    /// It would.
    Write,
    /// It would not: the same is attached.
    Skip,
    /// It would not if whoever signs is the one who signed the same before.
    DependsOnSigner,
}

/// Something that is attached, of the type of a draft.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Seen {
    /// The manifest that attaches it; in the older form its layer.
    pub digest: Digest,
    /// Who signed it.
    pub identity: String,
    /// Who vouched for that name; none for a key.
    pub issuer: Option<String>,
    /// Its earliest verified time.
    pub time: Option<Timestamp>,
    /// Whether it says the same.
    pub same: bool,
    /// Whether it is by whoever would sign; none if that is not known.
    pub ours: Option<bool>,
    /// Whether it would be replaced; none if that hangs on who signs.
    pub replaced: Option<bool>,
}

impl Preview {
    /// How many drafts would be signed, would not, and may be.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let count = |outlook| self.drafts.iter().filter(|draft| draft.outlook() == outlook).count();
        [Outlook::Write, Outlook::Skip, Outlook::DependsOnSigner].map(count)
    }
}

impl PreviewedDraft {
    /// Whether it would be signed: it is if one of its forms is missing, and if there are none.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let is = |outlook| move |form: &PreviewedForm| form.action == outlook;
        match () {
            () if self.forms.is_empty() || self.forms.iter().any(is(Outlook::Write)) => Outlook::Write,
            () if self.forms.iter().all(is(Outlook::Skip)) => Outlook::Skip,
            () => Outlook::DependsOnSigner,
        }
    }
}

impl Attacher {
    /// What [`Attacher::missing`], signing, and [`Attacher::apply`] would do
    /// with these drafts in a form; in none, what is attached is not asked for
    /// and everything would be signed. Nobody signs, and nothing is written.
    ///
    /// # Errors
    /// When what is attached cannot be read.
    pub async fn preview(
        &self,
        context: &Context,
        subjects: &Subjects,
        drafts: Vec<Drafted>,
        form: Option<Form>,
        signatory: &Signatory,
    ) -> Result<Preview, AttachError> {
        let wanted = form.map(|form| wanted(&drafts, form)).unwrap_or_default();
        let survey = self.survey(context, subjects, &wanted).await?;
        let forms = match form {
            None => Vec::new(),
            Some(Form::Bundle) => vec![(Form::Bundle, bundles(&survey))],
            Some(Form::Legacy) => vec![(Form::Legacy, layers(&survey))],
            Some(Form::Both) => vec![(Form::Bundle, bundles(&survey)), (Form::Legacy, layers(&survey))],
        };
        let previewed = (0..drafts.len())
            .map(|at| forms.iter().map(|(form, found)| self.foresee(*form, found, &drafts, at, signatory)).collect());
        let forms: Vec<Vec<PreviewedForm>> = previewed.collect();
        Ok(Preview {
            repository: self.place().to_string(),
            image: subjects.image().descriptor.digest.clone(),
            conflict: self.conflict,
            drafts: drafts.into_iter().zip(forms).map(|(drafted, forms)| PreviewedDraft { drafted, forms }).collect(),
        })
    }

    /// One draft in one form, beside what was `found` of it.
    fn foresee(
        &self,
        form: Form,
        found: &[(&Digest, &Held)],
        drafts: &[Drafted],
        at: usize,
        signatory: &Signatory,
    ) -> PreviewedForm {
        let draft = &drafts[at].draft;
        let alike = || drafts.iter().map(|drafted| &drafted.draft);
        // Of several drafts of a type, the first replaces, and each is told of what says the same.
        let first = alike()
            .position(|other| (other.subject(), other.predicate_type()) == (draft.subject(), draft.predicate_type()));
        let existing: Vec<Seen> = found
            .iter()
            .filter(|(_, held)| {
                held.says(draft) || held.is_like(draft) && first == Some(at) && !alike().any(|other| held.says(other))
            })
            .map(|(digest, held)| {
                let (same, signer) = (held.says(draft), held.bundle().signer());
                let ours = signatory.is(signer);
                Seen {
                    digest: (*digest).clone(),
                    identity: signer.identity().value.clone(),
                    issuer: signer.issuer().map(str::to_owned),
                    time: held.bundle().times().first().map(|verified| verified.time),
                    same,
                    ours,
                    replaced: if same || self.conflict != Conflict::Replace { Some(false) } else { ours },
                }
            })
            .collect();
        let same = |ours| existing.iter().any(|seen| seen.same && seen.ours == ours);
        let action = match () {
            () if self.conflict == Conflict::Append => Outlook::Write,
            () if same(Some(true)) => Outlook::Skip,
            () if same(None) => Outlook::DependsOnSigner,
            () => Outlook::Write,
        };
        PreviewedForm { form, action, existing }
    }
}

fn bundles(survey: &Survey) -> Vec<(&Digest, &Held)> {
    let found = survey.bundles.values().flat_map(|found| &found.bundles);
    found.map(|existing| (&existing.manifest, existing.bundle.held())).collect()
}

fn layers(survey: &Survey) -> Vec<(&Digest, &Held)> {
    survey.layers().map(|layer| (layer.blob.digest(), &layer.held)).collect()
}
