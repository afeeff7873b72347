//! One signature or attestation in the older form.

use std::collections::BTreeMap;

use crate::attach::{AttachError, Attacher};
use crate::digest::{Digest, VerifiedBlob};
use crate::evidence::{Candidate, Origin, OriginKind, annotations as annotation};
use crate::image::{Descriptor, media};
use crate::sign::{Draft, Held, LegacySignature, SignError, SignedBundle};
use crate::signer::Signer;
use crate::sigstore::{Bundle, LegacySigned};

/// A signature or attestation in the older form that our own verifier accepted.
#[derive(Debug, Clone)]
pub struct LegacyLayer {
    pub(super) kind: OriginKind,
    pub(in crate::attach) blob: VerifiedBlob,
    annotations: BTreeMap<String, String>,
    pub(in crate::attach) held: Held,
}

impl LegacyLayer {
    /// The digest that it is about.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        self.held.subject()
    }

    /// The predicate type; none for a signature.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.held.predicate_type()
    }

    /// The tag that it goes to.
    #[must_use]
    pub fn tag(&self) -> String {
        tag_of(self.kind, self.subject())
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.held.bundle().signer()
    }

    /// Whether it says what `draft` would say, had `signer` signed it.
    #[must_use]
    pub fn says_what(&self, draft: &Draft, signer: &Signer) -> bool {
        self.held.says_what(draft, signer)
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(media_type_of(self.kind), &self.blob);
        descriptor.annotations.clone_from(&self.annotations);
        descriptor
    }
}

/// What tells one layer from another: its digest, and its signature, because
/// two signers may sign the same document.
pub(in crate::attach) type Key = (Digest, Option<String>);

impl Attacher {
    /// The older form of an attestation.
    ///
    /// # Errors
    /// When that form has no place for it, or lacks what it has to have
    /// (`no-legacy-form`): a promise of Rekor v1, for one. A statement that is
    /// a signature has none either; that form signs another document
    /// ([`Session::sign_payload`](crate::sign::Session::sign_payload)).
    pub fn layer_of_bundle(&self, bundle: &SignedBundle) -> Result<LegacyLayer, AttachError> {
        let Some(predicate_type) = bundle.predicate_type().filter(|_| !bundle.is_signature()) else {
            return Err(AttachError::NoLegacyForm("a signature in that format is over another document; sign again"));
        };
        let parsed = Bundle::parse(bundle.bytes(), &self.limits);
        let parsed = parsed.map_err(SignError::Unverified)?;
        let parts = parsed.to_legacy().map_err(AttachError::NoLegacyForm)?;
        let annotations = annotation::written(&parts, Some(predicate_type));
        let LegacySigned::Envelope { json } = parts.signed else {
            return Err(AttachError::NoLegacyForm("it is no envelope"));
        };
        self.layer(OriginKind::LegacyAttestation, VerifiedBlob::of(json), annotations, bundle.subject())
    }

    /// A signature that was made for the older form.
    ///
    /// # Errors
    /// When it does not hold, or is about something else.
    pub fn layer_of_signature(
        &self,
        signature: &LegacySignature,
        subject: &Digest,
    ) -> Result<LegacyLayer, AttachError> {
        let (payload, annotations) = (signature.payload().clone(), signature.annotations().clone());
        self.layer(OriginKind::LegacySignature, payload, annotations, subject)
    }

    /// A layer, if it holds as it will be read.
    pub(in crate::attach) fn layer(
        &self,
        kind: OriginKind,
        blob: VerifiedBlob,
        annotations: BTreeMap<String, String>,
        subject: &Digest,
    ) -> Result<LegacyLayer, AttachError> {
        let origin = Origin::new(kind, blob.digest().to_string());
        let candidate = match kind {
            OriginKind::LegacySignature => Candidate::simple_signing(blob.clone(), annotations.clone(), origin),
            _ => Candidate::envelope(blob.clone(), annotations.clone(), origin),
        };
        let key = self.key.as_deref().filter(|_| !annotations.contains_key(annotation::CERTIFICATE));
        let held = Held::check(&candidate, subject, key, &self.trust, self.now, &self.limits)?;
        Ok(LegacyLayer { kind, blob, annotations, held })
    }
}

/// The tag where evidence of this kind is.
pub(in crate::attach) fn tag_of(kind: OriginKind, subject: &Digest) -> String {
    subject.tag(if kind == OriginKind::LegacySignature { ".sig" } else { ".att" })
}

pub(super) fn media_type_of(kind: OriginKind) -> &'static str {
    if kind == OriginKind::LegacySignature { media::SIMPLE_SIGNING } else { media::DSSE }
}

pub(super) fn key_of(layer: &Descriptor) -> Key {
    let signature = layer.annotation(annotation::SIGNATURE).filter(|text| !text.is_empty()).map(str::to_owned);
    (layer.digest.clone(), signature)
}
