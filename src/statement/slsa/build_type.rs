//! What each build type defines: where its source stands, and which of its
//! fields are by definition what the signer's certificate says.

use std::fmt;

use serde::Serialize;

/// A field of provenance that a certificate may speak of as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Field {
    /// The repository of the source.
    SourceRepository,
    /// The branch or tag of the source, `refs/…`.
    SourceRef,
    /// The commit of the source.
    SourceCommit,
    /// The file that describes the build, by its path in the source.
    EntryPoint,
    /// The run of the build.
    Invocation,
    /// Who built.
    Builder,
}

/// The build types that are known by what they define.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BuildType {
    /// `actions.github.io/buildtypes/workflow/v1`: GitHub's artifact attestations.
    GitHubWorkflow,
    /// `slsa-framework.github.io/github-actions-buildtypes/workflow/v1`: the
    /// same before June 2024, when the builder was the runner.
    GitHubRunner,
    /// The `go`, `generic` and `container` types of slsa-github-generator.
    SlsaGitHubGenerator,
    /// Builders that slsa-github-generator's delegators sign for.
    SlsaGitHubDelegator,
    /// Builds in a container by slsa-github-generator.
    ContainerBased,
    /// npm's, in GitHub workflows.
    Npm,
    /// `BuildKit`, in both versions of provenance.
    BuildKit,
    /// Tekton Chains.
    Tekton,
    /// apko, as `terraform-provider-apko` and Chainguard's builders write it.
    Apko,
    /// Chainguard's apko as a service.
    Apkoaas,
    /// melange, which builds packages.
    Melange,
    /// This project's own (`docs/build-type.md`).
    CgAttest,
    /// Any other: nothing but the builder, the times and the dependencies can be read.
    Unknown,
}

impl Field {
    /// Every field.
    pub const ALL: &'static [Self] = &[
        Self::SourceRepository,
        Self::SourceRef,
        Self::SourceCommit,
        Self::EntryPoint,
        Self::Invocation,
        Self::Builder,
    ];

    /// The kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceRepository => "source-repository",
            Self::SourceRef => "source-ref",
            Self::SourceCommit => "source-commit",
            Self::EntryPoint => "entry-point",
            Self::Invocation => "invocation",
            Self::Builder => "builder",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl BuildType {
    /// The URI of this project's own build type, which `docs/build-type.md` defines.
    pub const CG_ATTEST_URI: &'static str = "https://github.com/cg-attest/cg-attest/blob/main/docs/build-type.md#v1";

    /// The type that a URI names. It is compared as it stands.
    #[must_use]
    pub fn of(uri: &str) -> Self {
        match uri {
            "https://actions.github.io/buildtypes/workflow/v1" => Self::GitHubWorkflow,
            "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1" => Self::GitHubRunner,
            "https://github.com/slsa-framework/slsa-github-generator/go@v1"
            | "https://github.com/slsa-framework/slsa-github-generator/generic@v1"
            | "https://github.com/slsa-framework/slsa-github-generator/container@v1" => Self::SlsaGitHubGenerator,
            "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0" => Self::SlsaGitHubDelegator,
            "https://slsa.dev/container-based-build/v0.1?draft" => Self::ContainerBased,
            "https://github.com/npm/cli/gha/v2" => Self::Npm,
            "https://mobyproject.org/buildkit@v1"
            | "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md" => Self::BuildKit,
            "tekton.dev/v1beta1/TaskRun"
            | "tekton.dev/v1beta1/PipelineRun"
            | "tekton.dev/v1/TaskRun"
            | "tekton.dev/v1/PipelineRun"
            | "https://tekton.dev/attestations/chains@v2"
            | "https://tekton.dev/attestations/chains/pipelinerun@v2"
            | "https://tekton.dev/chains/v2/slsa"
            | "https://tekton.dev/chains/v2/slsa-tekton" => Self::Tekton,
            "https://apko.dev/slsa-build-type@v1" | "https://chainguard.dev/buildtypes/apko/v1" => Self::Apko,
            "https://chainguard.dev/buildtypes/apkoaas/v1" => Self::Apkoaas,
            "https://chainguard.dev/buildtypes/melange/v1" => Self::Melange,
            Self::CG_ATTEST_URI => Self::CgAttest,
            _ => Self::Unknown,
        }
    }

    /// The fields that the type defines to be what the certificate of its signer
    /// says. Others are not comparable: Chainguard's builder is never the name
    /// in its certificate, a delegator signs for builders of other names and
    /// sources, and what `BuildKit` calls the source is its build context.
    #[must_use]
    pub fn as_in_certificate(self) -> &'static [Field] {
        use Field::{Builder, EntryPoint, Invocation, SourceCommit, SourceRef, SourceRepository};
        match self {
            Self::GitHubWorkflow => &[SourceRepository, SourceRef, SourceCommit, EntryPoint, Invocation, Builder],
            Self::GitHubRunner => &[SourceRepository, SourceRef, SourceCommit, EntryPoint, Invocation],
            Self::SlsaGitHubGenerator => &[SourceRepository, SourceRef, SourceCommit, EntryPoint, Builder],
            Self::ContainerBased => &[SourceRepository, SourceRef, SourceCommit, Invocation, Builder],
            Self::Npm => &[SourceRepository, SourceRef, SourceCommit, EntryPoint],
            Self::SlsaGitHubDelegator => &[SourceRepository, Invocation],
            Self::CgAttest => &[SourceRepository, SourceRef, SourceCommit],
            Self::BuildKit | Self::Tekton | Self::Apko | Self::Apkoaas | Self::Melange | Self::Unknown => &[],
        }
    }
}
