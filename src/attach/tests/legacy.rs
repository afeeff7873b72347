//! The older form: layers at the tags `.sig` and `.att`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::scene::*;
use crate::attach::LegacyLayer;
use crate::testing::{Mint, simple_signing};

async fn memory() -> Place {
    let repository = "registry.example/a".parse().expect("a repository");
    Place::with(Arc::new(World::new()), Arc::new(Memory::new()), repository).await
}

impl Place {
    fn mint(&self, by: &Identity, packages: usize, form: impl Fn(Mint<'_>) -> Mint<'_>) -> SignedBundle {
        let statement = Statement::about(self.index()).spdx_of(packages);
        let bundle = form(self.world.sigstore.sign(by)).statement(&statement);
        let now = self.world.sigstore.now();
        let held = SignedBundle::verify(bundle.into_bytes(), self.index(), &self.world.trust, now, &Limits::default());
        held.expect("a good bundle")
    }

    fn attacher(&self, conflict: Conflict) -> Attacher {
        self.world.attacher(Arc::clone(&self.push), &self.repository, conflict)
    }

    async fn write(&self, conflict: Conflict, layers: &[LegacyLayer]) -> Result<Attached, AttachError> {
        let attacher = self.attacher(conflict);
        let plan = attacher.plan(&self.context, &self.subjects().await, &[], layers).await?;
        attacher.apply(&self.context, &plan).await
    }

    async fn layers(&self, suffix: &str) -> Vec<Descriptor> {
        let tag = ImageName::Tag(self.index().tag(suffix));
        let found = self.push.manifest(&self.context, &self.repository, &tag).await.expect("memory");
        let Some(found) = found else { return Vec::new() };
        match ImageDocument::parse(found.blob, found.media_type.as_deref()).expect("a manifest") {
            ImageDocument::Manifest(manifest) => manifest.layers().to_vec(),
            ImageDocument::Index(_) => panic!("an index"),
        }
    }
}

#[tokio::test]
async fn an_attestation_with_a_promise_has_a_legacy_form_that_our_reader_takes() {
    for log in [Log::RekorV1, Log::RekorV1Intoto] {
        let place = memory().await;
        let bundle = place.mint(&place.world.me, 1, |mint| mint.log(log).timestamp(true));
        let layer = place.attacher(Conflict::SkipSame).layer_of_bundle(&bundle).expect("a layer");
        assert_eq!(layer.tag(), place.index().tag(".att"));
        place.write(Conflict::SkipSame, std::slice::from_ref(&layer)).await.expect("written");
        let layers = place.layers(".att").await;
        assert_eq!(layers[0].annotation("predicateType"), Some("https://spdx.dev/Document"));
        assert_eq!(layers[0].annotation("dev.cosignproject.cosign/signature"), Some(""));
        assert!(layers[0].annotation("dev.sigstore.cosign/rfc3161timestamp").is_some());
        // cosign compares the two.
        let logged = layers[0].annotation("dev.sigstore.cosign/bundle").expect("a log entry");
        assert_eq!(logged_hash(logged), layers[0].digest.hex());
        let again = place.write(Conflict::Append, &[layer]).await.expect("nothing");
        assert!(again.tags.is_empty());
    }
}

/// The hash of the envelope in the entry that cosign's bundle annotation holds.
fn logged_hash(annotation: &str) -> String {
    let annotation: serde_json::Value = serde_json::from_str(annotation).expect("JSON");
    let body = annotation["Payload"]["body"].as_str().expect("a body");
    let body = BASE64_STANDARD.decode(body).expect("base64");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let hashes = ["/spec/envelopeHash/value", "/spec/content/hash/value"];
    hashes.iter().find_map(|at| body.pointer(at)?.as_str()).expect("a hash").to_owned()
}

#[tokio::test]
async fn what_has_no_legacy_form_is_refused_before_anything_is_written() {
    let place = memory().await;
    let attacher = place.attacher(Conflict::SkipSame);
    let code = |bundle: &SignedBundle| attacher.layer_of_bundle(bundle).map(drop).map_err(|error| error.code());
    assert_eq!(code(&place.mint(&place.world.me, 1, |mint| mint)), Ok(()));
    let refused = Err(Code::NoLegacyForm);
    assert_eq!(code(&place.mint(&place.world.me, 1, |mint| mint.log(Log::RekorV2))), refused);
    assert_eq!(code(&place.mint(&place.world.me, 1, |mint| mint.without_promise().timestamp(true))), refused);
    let signature = place.world.signed(&place.world.me, &Statement::about(place.index()).signature(), place.index());
    assert_eq!(code(&signature), refused);
}

#[tokio::test]
async fn layers_that_are_there_stay_as_they_are() {
    let place = memory().await;
    let cosigns =
        place.world.sigstore.sign(&place.world.me).legacy_attestation(&Statement::about(place.index()).slsa());
    let upload = crate::testing::Upload::attestations(&place.world.image.index, &[cosigns]);
    upload.push(&*place.push, &place.context, &place.repository).await.expect("memory");
    let before = place.layers(".att").await;
    let attacher = place.attacher(Conflict::SkipSame);
    let layer =
        |packages| attacher.layer_of_bundle(&place.mint(&place.world.me, packages, |mint| mint)).expect("a layer");
    place.write(Conflict::SkipSame, &[layer(1), layer(1), layer(2)]).await.expect("written");
    let after = place.layers(".att").await;
    assert_eq!((after.len(), &after[0]), (3, &before[0]));
    // Something newer takes the place of both, and of nothing else.
    place.write(Conflict::Replace, &[layer(3)]).await.expect("written");
    let after = place.layers(".att").await;
    assert_eq!((after.len(), &after[0]), (2, &before[0]));
}

#[tokio::test]
async fn an_image_at_the_tag_is_not_overwritten() {
    let place = memory().await;
    let tag = ImageName::Tag(place.index().tag(".att"));
    let image = &place.world.image.platforms[0].1;
    let manifest = ImageName::Digest(image.digest.clone());
    let fetched = place.push.manifest(&place.context, &place.repository, &manifest).await.expect("memory").expect("it");
    place
        .push
        .push_manifest(&place.context, &place.repository, &tag, &image.media_type, &fetched.blob)
        .await
        .expect("memory");
    let layer = place.attacher(Conflict::SkipSame).layer_of_bundle(&place.mint(&place.world.me, 1, |mint| mint));
    let error = place.write(Conflict::SkipSame, &[layer.expect("a layer")]).await.expect_err("taken");
    assert!(matches!(error, AttachError::TagTaken { .. }), "{error}");
}

#[tokio::test]
async fn two_signers_of_one_document_are_two_layers() {
    use crate::evidence::OriginKind;
    let place = memory().await;
    let attacher = place.attacher(Conflict::SkipSame);
    let payload = simple_signing("registry.example/a", place.index());
    let by = |who: &Identity| {
        let layer = place.world.sigstore.sign(who).legacy_signature(&payload);
        let blob = VerifiedBlob::of(layer.bytes);
        attacher.layer(OriginKind::LegacySignature, blob, layer.annotations, place.index()).expect("a layer")
    };
    let you = Identity::email("you@example.org", "https://issuer.example");
    place.write(Conflict::SkipSame, &[by(&place.world.me), by(&you)]).await.expect("written");
    assert_eq!(place.layers(".sig").await.len(), 2);
    let again = place.write(Conflict::SkipSame, &[by(&place.world.me)]).await.expect("nothing");
    assert!(again.tags.is_empty());
    let (context, subjects, subject) = (&place.context, place.subjects().await, place.index());
    let survey = async |signature| {
        let wanted = [Wanted::Layer { subject, signature }];
        attacher.survey(context, &subjects, &wanted).await.expect("what is at the tag")
    };
    let found = survey(true).await;
    let there: Vec<_> = found.layers().collect();
    let draft = crate::sign::Draft::signature("registry.example/a", place.index());
    let me = there[0].signer().clone();
    assert_eq!(there.iter().filter(|layer| layer.says_what(&draft, &me)).count(), 1);
    assert_eq!(survey(false).await.layers().count(), 0);
    assert_eq!(place.layers(".sig").await.len(), 2);
}
