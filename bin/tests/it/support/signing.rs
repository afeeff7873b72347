//! What commands that sign and attach are tried with.

use std::path::PathBuf;

use cg_attest::limits::Limits;
use cg_attest::registry::Context;
use cg_attest::testing::{Image, ImageBuilder, Registry, SigstoreServer, Upload};
use futures_util::FutureExt as _;

use super::command::{Ran, cg_attest};

/// Who signs.
pub(crate) const PERSON: &str = "alice@example.com";

/// A virtual Sigstore, a registry with an image of two platforms, and files for the command.
pub(crate) struct Scene {
    pub(crate) server: SigstoreServer,
    pub(crate) registry: Registry,
    pub(crate) image: Image,
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (server, registry) = (SigstoreServer::start(), Registry::start());
        let (image, folder) = (ImageBuilder::new().build(), tempfile::tempdir().expect("a folder"));
        let scene = Self { server, registry, image, folder };
        for (name, content) in [
            ("root", scene.server.trusted_root_json()),
            ("v1", scene.server.signing_config_v1_json()),
            ("v2", scene.server.signing_config_json()),
            ("token", scene.server.email_token(PERSON)),
            ("slsa", r#"{"buildDefinition":{"buildType":"b"},"runDetails":{"builder":{"id":"i"}}}"#.to_owned()),
            ("broken", "{\"spdxVersion\":\"SPDX-2.3\",".to_owned()),
            ("vex", r#"{"@context":"https://openvex.dev/ns"}"#.to_owned()),
        ] {
            std::fs::write(scene.path(name), content).expect("a file");
        }
        for (platform, image) in &scene.image.platforms {
            let arch = platform.to_string().replace("linux/", "");
            let sbom = format!(
                r#"{{"spdxVersion":"SPDX-2.3","documentDescribes":["SPDXRef-I"],"packages":[{{"SPDXID":"SPDXRef-I","externalRefs":[{{"referenceLocator":"pkg:oci/app@{}?arch={arch}"}}]}}]}}"#,
                image.digest
            );
            std::fs::write(scene.path(&arch), sbom).expect("a file");
        }
        scene.push(&scene.image.upload);
        scene
    }

    /// Puts something into the image's repository.
    pub(crate) fn push(&self, upload: &Upload) {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository("a/b"));
        let pushed = upload.push(self.registry.content(), &context, &repository).now_or_never();
        pushed.expect("memory does not wait").expect("memory");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn name(&self) -> String {
        format!("{}:latest", self.registry.repository("a/b"))
    }

    /// The arguments of a command that signs, with this config: `v1`, or `v2` for the log of version 2.
    pub(crate) fn signing(&self, command: &str, config: &str, more: &[&str]) -> Vec<String> {
        let mut args = vec![command.to_owned(), self.name()];
        args.extend(["--identity-token-file".to_owned(), self.text("token")]);
        args.extend(["--trusted-root".to_owned(), self.text("root")]);
        args.extend(["--signing-config".to_owned(), self.text(config)]);
        args.extend(more.iter().map(|&flag| flag.to_owned()));
        args
    }

    /// Runs it.
    pub(crate) fn signs(&self, command: &str, config: &str, more: &[&str]) -> Ran {
        cg_attest(self.signing(command, config, more))
    }

    /// The flags that attest an SBOM of each platform, and with `provenance` the same provenance of both.
    pub(crate) fn documents(&self, provenance: bool) -> Vec<String> {
        let of = |arch: &str| format!("--sbom=linux/{arch}={}", self.text(arch));
        let mut flags = vec![of("amd64"), of("arm64")];
        flags.extend(provenance.then(|| format!("--provenance={}", self.text("slsa"))));
        flags
    }

    pub(crate) fn attach(&self, more: &[&str]) -> Ran {
        let mut args = vec!["attach".to_owned(), self.name()];
        args.extend(["--trusted-root".to_owned(), self.text("root")]);
        args.extend(more.iter().map(|&flag| flag.to_owned()));
        cg_attest(args)
    }

    pub(crate) fn verify(&self, require: &str) -> Ran {
        let (issuer, root) = (self.server.url().to_owned(), self.text("root"));
        let name = self.name();
        let flags = ["verify", &name, "--identity", PERSON, "--issuer", &issuer, "--trusted-root", &root];
        cg_attest(flags.into_iter().chain(["--require", require, "-o", "json"]))
    }

    /// The index of the image, as it was pushed.
    pub(crate) fn index_bytes(&self) -> Vec<u8> {
        let mut manifests = self.image.upload.manifests();
        let index = manifests.find(|(_, _, blob)| *blob.digest() == self.image.index.digest);
        index.expect("the index").2.bytes().to_vec()
    }

    /// Paths of the requests that wrote to the registry.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.registry.lines().into_iter().filter(|line| !line.starts_with("GET") && !line.starts_with("HEAD")).collect()
    }
}
