//! C. Inclusion proof, checkpoint, promise.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::testing::{Fault, Log, Statement};
use serde_json::json;

use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_refused_by, edited, failed, only_candidate,
};
use crate::support::form::Form;

/// The form and its twin with a fault.
async fn refused(form: Form, fault: Fault, code: Code) {
    form.assert_refused(fault, CheckName::Log, code).await;
}

#[tokio::test]
async fn c_02_a_checkpoint_of_another_trusted_log_is_refused() {
    refused(Form::BUNDLE, Fault::CheckpointByAnotherLog, Code::LogKey).await;
    refused(Form::REKOR_V2, Fault::CheckpointByAnotherLog, Code::LogKey).await;
}

#[tokio::test]
async fn c_03_a_checkpoint_of_another_tree_or_without_a_part_is_refused() {
    refused(Form::BUNDLE, Fault::CheckpointOfAnotherTree, Code::LogProof).await;
    refused(Form::REKOR_V2, Fault::CheckpointOfAnotherTree, Code::LogProof).await;

    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let good = bench.sign().log(Log::RekorV2).statement(&Statement::about(&bench.index().digest).spdx());
    let without_line = async |line: Option<usize>| {
        let place = bench.fresh().await;
        let bundle = edited(&good, |json| {
            let pointer = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
            let note = json.pointer_mut(pointer).expect("a checkpoint");
            let lines = note.as_str().expect("text").split_inclusive('\n').enumerate();
            *note = json!(lines.filter(|(n, _)| Some(*n) != line).map(|(_, text)| text).collect::<String>());
        });
        place.push_bundle(&bundle).await;
        place.verify(&policy).await
    };
    assert_accepted(&without_line(None).await);
    // Origin, size, root hash, the blank line, the signature: without one it is no
    // checkpoint, and the bundle is malformed before its proof is looked at.
    for line in 0..5 {
        assert_refused_by(&without_line(Some(line)).await, CheckName::Structure, Code::BundleInvalid);
    }
}

#[tokio::test]
async fn c_06_an_index_or_a_size_at_the_end_of_its_range_is_refused() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let good = bench.sign().statement(&Statement::about(&bench.index().digest).spdx());
    let verified = async |bundle: &str| {
        let place = bench.fresh().await;
        place.push_bundle(bundle).await;
        place.verify(&policy).await
    };
    assert_accepted(&verified(&good).await);
    for field in ["logIndex", "inclusionProof/logIndex", "inclusionProof/treeSize"] {
        for value in
            [json!("0"), json!("-1"), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX.to_string()), json!(1.5)]
        {
            let bundle = edited(&good, |json| {
                let pointer = format!("/verificationMaterial/tlogEntries/0/{field}");
                *json.pointer_mut(&pointer).expect("a number") = value.clone();
            });
            let report = verified(&bundle).await;
            assert_refused(&report);
            let code = failed(only_candidate(&report))[0].1;
            let expected = [Code::BundleInvalid, Code::LogProof, Code::LogKey];
            assert!(expected.contains(&code), "{field} {value}: {code}");
        }
    }
}

#[tokio::test]
async fn c_12_the_promise_of_another_entry_is_refused() {
    refused(Form::BUNDLE, Fault::PromiseOfAnotherEntry, Code::LogKey).await;
}

#[tokio::test]
async fn c_16_a_retired_log_vouches_for_nothing_that_came_after_it() {
    refused(Form::BUNDLE, Fault::EntryByRetiredLog, Code::LogKey).await;
    // Without a promise only the checkpoint speaks for the log, and it has no time.
    refused(Form { promise: false, timestamp: true, ..Form::BUNDLE }, Fault::EntryByRetiredLog, Code::LogKey).await;
    refused(Form { promise: false, keyed: true, ..Form::BUNDLE }, Fault::EntryByRetiredLog, Code::LogKey).await;
}
