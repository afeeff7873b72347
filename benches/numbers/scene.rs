//! A loopback registry with signed images in it, and the client that verifies them.

use std::sync::Arc;

use cg_attest::client::{Client, ClientBuilder, VerifyRequest};
use cg_attest::image::{Descriptor, Reference};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy};
use cg_attest::registry::{Context, RemoteOptions};
use cg_attest::report::{Report, Verdict};
use cg_attest::testing::{Identity, Log, Registry, Statement, Upload, VirtualSigstore};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use tokio::runtime::Runtime;

const ISSUER: &str = "https://issuer.example.com";
const NAME: &str = "release@example.com";
const PATH: &str = "org/app";

/// A registry, and a Sigstore to sign with.
pub(crate) struct Scene {
    pub(crate) sigstore: VirtualSigstore,
    pub(crate) registry: Registry,
    signer: Identity,
    runtime: Runtime,
}

/// As many packages as make a bundle of an SPDX document about 10 kB, and about 460 kB, long.
pub(crate) const PACKAGES_OF_10_KB: usize = 2;
pub(crate) const PACKAGES_OF_460_KB: usize = 568;

impl Scene {
    pub(crate) fn new() -> Self {
        Self { sigstore: VirtualSigstore::new(), registry: Registry::start(), signer: signer(), runtime: runtime() }
    }

    pub(crate) fn push(&self, upload: &Upload) {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository(PATH));
        let pushed = self.runtime.block_on(upload.push(self.registry.content(), &context, &repository));
        pushed.expect("memory takes everything");
    }

    /// What cosign 3 writes: a bundle with an entry in Rekor v2 and a timestamp.
    pub(crate) fn bundle(&self, statement: &[u8]) -> String {
        self.sigstore.sign(&self.signer).log(Log::RekorV2).statement(statement)
    }

    /// Signs a statement about `subject` and attaches it as a bundle.
    pub(crate) fn attach(&self, subject: &Descriptor, statement: impl FnOnce(Statement) -> Vec<u8>) -> Upload {
        let upload = Upload::bundle(subject, &self.bundle(&statement(Statement::about(&subject.digest))));
        self.push(&upload);
        upload
    }

    /// The image at a digest.
    pub(crate) fn reference(&self, image: &Descriptor) -> Reference {
        let text = format!("{}@{}", self.registry.repository(PATH), image.digest);
        text.parse().expect("a reference")
    }

    /// A client that has not asked for anything yet.
    pub(crate) fn client(&self) -> Client {
        client(&self.sigstore.trusted_root_json())
    }

    /// The same for a run with so many images at once, as the command makes it.
    pub(crate) fn client_for(&self, jobs: usize) -> Client {
        let limits = Limits::default().for_jobs(jobs);
        builder(&self.sigstore.trusted_root_json()).limits(limits).build()
    }

    /// Verifies one image, which has to be accepted.
    pub(crate) fn verify(&self, client: &Client, reference: Reference, policy: &Policy, read_all: bool) -> Report {
        let mut request = VerifyRequest::new(reference, policy, self.now());
        request.read_all = read_all;
        let report = self.runtime.block_on(client.verify(&request));
        assert_accepted(&report);
        report
    }

    pub(crate) fn now(&self) -> Timestamp {
        after(&self.sigstore)
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// As the command makes it.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

pub(crate) fn client(trusted_root: &str) -> Client {
    builder(trusted_root).build()
}

fn builder(trusted_root: &str) -> ClientBuilder {
    let trust = TrustRoot::parse(trusted_root.as_bytes(), "virtual").expect("a trust root");
    Client::builder(Arc::new(RemoteOptions::new().build().expect("a registry client")), trust)
}

pub(crate) fn signer() -> Identity {
    Identity::email(NAME, ISSUER)
}

/// The one signer, and these requirements.
pub(crate) fn policy(requirements: &[&str]) -> Policy {
    trusting(NAME, ISSUER, requirements)
}

pub(crate) fn trusting(identity: &str, issuer: &str, requirements: &[&str]) -> Policy {
    let exact = |text| Pattern::exact(text).expect("a pattern");
    let builder = Policy::builder().identity(exact(identity)).issuer(exact(issuer));
    let require = |text: &&str| text.parse().expect("a requirement");
    requirements.iter().map(require).fold(builder, |builder, r| builder.require(r)).build().expect("a policy")
}

/// An hour after everything was signed.
pub(crate) fn after(sigstore: &VirtualSigstore) -> Timestamp {
    Timestamp::from_unix(sigstore.now().unix() + 3600).expect("a time")
}

/// A number that was taken while something went wrong says nothing.
pub(crate) fn assert_accepted(report: &Report) {
    let text = || serde_json::to_string_pretty(&report.document()).expect("a report is JSON");
    assert_eq!(report.verdict(), Verdict::Accept, "{}", text());
}
