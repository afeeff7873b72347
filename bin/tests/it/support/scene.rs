//! A signed image in a loopback registry, and the command aimed at it.

use cg_attest::image::{Descriptor, Platform, media};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Pull as _};
use cg_attest::testing::{Identity, Image, ImageBuilder, Registry, Statement, Upload, VirtualSigstore};

use super::command::{Ran, cg_attest};

/// The signer of everything that [`Scene::attach`] attaches.
pub(crate) const IDENTITY: &str = "https://github.com/org/repo/.github/workflows/release.yaml@refs/heads/main";
/// Who vouches for it.
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A registry with one image of two platforms, and a Sigstore to sign it with.
pub(crate) struct Scene {
    pub(crate) sigstore: VirtualSigstore,
    pub(crate) registry: Registry,
    pub(crate) image: Image,
    pub(crate) path: &'static str,
    root: tempfile::TempDir,
}

impl Scene {
    /// The image, nothing attached.
    pub(crate) async fn bare() -> Self {
        Self::served_by(Registry::start()).await
    }

    /// The same in this registry.
    pub(crate) async fn served_by(registry: Registry) -> Self {
        let sigstore = VirtualSigstore::new();
        let image = ImageBuilder::new().build();
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("root.json"), sigstore.trusted_root_json()).expect("a file");
        let scene = Self { sigstore, registry, image, path: "org/app", root };
        scene.push(&scene.image.upload).await;
        scene
    }

    /// The image with a signature of the index, and an SBOM and provenance of each platform.
    pub(crate) async fn complete() -> Self {
        let scene = Self::bare().await;
        scene.attach(&scene.image.index, |about| about.signature()).await;
        for (_, descriptor) in &scene.image.platforms {
            scene.attach(descriptor, Statement::spdx).await;
            scene.attach(descriptor, Statement::slsa).await;
        }
        scene
    }

    pub(crate) fn signer() -> Identity {
        Identity::github_workflow("org/repo", ".github/workflows/release.yaml", "refs/heads/main")
    }

    /// Signs a statement about `subject` and attaches the bundle.
    pub(crate) async fn attach(&self, subject: &Descriptor, statement: impl FnOnce(Statement) -> Vec<u8>) {
        let bundle = self.sigstore.sign(&Self::signer()).statement(&statement(Statement::about(&subject.digest)));
        self.push(&Upload::bundle(subject, &bundle)).await;
    }

    pub(crate) async fn push(&self, upload: &Upload) {
        let repository = self.registry.repository(self.path);
        let context = Context::new(Limits::default());
        upload.push(self.registry.content(), &context, &repository).await.expect("stored");
    }

    /// The referrers of every target, changed: the path of each listing, and its body.
    pub(crate) async fn listings(&self, change: impl Fn(&mut Descriptor)) -> Vec<(String, String)> {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository(self.path));
        let mut listings = Vec::new();
        for target in self.image.platforms.iter().map(|(_, platform)| platform).chain([&self.image.index]) {
            let listed = self.registry.content().referrers(&context, &repository, &target.digest).await;
            let mut manifests = listed.expect("memory").descriptors;
            manifests.iter_mut().for_each(&change);
            let body = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests });
            listings.push((format!("/referrers/{}", target.digest), body.to_string()));
        }
        listings
    }

    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.registry.address(), self.path)
    }

    pub(crate) fn platform(&self, name: &str) -> &Descriptor {
        let platform: Platform = name.parse().expect("a platform");
        self.image.platform(&platform).expect("a platform of the image")
    }

    pub(crate) fn root(&self) -> String {
        self.root.path().join("root.json").display().to_string()
    }

    /// The flags that trust the signer, the root and nothing else.
    pub(crate) fn trusting(&self) -> Vec<String> {
        ["--identity", IDENTITY, "--issuer", ISSUER, "--trusted-root", &self.root()].map(str::to_owned).to_vec()
    }

    /// `verify IMAGE` with the trusting flags, as JSON, and more.
    pub(crate) fn verify(&self, more: &[&str]) -> Ran {
        let mut args = vec!["verify".to_owned(), self.name(), "-o".to_owned(), "json".to_owned()];
        args.extend(self.trusting());
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        cg_attest(args)
    }
}
