//! One candidate, all checks. The steps are numbered in the room's own page.

use super::assessed::{Accepted, Assessed};
use super::signed::{Signed, is_met_by};
use super::verified::VerifiedBundle;
use crate::check::{Check, CheckName, Failure, Outcome};
use crate::code::Code;
use crate::digest::{Algorithm, Digest, VerifiedBlob};
use crate::evidence::Candidate;
use crate::limits::Limits;
use crate::policy::{LogEvidence, Policy, Requirement};
use crate::signer::Signer;
use crate::sigstore::{Artifact, Bundle, Proven};
use crate::time::{Timestamp, human};
use crate::trust::TrustRoot;

/// Verifies candidates against one policy, one trust root and one time.
#[derive(Debug, Clone, Copy)]
pub struct Assessor<'a> {
    policy: &'a Policy,
    trust: &'a TrustRoot,
    now: Timestamp,
    limits: &'a Limits,
    keep: Keep,
}

/// What a report keeps, at least, of evidence that the policy accepts. Verdict, signers,
/// times and checks are always in it; attestations may be megabytes each. Where the
/// policy itself asks for what is in a statement later on, statements are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Keep {
    /// The verdict alone: [`Assessed::attestation`] has none, unless the policy asks for the layers.
    Verdict,
    /// The statements.
    #[default]
    Statements,
    /// The statements, and the bytes that were verified as they were found, for [`Assessed::content`].
    Content,
}

/// A file that a bundle is for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BlobInput<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// Its digest, where the bytes are not at hand.
    Digest(&'a Digest),
    /// Both digests of bytes that are too many to be held.
    Hashed {
        /// The SHA-256 digest.
        sha256: &'a Digest,
        /// The SHA-512 digest.
        sha512: &'a Digest,
    },
}

impl BlobInput<'_> {
    /// What a report calls the file by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::sha256(bytes),
            Self::Digest(digest) => (*digest).clone(),
            Self::Hashed { sha256, .. } => (*sha256).clone(),
        }
    }

    /// Another digest by which a statement names the file: statements about
    /// packages often have SHA-512 and nothing else.
    fn named_by(&self, usual: &Digest, signed: &Signed) -> Option<Digest> {
        if signed.is_about(usual) {
            return None;
        }
        let other = match self {
            Self::Bytes(bytes) => Digest::compute(Algorithm::Sha512, bytes),
            Self::Digest(_) => return None,
            Self::Hashed { sha512, .. } => (*sha512).clone(),
        };
        signed.is_about(&other).then_some(other)
    }
}

impl<'a> Assessor<'a> {
    /// An assessor. `now` is the time that verified times may not be after.
    #[must_use]
    pub fn new(policy: &'a Policy, trust: &'a TrustRoot, now: Timestamp, limits: &'a Limits) -> Self {
        Self { policy, trust, now, limits, keep: Keep::default() }
    }

