//! The policy as the report shows it.

use serde::Serialize;

use super::rules::Signers;
use super::{LogEvidence, Policy, SlsaLevel};
use crate::digest::Digest;
use crate::signer::Signer;

/// What the report says of the policy. Its digest is over the other fields, so
/// equal digests mean equal policies.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyDocument {
    name: String,
    digest: Option<Digest>,
    signers: SignersDocument,
    claims: Vec<ClaimDocument>,
    requirements: Vec<RequirementDocument>,
    required_platforms: Vec<String>,
    log_evidence: &'static str,
    /// Absent where nothing is asked, so that the digests of such policies stay what they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<ProvenanceDocument>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignersDocument {
    identities: Vec<PatternDocument>,
    issuers: Vec<PatternDocument>,
    key: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct PatternDocument {
    kind: &'static str,
    value: String,
}

#[derive(Debug, Clone, Serialize)]
struct ClaimDocument {
    name: &'static str,
    value: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvenanceDocument {
    source_repository: Option<String>,
    source_ref: Option<String>,
    source_commit: Option<String>,
    builders: Vec<PatternDocument>,
    build_type: Option<String>,
    slsa_level: Option<u8>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequirementDocument {
    name: String,
    level: &'static str,
    max_age_seconds: Option<u64>,
}

impl PolicyDocument {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Policy {
    pub(crate) fn document(&self) -> PolicyDocument {
        let patterns = |patterns: &[super::Pattern]| {
            patterns.iter().map(|p| PatternDocument { kind: p.kind(), value: p.text().to_owned() }).collect()
        };
        let signers = match &self.signers {
            Signers::Keyless { identities, issuers } => {
                SignersDocument { identities: patterns(identities), issuers: patterns(issuers), key: None }
            }
            Signers::Key { key } => SignersDocument {
                identities: Vec::new(),
                issuers: Vec::new(),
                key: Some(Signer::of_key(key.der()).identity().value.clone()),
            },
        };
        let claims = self.claims.iter().map(|(c, v)| ClaimDocument { name: c.name(), value: v.clone() }).collect();
        let requirements = self.requirements.iter().map(|r| RequirementDocument {
            name: r.name(),
            level: r.level().as_str(),
            max_age_seconds: r.max_age().map(|age| age.as_secs()),
        });
        let mut document = PolicyDocument {
            name: self.name.clone(),
            digest: None,
            signers,
            claims,
            requirements: requirements.collect(),
            required_platforms: self.platforms.iter().map(ToString::to_string).collect(),
            log_evidence: match self.log_evidence {
                LogEvidence::Format => "format",
                LogEvidence::Proof => "proof",
            },
            provenance: (!self.provenance.is_empty()).then(|| ProvenanceDocument {
                source_repository: self.provenance.repository.clone(),
                source_ref: self.provenance.reference.clone(),
                source_commit: self.provenance.commit.clone(),
                builders: patterns(&self.provenance.builders),
                build_type: self.provenance.build_type.clone(),
                slsa_level: self.provenance.level.map(SlsaLevel::number),
            }),
        };
        document.digest = serde_json::to_vec(&document).ok().map(|bytes| Digest::sha256(&bytes));
        document
    }
}
