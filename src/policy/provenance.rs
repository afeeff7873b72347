//! What provenance has to say: of the source, of the builder, and of both
//! beside the certificate (scenario G-16).

use super::agreement::normal;
use super::level::level_row;
use super::{Agreement, FieldAgreement, Matched, Pattern, PolicyError, SlsaLevel};
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::limits::Limits;
use crate::signer::{BuildClaims, Signer};
use crate::statement::{Field, Provenance, Statement, canonical_repository};

/// What the provenance of an image has to say.
///
/// Every witness that speaks of something has to say what is asked, and at
/// least one has to speak: the certificate, for which the authority vouches,
/// and the provenance, for which the signer does. Where the build type defines
/// a field to be what the certificate says, the two are compared with each
/// other as well; elsewhere they are not comparable, which is never a finding.
#[derive(Debug, Clone, Default)]
pub struct ProvenanceRules {
    pub(super) repository: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) builders: Vec<Pattern>,
    pub(super) build_type: Option<String>,
    pub(super) level: Option<SlsaLevel>,
    agreement: bool,
}

/// The row of one rule: `None` where nothing asks.
pub(crate) type ProvenanceRow = (CheckName, Option<Result<String, Failure>>);

impl ProvenanceRules {
    /// Nothing asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Built from this repository: `https://HOST/PATH`, or any other way to write the same address.
    ///
    /// # Errors
    /// When the text is no address of a repository.
    pub fn source_repository(self, text: &str) -> Result<Self, PolicyError> {
        let wrong = || PolicyError::Source("repository", text.chars().take(200).collect(), "https://HOST/PATH");
        Ok(Self { repository: Some(canonical_repository(text).ok_or_else(wrong)?), ..self })
    }

