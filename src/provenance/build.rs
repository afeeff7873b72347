//! A build, as its facts are gathered, and the predicate that they make.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::document::{
    BuildDefinition, Builder, ExternalParameters, Metadata, Predicate, Request, Resource, RunDetails, Sorted,
    SourceParameters,
};
use super::{BuildError, apko, buildkit};
use crate::digest::Digest;
use crate::image::{PinnedReference, Platform};
use crate::limits::Limits;
use crate::statement::{BuildType, SLSA_1, canonical_repository, written};
use crate::time::Timestamp;

/// The predicate type of what is written.
pub const PREDICATE_TYPE: &str = SLSA_1;

/// What is known of a build. Later facts take the place of earlier ones.
///
/// Nothing is made up: what nobody says is left out, and where provenance
/// cannot do without it, [`Build::predicate`] is an error.
#[derive(Debug, Clone, Default)]
pub struct Build {
    pub(super) repository: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) entry_point: Option<String>,
    pub(super) builder: Option<String>,
    pub(super) invocation: Option<String>,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    /// What the platform of the build decided, not its caller.
    pub(super) internal: BTreeMap<&'static str, String>,
    parameters: BTreeMap<String, String>,
    base: Option<Resource>,
    dependencies: Vec<Resource>,
    request: Option<Request>,
    apko: Option<Value>,
}

/// An in-toto statement that these digests were built as the predicate says, JSON on one line.
///
/// # Errors
/// When the predicate is not JSON.
pub fn statement(subjects: &[Digest], predicate: &str) -> Result<String, BuildError> {
    let predicate = RawValue::from_string(predicate.trim_end().to_owned());
    let predicate = predicate.map_err(|e| BuildError::file("the predicate", e))?;
    Ok(written(None, subjects, PREDICATE_TYPE, &predicate) + "\n")
}

impl Build {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The source is in this repository. A user or a password in the address is left out.
    ///
    /// # Errors
    /// When the text is no address of a repository.
    pub fn repository(self, text: &str) -> Result<Self, BuildError> {
        let wrong = || BuildError::form("the repository", text, "an address: https://HOST/PATH");
        Ok(Self { repository: Some(canonical_repository(text).ok_or_else(wrong)?), ..self })
    }

