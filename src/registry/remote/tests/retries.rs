//! Trying again, waiting, and giving up.

use futures_util::future::join_all;

use super::scene::*;
use crate::testing::{Answer, RegistryFault as Fault};

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let scene = Scene::new();
    for (status, requests) in
        [(408, 2), (429, 2), (500, 2), (502, 2), (503, 2), (504, 2), (400, 1), (403, 1), (501, 1), (505, 1)]
    {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene.registry.fault(Fault::on("latest").times(1).answer(Answer::status(status)));
        let passed = scene.problem().await.is_none();
        assert_eq!((passed, scene.lines().len()), (requests == 2, requests), "{status}");
    }
}

#[tokio::test]
async fn attempts_are_counted() {
    let scene = Scene::new();
    scene.registry.fault(Fault::on("latest").times(3).answer(Answer::status(503)));
    assert_eq!(scene.problem().await, None);
    assert_eq!(scene.context.requests(), 4);
    let scene = scene.limits(|limits| limits.attempts = 3);
    scene.registry.fault(Fault::on("latest").answer(Answer::status(503)));
    let error = scene.by_tag().await.expect_err("a server error");
    assert_eq!((error.problem(), error.status()), (Problem::Unavailable, Some(503)));
    assert_eq!(scene.context.requests(), 3);
}

/// I-14: reset, truncated, stalled.
#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let scene = Scene::new();
    for fault in [Fault::on("latest").reset(), Fault::on("latest").truncate(10)] {
        scene.registry.clear_faults();
        scene.registry.clear_log();
        scene.registry.fault(fault.times(2));
        assert_eq!(scene.problem().await, None);
        assert_eq!(scene.lines().len(), 3);
    }
    scene.registry.fault(Fault::on("latest").reset());
    assert_eq!(scene.problem().await, Some(Problem::Unavailable));
    // Nobody listens any more.
    let gone = Registry::start();
    let repository = gone.repository("a/b");
    drop(gone);
    let error = scene.remote.manifest(&scene.context, &repository, &tag("t")).await.expect_err("no server");
    assert_eq!(error.problem(), Problem::Unavailable);
    assert!(error.detail().contains("no connection"), "{error}");
}

#[tokio::test]
async fn everything_ends_with_the_run() {
    for fault in [Fault::on("latest").stall(), Fault::on("latest").stall_after(10)] {
        let scene = Scene::new().limits(|limits| limits.total_time = Duration::from_millis(30));
        scene.registry.fault(fault);
        let error = scene.by_tag().await.expect_err("a server that hangs");
        assert_eq!(error.problem(), Problem::Timeout);
        assert!(error.operation().contains("/v2/a/b/manifests/latest"), "{error}");
    }
    let scene = Scene::new();
    let blob = scene.put_blob(b"hello");
    let scene = scene.limits(|limits| limits.total_time = Duration::from_millis(30));
    scene.registry.fault(Fault::on("blobs").stall_after(2));
    assert_eq!(scene.stream_problem(&blob).await, Some(Problem::Timeout));
}

/// I-13: a wait that fits is waited, a longer one ends the request at once and is named.
#[tokio::test]
async fn retry_after_is_honoured_up_to_the_end_of_the_run() {
    let scene = Scene::new().limits(|limits| limits.total_time = Duration::from_secs(10));
    let refused = |status: u16, wait: &str| {
        let date = "Sun, 06 Nov 1994 08:49:00 GMT";
        Fault::on("latest").times(1).answer(Answer::status(status).header("retry-after", wait).header("date", date))
    };
    for wait in ["0", "-1", "soon", "Sun, 06 Nov 1994 08:49:00 GMT"] {
        scene.registry.fault(refused(429, wait));
        assert_eq!(scene.problem().await, None, "{wait}");
    }
    for (wait, named) in [("30", "30 s"), ("99999999", "1157 d"), ("Sun, 06 Nov 1994 08:49:37 GMT", "37 s")] {
        scene.registry.clear_log();
        scene.registry.fault(refused(429, wait));
        let error = scene.by_tag().await.expect_err("too long a wait");
        assert_eq!(error.problem(), Problem::RateLimited);
        assert!(error.retry_after().is_some() && error.detail().contains(named), "{error}");
        assert_eq!(scene.lines().len(), 1);
    }
    scene.registry.fault(refused(503, "30"));
    let error = scene.by_tag().await.expect_err("too long a wait");
    assert_eq!((error.problem(), error.retry_after()), (Problem::Unavailable, Some(Duration::from_secs(30))));
}

#[tokio::test]
async fn the_requests_of_a_run_have_a_bound() {
    let scene = Scene::new().limits(|limits| limits.requests = 2);
    scene.registry.fault(Fault::on("latest").answer(Answer::status(503)));
    assert_eq!(scene.problem().await, Some(Problem::Limit));
    assert_eq!(scene.lines().len(), 2);
}

#[tokio::test]
async fn requests_in_flight_have_a_bound() {
    let scene = Scene::new().limits(|limits| limits.concurrency = 3);
    scene.registry.delay(Duration::from_millis(2));
    let problems = join_all((0..12).map(|_| scene.problem())).await;
    assert!(problems.iter().all(Option::is_none));
    assert_eq!(scene.registry.max_in_flight(), 3);
}

#[tokio::test]
async fn dropping_a_request_frees_its_place() {
    let scene = Scene::new().limits(|limits| limits.concurrency = 1);
    scene.registry.fault(Fault::on("latest").times(1).stall());
    let mut stalled = Box::pin(scene.by_tag());
    while scene.lines().is_empty() {
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut stalled).await.is_err());
    }
    drop(stalled);
    assert_eq!(scene.problem().await, None);
}
