//! The memory of a process that verifies an image with many attestations.

use std::io::Read as _;
use std::process::{Command, ExitCode, Stdio};

use cg_attest::client::VerifyRequest;
use cg_attest::image::Reference;
use cg_attest::testing::{ImageBuilder, Statement};
use cg_attest::time::Timestamp;

use crate::number::{Number, peak_of_this_process};
use crate::scene::{self, PACKAGES_OF_10_KB, Scene};

/// The first argument of a process that is measured.
pub(crate) const CHILD: &str = "memory-child";
const ATTESTATIONS: usize = 100;
const LIMIT_MB: f64 = 24.0;

/// The peak of a child that verifies, above the peak of one that does nothing.
/// Both are this binary, so that code and allocator are the same.
pub(crate) fn run() -> Vec<Number> {
    let scene = Scene::new();
    let image = ImageBuilder::new().build();
    scene.push(&image.upload);
    let (_, platform) = &image.platforms[0];
    let (mut sizes, statement) = (Vec::new(), |about: Statement, number| {
        about.named(&format!("registry.example.com/app-{number:03}")).spdx_of(PACKAGES_OF_10_KB)
    });
    for number in 0..ATTESTATIONS {
        let upload = scene.attach(platform, |about| statement(about, number));
        sizes.extend(upload.blobs().map(cg_attest::digest::VerifiedBlob::size).max());
    }
    assert!(sizes.iter().all(|size| (9_000..12_000).contains(size)), "{sizes:?}");

    let root = scene.sigstore.trusted_root_json();
    let reference = scene.reference(platform).to_string();
    let now = scene.now().unix().to_string();
    let empty = peak(&[], &root);
    let busy = peak(&[&reference, &now], &root);
    vec![Number::at_most("memory, 100 attestations of 10 kB", (busy - empty) / 1e6, LIMIT_MB, "MB")]
}

/// The peak of resident memory of a child, in bytes.
fn peak(arguments: &[&str], input: &str) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg(CHILD).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("a process");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "the measured process failed");
    let text = String::from_utf8(output.stdout).expect("text");
    text.trim().parse::<f64>().expect("a number") * 1000.0
}

/// Verifies the image that is named, or nothing, and prints the peak in kB.
pub(crate) fn child(arguments: &[String]) -> ExitCode {
    let mut root = String::new();
    std::io::stdin().read_to_string(&mut root).expect("the trust root");
    if let [reference, now] = arguments {
        let reference: Reference = reference.parse().expect("a reference");
        let now = Timestamp::from_unix(now.parse().expect("seconds")).expect("a time");
        let (policy, client) = (scene::policy(&["spdx"]), scene::client(&root));
        let mut request = VerifyRequest::new(reference, &policy, now);
        request.read_all = true;
        let report = scene::runtime().block_on(client.verify(&request));
        scene::assert_accepted(&report);
        assert_eq!(report.candidates().len(), ATTESTATIONS);
    }
    println!("{}", peak_of_this_process());
    ExitCode::SUCCESS
}
