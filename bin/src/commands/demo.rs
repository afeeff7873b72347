//! `demo`: what verification does, shown on an image that is made for it.
//!
//! Nothing leaves the machine: the Sigstore instance is in memory, and the
//! registry listens on the loopback address. The rest is real: the client, the
//! checks and the report are those of `verify`.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::{Descriptor, Reference};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, PolicyError, Requirement};
use cg_attest::registry::{Context, RemoteOptions};
use cg_attest::report::{Report, Verdict};
use cg_attest::testing::{Identity, Image, ImageBuilder, Registry, Statement, Upload, VirtualSigstore};
use cg_attest::trust::TrustRoot;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, Tone, paint};
use crate::render;
use crate::settings::now;

const REPOSITORY: &str = "example/hello";
const STRANGER: &str = "mallory/hello";
const WORKFLOW: &str = ".github/workflows/release.yaml";
const BRANCH: &str = "refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

const INTRODUCTION: &str = "Trusted is the workflow release.yaml of example/hello, on its branch main.
Required are a signature, an SBOM of each platform, and provenance.
";

/// What is done to the evidence of one platform before the image is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    OneByte,
    WrongPlatform,
    AnotherSigner,
}

impl Change {
    const ALL: [Self; 4] = [Self::Nothing, Self::OneByte, Self::WrongPlatform, Self::AnotherSigner];

    /// What was done, in one line.
    fn caption(self) -> &'static str {
        match self {
            Self::Nothing => {
                "An image of two platforms: its index is signed, each platform has an SBOM and provenance."
            }
            Self::OneByte => "The same, with one byte changed in the signed SBOM of linux/arm64.",
            Self::WrongPlatform => "The same, with the SBOM of linux/amd64 attached to linux/arm64 instead of its own.",
            Self::AnotherSigner => {
                "The same, with the provenance of linux/arm64 signed by another repository's workflow."
            }
        }
    }

    /// The one cell that it spoils, and the reason that has to be given.
    fn spoils(self) -> Option<(&'static str, Code)> {
        match self {
            Self::Nothing => None,
            Self::OneByte => Some(("spdx", Code::SigInvalid)),
            Self::WrongPlatform => Some(("spdx", Code::SubjectMismatch)),
            Self::AnotherSigner => Some(("slsa", Code::IdentityMismatch)),
        }
    }

    /// Whether the report says this and nothing else.
    fn is_seen_in(self, report: &Report) -> bool {
        let refused = report.cells().iter().filter(|cell| !cell.state.is_satisfied());
        let refused: Vec<_> = refused.map(|cell| (&*cell.target, &*cell.requirement, cell.code)).collect();
        match self.spoils() {
            None => report.verdict() == Verdict::Accept && report.clone().into_verified().is_ok(),
            Some((requirement, code)) => {
                report.verdict() == Verdict::Refuse && refused == [("linux/arm64", requirement, Some(code))]
            }
        }
    }
}

/// Prints four reports: one image, and three ways to tamper with its evidence.
pub(crate) async fn run(printer: &Printer) -> Result<ExitStatus, CliError> {
    let stage = Stage::new()?;
    let mut wrong = Vec::new();
    printer.data(INTRODUCTION.as_bytes())?;
    for (n, change) in Change::ALL.into_iter().enumerate() {
        let report = stage.verify(change).await?;
        let caption = paint(printer.is_colored(), Tone::Strong, &format!("{}. {}", n + 1, change.caption()));
        let text = render::report(&report, printer.is_colored(), false);
        printer.data(format!("\n{caption}\n\n{text}").as_bytes())?;
        if !change.is_seen_in(&report) {
            wrong.push(format!("{change:?}"));
        }
    }
    if wrong.is_empty() {
        return Ok(ExitStatus::Accepted);
    }
    Err(CliError::internal(format!("the outcome of {} is not the one that was expected", wrong.join(" and "))))
}

/// The image, those who sign for it, and where it is served.
struct Stage {
    sigstore: VirtualSigstore,
    registry: Registry,
    client: Client,
    policy: Policy,
    image: Image,
    publisher: Identity,
    stranger: Identity,
}

