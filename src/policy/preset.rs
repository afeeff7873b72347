//! Policies for images whose signers are known.

use super::{Pattern, Policy, PolicyBuilder, PolicyError, Requirement};
use crate::image::Repository;
use crate::statement::PredicateType;

/// A named policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// `cgr.dev/chainguard/*` and `docker.io/chainguard/*`: signed by the release
    /// workflow of `chainguard-images/images`; a signature, an SPDX SBOM for each
    /// platform and SLSA provenance at either level.
    ChainguardPublic,
    /// The images of an organisation at Chainguard: the same, signed by one of
    /// the organisation's own identities (image syncer and builder), named by their UIDPs.
    ChainguardOrg {
        /// The UIDPs, such as `720909c9f5279097d847ad02a2f24ba8f59de36a/0123456789abcdef`.
        uidps: Vec<String>,
    },
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const RELEASE: &str = "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main";
const ENFORCE: &str = "https://issuer.enforce.dev";

impl Preset {
    /// The names of all presets.
    pub const NAMES: &'static [&'static str] = &["chainguard-public", "chainguard-org"];

    /// The preset that applies to a repository without being asked for.
    #[must_use]
    pub fn of(repository: &Repository) -> Option<Self> {
        let at_chainguard = matches!(repository.registry(), "cgr.dev" | "docker.io");
        let public = repository.path().strip_prefix("chainguard/").is_some_and(|rest| !rest.is_empty());
        (at_chainguard && public).then_some(Self::ChainguardPublic)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ChainguardPublic => "chainguard-public",
            Self::ChainguardOrg { .. } => "chainguard-org",
        }
    }

    /// The signers that the preset trusts.
    ///
    /// # Errors
    /// When no UIDP is given or one is not lower-case hex digits joined by slashes.
    pub fn signers(&self, builder: PolicyBuilder) -> Result<PolicyBuilder, PolicyError> {
        let builder = builder.name(self.name());
        match self {
            Self::ChainguardPublic => Ok(builder.identity(Pattern::exact(RELEASE)?).issuer(Pattern::exact(GITHUB)?)),
            Self::ChainguardOrg { uidps } => {
                let mut builder = builder.issuer(Pattern::exact(ENFORCE)?);
                for uidp in uidps {
                    builder = builder.identity(Pattern::exact(&format!("{ENFORCE}/{}", checked(uidp)?))?);
                }
                if uidps.is_empty() { Err(PolicyError::NoIdentity) } else { Ok(builder) }
            }
        }
    }

    /// What the preset requires.
    #[must_use]
    pub fn requirements(&self) -> Vec<Requirement> {
        let attestation = |name: &str| name.parse::<PredicateType>().map(Requirement::attestation).ok();
        let mut requirements = vec![Requirement::signature()];
        requirements.extend(["spdx", "slsa"].into_iter().filter_map(attestation));
        requirements
    }

    /// The whole policy.
    ///
    /// # Errors
    /// As [`Preset::signers`].
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        let builder = self.signers(Policy::builder())?;
        self.requirements().into_iter().fold(builder, PolicyBuilder::require).build()
    }
}

/// A UIDP ends up in a URI that is compared as it stands.
fn checked(uidp: &str) -> Result<&str, PolicyError> {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    if uidp.len() <= 256 && uidp.split('/').all(part) {
        return Ok(uidp);
    }
    Err(PolicyError::Uidp(uidp.chars().take(160).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chainguards_public_images_have_a_preset_and_look_alikes_do_not() {
        let preset = |name: &str| Preset::of(&name.parse::<Repository>().expect("a repository"));
        assert_eq!(preset("cgr.dev/chainguard/nginx"), Some(Preset::ChainguardPublic));
        assert_eq!(preset("docker.io/chainguard/nginx"), Some(Preset::ChainguardPublic));
        for other in ["cgr.dev/chainguard-evil/nginx", "cgr.dev/org/nginx", "cgr.dev.evil.example/chainguard/nginx"] {
            assert_eq!(preset(other), None, "{other}");
        }
        let policy = Preset::ChainguardPublic.policy().expect("a policy");
        let names: Vec<_> = policy.requirements().iter().map(Requirement::name).collect();
        assert_eq!(names, ["signature", "spdx", "slsa"]);
    }

    #[test]
    fn an_organisation_is_named_by_its_uidps() {
        let org = |uidps: &[&str]| Preset::ChainguardOrg { uidps: uidps.iter().map(|u| (*u).to_owned()).collect() };
        let policy = org(&["720909c9f5279097d847ad02a2f24ba8f59de36a/00ff", "aa/bb"]).policy().expect("a policy");
        assert_eq!(policy.trusted_names().len(), 2);
        for bad in [&[][..], &[""], &["AA"], &["aa/"], &["aa/../bb"], &["aa|bb"]] {
            assert!(org(bad).policy().is_err(), "{bad:?}");
        }
    }
}
