//! I and O. The registry is hostile, and its order means nothing.

use std::collections::BTreeMap;

use cg_attest::code::Code;
use cg_attest::image::media;
use cg_attest::testing::{Identity, RegistryFault, Statement, Upload};
use cg_attest::verify::State;
use serde_json::Value;

use crate::support::bench::{Bench, assert_accepted, assert_undecided, cell, text};

#[tokio::test]
async fn i_04_a_flood_of_referrers_is_a_limit_and_never_an_absence() {
    let mut bench = Bench::served().await;
    let policy = bench.policy(&["signature"]);
    let flood = async |from: usize, to: usize| {
        for number in from..to {
            let junk = format!("junk {number}");
            let none = BTreeMap::new();
            let kind = media::BUNDLE;
            bench.push(&Upload::referrer(bench.index(), kind, kind, junk.as_bytes(), &none)).await;
        }
    };
    flood(0, 20).await;
    bench.push(&bench.signature(bench.index())).await;
    flood(20, 30).await;
    assert_accepted(&bench.verify(&policy).await);
    for limits in [
        |bench: &mut Bench| bench.limits.candidates = 30,
        |bench: &mut Bench| bench.limits.referrers = 30,
        |bench: &mut Bench| bench.limits.requests = 30,
    ] {
        bench.limits = cg_attest::limits::Limits::default();
        limits(&mut bench);
        let report = bench.verify(&policy).await;
        assert_undecided(&report);
        assert_eq!(cell(&report, "index", "signature"), (State::Undecided, Some(Code::Limit)));
    }
}

/// A deterministic permutation: the test must not pass by chance.
fn shuffled(list: &mut [Value], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for n in (1..list.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        list.swap(n, (state % (n as u64 + 1)) as usize);
    }
}

#[tokio::test]
async fn o_07_the_order_of_a_listing_changes_nothing() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["signature", "slsa"]);
    let stranger = Identity::email("mallory@example.com", "https://accounts.example.com");
    let index = bench.index();
    let about = || Statement::about(&index.digest);
    bench.push(&bench.signature(index)).await;
    bench.push(&bench.slsa(index)).await;
    bench.push_bundle(&bench.sigstore.sign(&stranger).statement(&about().signature())).await;
    bench.push_bundle("{").await;
    bench.push(&bench.spdx(index)).await;
    let reference = text(&bench.verify(&policy).await.without_stats());
    let list = {
        let uri = format!("/referrers/{}", index.digest);
        let context = cg_attest::registry::Context::new(bench.limits.clone());
        use cg_attest::registry::Pull as _;
        let listed = bench.content().referrers(&context, &bench.repository, &index.digest).await.expect("a list");
        (uri, listed.descriptors.iter().map(|d| serde_json::json!(d)).collect::<Vec<_>>())
    };
    for seed in 0..100 {
        let mut manifests = list.1.clone();
        shuffled(&mut manifests, seed);
        let body = serde_json::json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests });
        let answer = cg_attest::testing::Answer::status(200).header("content-type", media::INDEX);
        bench.registry().clear_faults();
        bench.registry().fault(RegistryFault::on(&list.0).answer(answer.body(body.to_string())));
        let report = bench.verify(&policy).await;
        assert_accepted(&report);
        assert_eq!(text(&report.without_stats()), reference, "seed {seed}");
    }
}