impl Stage {
    fn new() -> Result<Self, CliError> {
        let sigstore = VirtualSigstore::new().at(now()?);
        let root = sigstore.trusted_root_json();
        let trust = TrustRoot::parse(root.as_bytes(), "made for this run").map_err(CliError::internal)?;
        let remote = RemoteOptions::new().build().map_err(CliError::internal)?;
        Ok(Self {
            sigstore,
            registry: Registry::start(),
            client: Client::builder(Arc::new(remote), trust).build(),
            policy: policy().map_err(CliError::internal)?,
            image: ImageBuilder::new().build(),
            publisher: Identity::github_workflow(REPOSITORY, WORKFLOW, BRANCH),
            stranger: Identity::github_workflow(STRANGER, WORKFLOW, BRANCH),
        })
    }

    /// Publishes the image under a name of its own, with evidence that is
    /// changed in this one way, and verifies it.
    async fn verify(&self, change: Change) -> Result<Report, CliError> {
        let path = format!("{REPOSITORY}-{}", change as u8 + 1);
        let repository = self.registry.repository(&path);
        let context = Context::new(Limits::default());
        for upload in self.uploads(change)? {
            // Put into the registry as it is: a publisher's own push is not what is shown here.
            upload.push(self.registry.content(), &context, &repository).await.map_err(CliError::internal)?;
        }
        let reference: Reference = format!("{repository}:latest").parse().map_err(CliError::internal)?;
        Ok(self.client.verify(&VerifyRequest::new(reference, &self.policy, now()?)).await)
    }

    fn uploads(&self, change: Change) -> Result<Vec<Upload>, CliError> {
        let Image { index, platforms, upload, .. } = &self.image;
        let signature = self.sign(&Statement::about(&index.digest).signature());
        let mut uploads = vec![upload.clone(), Upload::bundle(index, &signature)];
        let (_, first) = &platforms[0];
        for (n, (_, platform)) in platforms.iter().enumerate() {
            let change = if n == 0 { Change::Nothing } else { change };
            uploads.push(Upload::bundle(platform, &self.sbom(change, platform, first)?));
            uploads.push(Upload::bundle(platform, &self.provenance(change, platform)));
        }
        Ok(uploads)
    }

    fn sbom(&self, change: Change, platform: &Descriptor, other: &Descriptor) -> Result<String, CliError> {
        let about = |subject: &Descriptor| Statement::about(&subject.digest).spdx();
        match change {
            Change::WrongPlatform => Ok(self.sign(&about(other))),
            Change::OneByte => self.tampered(&about(platform)),
            Change::Nothing | Change::AnotherSigner => Ok(self.sign(&about(platform))),
        }
    }

    fn provenance(&self, change: Change, platform: &Descriptor) -> String {
        let statement = Statement::about(&platform.digest).slsa();
        match change {
            Change::AnotherSigner => self.sigstore.sign(&self.stranger).statement(&statement),
            _ => self.sign(&statement),
        }
    }

    fn sign(&self, statement: &[u8]) -> String {
        self.sigstore.sign(&self.publisher).statement(statement)
    }

    /// The bundle of a statement in which the version of a package was changed after it was signed.
    fn tampered(&self, statement: &[u8]) -> Result<String, CliError> {
        let text = String::from_utf8_lossy(statement).replacen("1.2.3-r0", "1.2.4-r0", 1);
        let parsed = |bundle: String| serde_json::from_str::<serde_json::Value>(&bundle).map_err(CliError::internal);
        let mut bundle = parsed(self.sign(statement))?;
        let other = parsed(self.sign(text.as_bytes()))?;
        bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"].clone();
        Ok(bundle.to_string())
    }
}

/// A signature, and an SBOM and provenance of each platform, by the publisher's workflow.
fn policy() -> Result<Policy, PolicyError> {
    let identity = format!("https://github.com/{REPOSITORY}/{WORKFLOW}@{BRANCH}");
    let signers = Policy::builder().identity(Pattern::exact(&identity)?).issuer(Pattern::exact(ISSUER)?);
    let attestations = ["spdx", "slsa"].into_iter().filter_map(|name| name.parse().ok()).map(Requirement::attestation);
    attestations.fold(signers.require(Requirement::signature()), |policy, wanted| policy.require(wanted)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_change_is_seen_as_itself_and_as_no_other() {
        let stage = Stage::new().expect("a stage");
        for made in Change::ALL {
            let report = stage.verify(made).await.expect("a report");
            for looked_for in Change::ALL {
                assert_eq!(looked_for.is_seen_in(&report), looked_for == made, "{looked_for:?} in {made:?}");
            }
        }
    }
}
