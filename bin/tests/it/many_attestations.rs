//! Many attestations of one kind: what a report keeps of them, and how it shows them.

use cg_attest::discover::ImageRequest;
use cg_attest::testing::{Statement, Upload};
use cg_attest::time::Timestamp;
use cg_attest::verify::{Assessed, Keep};

use crate::support::bench::{Bench, assert_accepted, assert_refused, text};
use crate::support::command::cg_attest;
use crate::support::scene::Scene;

#[tokio::test]
async fn a_verdict_is_the_same_with_and_without_what_it_is_about() {
    let bench = Bench::new().await;
    let platforms = ["linux/amd64", "linux/arm64"].map(|platform| bench.platform(platform));
    bench.push(&bench.signature(bench.index())).await;
    for platform in platforms {
        // Two, of which one takes the place of the other.
        bench.push(&bench.spdx(platform)).await;
        bench.push(&bench.spdx(platform)).await;
    }
    let all = [Keep::Verdict, Keep::Statements, Keep::Content];
    for (requirements, accepted) in [(&["signature", "spdx"][..], true), (&["signature", "spdx", "slsa"], false)] {
        let policy = bench.policy(requirements);
        let mut reports = Vec::new();
        for keep in all {
            reports
                .push(bench.verify_keeping(&policy, ImageRequest::new(bench.reference()), keep).await.without_stats());
        }
        for report in &reports {
            if accepted {
                assert_accepted(report)
            } else {
                assert_refused(report)
            }
            assert_eq!(text(report), text(&reports[0]));
        }
        let count = |has: fn(&&Assessed) -> bool| {
            reports.iter().map(|report| report.candidates().iter().filter(has).count()).collect::<Vec<_>>()
        };
        assert_eq!(count(|c| c.is_attestation()), [4, 4, 4]);
        assert_eq!(count(|c| c.attestation().is_some()), [0, 4, 4]);
        assert_eq!(count(|c| c.signature().is_some()), [1, 1, 1]);
        assert_eq!(count(|c| c.content().is_some()), [0, 0, 5]);
    }
    // What the policy itself reads again is kept, whatever the caller wants.
    let policy = bench.policy(&["signature", "sbom=layers"]);
    let report = bench.verify_keeping(&policy, ImageRequest::new(bench.reference()), Keep::Verdict).await;
    assert_eq!(report.candidates().iter().filter(|c| c.attestation().is_some()).count(), 4);
}

#[tokio::test]
async fn older_ones_are_counted_and_who_attests_has_not_signed() {
    let scene = Scene::bare().await;
    let (amd64, arm64) = (scene.platform("linux/amd64"), scene.platform("linux/arm64"));
    for (platform, hours) in [(amd64, &[1, 2, 3][..]), (arm64, &[1, 2])] {
        for hour in hours {
            let time = Timestamp::from_unix(scene.sigstore.now().unix() - hour * 3600).expect("a time");
            let sigstore = scene.sigstore.at(time);
            let statement = Statement::about(&platform.digest).spdx();
            let bundle = sigstore.sign(&Scene::signer()).statement(&statement);
            scene.push(&Upload::bundle(platform, &bundle)).await;
        }
    }
    let shown = || {
        let trusting = scene.trusting();
        let mut args = vec!["verify".to_owned(), scene.name(), "--require".to_owned(), "signature,spdx".to_owned()];
        args.extend(trusting);
        cg_attest(args)
    };
    let ran = shown();
    let of = |word: &str| ran.stdout.lines().filter(|line| line.starts_with(word)).collect::<Vec<_>>();
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let [several, one] = of("superseded: ")[..] else { panic!("{}", ran.stdout) };
    assert_eq!(several, "superseded: 2 spdx of linux/amd64, each by a newer one of the same signer");
    assert!(one.starts_with("superseded: spdx of linux/arm64 @sha256:"), "{one}");
    assert_eq!((of("attested by ").len(), of("signed by ").len()), (1, 0), "{}", ran.stdout);

    scene.attach(&scene.image.index, |about| about.signature()).await;
    let ran = shown();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let of = |word: &str| ran.stdout.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((of("attested by "), of("signed by ")), (0, 1), "{}", ran.stdout);
}
