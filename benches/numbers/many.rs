//! Many images from a slow registry, one at a time and sixteen at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::image::Reference;
use cg_attest::policy::Policy;
use cg_attest::testing::{ImageBuilder, Statement};
use cg_attest::time::Timestamp;
use futures_util::StreamExt as _;

use crate::number::Number;
use crate::scene::{self, PACKAGES_OF_460_KB, Scene};

const IMAGES: usize = 200;
const DELAY: Duration = Duration::from_millis(50);

pub(crate) fn run() -> Vec<Number> {
    let scene = Scene::new();
    let references: Vec<Reference> = (0..IMAGES).map(|number| signed(&scene, number)).collect();
    scene.registry.delay(DELAY);
    let one = verify_all(&scene, &references, 1);
    let sixteen = verify_all(&scene, &references, 16);
    vec![Number::at_least(
        "many, 200 images of one platform, 16 jobs beside 1",
        one.as_secs_f64() / sixteen.as_secs_f64(),
        8.0,
        "×",
    )]
}

/// An image of one platform with a signature and an SPDX document.
fn signed(scene: &Scene, number: usize) -> Reference {
    let image = ImageBuilder::new().content(&format!("image {number}")).build();
    scene.push(&image.upload);
    let (_, platform) = &image.platforms[0];
    scene.attach(platform, Statement::signature);
    let packages = if number.is_multiple_of(10) { PACKAGES_OF_460_KB } else { 3 };
    scene.attach(platform, |about| about.spdx_of(packages));
    scene.reference(platform)
}

/// The time for all, with a client that has not asked for anything yet, as the command does it.
fn verify_all(scene: &Scene, references: &[Reference], jobs: usize) -> Duration {
    let (client, policy) = (scene.client(), Arc::new(scene::policy(&["signature", "spdx"])));
    let (now, begin) = (scene.now(), Instant::now());
    let work = references.iter().cloned().map(|reference| {
        let job = verify(client.clone(), reference, Arc::clone(&policy), now);
        tokio::spawn(job)
    });
    scene.runtime().block_on(async {
        let mut done = futures_util::stream::iter(work).buffered(jobs);
        while let Some(accepted) = done.next().await {
            accepted.expect("no panic");
        }
    });
    begin.elapsed()
}

async fn verify(client: Client, reference: Reference, policy: Arc<Policy>, now: Timestamp) {
    scene::assert_accepted(&client.verify(&VerifyRequest::new(reference, &policy, now)).await);
}