    /// The same, keeping at least this of what the policy accepts.
    #[must_use]
    pub fn keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    pub(crate) fn policy(&self) -> &'a Policy {
        self.policy
    }

    pub(crate) fn trust(&self) -> &'a TrustRoot {
        self.trust
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Runs every check on one candidate. `wanted` is the digest of its target.
    #[must_use]
    pub fn assess(&self, candidate: &Candidate, wanted: &Digest) -> Assessed {
        let mut assessed = Assessed::blank(candidate);
        match candidate.to_bundle(self.limits) {
            None => {}
            Some(Err(failure)) => assessed.verifier_failed(failure),
            Some(Ok((bundle, payload))) => {
                let payload = payload.map(VerifiedBlob::bytes);
                let signed = Signed::read(&bundle, payload, self.limits);
                self.judge(candidate, &bundle, payload, signed, wanted, &mut assessed);
            }
        }
        // An SBOM is compared with the layers when the verdict on everything else is known.
        let keep = if self.policy.asks_for_layers() { self.keep.max(Keep::Statements) } else { self.keep };
        match (&mut assessed.accepted, keep) {
            (Some(_), Keep::Content) => assessed.content = Some(candidate.content.clone()),
            (Some(Accepted::Attestation(attestation)), Keep::Verdict) => *attestation = None,
            _ => {}
        }
        assessed
    }

    /// Runs every check on a bundle for a file. With a digest instead of the
    /// bytes, signatures that hash the whole message inside (Ed25519) cannot be verified.
    #[must_use]
    pub fn assess_blob(&self, bundle: &Candidate, blob: &BlobInput<'_>) -> Assessed {
        let mut assessed = Assessed::blank(bundle);
        let usual = blob.digest();
        match bundle.to_bundle(self.limits) {
            None => {}
            Some(Err(failure)) => assessed.verifier_failed(failure),
            Some(Ok((parsed, _))) => {
                let signed = Signed::of_blob(&parsed, &usual, self.limits);
                let other = signed.as_ref().ok().and_then(|signed| blob.named_by(&usual, signed));
                let (bytes, wanted) = match (blob, other) {
                    (_, Some(other)) => (None, other),
                    (BlobInput::Bytes(bytes), None) => (Some(*bytes), usual),
                    (_, None) => (None, usual),
                };
                self.judge(bundle, &parsed, bytes, signed, &wanted, &mut assessed);
            }
        }
        assessed
    }

    fn judge(
        &self,
        candidate: &Candidate,
        bundle: &Bundle,
        message: Option<&[u8]>,
        signed: Result<Signed, Failure>,
        wanted: &Digest,
        out: &mut Assessed,
    ) {
        out.signature = Some(bundle.signature_digest());
        match signed {
            Err(failure) => out.verifier_failed(failure),
            Ok(signed) => self.verify(candidate, bundle, message, signed, wanted, out),
        }
    }

    /// Steps 1 to 13 of a candidate that is well-formed (step 0).
    fn verify(
        &self,
        candidate: &Candidate,
        bundle: &Bundle,
        message: Option<&[u8]>,
        signed: Signed,
        wanted: &Digest,
        out: &mut Assessed,
    ) {
        out.predicate_type = Some(signed.predicate_type().to_owned());
        let about = signed.is_about(wanted);
        out.subject = if about { Some(wanted.clone()) } else { signed.first_digest() };

        // Steps 1 to 6, by the verifier. It needs to know beforehand which
        // digest it is about; the answer only chooses its argument, and the
        // subject is judged below, on its own row.
        let argument = if about { Some(wanted.clone()) } else { signed.first_digest() };
        let artifact = match (message.filter(|_| about || matches!(signed, Signed::Simple(_))), &argument) {
            (Some(bytes), _) => Artifact::Bytes(bytes),
            (None, Some(digest)) => Artifact::Digest(digest),
            (None, None) => {
                let detail = "no subject has a sha256 or sha512 digest";
                return out.verifier_failed(Failure::new(CheckName::Structure, Code::UnsupportedEvidence, detail));
            }
        };
        let key = self.policy.key().filter(|_| bundle.leaf().is_none());
        if key.is_none() && bundle.leaf().is_none() {
            let detail = "signed with a key, and the policy names identities";
            return out.verifier_failed(Failure::new(CheckName::Certificate, Code::KeyMismatch, detail));
        }
        let (proven, instance) = match self.trust.verify(bundle, artifact, key, self.now) {
            Ok((proven, instance)) => (proven, instance),
            Err(failure) => return out.verifier_failed(failure),
        };
        // The verifier reads the system's clock for this; the time given decides.
        if let Some(late) = proven.times.iter().find(|t| t.time > self.now) {
            let detail = format!("the verified time {} is after {}", late.time, self.now);
            return out.verifier_failed(Failure::new(CheckName::Time, Code::TimeWindow, detail));
        }
        out.verifier_passed(&proven);

        // Steps 7 to 10, all of them, so that a report can say everything that is wrong.
        let signer = match (key, bundle.leaf()) {
            (Some(key), _) => Ok(Signer::of_key(key.der())),
            (None, Some(der)) => Signer::of_certificate(der).map_err(|e| (e.code(), e.to_string())),
            (None, None) => Err((Code::SignerInvalid, "no certificate".to_owned())),
        };
        match signer {
            Err((Code::Limit, problem)) => {
                return out.verifier_failed(Failure::new(CheckName::Signer, Code::Limit, problem));
            }
            Err((code, problem)) => {
                out.row(Err(Failure::new(CheckName::Signer, code, problem)), CheckName::Signer);
                out.not_run(&[CheckName::Identity, CheckName::Issuer, CheckName::Claims]);
            }
            Ok(signer) => {
                out.row(Ok(signer.identity().value.clone()), CheckName::Signer);
                out.row(self.policy.check_identity(&signer), CheckName::Identity);
                out.row(self.policy.check_issuer(&signer), CheckName::Issuer);
                match self.policy.check_claims(&signer) {
                    None => out.not_run(&[CheckName::Claims]),
                    Some(result) => out.row(result, CheckName::Claims),
                }
                out.verified = Some(VerifiedBundle::new(signer, &proven, instance));
            }
        }
        out.row(self.log_evidence(candidate, bundle, &proven), CheckName::LogEvidence);
        out.row(subject_row(&signed, about, wanted), CheckName::Subject);
        let (predicate, age) = self.asked_for(out.verified.as_ref(), &signed);
        out.row(predicate, CheckName::Predicate);
        if let (Some(bundle), Signed::Statement(statement)) = (&out.verified, &signed) {
            out.provenance(self.policy.check_provenance(bundle.signer(), statement, self.limits));
        }
        match age {
            None => out.not_run(&[CheckName::Age]),
            Some(result) => out.row(result, CheckName::Age),
        }
        // Only now, with every row that the policy asks for passed, is there a
        // value that says so. Age is judged for each requirement.
        let passed = |check: &Check| check.outcome != Outcome::Fail;
        let of_provenance = [CheckName::Provenance, CheckName::Source, CheckName::Builder, CheckName::SlsaLevel];
        let optional = |name| matches!(name, CheckName::Claims | CheckName::Age) || of_provenance.contains(&name);
        let complete = out.checks.iter().all(|check| check.outcome != Outcome::NotRun || optional(check.name));
        let holds = out.checks.iter().filter(|c| !matches!(c.name, CheckName::Age | CheckName::Predicate)).all(passed);
        if complete
            && holds
            && let Some(bundle) = out.verified.clone()
        {
            out.accepted = signed.accept(bundle, wanted);
        }
    }

    /// Step 9. A promise is the log's word that it will include the entry.
    fn log_evidence(&self, candidate: &Candidate, bundle: &Bundle, proven: &Proven) -> Result<String, Failure> {
        let fail = |detail: &str| Err(Failure::new(CheckName::LogEvidence, Code::LogPromiseOnly, detail));
        if proven.logs.is_empty() {
            return match self.policy.log_evidence() {
                LogEvidence::Proof => fail("there is no log entry, and the policy asks for a proof"),
                LogEvidence::Format => Ok("the instance has no log".to_owned()),
            };
        }
        if proven.logs.iter().all(|log| log.proof) {
            return Ok("proven".to_owned());
        }
        match self.policy.log_evidence() {
            LogEvidence::Format if candidate.may_be_promised(bundle) => Ok("promised".to_owned()),
            LogEvidence::Format => {
                fail("a bundle in a registry has to carry the proof that the log includes it; this one has a promise")
            }
            LogEvidence::Proof => fail("the log promised to include the entry, and the policy asks for a proof"),
        }
    }

    /// Steps 11 and 13: which requirement asks for this, and is it recent enough for one?
    fn asked_for(
        &self,
        bundle: Option<&VerifiedBundle>,
        signed: &Signed,
    ) -> (Result<String, Failure>, Option<Result<String, Failure>>) {
        let asking: Vec<&Requirement> =
            self.policy.requirements().iter().filter(|r| is_met_by(r.wanted(), signed.predicate_type())).collect();
        if asking.is_empty() {
            let detail = format!("no requirement asks for {}", signed.predicate_type());
            return (Err(Failure::new(CheckName::Predicate, Code::PredicateMismatch, detail)), None);
        }
        let names: Vec<String> = asking.iter().map(|r| r.name()).collect();
        let mut age = None;
        for requirement in asking {
            match (age_row(requirement, bundle, self.now), &age) {
                (Some(Ok(detail)), _) => age = Some(Ok(detail)),
                (Some(Err(failure)), None) => age = Some(Err(failure)),
                _ => {}
            }
        }
        (Ok(names.join(", ")), age)
    }
}

/// Step 13 for one requirement; `None` if it does not limit the age.
pub(super) fn age_row(
    requirement: &Requirement,
    bundle: Option<&VerifiedBundle>,
    now: Timestamp,
) -> Option<Result<String, Failure>> {
    let limit = requirement.max_age()?;
    let stale = |detail: String| Some(Err(Failure::new(CheckName::Age, Code::Stale, detail)));
    // The earliest: a later time can be had for an old signature, an earlier one cannot.
    let Some(earliest) = bundle.and_then(|bundle| bundle.times().first()) else {
        return stale("nothing says when it was signed".to_owned());
    };
    let age = now.since(earliest.time);
    if age > limit {
        return stale(format!("signed {} ago, at most {} is allowed", human(age), human(limit)));
    }
    Some(Ok(format!("signed {} ago", human(age))))
}

fn subject_row(signed: &Signed, about: bool, wanted: &Digest) -> Result<String, Failure> {
    if about {
        return Ok(wanted.to_string());
    }
    let found = signed.first_digest().map_or_else(|| "no digest".to_owned(), |digest| digest.to_string());
    let detail = format!("wanted {wanted}, found {found}");
    Err(Failure::new(CheckName::Subject, Code::SubjectMismatch, detail))
}