    /// The source is on this branch or tag, `refs/…`.
    ///
    /// # Errors
    /// When the text does not begin with `refs/`.
    pub fn reference(self, text: &str) -> Result<Self, BuildError> {
        if !text.strip_prefix("refs/").is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace)) {
            return Err(BuildError::form("the ref", text, "refs/heads/BRANCH or refs/tags/TAG"));
        }
        Ok(Self { reference: Some(text.to_owned()), ..self })
    }

    /// The source is this commit.
    ///
    /// # Errors
    /// When the text is not a whole commit, 40 or 64 hex digits.
    pub fn commit(self, text: &str) -> Result<Self, BuildError> {
        let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !hex || !matches!(text.len(), 40 | 64) {
            return Err(BuildError::form("the commit", text, "40 or 64 lower-case hex digits"));
        }
        Ok(Self { commit: Some(text.to_owned()), ..self })
    }

    /// The file that describes the build, by its path in the source.
    #[must_use]
    pub fn entry_point(self, path: &str) -> Self {
        Self { entry_point: Some(path.to_owned()), ..self }
    }

    /// Who builds, a URI.
    ///
    /// # Errors
    /// When the text is no URI (RFC 3986: a scheme, a colon and something behind it).
    pub fn builder(self, uri: &str) -> Result<Self, BuildError> {
        let is_uri = uri.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        if !is_uri || uri.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(BuildError::form("the builder", uri, "a URI"));
        }
        Ok(Self { builder: Some(uri.to_owned()), ..self })
    }

    /// The run of the build, by which its log is found.
    #[must_use]
    pub fn invocation(self, id: &str) -> Self {
        Self { invocation: Some(id.to_owned()), ..self }
    }

    /// When the build began.
    #[must_use]
    pub fn started_on(self, time: Timestamp) -> Self {
        Self { started: Some(time), ..self }
    }

    /// When the build ended.
    #[must_use]
    pub fn finished_on(self, time: Timestamp) -> Self {
        Self { finished: Some(time), ..self }
    }

    /// A parameter that whoever started the build chose. It will be public: no secrets.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The image that this one is built on.
    #[must_use]
    pub fn base(self, image: &PinnedReference) -> Self {
        let (uri, digest) = (format!("oci://{}@{}", image.repository(), image.digest()), image.digest());
        let digest = BTreeMap::from([(digest.algorithm().as_str().to_owned(), digest.hex().to_owned())]);
        Self { base: Some(Resource { uri, name: Some("base".to_owned()), digest }), ..self }
    }

    /// What `docker buildx build --metadata-file` wrote, with provenance in it:
    /// request, dependencies and times. `platform` picks one of several.
    ///
    /// # Errors
    /// When the file is malformed, has no provenance, or has several and none is picked.
    pub fn buildkit_metadata(
        mut self,
        file: &[u8],
        platform: Option<&Platform>,
        limits: &Limits,
    ) -> Result<Self, BuildError> {
        let found = buildkit::read(file, platform, limits)?;
        self.started = self.started.or(found.provenance.started_on);
        self.finished = self.finished.or(found.provenance.finished_on);
        if let Some(id) = found.provenance.invocation_id {
            self.internal.insert("buildkitInvocation", id);
        }
        let resources = found.provenance.dependencies.into_iter();
        self.dependencies
            .extend(resources.filter_map(|d| Some(Resource { uri: d.uri?, name: d.name, digest: d.digest })));
        self.request = Some(found.request);
        Ok(self)
    }

    /// An apko configuration as JSON (`/etc/apko.json`, a locked configuration,
    /// or an `apko.lock.json`): it is the parameter, and its pinned packages are dependencies.
    ///
    /// # Errors
    /// When the file is malformed or has no packages.
    pub fn apko_configuration(
        mut self,
        file: &[u8],
        platform: Option<&Platform>,
        limits: &Limits,
    ) -> Result<Self, BuildError> {
        let (configuration, packages) = apko::read(file, platform, limits)?;
        self.dependencies.extend(packages);
        self.apko = Some(configuration);
        Ok(self)
    }

    /// The predicate, JSON: the same bytes for the same facts.
    ///
    /// # Errors
    /// When nobody says where the source is, which commit it is, or who built.
    pub fn predicate(&self) -> Result<String, BuildError> {
        let repository = self.repository.as_deref().ok_or(BuildError::Missing("where the source is (repository)"))?;
        let commit = self.commit.as_ref().ok_or(BuildError::Missing("which commit was built"))?;
        let builder = self.builder.as_deref().ok_or(BuildError::Missing("who built (builder id)"))?;
        let reference = self.reference.as_ref().map(|text| format!("@{text}")).unwrap_or_default();
        let source = Resource {
            uri: format!("git+{repository}{reference}"),
            name: Some("source".to_owned()),
            digest: BTreeMap::from([("gitCommit".to_owned(), commit.clone())]),
        };
        let predicate = Predicate {
            build_definition: BuildDefinition {
                build_type: BuildType::CG_ATTEST_URI,
                external_parameters: ExternalParameters {
                    source: SourceParameters {
                        repository,
                        reference: self.reference.as_deref(),
                        entry_point: self.entry_point.as_deref(),
                    },
                    parameters: &self.parameters,
                    buildkit: self.request.as_ref(),
                    apko: self.apko.as_ref().map(Sorted),
                },
                internal_parameters: &self.internal,
                resolved_dependencies: &self.resolved(source),
            },
            run_details: RunDetails {
                builder: Builder { id: builder },
                metadata: Metadata {
                    invocation_id: self.invocation.as_deref(),
                    started_on: self.started.map(|time| time.to_string()),
                    finished_on: self.finished.map(|time| time.to_string()),
                },
            },
        };
        let text = serde_json::to_string_pretty(&predicate);
        text.map(|text| text + "\n").map_err(|e| BuildError::file("the predicate", e))
    }

    /// The source, the base, then what was fetched, sorted, each once.
    fn resolved(&self, source: Resource) -> Vec<Resource> {
        let mut fetched: Vec<&Resource> = self.dependencies.iter().collect();
        fetched.sort();
        fetched.dedup();
        [source].into_iter().chain(self.base.clone()).chain(fetched.into_iter().cloned()).collect()
    }
}
