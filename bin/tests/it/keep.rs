//! What a report keeps of the evidence that it accepts changes nothing else about it.

use cg_attest::discover::ImageRequest;
use cg_attest::verify::{Assessed, Keep};

use crate::support::bench::{Bench, assert_accepted, assert_refused, text};

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
}
