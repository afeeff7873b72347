//! Every reason this crate gives, as one stable list.

use std::fmt;
use std::str::FromStr;

/// Defines [`Code`]: variant, kebab-case name, what it means, what to do.
macro_rules! codes {
    ($($variant:ident $name:literal $meaning:literal $remedy:literal;)*) => {
        /// Why something was refused, undecided or wrong. The names are stable:
        /// scripts and dashboards may rely on them. New ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable kebab-case name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the code means, in one or two sentences.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    // Nothing that satisfies the requirement.
    NoSignature "no-signature"
        "Every place was read and no signature of this digest is attached."
        "Check the digest, and that the mirror copies referrers and the .sig and .att tags with the image.";
    NoAttestation "no-attestation"
        "Every place was read and no attestation of this type is attached to this digest."
        "`cg-attest tree IMAGE` shows what is attached where; `--require signature` checks what `cosign verify` checks.";
    OnIndex "on-index"
        "The attestation covers the index, and a document about the index says nothing of the packages of one platform."
        "Ask the publisher to attest each platform, or accept the index's with `--level TYPE=either`.";
    Unsigned "unsigned"
        "Only an unsigned BuildKit attestation of this type is attached; nobody vouches for it."
        "Ask the publisher to sign it.";
    PlatformAbsent "platform-absent"
        "The index does not list a platform that the policy requires."
        "Check the spelling of `--require-platform`, or use an image that is built for that platform.";
    PlatformMismatch "platform-mismatch"
        "The index that was named does not list this image."
        "Name the index that the image was taken from, or leave out `--index`.";
    Stale "stale"
        "The newest accepted candidate is older than `--max-age` allows."
        "Pull a newer image, or see whether a mirror serves old signatures.";

    // Who signed.
    IdentityMismatch "identity-mismatch"
        "The evidence is genuine, and its signer is not one that the policy names."
        "Compare wanted and found; the part that differs is marked.";
    IssuerMismatch "issuer-mismatch"
        "The evidence is genuine, and the signer's identity was confirmed by another OIDC issuer than the policy names."
        "Compare wanted and found; an equal identity from another issuer is another person.";
    ClaimMismatch "claim-mismatch"
        "A claim of the certificate differs from what `--claim` asks for."
        "`cg-attest inspect IMAGE` lists every claim that the certificate carries.";
    PatternNotAnchored "pattern-not-anchored"
        "The pattern matches only a part of the identity. Patterns are always matched in full, because a partial match lets an attacker choose the rest."
        "Copy the anchored pattern from the message, after checking that it says what you mean.";
    SignerInvalid "signer-invalid"
        "The certificate does not name exactly one signer, or its issuer extensions contradict each other."
        "The certificate is outside the Sigstore profile; ask the publisher how it was made.";
    KeyMismatch "key-mismatch"
        "The policy names a key and this evidence was signed with a certificate, or the other way round."
        "Use `--key` for key-signed images and `--identity` with `--issuer` for keyless ones.";

    // The evidence itself.
    BundleInvalid "bundle-invalid"
        "The bundle is malformed or contradicts itself."
        "The evidence is damaged or forged; fetch it from the original registry and compare.";
    UnsupportedEvidence "unsupported-evidence"
        "The evidence has a form that this version cannot verify, so it satisfies nothing."
        "See docs/interop.md for what is read; ask the publisher to sign again with a current client.";
    SigInvalid "sig-invalid"
        "The signature is not one over these bytes by the certificate's key."
        "The evidence was altered after signing, or belongs to something else.";
    LogMismatch "log-mismatch"
        "The log entry describes another signature, certificate or artifact than the bundle it travels in."
        "This is how a genuine entry is misused for foreign evidence; treat it as an attack.";
    LogProof "log-proof"
        "The inclusion proof does not lead from the entry to a signed checkpoint."
        "The bundle was altered, or the log's proof was not recorded; sign again.";
    LogKey "log-key"
        "No trusted log key made the checkpoint or promise."
        "Check that the trust root belongs to the instance that signed: `--trusted-root FILE`.";
    LogPromiseOnly "log-promise-only"
        "The log promised to include the entry, and no proof that it did is attached. Bundles in a registry must carry the proof."
        "Sign again with a current client; a bundle from which the proof was cut gains nothing here.";
    TimeMissing "time-missing"
        "No trusted source says when the signature was made, so a short-lived certificate cannot be judged."
        "A signed timestamp or a log promise that the trust root knows has to be in the bundle: check `--trusted-root`, or sign again with a timestamp authority.";
    TimeWindow "time-window"
        "A verified time is outside the validity of the certificate, key or authority, or in the future."
        "Check the clock; otherwise the evidence was made outside its window and is worth nothing.";
    CertChain "cert-chain"
        "The certificate does not lead to a certificate authority of the trust root."
        "Check that the trust root belongs to the instance that signed: `--trusted-root FILE`.";
    CertProfile "cert-profile"
        "The certificate is malformed or not made for signing code."
        "The certificate is outside the Sigstore profile; ask the publisher how it was made.";
    CertSct "cert-sct"
        "The certificate is not proven to be in a certificate transparency log."
        "Check that the trust root belongs to the instance that signed.";
    DsseType "dsse-type"
        "The envelope's payload is not an in-toto statement."
        "Only `application/vnd.in-toto+json` payloads can be bound to an image.";
    StmtInvalid "stmt-invalid"
        "The signed payload is not a well-formed statement or simple-signing document."
        "Ask the publisher; what was signed cannot be read without ambiguity.";
    SubjectMismatch "subject-mismatch"
        "The evidence is genuine, and it is about another digest."
        "It may belong to another platform of the same image, or to another image.";
    PredicateMismatch "predicate-mismatch"
        "The evidence is genuine, and it is of another type than the requirement."
        "See `--require` and `cg-attest tree IMAGE` for the types that are attached.";
    ReferrerMismatch "referrer-mismatch"
        "The registry lists a manifest as referring to this digest, and the manifest itself says otherwise."
        "The registry's listing is wrong or forged.";

    // Reading.
    DigestMismatch "digest-mismatch"
        "The bytes received are not the ones that the digest names."
        "The registry or something on the way changed them; try again, then report it to the registry.";
    EvidenceAbsent "evidence-absent"
        "A listing names a manifest or blob that the registry does not have, also after asking again."
        "The mirror is incomplete or a publisher is replacing evidence; try again, or ask the origin.";
    ListingIncomplete "listing-incomplete"
        "A place that may hold evidence could not be listed; the requirement is satisfied without it."
        "Nothing, unless the listing matters to you: the message names it.";
    RegistryUnavailable "registry-unavailable"
        "The registry did not give a usable answer: a server error, a broken connection, or time ran out."
        "Try again; `--timeout` gives more time.";
    RegistryDenied "registry-denied"
        "The registry refuses access with these credentials, or without any."
        "Log in (`docker login REGISTRY`) or pass `--registry-username` with `--registry-password-stdin`.";
    RegistryRateLimited "registry-rate-limited"
        "The registry refuses further requests for now."
        "Wait as the message says, log in for a higher limit, or use a mirror (`--mirror`).";
    RegistryProtocol "registry-protocol"
        "The registry's answer breaks the distribution specification, so it says nothing."
        "Check the address: a web page or proxy may answer instead of a registry.";
    CredentialScope "credential-scope"
        "Credentials would have to be sent somewhere the configuration does not name."
        "Check the registry's address; report it if the registry is genuine.";
    ImageNotFound "image-not-found"
        "The registry has no such image, or hides it from this account."
        "Check name and tag; private images need a login.";
    Limit "limit"
        "A bound on size, count or depth was reached, so not everything was read."
        "Something is attached in unusual amounts; see who may write to this repository.";
    MediaAmbiguous "media-ambiguous"
        "A manifest can be read in two ways, or lists the same platform twice."
        "Do not run it; report it to the publisher.";
    ManifestInvalid "manifest-invalid"
        "A manifest is not valid JSON of the kind that its media type names."
        "The image is damaged; report it to the publisher.";

    // What was asked.
    PolicyMissing "policy-missing"
        "Nothing says who is trusted to sign this image, and without that no answer means anything."
        "Name the signer with `--identity` and `--issuer`, or use `--preset`; `cg-attest inspect IMAGE` shows who claims to have signed.";
    PolicyInvalid "policy-invalid"
        "The policy is empty, contradicts itself or has a value that is not understood."
        "The message names the flag or value.";
    ReferenceInvalid "reference-invalid"
        "The image reference, digest or platform is malformed."
        "References look like `cgr.dev/chainguard/nginx:latest` or `…@sha256:<64 hex digits>`, platforms like `linux/arm64`.";
    Usage "usage"
        "The command line is wrong or contradicts itself."
        "See `cg-attest COMMAND --help`.";
    FileUnreadable "file-unreadable"
        "A file that was named cannot be read or written."
        "Check the path and its permissions.";
    TrustRoot "trust-root"
        "The trust root cannot be read, is expired or cannot be used."
        "`--trusted-root FILE` or `--trusted-root embedded` chooses another one.";
    NoCryptoProvider "no-crypto-provider"
        "The library was built without cryptography and the application installed none."
        "Enable the feature `aws-lc-rs`, or install a provider before the first call.";
    Offline "offline"
        "`--offline` forbids the network, and the image is in a registry."
        "Name an OCI layout (`oci:FOLDER`), or drop `--offline` and keep `--trusted-root embedded`.";
    Internal "internal"
        "A bug in cg-attest; nothing was accepted."
        "Please report it with the command and its output.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason code")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().find(|code| code.as_str() == text);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_kebab_case_and_round_trip() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let name = code.as_str();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
            assert_eq!(name.parse(), Ok(*code));
            assert!(code.meaning().ends_with('.') && code.remedy().ends_with('.'), "{name}");
        }
        assert!("made-up".parse::<Code>().is_err());
    }
}
