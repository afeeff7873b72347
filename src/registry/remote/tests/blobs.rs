//! Blobs, as a stream and as a whole.

use super::scene::*;
use crate::testing::{Answer, RegistryFault as Fault};

#[tokio::test]
async fn a_blob_is_read_and_counted() {
    let scene = Scene::new();
    let blob = scene.put_blob(&[7; 100_000]);
    assert_eq!(scene.stream_problem(&blob).await, None);
    assert_eq!(scene.blob_problem(&blob).await, None);
    assert_eq!(scene.context.bytes(), 200_000);
    let absent = Descriptor::new("x", Digest::sha256(b"absent"), 6);
    let opened = scene.remote.blob(&scene.context, &scene.repository, &absent).await;
    assert!(opened.expect("an answer").is_none());
    let read = scene.remote.blob_bytes(&scene.context, &scene.repository, &absent, 10).await;
    assert!(read.expect("an answer").is_none());
}

/// I-09: size and digest, and size first.
#[tokio::test]
async fn another_size_or_digest_is_refused() {
    let scene = Scene::new();
    let blob = scene.put_blob(b"hello");
    let sized = |size| Descriptor::new("x", blob.digest.clone(), size);
    for (descriptor, wanted) in [(sized(5), None), (sized(4), Some(Problem::Digest)), (sized(6), Some(Problem::Digest))]
    {
        assert_eq!(scene.stream_problem(&descriptor).await, wanted, "{}", descriptor.size);
        assert_eq!(scene.blob_problem(&descriptor).await, wanted, "{}", descriptor.size);
    }
    for (body, wanted) in [
        ("hello", None),
        ("hellO", Some(Problem::Digest)),
        ("hello!", Some(Problem::Digest)),
        ("hell", Some(Problem::Digest)),
    ] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("blobs/").answer(Answer::status(200).body(body)));
        assert_eq!(scene.stream_problem(&blob).await, wanted, "{body}");
        assert_eq!(scene.blob_problem(&blob).await, wanted, "{body}");
    }
}

/// I-09, K-01: without a Content-Length the size shows only on the way.
#[tokio::test]
async fn a_body_of_unknown_length_is_cut_at_its_size() {
    let scene = Scene::new();
    let blob = scene.put_blob(b"hello");
    let chunked = |body: &'static str| {
        Fault::on("blobs/").answer(Answer::status(200).header("transfer-encoding", "chunked").body(body))
    };
    for (body, wanted) in
        [("hello", None), ("hello, and more of it", Some(Problem::Digest)), ("hel", Some(Problem::Digest))]
    {
        scene.registry.clear_faults();
        scene.registry.fault(chunked(body));
        assert_eq!(scene.stream_problem(&blob).await, wanted, "{body}");
        assert_eq!(scene.blob_problem(&blob).await, wanted, "{body}");
    }
}

/// I-09: the message says which of the two it is, the size first.
#[tokio::test]
async fn a_wrong_size_is_told_before_a_wrong_digest() {
    let scene = Scene::new();
    let blob = scene.put_blob(b"hello");
    let chunked = |body: &'static str| Answer::status(200).header("transfer-encoding", "chunked").body(body);
    for (answer, told) in [
        (Answer::status(200).body("hi"), "2 bytes are announced, the descriptor says 5"),
        (chunked("hi"), "ended after 2 of 5 bytes"),
        (chunked("hello, you"), "more than the 5 bytes of its descriptor"),
        (chunked("hallo"), "the bytes received have sha256:"),
    ] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("blobs/").answer(answer));
        let error = match scene.remote.blob(&scene.context, &scene.repository, &blob).await {
            Err(error) => error,
            Ok(stream) => {
                let chunks: Vec<_> = stream.expect("the blob").collect().await;
                chunks.into_iter().find_map(Result::err).expect("an error before the end")
            }
        };
        assert!(error.problem() == Problem::Digest && error.detail().contains(told), "{error}");
    }
}

/// I-14: a stream cannot begin again, a whole blob does.
#[tokio::test]
async fn a_body_that_breaks_off_is_fetched_again_where_nothing_was_handed_out() {
    let scene = Scene::new();
    let blob = scene.put_blob(&[1; 5000]);
    scene.registry.fault(Fault::on("blobs/").times(1).truncate(2500));
    assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Unavailable));
    scene.registry.clear_faults();
    scene.registry.fault(Fault::on("blobs/").times(1).truncate(2500));
    assert_eq!(scene.blob_problem(&blob).await, None);
    assert_eq!(scene.lines().len(), 3);
}

#[tokio::test]
async fn an_embedded_blob_needs_no_request_and_a_large_one_is_not_begun() {
    let scene = Scene::new();
    let embedded = format!(r#"{{"mediaType":"x","size":2,"digest":"{}","data":"e30="}}"#, Digest::sha256(b"{}"));
    let descriptor: Descriptor = serde_json::from_str(&embedded).expect("a descriptor");
    assert_eq!(scene.blob_problem(&descriptor).await, None);
    let large = Descriptor::new("x", Digest::sha256(b"x"), (1 << 20) + 1);
    assert_eq!(scene.blob_problem(&large).await, Some(Problem::Limit));
    assert_eq!(scene.lines(), [""; 0]);
}

#[tokio::test]
async fn a_sha512_blob_is_checked_with_sha512() {
    let scene = Scene::new();
    let digest = Digest::compute(crate::digest::Algorithm::Sha512, b"hello");
    let descriptor = Descriptor::new("x", digest.clone(), 5);
    for (body, wanted) in [("hello", true), ("hellO", false)] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("blobs/sha512").answer(Answer::status(200).body(body)));
        let read = scene.remote.blob_bytes(&scene.context, &scene.repository, &descriptor, 100).await;
        assert_eq!(read.is_ok(), wanted, "{body}");
    }
}
