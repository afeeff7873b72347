//! Many images from a slow registry, one at a time and sixteen at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::image::{Descriptor, Reference};
use cg_attest::policy::Policy;
use cg_attest::testing::{ImageBuilder, Statement};
use cg_attest::time::Timestamp;
use futures_util::StreamExt as _;

use crate::number::Number;
use crate::scene::{self, PACKAGES_OF_460_KB, Scene};

const IMAGES: usize = 200;
const DELAY: Duration = Duration::from_millis(50);

pub(crate) fn run() -> Vec<Number> {
    [("one platform", one_platform as Form), ("an index", index as Form)].map(|(name, form)| beside(name, form)).into()
}

/// Makes and signs an image, and names it.
type Form = fn(&Scene, usize) -> Reference;

fn beside(name: &str, form: Form) -> Number {
    let scene = Scene::new();
    let references: Vec<Reference> = (0..IMAGES).map(|number| form(&scene, number)).collect();
    scene.registry.delay(DELAY);
    let one = verify_all(&scene, &references, 1).as_secs_f64();
    let sixteen = verify_all(&scene, &references, 16).as_secs_f64();
    let name = format!("many, {IMAGES} of {name}: {one:.1} s, 16 jobs {sixteen:.2} s");
    Number::at_least(name, one / sixteen, 8.0, "×")
}

/// An image of one platform with a signature, an SPDX document and provenance: three bundles, all of them asked for.
fn one_platform(scene: &Scene, number: usize) -> Reference {
    let image = ImageBuilder::new().content(&format!("image {number}")).build();
    scene.push(&image.upload);
    let (_, platform) = &image.platforms[0];
    scene.attach(platform, Statement::signature);
    scene.attach(platform, Statement::slsa);
    attach_spdx(scene, platform, number);
    scene.reference(platform)
}

/// An index of two platforms: it and both of them signed, with an SPDX document and provenance for
/// each of the three: nine bundles, all of them read.
fn index(scene: &Scene, number: usize) -> Reference {
    let image = ImageBuilder::new().content(&format!("index {number}")).build();
    scene.push(&image.upload);
    for part in image.platforms.iter().map(|(_, platform)| platform).chain([&image.index]) {
        scene.attach(part, Statement::signature);
        scene.attach(part, Statement::slsa);
        attach_spdx(scene, part, number);
    }
    scene.reference(&image.index)
}

/// Every tenth image has a large one.
fn attach_spdx(scene: &Scene, subject: &Descriptor, number: usize) {
    let packages = if number.is_multiple_of(10) { PACKAGES_OF_460_KB } else { 3 };
    scene.attach(subject, |about| about.spdx_of(packages));
}

/// The time for all, with a client that has not asked for anything yet, as the command does it.
fn verify_all(scene: &Scene, references: &[Reference], jobs: usize) -> Duration {
    let (client, policy) = (scene.client_for(jobs), Arc::new(scene::policy(&["signature", "spdx", "slsa"])));
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
    let mut request = VerifyRequest::new(reference, &policy, now);
    request.read_all = true;
    scene::assert_accepted(&client.verify(&request).await);
}
