//! The image of `demo` and what is signed about it, by the code that does it for everybody.

use cg_attest::attach::{Subject, Subjects};
use cg_attest::image::{Descriptor, ImageDocument, ImageName, Platform, Repository};
use cg_attest::limits::Limits;
use cg_attest::provenance::{Build, Ci};
use cg_attest::registry::{Context, Pull as _, Remote};
use cg_attest::sbom::{self, Format, Options};
use cg_attest::scan;
use cg_attest::sign::oidc::{DEFAULT_AUDIENCE, Token};
use cg_attest::sign::{Draft, Predicate, Session, SignedBundle, SigningConfig};
use cg_attest::testing::{Image, ImageBuilder, LayerBuilder, SigstoreServer};
use cg_attest::trust::TrustRoot;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use crate::error::CliError;
use crate::settings::now;

pub(super) const REPOSITORY: &str = "example/hello";
/// The branch that is trusted.
pub(super) const BRANCH: &str = "refs/heads/main";
pub(super) const WORKFLOW: &str = ".github/workflows/release.yaml@refs/heads/main";
const STRANGER: &str = "mallory/hello";
const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";

/// The two packages in the image. Another version of the second one is what a changed SBOM claims.
const PACKAGES: &str = "P:hello\nV:2.12-r0\nA:noarch\nL:GPL-3.0-or-later\nD:libhello\n\n\
    P:libhello\nV:1.2.3-r0\nA:noarch\nL:MIT\n\n";
const VERSION: (&str, &str) = ("1.2.3-r0", "1.2.4-r0");

/// An image of two platforms: a system with a package database, and a program.
pub(super) fn image() -> Image {
    let system = LayerBuilder::new().file("etc/os-release", "ID=wolfi\n").file("usr/lib/apk/db/installed", PACKAGES);
    let program = LayerBuilder::new().executable("usr/bin/hello", "#!/bin/hello\n");
    ImageBuilder::new().layers([system.gzip(), program.gzip()]).build()
}

/// What is signed about a platform.
pub(super) struct OfPlatform {
    pub(super) image: Descriptor,
    pub(super) sbom: SignedBundle,
    pub(super) provenance: SignedBundle,
}

/// What is signed about the image, and what others would have others believe.
pub(super) struct Evidence {
    pub(super) signature: SignedBundle,
    pub(super) platforms: Vec<OfPlatform>,
    /// The provenance of the last platform, signed by another repository's workflow.
    pub(super) foreign: SignedBundle,
    /// The SBOM of the last platform, in which one byte was changed after it was signed.
    pub(super) changed: String,
}

/// Those who sign, each as a workflow of a repository.
struct Signers {
    publisher: Session,
    stranger: Session,
}

impl Signers {
    fn new(sigstore: &SigstoreServer, trust: &TrustRoot) -> Result<Self, CliError> {
        let now = now()?;
        let session = |repository: &str| {
            let config = SigningConfig::parse(sigstore.signing_config_json().as_bytes(), "made for this run");
            let services = config.and_then(|config| config.select(now)).map_err(CliError::internal)?;
            let workflow = format!("{repository}/{WORKFLOW}");
            let claims = [("repository", repository), ("workflow_ref", workflow.as_str()), ("sha", COMMIT)];
            let token = Token::parse(&sigstore.workflow_token(&claims)).map_err(CliError::internal)?;
            Session::keyless(services, token, DEFAULT_AUDIENCE, trust.clone()).map_err(CliError::internal)
        };
        Ok(Self { publisher: session(REPOSITORY)?, stranger: session(STRANGER)? })
    }
}

