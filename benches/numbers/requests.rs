//! How often a registry is asked, and how long that takes when every answer is slow.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cg_attest::image::Descriptor;
use cg_attest::testing::{Image, ImageBuilder, ReferrersApi, Statement, Upload, simple_signing};

use crate::number::{Number, median, milliseconds};
use crate::scene::{PACKAGES_OF_460_KB, Scene, policy, signer};

const DELAY: Duration = Duration::from_millis(50);

pub(crate) fn run() -> Vec<Number> {
    counted().into_iter().chain(waited()).collect()
}

/// 1 + 3·T + L + 2·B requests, and T more where there is no referrers API.
fn counted() -> Vec<Number> {
    let scene = Scene::new();
    let image = ImageBuilder::new().build();
    scene.push(&image.upload);
    let mut evidence = vec![(&image.index, scene.attach(&image.index, Statement::signature))];
    for (_, platform) in &image.platforms {
        evidence.push((platform, scene.attach(platform, Statement::spdx)));
        evidence.push((platform, scene.attach(platform, Statement::slsa)));
    }
    // Both old layouts, two layers each.
    let signer = signer();
    let payload = simple_signing("registry.example.com/app", &image.index.digest);
    let signature = || scene.sigstore.sign(&signer).legacy_signature(&payload);
    scene.push(&Upload::signatures(&image.index, &[signature(), signature()]));
    let arm64 = &image.platforms[1].1;
    let attestation = |statement: Vec<u8>| scene.sigstore.sign(&signer).legacy_attestation(&statement);
    let about = || Statement::about(&arm64.digest).version_0_1();
    scene.push(&Upload::attestations(arm64, &[attestation(about().spdx()), attestation(about().slsa())]));

    let (targets, layers, bundles) = (1 + image.platforms.len(), 4, evidence.len());
    let formula = 1 + 3 * targets + layers + 2 * bundles;
    let with_api = ask(&scene, &image);
    for subject in std::iter::once(&image.index).chain(image.platforms.iter().map(|(_, platform)| platform)) {
        let own = |(of, _): &&(&Descriptor, Upload)| *of == subject;
        let uploads: Vec<&Upload> = evidence.iter().filter(own).map(|(_, upload)| upload).collect();
        scene.push(&Upload::fallback_tag(subject, &uploads));
    }
    scene.registry.referrers_api(ReferrersApi::Absent(404));
    let without_api = ask(&scene, &image);
    let shape = format!("T={targets} L={layers} B={bundles}");
    vec![
        Number::at_most(format!("requests, {shape}"), with_api as f64, formula as f64, ""),
        Number::at_most(
            format!("requests, {shape}, no referrers API"),
            without_api as f64,
            (formula + targets) as f64,
            "",
        ),
    ]
}

/// Reads everything that is attached, and counts.
fn ask(scene: &Scene, image: &Image) -> usize {
    scene.registry.clear_log();
    let policy = policy(&["signature", "spdx", "slsa"]);
    let report = scene.verify(&scene.client(), scene.reference(&image.index), &policy, true);
    assert_eq!(report.candidates().len(), 9, "everything was read");
    assert_no_layer_is_read(scene, image);
    scene.registry.requests().len()
}

/// The image's own blobs are its layers and configurations: none may be asked for.
fn assert_no_layer_is_read(scene: &Scene, image: &Image) {
    let own: HashSet<String> = image.upload.blobs().map(|blob| blob.digest().to_string()).collect();
    for request in scene.registry.requests() {
        let last = request.path.rsplit('/').next().unwrap_or_default();
        assert!(!own.contains(last), "{} is a layer or a configuration", request.line());
    }
}

/// The time for one image whose registry takes 50 ms for every answer.
fn waited() -> Vec<Number> {
    let scene = Scene::new();
    let image = ImageBuilder::new().build();
    scene.push(&image.upload);
    let (_, platform) = &image.platforms[0];
    scene.attach(platform, Statement::signature);
    for number in 0..20 {
        scene.attach(platform, |about| about.named(&format!("app-{number}")).spdx_of(PACKAGES_OF_460_KB));
    }
    scene.registry.delay(DELAY);
    let policy = policy(&["signature", "spdx"]);
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        scene.registry.clear_log();
        // A new client: setting up and connecting count.
        let (reference, begin) = (scene.reference(platform), Instant::now());
        let report = scene.verify(&scene.client(), reference, &policy, true);
        times.push(begin.elapsed());
        assert_eq!(report.candidates().len(), 21);
    }
    assert_no_layer_is_read(&scene, &image);
    let limit = 7.0 * milliseconds(DELAY);
    vec![Number::at_most("wall, 20 attestations of 460 kB, 50 ms each", median(&mut times), limit, "ms")]
}
