//! The forms that evidence about an index comes in.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::policy::{Level, Policy, PolicyBuilder};
use cg_attest::testing::{BundleVersion, Fault, Log, Mint, Statement, Upload, simple_signing};

use super::bench::{Bench, assert_accepted, assert_refused_by, requirement, trusting_signer};

/// What holds the evidence, and what is signed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// A bundle, attached as a referrer, with a statement in an envelope.
    Statement,
    /// A bundle, attached as a referrer, with a signature of the index itself.
    Message,
    /// A layer at the `.sig` tag.
    SignatureTag,
    /// The same layer in a referrer (OCI 1.1).
    SignatureReferrer,
    /// A layer at the `.att` tag.
    AttestationTag,
}

/// Everything about a piece of evidence but what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) container: Container,
    pub(crate) version: BundleVersion,
    pub(crate) log: Log,
    pub(crate) promise: bool,
    pub(crate) timestamp: bool,
    /// Signed with a managed key instead of a certificate.
    pub(crate) keyed: bool,
}

impl Form {
    /// What cosign 3 makes: a v0.3 bundle with promise and proof of Rekor v1.
    pub(crate) const BUNDLE: Self = Self {
        container: Container::Statement,
        version: BundleVersion::V03,
        log: Log::RekorV1,
        promise: true,
        timestamp: false,
        keyed: false,
    };

    /// What writers of Rekor v2 make: a timestamp instead of a promise.
    pub(crate) const REKOR_V2: Self = Self { log: Log::RekorV2, promise: false, timestamp: true, ..Self::BUNDLE };

    /// Evidence of this form is accepted, and with this fault refused by this row.
    pub(crate) async fn assert_refused(self, fault: Fault, name: CheckName, code: Code) {
        let bench = Bench::new().await;
        let policy = self.policy(&bench);
        bench.push(&self.upload(&bench, None)).await;
        assert_accepted(&bench.verify(&policy).await);
        let place = bench.fresh().await;
        place.push(&self.upload(&bench, Some(fault))).await;
        assert_refused_by(&place.verify(&policy).await, name, code);
    }

    /// Every form that is good evidence.
    pub(crate) fn all() -> Vec<Self> {
        let containers = [
            (Container::Statement, BundleVersion::V03, Log::RekorV1),
            (Container::Statement, BundleVersion::V03, Log::RekorV1Intoto),
            (Container::Statement, BundleVersion::V03, Log::RekorV2),
            (Container::Statement, BundleVersion::V01, Log::RekorV1),
            (Container::Message, BundleVersion::V03, Log::RekorV1),
            (Container::Message, BundleVersion::V03, Log::RekorV2),
            (Container::SignatureTag, BundleVersion::V01, Log::RekorV1),
            (Container::SignatureReferrer, BundleVersion::V01, Log::RekorV1),
            (Container::AttestationTag, BundleVersion::V01, Log::RekorV1),
            (Container::AttestationTag, BundleVersion::V01, Log::RekorV1Intoto),
        ];
        let mut forms = Vec::new();
        for keyed in [false, true] {
            for (container, version, log) in containers {
                for (promise, timestamp) in [(true, false), (true, true), (false, true), (false, false)] {
                    let form = Self { container, version, log, promise, timestamp, keyed };
                    forms.extend(form.is_evidence().then_some(form));
                }
            }
        }
        forms
    }

    fn is_evidence(self) -> bool {
        let (v1, v01) = (self.log != Log::RekorV2, self.version == BundleVersion::V01);
        // A promise is all that a layer and version 0.1 have; Rekor v2 makes none; a certificate needs a time.
        (self.promise || !v1 || !v01) && (v1 || !self.promise) && (self.keyed || self.promise || self.timestamp)
    }

    fn mint(self, bench: &Bench) -> Mint<'_> {
        let mint = if self.keyed { bench.sigstore.sign_with_key(&bench.key) } else { bench.sign() };
        let mint = mint.version(self.version).log(self.log).timestamp(self.timestamp);
        if self.promise { mint } else { mint.without_promise() }
    }

    /// Whether it is a layer with annotations, in cosign's older storage.
    pub(crate) fn is_layer(self) -> bool {
        !matches!(self.container, Container::Statement | Container::Message)
    }

    /// Whether evidence of this form can be wrong in this way.
    pub(crate) fn can_have(self, bench: &Bench, fault: Fault) -> bool {
        let mint = self.mint(bench);
        match self.container {
            Container::Statement => mint.statement_can_have(fault),
            Container::Message => mint.blob_can_have(fault),
            Container::SignatureTag | Container::SignatureReferrer => mint.legacy_signature_can_have(fault),
            Container::AttestationTag => mint.legacy_attestation_can_have(fault),
        }
    }

    /// Good evidence about the index, or evidence that is wrong in one way.
    pub(crate) fn upload(self, bench: &Bench, fault: Option<Fault>) -> Upload {
        let mint = self.mint(bench);
        let mint = fault.map_or(mint, |fault| mint.fault(fault));
        let index = bench.index();
        let statement = || Statement::about(&index.digest).spdx();
        let layer = || mint.legacy_signature(&simple_signing(&bench.repository.to_string(), &index.digest));
        match self.container {
            Container::Statement => Upload::bundle(index, &mint.statement(&statement())),
            Container::Message => {
                let (_, _, manifest) = bench.image.upload.manifests().last().expect("an image has an index");
                Upload::bundle(index, &mint.blob(manifest.bytes()))
            }
            Container::SignatureTag => Upload::signatures(index, &[layer()]),
            Container::SignatureReferrer => Upload::signature_referrer(index, &layer()),
            Container::AttestationTag => Upload::attestations(index, &[mint.legacy_attestation(&statement())]),
        }
    }

    /// The name of the requirement that evidence of this form satisfies.
    pub(crate) fn requirement(self) -> &'static str {
        match self.container {
            Container::Statement | Container::AttestationTag => "spdx",
            Container::Message | Container::SignatureTag | Container::SignatureReferrer => "signature",
        }
    }

    /// Trusts whoever signs evidence of this form; nothing is required yet.
    pub(crate) fn signers(self, bench: &Bench) -> PolicyBuilder {
        if self.keyed { Policy::builder().key(&bench.key.public_key_pem()) } else { trusting_signer() }
    }

    /// Requires evidence of this form for the index.
    pub(crate) fn policy(self, bench: &Bench) -> Policy {
        let wanted = requirement(self.requirement()).at(Level::Index);
        self.signers(bench).require(wanted).build().expect("a policy")
    }
}
