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
        "The index does not list a platform that was asked for."
        "Check the spelling of `--platform` or `--require-platform`, or use an image that is built for that platform.";
    PlatformMismatch "platform-mismatch"
        "The index that was named does not list this image."
        "Name the index that the image was taken from, or leave out `--index`.";
    Stale "stale"
        "The newest accepted candidate is older than `--max-age` allows."
        "Pull a newer image, or see whether a mirror serves old signatures.";

    BaseNotNamed "base-not-named"
        "`--base` asks what the image is built on, and neither accepted provenance nor an annotation says."
        "Name it with its digest: `--base=NAME@DIGEST`.";
    BaseRefused "base-refused"
        "The image that this one is built on is not accepted under its own policy."
        "`cg-attest verify BASE` says why.";
    BaseMismatch "base-mismatch"
        "The layers of the base are not the first layers of this image, so it is not built on it."
        "Compare the layers; an image whose layers were compressed anew or squashed cannot be shown to be built on anything.";

    // Who signed.
    IdentityMismatch "identity-mismatch"
        "The evidence is genuine, and its signer is not one that the policy names."
        "Compare wanted with found: another repository, branch or address is another signer.";
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
    BundleVersion "bundle-version"
        "The bundle is of the version 0.1 or 0.2, which registries and other readers do not take as a referrer."
        "Sign again with a current client; bundles of the version 0.3 are attached.";
    NoLegacyForm "no-legacy-form"
        "The bundle has something that the legacy format has no place for, or lacks what that format needs."
        "Sign with Rekor v1 for `--signature-format legacy`, or attach bundles.";
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
        "A signed timestamp or a promise of the log has to be in the bundle: sign again with a timestamp authority.";
    TimeUntrusted "time-untrusted"
        "A signed timestamp is there, and no timestamp authority of the trust root made it for this signature."
        "Check that the trust root belongs to the instance that signed and names its timestamp authority: `cg-attest trust show`, `--trusted-root FILE`.";
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
    ProvenanceInvalid "provenance-invalid"
        "The policy asks what the provenance says, and the predicate is not SLSA provenance that everybody reads the same way."
        "Ask the publisher; `cg-attest get IMAGE --type slsa` prints what was signed.";
    ProvenanceMismatch "provenance-mismatch"
        "The certificate and the provenance that was signed with it name different builds, in a field that the build type defines to be the same."
        "The provenance was not written by the build that signed it; ask the publisher how it was made.";
    SourceMismatch "source-mismatch"
        "The evidence is genuine, and the image was built from another repository, ref or commit than the policy asks for."
        "Compare wanted and found; `cg-attest provenance IMAGE` shows all of it.";
    SourceNotShown "source-not-shown"
        "Neither the certificate nor the provenance says what the policy asks of the source."
        "Ask for what is shown: `cg-attest provenance IMAGE` lists it.";
    BuilderMismatch "builder-mismatch"
        "The evidence is genuine, and its provenance names another builder or build type than the policy asks for, or none."
        "Compare wanted and found; a builder's version is a part of its name.";
    LevelNotShown "level-not-shown"
        "The signer, the builder and the build type of the provenance do not together show the SLSA level that the policy asks for."
        "docs/slsa-levels.md lists what shows which level, and why; the message says what was shown.";
    PredicateInvalid "predicate-invalid"
        "The predicate is not JSON that everybody reads the same way, or not a document of the type that it is attested as."
        "Compare the file with `--type`; a whole statement may be given as well, and its type has to be the same.";
    PredicateSubject "predicate-subject"
        "The predicate names another digest or platform than the one that it would be attached to."
        "Give each platform its own document: `--sbom=linux/amd64=FILE`; the message says what the document names.";
    PredicateTooLarge "predicate-too-large"
        "The statement is larger than a transparency log or a reader takes; nothing was signed."
        "Use a log of version 2, which takes digests only, or attest a reference to the document (https://in-toto.io/attestation/reference/v0.1).";
    ReferrerMismatch "referrer-mismatch"
        "The registry lists a manifest as referring to this digest, and the manifest itself says otherwise."
        "The registry's listing is wrong or forged.";

    BuildFacts "build-facts"
        "What is known of a build is not enough to write provenance, or a file that describes it cannot be read."
        "The message names the fact; `cg-attest provenance generate --help` lists the flags that give it.";

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
        "The registry did not give a usable answer: it cannot be reached, has an error of its own, or time ran out."
        "Check the name of the registry and the way to it, then try again; `--timeout` gives more time.";
    RegistryDenied "registry-denied"
        "The registry refuses access with these credentials, or without any."
        "Log in (`docker login REGISTRY`) or pass `--registry-username` with `--registry-password-stdin`.";
    RegistryRateLimited "registry-rate-limited"
        "The registry refuses further requests for now."
        "Wait as the message says, log in for a higher limit, or use a mirror (`--mirror`).";
    RegistryProtocol "registry-protocol"
        "The registry's answer breaks the distribution specification, so it says nothing."
        "Check the address: a web page or proxy may answer instead of a registry.";
    RegistryRejectsArtifact "registry-rejects-artifact"
        "The registry takes images and refuses manifests of artifacts, which is how bundles are attached."
        "Attach in the older form, as layers of tagged images: `--signature-format legacy`; or use `--attestation-repo` in another registry.";
    RegistryReadOnly "registry-read-only"
        "The registry serves and takes nothing."
        "Write to the registry that it mirrors, or put the evidence elsewhere with `--attestation-repo`.";
    ManifestTooLarge "manifest-too-large"
        "What was to be pushed is larger than the registry takes."
        "Attach less to one image, or ask the registry for its limit.";
    TagImmutable "tag-immutable"
        "A tag has to be written again, and the registry's rules forbid it."
        "Exempt tags that begin with `sha256-` from immutability, or use a registry with the referrers API, which needs no tags.";
    IndexContended "index-contended"
        "Other writers overwrite the tag that lists what is attached, time and again."
        "Run it again when fewer are writing; what is attached stays, and only what is missing is written.";
    NotListed "not-listed"
        "The registry took what was attached and does not list it, so nobody would find it."
        "Try again; if it stays so, report it to the registry.";
    NotReadBack "not-read-back"
        "What was attached and then read back from the registry does not verify, so it is not reported as attached."
        "The registry or something on the way changes what is stored; report it to the registry.";
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
    LayerInvalid "layer-invalid"
        "A layer is not an archive that every program reads in the same way: it is damaged, a path in it leads out of the image, or it has a sparse file."
        "The image is damaged or made to deceive; report it to the publisher.";
    LayerUnsupported "layer-unsupported"
        "A layer is encrypted, kept elsewhere or of an unknown kind, so nobody can say what is in the image."
        "Scan the image where its layers can be read, or ask the publisher for an SBOM.";
    SbomIncomplete "sbom-incomplete"
        "A package database or another file that names packages could not be read whole, so the document lists less than is in the image. It says so itself."
        "The message names the file; report it to the publisher.";
    LayersNotRead "layers-not-read"
        "The policy asks whether the SBOM agrees with the layers (`sbom=layers`), and the layers were not read: the image is refused without them, or whoever verified cannot read layers."
        "Settle the other reasons first; programs call `audit::read_layers` (feature `scan`) after `Client::verify`.";
    Unverified "unverified"
        "`--require-verified` asks for an SBOM that a policy accepts, and there is no policy for this image: it could only be read from its layers."
        "Name the signer with `--identity` and `--issuer`, or leave out `--require-verified`.";
    SbomInvalid "sbom-invalid"
        "The document is not valid SPDX, so programs read different things in it or nothing."
        "The message names the place; make the document anew, with `cg-attest sbom` for example.";

    // What contradicts what.
    SbomDigestDiffers "sbom-digest-differs"
        "The SBOM says that it describes another image than the one it is attached to."
        "Ask the publisher for the SBOM of this digest; `cg-attest sbom IMAGE --source content` makes one from the layers.";
    SbomPlatformDiffers "sbom-platform-differs"
        "The SBOM says that it describes an image of another platform."
        "Ask the publisher for the SBOM of this platform; SBOMs of two platforms may have been exchanged.";
    SbomLayersDiffer "sbom-layers-differ"
        "The layers that the SBOM lists are not those of the image's manifest."
        "Ask the publisher for an SBOM that was made of this image.";
    SbomPackageMissing "sbom-package-missing"
        "A package is in the layers and not in the SBOM, so who looks for vulnerabilities by the SBOM does not see it."
        "Tell the publisher; `cg-attest sbom IMAGE --source content` lists it.";
    SbomPackageExtra "sbom-package-extra"
        "The SBOM lists a package that is not in the layers."
        "Tell the publisher; the SBOM may be of an earlier build.";
    SbomVersionDiffers "sbom-version-differs"
        "The SBOM lists a package in another version than the one in the layers."
        "Tell the publisher; the SBOM may be of an earlier build.";
    SbomArchitectureDiffers "sbom-architecture-differs"
        "The SBOM lists a package for another architecture than the one in the layers."
        "Tell the publisher; SBOMs of two platforms may have been exchanged.";
    ImagePlatformDiffers "image-platform-differs"
        "The index lists the image for another platform than its own configuration names."
        "Do not run it by its platform; report it to the publisher.";
    ApkoPackageDiffers "apko-package-differs"
        "The signed apko configuration fixes a package to a version that is not in the image."
        "Tell the publisher; the configuration may be of another build.";
    ApkoArchitectureDiffers "apko-architecture-differs"
        "The signed apko configuration is for other architectures than that of the image."
        "Tell the publisher; the configuration may be of another image.";
    ApkoFilePackageDiffers "apko-file-package-differs"
        "The configuration of apko in the image, `/etc/apko.json`, fixes a package to a version that is not in the image."
        "Tell the publisher; packages may have been exchanged after the build.";
    ApkoFileArchitectureDiffers "apko-file-architecture-differs"
        "The configuration of apko in the image, `/etc/apko.json`, is for other architectures than that of the image."
        "Tell the publisher; layers of two platforms may have been exchanged.";
    ApkoFileDiffers "apko-file-differs"
        "The signed apko configuration and the one in the image, `/etc/apko.json`, fix a package to different versions."
        "Tell the publisher; the signed one may be of another build.";
    ClaimPackageDiffers "claim-package-differs"
        "A document that melange left in the image, in `/var/lib/db/sbom`, is about a package or a version that the database of apk does not have."
        "Tell the publisher; the document or the database was changed after the package was installed.";
    AnnotationApkoDiffers "annotation-apko-differs"
        "The image has another value of an annotation than the configuration of apko, which writes these as they are."
        "Tell the publisher; annotations may have been changed after the build.";
    ProvenancePackageDiffers "provenance-package-differs"
        "The signed provenance of apko names a package in a version that is not in the image."
        "Tell the publisher; the provenance may be of another build.";
    AnnotationSourceDiffers "annotation-source-differs"
        "The image's annotation `org.opencontainers.image.source` is not in the repository that the signed provenance names."
        "Trust the provenance: an annotation is signed by nobody but as a part of the image.";
    AnnotationRevisionDiffers "annotation-revision-differs"
        "The image's annotation `org.opencontainers.image.revision` is not the commit that the signed provenance names."
        "Trust the provenance: an annotation is signed by nobody but as a part of the image.";
    RuleDistroless "rule-distroless"
        "The image has a shell or a package manager, and `--rules distroless` asks for none."
        "Use the variant without `-dev`, or leave the rule out where a shell is meant to be there.";
    RuleNonRoot "rule-nonroot"
        "The image runs as root, and `--rules nonroot` asks for another user."
        "Set a user in the image's configuration.";
    RuleChainguardOrigin "rule-chainguard-origin"
        "A package of the image does not come from Wolfi or Chainguard."
        "Build it from their packages, or leave the rule out: images based on Alpine break it by design.";
    RuleChainguardAnnotations "rule-chainguard-annotations"
        "An annotation that Chainguard's build sets on every image is absent or different."
        "Check that the image is one of Chainguard's, unchanged.";

    // Signing.
    NoIdentity "no-identity"
        "There is no identity to sign with: no token was given, and nothing on this machine gives one."
        "The message says which providers were looked for; pass `--identity-token-file FILE`, or log in with `--fulcio-auth-flow device`.";
    TokenInvalid "token-invalid"
        "The identity token is not a JSON web token, or names nobody."
        "Check where it came from; a file has to hold the token and nothing else.";
    TokenExpired "token-expired"
        "The identity token is not valid at this time, so no certificate can be had for it."
        "Ask the provider for a new one right before signing, and check the clock.";
    TokenAudience "token-audience"
        "The identity token was made for another service. Whoever gave it to us would let us act there."
        "Ask the provider for a token whose audience is `sigstore`, or name the right one with `--oidc-client-id`.";
    LoginFailed "login-failed"
        "The login in the browser or with the device code was denied, ran out of time, or its answer was not the one to our question."
        "Try again; `--fulcio-auth-flow device` needs no browser on this machine.";
    SigningConfig "signing-config"
        "The signing configuration is malformed, or names no service of a kind that is needed and valid now."
        "`cg-attest trust show --signing-config FILE` lists its services and their windows.";
    KeyUnusable "key-unusable"
        "The private key cannot be used: wanted is a P-256 key, PEM: PKCS#8 or SEC1, or one that cosign encrypted, with its password."
        "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem` makes one.";
    ServiceUnavailable "service-unavailable"
        "A signing service did not give a usable answer in time. Nothing was signed or attached with it."
        "Try again; `--timeout` gives more time.";
    ServiceRateLimited "service-rate-limited"
        "A signing service refuses further requests for now."
        "Wait as the message says, and sign more in one run: it needs one certificate.";
    ServiceRefused "service-refused"
        "A signing service refused the request."
        "The message has its reason; for a certificate, check that the instance knows the issuer of the token.";
    ServiceProtocol "service-protocol"
        "A signing service's answer is not one of its protocol, so it says nothing."
        "Check its address: a web page or proxy may answer instead.";
    CertificateForeign "certificate-foreign"
        "The certificate authority's certificate is for another key or another identity than the ones that asked."
        "Do not use this certificate authority; tell its operator.";
    EntryForeign "entry-foreign"
        "The log's entry is about another signature, certificate or artifact than the one that was sent."
        "Do not use this log; tell its operator.";
    TimestampForeign "timestamp-foreign"
        "The timestamp is over other bytes, or is the answer to another question."
        "Do not use this timestamp authority; tell its operator.";

    // What was asked.
    PolicyMissing "policy-missing"
        "Nothing says who is trusted to sign this image, and without that no answer means anything."
        "Name the signer with `--identity` and `--issuer`, or use `--preset`; `cg-attest inspect IMAGE` shows who claims to have signed.";
    PolicyInvalid "policy-invalid"
        "The policy is empty, contradicts itself or has a value that is not understood."
        "Correct the flag or value that the message names; `cg-attest verify --help` describes them.";
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
