//! `demo`: what verification does, shown on an image that is made for it.
//!
//! Nothing leaves the machine: the Sigstore instance and the registry listen on
//! the loopback address. The rest is real: the SBOMs are made from the layers as
//! `sbom` does, signed and attached as `attest` does, and the client, the checks
//! and the report are those of `verify`.

use std::sync::Arc;

use cg_attest::attach::{Attacher, Subjects};
use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::{Reference, Repository};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, PolicyError, Requirement};
use cg_attest::registry::{Context, Remote, RemoteOptions};
use cg_attest::report::{Report, Verdict};
use cg_attest::sign::SignedBundle;
use cg_attest::testing::{Image, Registry, SigstoreServer, Upload};
use cg_attest::trust::TrustRoot;

use super::demo_evidence::{self, Evidence, OfPlatform, REPOSITORY, WORKFLOW};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, Tone, paint};
use crate::render;
use crate::settings::now;

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
                "An image of two platforms: its index is signed, each platform has an SBOM of its layers and provenance."
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
    let stage = Stage::new().await?;
    let mut wrong = Vec::new();
    printer.data(INTRODUCTION.as_bytes())?;
    for (n, change) in Change::ALL.into_iter().enumerate() {
        let report = stage.verify(change).await?;
        let caption = paint(printer.is_colored(), Tone::Strong, &format!("{}. {}", n + 1, change.caption()));
        let text = printer.fitted(render::report(&report, printer.is_colored(), false));
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

/// The image and its evidence, and where both are served.
struct Stage {
    registry: Registry,
    remote: Arc<Remote>,
    trust: TrustRoot,
    client: Client,
    policy: Policy,
    image: Image,
    evidence: Evidence,
}

impl Stage {
    /// Builds the image, makes the documents about it and signs them.
    async fn new() -> Result<Self, CliError> {
        let (sigstore, registry) = (SigstoreServer::start(), Registry::start());
        let root = sigstore.trusted_root_json();
        let trust = TrustRoot::parse(root.as_bytes(), "made for this run").map_err(CliError::internal)?;
        let remote = Arc::new(RemoteOptions::new().build().map_err(CliError::internal)?);
        let image = demo_evidence::image();
        let repository = registry.repository(REPOSITORY);
        let subjects = published(&image, &remote, &repository).await?;
        let evidence = Evidence::new(&sigstore, &trust, &remote, &repository, &subjects).await?;
        let client = Client::builder(Arc::clone(&remote) as _, trust.clone()).build();
        let policy = policy(sigstore.url()).map_err(CliError::internal)?;
        Ok(Self { registry, remote, trust, client, policy, image, evidence })
    }

    /// Publishes the image under a name of its own, with evidence that is
    /// changed in this one way, and verifies it.
    async fn verify(&self, change: Change) -> Result<Report, CliError> {
        let repository = self.registry.repository(&format!("{REPOSITORY}-{}", change as u8 + 1));
        let subjects = published(&self.image, &self.remote, &repository).await?;
        let context = Context::new(Limits::default());
        let (bundles, smuggled) = self.bundles(change);
        let attacher =
            Attacher::builder(Arc::clone(&self.remote) as _, repository.clone(), self.trust.clone(), now()?).build();
        let plan = attacher.plan(&context, &subjects, &bundles, &[]).await.map_err(CliError::internal)?;
        attacher.apply(&context, &plan).await.map_err(CliError::internal)?;
        if let Some(upload) = smuggled {
            // Nobody attaches this who looks at it: it is put there by whoever can write there.
            upload.push(&*self.remote, &context, &repository).await.map_err(CliError::internal)?;
        }
        let reference: Reference = format!("{repository}:latest").parse().map_err(CliError::internal)?;
        Ok(self.client.verify(&VerifyRequest::new(reference, &self.policy, now()?)).await)
    }

    /// What is attached, and what is put beside it by hand.
    fn bundles(&self, change: Change) -> (Vec<SignedBundle>, Option<Upload>) {
        let Evidence { signature, platforms, foreign, changed } = &self.evidence;
        let (mut bundles, mut smuggled) = (vec![signature.clone()], None);
        for (n, OfPlatform { image, sbom, provenance }) in platforms.iter().enumerate() {
            let change = if n + 1 == platforms.len() { change } else { Change::Nothing };
            match change {
                Change::OneByte => smuggled = Some(Upload::bundle(image, changed)),
                Change::WrongPlatform => {
                    let first = String::from_utf8_lossy(platforms[0].sbom.bytes());
                    smuggled = Some(Upload::bundle(image, &first));
                }
                Change::Nothing | Change::AnotherSigner => bundles.push(sbom.clone()),
            }
            bundles.push(if change == Change::AnotherSigner { foreign.clone() } else { provenance.clone() });
        }
        (bundles, smuggled)
    }
}

/// Puts the image into a repository.
async fn published(image: &Image, remote: &Remote, repository: &Repository) -> Result<Subjects, CliError> {
    let context = Context::new(Limits::default());
    image.upload.push(remote, &context, repository).await.map_err(CliError::internal)?;
    let reference: Reference = format!("{repository}:latest").parse().map_err(CliError::internal)?;
    Subjects::resolve(remote, &context, &reference).await.map_err(CliError::internal)
}

/// A signature, and an SBOM and provenance of each platform, by the publisher's workflow.
fn policy(issuer: &str) -> Result<Policy, PolicyError> {
    let identity = format!("https://github.com/{REPOSITORY}/{WORKFLOW}");
    let signers = Policy::builder().identity(Pattern::exact(&identity)?).issuer(Pattern::exact(issuer)?);
    let attestations = ["spdx", "slsa"].into_iter().filter_map(|name| name.parse().ok()).map(Requirement::attestation);
    attestations.fold(signers.require(Requirement::signature()), |policy, wanted| policy.require(wanted)).build()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[tokio::test]
    async fn one_byte_is_one_byte() {
        let stage = Stage::new().await.expect("a stage");
        let payload = |bundle: &[u8]| {
            let bundle: serde_json::Value = serde_json::from_slice(bundle).expect("JSON");
            let text = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
            base64::prelude::BASE64_STANDARD.decode(text).expect("base64")
        };
        let signed = payload(stage.evidence.platforms.last().expect("a platform").sbom.bytes());
        let changed = payload(stage.evidence.changed.as_bytes());
        assert_eq!(signed.len(), changed.len());
        assert_eq!(signed.iter().zip(&changed).filter(|(signed, changed)| signed != changed).count(), 1);
    }

    #[tokio::test]
    async fn each_change_is_seen_as_itself_and_as_no_other() {
        let stage = Stage::new().await.expect("a stage");
        for made in Change::ALL {
            let report = stage.verify(made).await.expect("a report");
            for looked_for in Change::ALL {
                assert_eq!(looked_for.is_seen_in(&report), looked_for == made, "{looked_for:?} in {made:?}");
            }
        }
    }
}
