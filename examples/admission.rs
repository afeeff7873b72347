//! What an admission controller asks: may this image run, under a policy of our own?
//!
//! ```sh
//! cargo run --example admission --features testing
//! ```
//!
//! [`Gate`] is all that a controller needs. The rest of this file tries it on three images in a registry and a Sigstore
//! of its own, which is also how a policy is tested: no network, no account.

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::registry::RemoteOptions;
use cg_attest::trust::TrustRoot;

/// Decides which images may run. One for the life of a process: it keeps connections and registry tokens.
struct Gate {
    client: Client,
    policy: Policy,
}

impl Gate {
    /// What runs has to be signed by the release workflow of our repository, with an SBOM of every platform.
    fn policy() -> Result<Policy, Box<dyn Error>> {
        let policy = Policy::builder()
            .identity(Pattern::exact("https://github.com/org/app/.github/workflows/release.yaml@refs/heads/main")?)
            .issuer(Pattern::exact("https://token.actions.githubusercontent.com")?)
            .require(Requirement::signature())
            .require("spdx".parse::<Requirement>()?)
            .build()?;
        Ok(policy)
    }

    /// `trust` is `TrustRoot::embedded(Instance::PublicGood)?` for images of the world.
    fn new(trust: TrustRoot) -> Result<Self, Box<dyn Error>> {
        let registry = Arc::new(RemoteOptions::new().build()?);
        Ok(Self { client: Client::builder(registry, trust).build(), policy: Self::policy()? })
    }

    /// The names to run instead of `image`: pinned, so that nothing that was not verified can take their place.
    #[expect(clippy::disallowed_methods, reason = "a program, other than the library, has a clock")]
    async fn admit(&self, image: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let reference: cg_attest::image::Reference = image.parse()?;
        let repository = reference.repository().clone();
        let request = VerifyRequest::new(reference, &self.policy, SystemTime::now().try_into()?);
        let verified = self.client.verify(&request).await.into_verified()?;
        Ok(verified.runnable().into_iter().map(|digest| format!("{repository}@{digest}")).collect())
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example")]
async fn main() -> Result<(), Box<dyn Error>> {
    for (image, answer) in scene::try_all().await? {
        match answer {
            Ok(pinned) => println!("allow  {image} as {}", pinned.join(" and ")),
            Err(reason) => println!("deny   {reason}"),
        }
    }
    Ok(())
}

/// Three images to try the gate on.
mod scene {
    use cg_attest::image::Descriptor;
    use cg_attest::limits::Limits;
    use cg_attest::registry::Context;
    use cg_attest::testing::{Identity, ImageBuilder, Registry, Statement, Upload, VirtualSigstore};

    use super::*;

    /// What the gate says of an image.
    type Answer = (String, Result<Vec<String>, String>);

    pub(crate) async fn try_all() -> Result<Vec<Answer>, Box<dyn Error>> {
        let (registry, sigstore) = (Registry::start(), VirtualSigstore::new());
        let gate = Gate::new(TrustRoot::parse(sigstore.trusted_root_json().as_bytes(), "the virtual instance")?)?;
        let release = Identity::github_workflow("org/app", ".github/workflows/release.yaml", "refs/heads/main");
        let somebody = Identity::github_workflow("else/app", ".github/workflows/release.yaml", "refs/heads/main");

        let mut answers = Vec::new();
        for (path, signer) in [("org/app", Some(release)), ("org/foreign", Some(somebody)), ("org/unsigned", None)] {
            let image = ImageBuilder::new().content(path).build();
            let (context, repository) = (Context::new(Limits::default()), registry.repository(path));
            image.upload.push(registry.content(), &context, &repository).await?;
            if let Some(signer) = signer {
                let attach = async |subject: &Descriptor, statement: Vec<u8>| {
                    let bundle = sigstore.sign(&signer).statement(&statement);
                    Upload::bundle(subject, &bundle).push(registry.content(), &context, &repository).await
                };
                attach(&image.index, Statement::about(&image.index.digest).signature()).await?;
                for (_, platform) in &image.platforms {
                    attach(platform, Statement::about(&platform.digest).spdx()).await?;
                }
            }
            let name = repository.to_string();
            let answer = gate.admit(&name).await.map_err(|error| error.to_string());
            answers.push((name, answer));
        }
        Ok(answers)
    }

    #[tokio::test]
    async fn only_what_the_release_workflow_signed_may_run_and_it_is_pinned() {
        let answers = try_all().await.expect("loopback");
        let [(name, allowed), (_, foreign), (_, unsigned)] = &answers[..] else { panic!("{answers:?}") };
        let pinned = allowed.as_ref().expect("accepted");
        assert!(pinned.len() == 1 && pinned[0].starts_with(&format!("{name}@sha256:")), "{pinned:?}");
        let reason = |answer: &Result<Vec<String>, String>| answer.clone().expect_err("refused");
        assert!(reason(foreign).contains("index × signature: wrong-signer (identity-mismatch)"), "{foreign:?}");
        assert!(reason(unsigned).contains("index × signature: missing (no-signature)"), "{unsigned:?}");
    }
}
