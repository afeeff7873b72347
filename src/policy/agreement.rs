//! Provenance beside the certificate that signed it, field by field.

use serde::Serialize;

use crate::signer::{BuildClaims, Signer};
use crate::statement::{Field, Provenance, Stated, canonical_repository};

/// One field, as the provenance and the certificate of its signer have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldAgreement {
    /// The field.
    pub field: Field,
    /// What the provenance says: the signer's word.
    pub provenance: Stated,
    /// What the certificate says: the authority's word.
    pub certificate: Option<String>,
    /// How the two stand.
    pub agreement: Agreement,
}

/// How provenance and certificate stand to each other in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Agreement {
    /// The build type makes them the same, and they are.
    Equal,
    /// The build type makes them the same, and they are not.
    Differs,
    /// Both are there, and the build type does not make them the same.
    NotComparable,
    /// Only the provenance has it.
    ProvenanceOnly,
    /// Only the certificate has it.
    CertificateOnly,
    /// Neither has it.
    Absent,
}

impl Provenance {
    /// Compares every field with the certificate of the signer.
    #[must_use]
    pub fn beside(&self, signer: &Signer) -> Vec<FieldAgreement> {
        self.beside_claims(&signer.build())
    }

    /// As [`Provenance::beside`], with what a certificate says of a build.
    #[must_use]
    pub fn beside_claims(&self, claims: &BuildClaims) -> Vec<FieldAgreement> {
        Field::ALL.iter().map(|&field| self.field_beside(field, claims)).collect()
    }

    /// Every field, where there is no certificate to compare with.
    #[must_use]
    pub fn alone(&self) -> Vec<FieldAgreement> {
        self.beside_claims(&BuildClaims::default())
    }

    pub(super) fn field_beside(&self, field: Field, claims: &BuildClaims) -> FieldAgreement {
        let (provenance, certificate) = (self.field(field), claim(claims, field));
        let same_by_definition = self.kind.as_in_certificate().contains(&field);
        let agreement = match (&provenance, &certificate) {
            (Stated::Value(_), Some(_)) if !same_by_definition => Agreement::NotComparable,
            (Stated::Value(ours), Some(theirs)) if normal(field, ours) == normal(field, theirs) => Agreement::Equal,
            (Stated::Value(_), Some(_)) => Agreement::Differs,
            (Stated::Value(_), None) => Agreement::ProvenanceOnly,
            (_, Some(_)) => Agreement::CertificateOnly,
            (_, None) => Agreement::Absent,
        };
        FieldAgreement { field, provenance, certificate, agreement }
    }
}

fn claim(claims: &BuildClaims, field: Field) -> Option<String> {
    match field {
        Field::SourceRepository => claims.repository.clone(),
        Field::SourceRef => claims.reference.clone(),
        Field::SourceCommit => claims.commit.clone(),
        Field::EntryPoint => claims.entry_point.clone(),
        Field::Invocation => claims.invocation.clone(),
        Field::Builder => claims.builder.clone(),
    }
}

/// The form in which a field is compared. An address that has none stays as it is, and equals no address.
pub(super) fn normal(field: Field, text: &str) -> String {
    match field {
        Field::SourceRepository => canonical_repository(text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}
