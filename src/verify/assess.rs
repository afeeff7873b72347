//! One candidate, all checks. The steps are numbered in the room's own page.

use crate::check::{Check, CheckName, Failure, Outcome};
use crate::code::Code;
use crate::digest::{Algorithm, Digest, VerifiedBlob};
use crate::evidence::{Candidate, Content, Origin, Unread};
use crate::limits::Limits;
use crate::policy::{LogEvidence, Policy, Requirement, Wanted};
use crate::signer::Signer;
use crate::sigstore::{Artifact, Bundle, Proven, SignedContent};
use crate::statement::{COSIGN_SIGN, PAYLOAD_TYPE, SimpleSigning, Statement};
use crate::time::{Timestamp, human};
use crate::trust::TrustRoot;
use crate::verify::State;
use crate::verify::decide::state_of;
use crate::verify::verified::{
    VerifiedAttestation, VerifiedBundle, VerifiedSignature, VerifiedSimpleSigning, VerifiedStatement,
};

/// Verifies candidates against one policy, one trust root and one time.
#[derive(Debug, Clone, Copy)]
pub struct Assessor<'a> {
    policy: &'a Policy,
    trust: &'a TrustRoot,
    now: Timestamp,
    limits: &'a Limits,
    keep_content: bool,
}

/// What became of one candidate: every check, and what it proved.
#[derive(Debug, Clone)]
pub struct Assessed {
    pub(super) target: usize,
    pub(super) origin: Origin,
    pub(super) also_at: Vec<Origin>,
    pub(super) digest: Option<Digest>,
    pub(super) manifest_digest: Option<Digest>,
    pub(super) size: u64,
    pub(super) subject: Option<Digest>,
    pub(super) predicate_type: Option<String>,
    pub(super) checks: Vec<Check>,
    pub(super) unread: Option<Unread>,
    pub(super) skipped: bool,
    pub(super) unsigned: bool,
    pub(super) verified: Option<VerifiedBundle>,
    pub(super) accepted: Option<Accepted>,
    pub(super) content: Option<Content>,
    /// What makes two candidates the same piece of evidence in two formats.
    pub(super) signature: Option<Digest>,
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
    fn named_by(&self, usual: &Digest, signed: &Signed<'_>) -> Option<Digest> {
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

/// What the policy accepts of a candidate whose every row passed, age aside.
#[derive(Debug, Clone)]
pub(super) enum Accepted {
    Signature(VerifiedSignature),
    Attestation(Box<VerifiedAttestation>),
}

/// What is signed, parsed once, from the bytes that the signature is over.
enum Signed<'b> {
    Statement { statement: Statement, payload: &'b [u8] },
    Simple(SimpleSigning),
    Message(Digest),
}

impl<'a> Assessor<'a> {
    /// An assessor. `now` is the time that verified times may not be after.
    #[must_use]
    pub fn new(policy: &'a Policy, trust: &'a TrustRoot, now: Timestamp, limits: &'a Limits) -> Self {
        Self { policy, trust, now, limits, keep_content: false }
    }

    /// The same, keeping the bytes of what the policy accepts, for [`Assessed::content`].
    #[must_use]
    pub fn keep_content(self, keep: bool) -> Self {
        Self { keep_content: keep, ..self }
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
        if self.keep_content && assessed.accepted.is_some() {
            assessed.content = Some(candidate.content.clone());
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
        signed: Result<Signed<'_>, Failure>,
        wanted: &Digest,
        out: &mut Assessed,
    ) {
        out.signature = Some(bundle.signature_digest());
        match signed {
            Err(failure) => out.verifier_failed(failure),
            Ok(signed) => self.verify(candidate, bundle, message, signed, wanted, out),
        }
    }

    /// Steps 1 to 12 of a candidate that is well-formed (step 0).
    fn verify(
        &self,
        candidate: &Candidate,
        bundle: &Bundle,
        message: Option<&[u8]>,
        signed: Signed<'_>,
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
            (None, Some(der)) => Signer::of_certificate(der).map_err(|e| e.to_string()),
            (None, None) => Err("no certificate".to_owned()),
        };
        match signer {
            Err(problem) => {
                out.row(Err(Failure::new(CheckName::Signer, Code::SignerInvalid, problem)), CheckName::Signer);
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
        match age {
            None => out.not_run(&[CheckName::Age]),
            Some(result) => out.row(result, CheckName::Age),
        }
        // Only now, with every row that the policy asks for passed, is there a
        // value that says so. Age is judged for each requirement.
        let passed = |check: &Check| check.outcome != Outcome::Fail;
        let optional = [CheckName::Claims, CheckName::Age];
        let complete =
            out.checks.iter().all(|check| check.outcome != Outcome::NotRun || optional.contains(&check.name));
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

    /// Steps 11 and 12: which requirement asks for this, and is it recent enough for one?
    fn asked_for(
        &self,
        bundle: Option<&VerifiedBundle>,
        signed: &Signed<'_>,
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

/// Whether what is signed is what a requirement wants. The type of a
/// simple-signing document is the word `signature`, which no URI is.
pub(super) fn is_met_by(wanted: &Wanted, predicate_type: &str) -> bool {
    match wanted {
        Wanted::Signature => predicate_type == SIGNATURE || predicate_type == COSIGN_SIGN,
        other => other.is_met_by(predicate_type),
    }
}

/// What stands for the predicate type of a signature that has none.
pub(super) const SIGNATURE: &str = "signature";

/// Step 12 for one requirement; `None` if it does not limit the age.
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

fn subject_row(signed: &Signed<'_>, about: bool, wanted: &Digest) -> Result<String, Failure> {
    if about {
        return Ok(wanted.to_string());
    }
    let found = signed.first_digest().map_or_else(|| "no digest".to_owned(), |digest| digest.to_string());
    let detail = format!("wanted {wanted}, found {found}");
    Err(Failure::new(CheckName::Subject, Code::SubjectMismatch, detail))
}

impl<'b> Signed<'b> {
    /// Step 0, second half: what is signed is well-formed and of a kind that can be bound to an image.
    fn read(bundle: &'b Bundle, payload: Option<&'b [u8]>, limits: &Limits) -> Result<Self, Failure> {
        let structure = |code, detail: String| Failure::new(CheckName::Structure, code, detail);
        match (bundle.signed_content()?, payload) {
            (SignedContent::Dsse { payload_type, payload }, _) => {
                if payload_type != PAYLOAD_TYPE {
                    return Err(structure(Code::DsseType, format!("the payload type is {payload_type}")));
                }
                let statement = Statement::parse(payload, limits).map_err(|e| structure(e.code(), e.to_string()))?;
                Ok(Self::Statement { statement, payload })
            }
            (SignedContent::Message { .. }, Some(bytes)) => {
                let document = SimpleSigning::parse(bytes).map_err(|e| structure(e.code(), e.to_string()))?;
                Ok(Self::Simple(document))
            }
            (SignedContent::Message { digest: Some(digest) }, None) => Ok(Self::Message(digest)),
            (SignedContent::Message { digest: None }, None) => {
                let detail = "the bundle does not name the digest of what it signs".to_owned();
                Err(structure(Code::UnsupportedEvidence, detail))
            }
        }
    }

    /// As [`Signed::read`], for a bundle of a file: a message is the file
    /// unless the bundle says that it is another one.
    fn of_blob(bundle: &'b Bundle, blob: &Digest, limits: &Limits) -> Result<Self, Failure> {
        match bundle.signed_content()? {
            SignedContent::Message { digest } => Ok(Self::Message(digest.unwrap_or_else(|| blob.clone()))),
            SignedContent::Dsse { .. } => Self::read(bundle, None, limits),
        }
    }

    fn predicate_type(&self) -> &str {
        match self {
            Self::Statement { statement, .. } => statement.predicate_type(),
            Self::Simple(_) | Self::Message(_) => SIGNATURE,
        }
    }

    fn is_about(&self, wanted: &Digest) -> bool {
        match self {
            Self::Statement { statement, .. } => statement.is_about(wanted),
            Self::Simple(document) => document.digest == *wanted,
            Self::Message(digest) => digest == wanted,
        }
    }

    fn first_digest(&self) -> Option<Digest> {
        match self {
            Self::Statement { statement, .. } => statement.first_digest(),
            Self::Simple(document) => Some(document.digest.clone()),
            Self::Message(digest) => Some(digest.clone()),
        }
    }

    fn accept(self, bundle: VerifiedBundle, wanted: &Digest) -> Option<Accepted> {
        match self {
            Self::Statement { statement, payload } => {
                let is_signature = statement.predicate_type() == COSIGN_SIGN;
                let statement = VerifiedStatement::bind(bundle, statement, payload, wanted)?;
                Some(if is_signature {
                    Accepted::Signature(VerifiedSignature::statement(statement))
                } else {
                    Accepted::Attestation(Box::new(VerifiedAttestation::accept(statement)))
                })
            }
            Self::Simple(document) => VerifiedSimpleSigning::bind(bundle, document, wanted)
                .map(|simple| Accepted::Signature(VerifiedSignature::simple(simple))),
            Self::Message(digest) => VerifiedSimpleSigning::bind_message(bundle, &digest, wanted)
                .map(|simple| Accepted::Signature(VerifiedSignature::simple(simple))),
        }
    }
}

impl Assessed {
    fn blank(candidate: &Candidate) -> Self {
        let unread = match &candidate.content {
            Content::Failed(unread) => Some(unread.clone()),
            _ => None,
        };
        Self {
            target: candidate.target,
            origin: candidate.origin.clone(),
            also_at: Vec::new(),
            digest: candidate.digest.clone(),
            manifest_digest: candidate.manifest_digest.clone(),
            size: candidate.size,
            subject: None,
            predicate_type: candidate.hint.clone(),
            checks: CheckName::ALL.iter().map(|name| Check::not_run(*name)).collect(),
            unread,
            skipped: matches!(candidate.content, Content::Skipped),
            unsigned: matches!(candidate.content, Content::Unsigned),
            verified: None,
            accepted: None,
            content: None,
            signature: None,
        }
    }

    /// One row of the verifier's failed; it stopped there, so its other rows are not known.
    fn verifier_failed(&mut self, failure: Failure) {
        // Over a limit is not read to the end: undecided, never refused.
        if failure.code == Code::Limit {
            self.unread = Some(Unread::new(failure.code, failure.detail.clone()));
        }
        let name = failure.check;
        self.set(name, Check::fail(failure));
    }

    fn verifier_passed(&mut self, proven: &Proven) {
        for &name in CheckName::ALL.iter().filter(|name| name.is_verifiers()) {
            let undated = name == CheckName::Time && proven.times.is_empty();
            let unlogged = matches!(name, CheckName::Log | CheckName::LogEntry) && proven.logs.is_empty();
            let row = if proven.waived.contains(&name) {
                Check::waived(name, "the trust root's profile has none".to_owned())
            } else if undated || unlogged {
                Check::waived(name, "there is none, and none is needed here".to_owned())
            } else {
                Check::pass(name, None)
            };
            self.set(name, row);
        }
    }

    fn row(&mut self, result: Result<String, Failure>, name: CheckName) {
        let row = match result {
            Ok(detail) => Check::pass(name, Some(detail)),
            Err(failure) => Check::fail(failure),
        };
        self.set(name, row);
    }

    fn not_run(&mut self, names: &[CheckName]) {
        for &name in names {
            self.set(name, Check::not_run(name));
        }
    }

    fn set(&mut self, name: CheckName, row: Check) {
        if let Some(slot) = self.checks.iter_mut().find(|check| check.name == name) {
            *slot = row;
        }
    }

    /// The rows, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The first row that failed, the rows of the type and the age left aside.
    pub(super) fn failure(&self) -> Option<&Check> {
        let of_requirement = |check: &&Check| matches!(check.name, CheckName::Predicate | CheckName::Age);
        self.checks.iter().filter(|check| !of_requirement(check)).find(|check| check.outcome == Outcome::Fail)
    }

    /// How the candidate stands on its own, whatever is required.
    #[must_use]
    pub fn standing(&self) -> State {
        match (self.failure(), &self.accepted) {
            _ if self.unread.is_some() || self.skipped => State::Undecided,
            _ if self.unsigned => State::Unsigned,
            (Some(check), _) => state_of(check),
            (None, Some(_)) => State::Ok,
            (None, None) => State::Invalid,
        }
    }

    /// Where it was found; other places of the same evidence are in [`Assessed::also_at`].
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Other places where the same signature was found and verified.
    #[must_use]
    pub fn also_at(&self) -> &[Origin] {
        &self.also_at
    }

    /// The target it is listed for, by its place in the list of targets.
    #[must_use]
    pub fn target(&self) -> usize {
        self.target
    }

    /// The digest of the bundle or layer.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The digest of the manifest that carries it.
    #[must_use]
    pub fn manifest_digest(&self) -> Option<&Digest> {
        self.manifest_digest.as_ref()
    }

    /// The size of the bundle or layer, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest that it is about: verified only where the rows say so.
    #[must_use]
    pub fn subject(&self) -> Option<&Digest> {
        self.subject.as_ref()
    }

    /// The predicate type that it claims: verified only where the rows say so.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.predicate_type.as_deref()
    }

    /// What the verifier proved; none if it refused.
    #[must_use]
    pub fn verified(&self) -> Option<&VerifiedBundle> {
        self.verified.as_ref()
    }

    /// Why it was not read.
    #[must_use]
    pub fn unread(&self) -> Option<&Unread> {
        self.unread.as_ref()
    }

    /// Whether it was left unread because nothing asks for it.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.skipped
    }

    /// Whether it is an unsigned attestation, which satisfies nothing.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// The signature, if it is one and every row passed but type and age,
    /// which are judged for each requirement.
    #[must_use]
    pub fn signature(&self) -> Option<&VerifiedSignature> {
        match &self.accepted {
            Some(Accepted::Signature(signature)) => Some(signature),
            _ => None,
        }
    }

    /// The attestation, if it is one and every row passed but type and age,
    /// which are judged for each requirement.
    #[must_use]
    pub fn attestation(&self) -> Option<&VerifiedAttestation> {
        match &self.accepted {
            Some(Accepted::Attestation(attestation)) => Some(attestation),
            _ => None,
        }
    }

    /// The bytes that were verified, in the form in which they were found:
    /// only of what the policy accepts, and only where they were asked for.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }
}