    /// Built from this branch or tag, in full: `refs/heads/main`, `refs/tags/v1`.
    ///
    /// # Errors
    /// When the text does not begin with `refs/`: a bare name could be a branch, or a tag that somebody gave the same name.
    pub fn source_ref(self, text: &str) -> Result<Self, PolicyError> {
        let is_ref =
            text.strip_prefix("refs/").is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace));
        if !is_ref {
            let wanted = "refs/heads/BRANCH or refs/tags/TAG";
            return Err(PolicyError::Source("ref", text.chars().take(200).collect(), wanted));
        }
        Ok(Self { reference: Some(text.to_owned()), ..self })
    }

    /// Built from this commit, in full: 40 or 64 lower-case hex digits.
    ///
    /// # Errors
    /// When the text is anything else; the beginning of a commit names several.
    pub fn source_commit(self, text: &str) -> Result<Self, PolicyError> {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !digits || !matches!(text.len(), 40 | 64) {
            let wanted = "40 or 64 lower-case hex digits";
            return Err(PolicyError::Source("commit", text.chars().take(200).collect(), wanted));
        }
        Ok(Self { commit: Some(text.to_owned()), ..self })
    }

    /// Built by a builder whose id matches in full; several are alternatives.
    #[must_use]
    pub fn builder(mut self, pattern: Pattern) -> Self {
        self.builders.push(pattern);
        self
    }

    /// Of this build type, exactly.
    #[must_use]
    pub fn build_type(self, uri: &str) -> Self {
        Self { build_type: Some(uri.to_owned()), ..self }
    }

    /// Of a SLSA build level that signer, builder and build type together show.
    #[must_use]
    pub fn slsa_level(self, level: SlsaLevel) -> Self {
        Self { level: Some(level), ..self }
    }

    /// In agreement with its certificate, and nothing else. Every other rule asks this as well.
    #[must_use]
    pub fn agreeing(self) -> Self {
        Self { agreement: true, ..self }
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.agreement && !self.asks_source() && !self.asks_builder() && self.level.is_none()
    }

    fn asks_source(&self) -> bool {
        self.repository.is_some() || self.reference.is_some() || self.commit.is_some()
    }

    fn asks_builder(&self) -> bool {
        !self.builders.is_empty() || self.build_type.is_some()
    }

    /// The rows of one candidate: the certificate and the provenance that are
    /// judged together are always those of the same bundle.
    pub(crate) fn check(&self, signer: &Signer, statement: &Statement, limits: &Limits) -> Vec<ProvenanceRow> {
        if self.is_empty() {
            return Vec::new();
        }
        let provenance = match Provenance::parse(statement.predicate_type(), statement.predicate(), limits) {
            Ok(provenance) => provenance,
            Err(error) => {
                let failure = Failure::new(CheckName::Provenance, error.code(), error.to_string());
                return vec![(CheckName::Provenance, Some(Err(failure)))];
            }
        };
        vec![
            (CheckName::Provenance, Some(agreement(&provenance.beside(signer)))),
            (CheckName::Source, self.asks_source().then(|| self.source(&provenance, &signer.build()))),
            (CheckName::Builder, self.asks_builder().then(|| self.of_builder(&provenance))),
            (CheckName::SlsaLevel, self.level.map(|level| level_row(level, signer, &provenance))),
        ]
    }

    fn source(&self, provenance: &Provenance, claims: &BuildClaims) -> Result<String, Failure> {
        let asked = [
            (Field::SourceRepository, &self.repository),
            (Field::SourceRef, &self.reference),
            (Field::SourceCommit, &self.commit),
        ];
        let mut details = Vec::new();
        for (field, wanted) in asked {
            let Some(wanted) = wanted else { continue };
            let beside = provenance.field_beside(field, claims);
            let witnesses = [("certificate", beside.certificate.as_deref()), ("provenance", beside.provenance.value())];
            let mut said = Vec::new();
            for (witness, found) in witnesses {
                let Some(found) = found else { continue };
                if normal(field, found) != *wanted {
                    let detail = format!("{field}: wanted {wanted}, found {found} in the {witness}");
                    let failure = Failure::new(CheckName::Source, Code::SourceMismatch, detail);
                    return Err(failure.comparing(wanted, found));
                }
                said.push(witness);
            }
            if said.is_empty() {
                let detail = format!("{field}: wanted {wanted}, and neither the certificate nor the provenance says");
                return Err(Failure::new(CheckName::Source, Code::SourceNotShown, detail));
            }
            details.push(format!("{field} by {}", said.join(" and ")));
        }
        Ok(details.join(", "))
    }

    fn of_builder(&self, provenance: &Provenance) -> Result<String, Failure> {
        let fail = |what: &str, wanted: &str, found: Option<&str>| {
            let detail = format!("{what}: wanted {wanted}, found {}", found.unwrap_or("none"));
            let failure = Failure::new(CheckName::Builder, Code::BuilderMismatch, detail);
            if let Some(found) = found { failure.comparing(wanted, found) } else { failure }
        };
        let mut details = Vec::new();
        if !self.builders.is_empty() {
            let found = provenance.builder_id.as_deref();
            let matches = |id: &str| self.builders.iter().any(|pattern| pattern.matches(id) == Matched::Whole);
            if !found.is_some_and(matches) {
                let wanted: Vec<String> = self.builders.iter().map(ToString::to_string).collect();
                return Err(fail("builder", &wanted.join(" or "), found));
            }
            details.extend(found.map(str::to_owned));
        }
        if let Some(wanted) = &self.build_type {
            let found = provenance.build_type.as_deref();
            if found != Some(wanted) {
                return Err(fail("build type", wanted, found));
            }
            details.push(wanted.clone());
        }
        Ok(details.join(", "))
    }
}

/// Whether certificate and provenance say the same where the build type makes them the same.
fn agreement(fields: &[FieldAgreement]) -> Result<String, Failure> {
    if let Some(found) = fields.iter().find(|found| found.agreement == Agreement::Differs) {
        let field = found.field;
        let (ours, theirs) =
            (found.provenance.value().unwrap_or_default(), found.certificate.as_deref().unwrap_or_default());
        let detail = format!("{field}: the certificate says {theirs}, the provenance {ours}");
        let failure = Failure::new(CheckName::Provenance, Code::ProvenanceMismatch, detail);
        return Err(failure.comparing(theirs, ours));
    }
    let equal = fields.iter().filter(|found| found.agreement == Agreement::Equal);
    let equal: Vec<&str> = equal.map(|found| found.field.as_str()).collect();
    Ok(match equal.as_slice() {
        [] => "nothing in it is comparable with the certificate".to_owned(),
        fields => format!("{} as in the certificate", fields.join(", ")),
    })
}
