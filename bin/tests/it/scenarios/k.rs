//! K. Every input has a bound, and none is unpacked.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::testing::{Answer, BundleVersion, RegistryFault, Statement, Upload};
use cg_attest::verify::State;

use crate::support::bench::{
    Bench, assert_accepted, assert_refused, assert_undecided, cell, edited, failed, only_candidate,
};
use crate::support::form::{Container, Form};

/// `bytes` as a gzip member of stored blocks (RFC 1951, 3.2.4; RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = (block.len() as u16).to_le_bytes();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length);
        out.extend(length.map(|byte| !byte));
        out.extend(block);
    }
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

/// A Zstandard frame of one raw block (RFC 8878, 3.1.1).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(&((bytes.len() as u32) << 3 | 1).to_le_bytes()[..3]);
    out.extend(bytes);
    out
}

/// What is counted in one piece of evidence is counted before it costs anything,
/// and what was not read for it is neither good nor bad.
#[tokio::test]
async fn k_04_more_of_anything_than_its_limit_is_undecided() {
    type Bound = fn(&mut Limits) -> &mut usize;
    let timestamped = Form { timestamp: true, ..Form::BUNDLE };
    let layer = Form { container: Container::SignatureTag, version: BundleVersion::V01, ..Form::BUNDLE };
    let attestation = Form { container: Container::AttestationTag, ..layer };
    let cases: [(&str, Form, Bound, usize); 7] = [
        ("log entries", Form::BUNDLE, |limits| &mut limits.log_entries, 1),
        ("log entries or timestamps", timestamped, |limits| &mut limits.log_entries, 1),
        ("subjects", Form::BUNDLE, |limits| &mut limits.subjects, 1),
        // C-10: three lines, a blank one, and one signature; every signature is tried.
        ("a checkpoint", Form::BUNDLE, |limits| &mut limits.checkpoint_lines, 5),
        ("a checkpoint", Form::REKOR_V2, |limits| &mut limits.checkpoint_lines, 5),
        ("certificates", layer, |limits| &mut limits.chain, 2),
        ("certificates", attestation, |limits| &mut limits.chain, 2),
    ];
    for (what, form, bound, count) in cases {
        let mut bench = Bench::new().await;
        bench.push(&form.upload(&bench, None)).await;
        let policy = form.policy(&bench);
        *bound(&mut bench.limits) = count;
        assert_accepted(&bench.verify(&policy).await);
        *bound(&mut bench.limits) = count - 1;
        let report = bench.verify(&policy).await;
        assert_undecided(&report);
        assert_eq!(cell(&report, "index", form.requirement()), (State::Undecided, Some(Code::Limit)), "{what}");
        let message = report.cells()[0].message.as_deref().unwrap_or_default();
        assert!(message.contains(what), "{message}");
    }
    // A bundle of an early version may bring certificates, which are of use to nobody.
    let mut bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let statement = Statement::about(&bench.index().digest).spdx();
    let bundle = edited(&bench.sign().version(BundleVersion::V02).statement(&statement), |json| {
        let chain = json.pointer_mut("/verificationMaterial/x509CertificateChain/certificates");
        let chain = chain.and_then(serde_json::Value::as_array_mut).expect("certificates");
        chain.push(chain[0].clone());
    });
    bench.push_bundle(&bundle).await;
    bench.limits.chain = 1;
    assert_accepted(&bench.verify(&policy).await);
    bench.limits.chain = 0;
    let report = bench.verify(&policy).await;
    assert_undecided(&report);
    assert_eq!(cell(&report, "index", "spdx"), (State::Undecided, Some(Code::Limit)));
}

#[tokio::test]
async fn k_06_a_bundle_is_read_as_it_is_and_never_unpacked() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["spdx"]);
    let amd64 = bench.platform("linux/amd64");
    let bundle = bench.sign().statement(&Statement::about(&amd64.digest).spdx());
    let kind = cg_attest::image::media::BUNDLE;
    let annotations = std::collections::BTreeMap::new();
    for packed in [gzip(bundle.as_bytes()), zstd(bundle.as_bytes())] {
        for media_type in [kind.to_owned(), format!("{kind}+gzip")] {
            let bench = bench.fresh().await;
            bench.push(&Upload::referrer(amd64, kind, &media_type, &packed, &annotations)).await;
            let report = bench.verify_on(&policy, &["linux/amd64"]).await;
            assert_refused(&report);
            assert_eq!(failed(only_candidate(&report)), [(CheckName::Structure, Code::BundleInvalid)]);
        }
    }
    bench.push(&Upload::referrer(amd64, kind, kind, bundle.as_bytes(), &annotations)).await;
    assert_accepted(&bench.verify_on(&policy, &["linux/amd64"]).await);

    // A coding of the transfer is not undone either: it would be another way around the bound.
    let packed = gzip(bundle.as_bytes());
    let answer = Answer::status(200).header("content-encoding", "gzip").body(packed);
    bench.registry().fault(RegistryFault::on("/blobs/").answer(answer));
    let report = bench.verify_on(&policy, &["linux/amd64"]).await;
    assert_undecided(&report);
    assert_eq!(cell(&report, "linux/amd64", "spdx"), (State::Undecided, Some(Code::RegistryProtocol)));
}

#[tokio::test]
async fn k_06_a_bundle_over_the_limit_is_not_asked_for() {
    let mut bench = Bench::served().await;
    let policy = bench.policy(&["spdx"]);
    let upload = bench.spdx(bench.platform("linux/amd64"));
    let size = upload.blobs().map(cg_attest::digest::VerifiedBlob::size).max().expect("the bundle");
    bench.push(&upload).await;
    bench.limits.attestation_bytes = size;
    assert_accepted(&bench.verify_on(&policy, &["linux/amd64"]).await);
    bench.limits.attestation_bytes = size - 1;
    bench.registry().clear_log();
    let report = bench.verify_on(&policy, &["linux/amd64"]).await;
    assert_undecided(&report);
    assert_eq!(cell(&report, "linux/amd64", "spdx"), (State::Undecided, Some(Code::Limit)));
    assert!(bench.registry().lines().iter().all(|line| !line.contains("/blobs/")), "not a byte of it is fetched");
}