impl Evidence {
    /// Scans the image in a registry, and signs what was found and how it was built.
    pub(super) async fn new(
        sigstore: &SigstoreServer,
        trust: &TrustRoot,
        remote: &Remote,
        repository: &Repository,
        subjects: &Subjects,
    ) -> Result<Self, CliError> {
        let signers = Signers::new(sigstore, trust)?;
        let name = repository.to_string();
        let signature = sign(&signers.publisher, &Draft::signature(&name, &subjects.image().descriptor.digest)).await?;
        let provenance = predicate("slsa", provenance()?.as_bytes())?;
        let of_platform = async |(platform, subject): (&Platform, &Subject)| {
            let digest = &subject.descriptor.digest;
            let sbom = predicate("spdx", &sbom(remote, repository, subject).await?)?;
            sbom.check(digest, Some(platform), None).map_err(CliError::internal)?;
            let (sbom, provenance) =
                (Draft::attestation(&name, digest, sbom), Draft::attestation(&name, digest, provenance.clone()));
            let signed = try_join(sign(&signers.publisher, &sbom), sign(&signers.publisher, &provenance)).await?;
            Ok::<_, CliError>((
                OfPlatform { image: subject.descriptor.clone(), sbom: signed.0, provenance: signed.1 },
                sbom,
                provenance,
            ))
        };
        let made = try_join_all(subjects.platforms().map(of_platform)).await?;
        let (last, sbom, provenance) = made.last().ok_or_else(|| CliError::internal("an image without platforms"))?;
        let foreign = sign(&signers.stranger, provenance).await?;
        let changed = changed(&signers.stranger, &name, &last.sbom, sbom).await?;
        Ok(Self { signature, platforms: made.into_iter().map(|(signed, ..)| signed).collect(), foreign, changed })
    }
}

async fn sign(session: &Session, draft: &Draft) -> Result<SignedBundle, CliError> {
    session.sign_statement(draft.payload(), draft.subject()).await.map_err(CliError::internal)
}

fn predicate(kind: &str, bytes: &[u8]) -> Result<Predicate, CliError> {
    let kind = kind.parse().map_err(CliError::internal)?;
    Predicate::parse(bytes, &kind, &Limits::default()).map_err(CliError::internal)
}

/// The SBOM of what is in the layers of a platform.
async fn sbom(remote: &Remote, repository: &Repository, subject: &Subject) -> Result<Vec<u8>, CliError> {
    let context = Context::new(Limits::default().for_content());
    let name = ImageName::Digest(subject.descriptor.digest.clone());
    let fetched = remote.manifest(&context, repository, &name).await.map_err(CliError::internal)?;
    let fetched = fetched.ok_or_else(|| CliError::internal("the image is not where it was put"))?;
    let parsed = ImageDocument::parse(fetched.blob, fetched.media_type.as_deref()).map_err(CliError::internal)?;
    let ImageDocument::Manifest(manifest) = parsed else {
        return Err(CliError::internal("a platform that is an index"));
    };
    let contents = scan::image(remote, &context, repository, &manifest, &scan::Options::new()).await;
    let contents = contents.map_err(CliError::internal)?;
    let mut out = Vec::new();
    let options = Options::new().repository(Some(repository.clone()));
    sbom::write(Format::Spdx23, &contents, &options, &mut out).map_err(CliError::internal)?;
    Ok(out)
}

/// The provenance of the job that would have built the image.
fn provenance() -> Result<String, CliError> {
    let variable = |name: &str| {
        Some(match name {
            "GITHUB_SERVER_URL" => "https://github.com".to_owned(),
            "GITHUB_REPOSITORY" => REPOSITORY.to_owned(),
            "GITHUB_REF" => BRANCH.to_owned(),
            "GITHUB_SHA" => COMMIT.to_owned(),
            "GITHUB_WORKFLOW_REF" => format!("{REPOSITORY}/{WORKFLOW}"),
            "GITHUB_RUN_ID" => "3003".to_owned(),
            _ => return None,
        })
    };
    let build = Build::of_environment(Ci::GitHub, variable).map_err(CliError::internal)?;
    build.predicate().map_err(CliError::internal)
}

/// The bundle of a statement, around a statement that claims another version of a package.
async fn changed(stranger: &Session, name: &str, signed: &SignedBundle, draft: &Draft) -> Result<String, CliError> {
    let text = draft.predicate().replacen(VERSION.0, VERSION.1, 1);
    let other = Draft::attestation(name, draft.subject(), predicate("spdx", text.as_bytes())?);
    let other = sign(stranger, &other).await?;
    let parsed = |bundle: &SignedBundle| serde_json::from_slice::<Value>(bundle.bytes()).map_err(CliError::internal);
    let (mut bundle, other) = (parsed(signed)?, parsed(&other)?);
    bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"].clone();
    Ok(bundle.to_string())
}
