//! One manifest, by tag and by digest.

use super::scene::*;
use crate::testing::{Answer, RegistryFault as Fault};

#[tokio::test]
async fn a_manifest_is_one_request() {
    let scene = Scene::new();
    let found = scene.by_tag().await.expect("an answer").expect("the image");
    assert_eq!(found.blob, scene.image);
    assert_eq!(found.media_type.as_deref(), Some(media::MANIFEST));
    assert!(scene.by_digest().await.expect("an answer").is_some());
    let digest = scene.image.digest();
    assert_eq!(scene.lines(), ["GET /v2/a/b/manifests/latest".to_owned(), format!("GET /v2/a/b/manifests/{digest}")]);
    assert_eq!(scene.context.requests(), 2);
    assert_eq!(scene.context.bytes(), 2 * scene.image.size());
    // Reading the system's certificates costs time; without TLS nobody pays it.
    assert!(!scene.remote.exchange().transport.is_set_up_for_tls());
    let request = &scene.registry.requests()[0];
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert!(request.header("accept").is_some_and(|accept| accept.contains(media::INDEX)));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("cg-attest/")));
}

#[tokio::test]
async fn absence_is_404_or_a_code_that_says_so() {
    let scene = Scene::new();
    let absent = scene.remote.manifest(&scene.context, &scene.repository, &tag("none")).await;
    assert!(absent.expect("an answer").is_none());
    let code = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"m"}}]}}"#);
    for (status, text, wanted) in [
        (404, String::new(), None),
        (400, code("MANIFEST_UNKNOWN"), None),
        (400, code("UNSUPPORTED"), Some(Problem::Protocol)),
        (401, code("NAME_UNKNOWN"), Some(Problem::Denied)),
        (403, code("NAME_UNKNOWN"), Some(Problem::Denied)),
        (410, String::new(), Some(Problem::Protocol)),
        (204, String::new(), Some(Problem::Protocol)),
        (206, String::new(), Some(Problem::Protocol)),
    ] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("latest").answer(Answer::status(status).body(text)));
        match scene.by_tag().await {
            Ok(found) => assert!(found.is_none() && wanted.is_none(), "{status}"),
            Err(error) => assert_eq!((Some(error.problem()), error.status()), (wanted, Some(status))),
        }
    }
}

/// H-03: the header confirms what the bytes are not.
#[tokio::test]
async fn other_bytes_under_a_digest_are_refused_whatever_the_header_says() {
    let scene = Scene::new();
    assert!(scene.by_digest().await.is_ok());
    let digest = scene.image.digest().to_string();
    let other = Answer::status(200).header("docker-content-digest", &digest).body(r#"{"schemaVersion":2}"#);
    scene.registry.fault(Fault::on("manifests/").answer(other));
    let error = scene.by_digest().await.expect_err("other bytes");
    assert_eq!(error.problem(), Problem::Digest);
    assert_eq!(error.code(), crate::code::Code::DigestMismatch);
    // By tag, the registry contradicts itself.
    assert_eq!(scene.problem().await, Some(Problem::Digest));
}

#[tokio::test]
async fn a_header_is_compared_by_tag_and_not_needed_by_digest() {
    let scene = Scene::new();
    let wrong = Digest::sha256(b"other").to_string();
    scene.registry.fault(Fault::on("manifests/").header("docker-content-digest", &wrong));
    assert_eq!(scene.problem().await, Some(Problem::Digest));
    assert!(scene.by_digest().await.is_ok());
    for (header, wanted) in [("nonsense", Some(Problem::Protocol)), (scene.image.digest().to_string().as_str(), None)] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("manifests/").header("docker-content-digest", header));
        assert_eq!(scene.problem().await, wanted, "{header}");
    }
    // A SHA-512 digest of the same bytes is no contradiction.
    scene.registry.clear_faults();
    let long = Digest::compute(crate::digest::Algorithm::Sha512, scene.image.bytes()).to_string();
    scene.registry.fault(Fault::on("manifests/").header("docker-content-digest", &long));
    assert_eq!(scene.problem().await, None);
}

#[tokio::test]
async fn a_web_page_is_no_manifest() {
    let scene = Scene::new();
    scene.registry.fault(Fault::on("latest").times(1).answer(Answer::html()));
    assert_eq!(scene.problem().await, Some(Problem::Protocol));
    assert_eq!(scene.problem().await, None);
    scene.registry.fault(Fault::on("latest").answer(Answer::html().header("x", "y").body("  <!doctype html>")));
    assert_eq!(scene.problem().await, Some(Problem::Protocol));
}

/// I-10: what is compressed cannot be compared with a digest.
#[tokio::test]
async fn compressed_answers_are_refused() {
    let scene = Scene::new();
    let blob = scene.put_blob(b"hello");
    for (encoding, wanted) in [
        ("gzip", Some(Problem::Protocol)),
        ("gzip, gzip, gzip", Some(Problem::Protocol)),
        ("br", Some(Problem::Protocol)),
        ("identity", None),
    ] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("/v2/").header("content-encoding", encoding));
        assert_eq!(scene.problem().await, wanted, "{encoding}");
        assert_eq!(scene.stream_problem(&blob).await, wanted, "{encoding}");
        assert_eq!(scene.blob_problem(&blob).await, wanted, "{encoding}");
    }
}

/// I-12: given twice, two readers may take different ones.
#[tokio::test]
async fn headers_that_decide_something_stand_once() {
    let scene = Scene::new();
    for name in ["content-type", "docker-content-digest", "content-encoding"] {
        let twice = |second: &str| {
            let value = match name {
                "content-type" => media::MANIFEST.to_owned(),
                "content-encoding" => "identity".to_owned(),
                _ => scene.image.digest().to_string(),
            };
            let answer = Answer::status(200).body(scene.image.bytes().to_vec()).header(name, &value);
            if second.is_empty() { answer } else { answer.header(second, &value) }
        };
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("latest").times(1).answer(twice("")));
        scene.registry.fault(Fault::on("latest").answer(twice(name)));
        assert_eq!(scene.problem().await, None, "{name}");
        assert_eq!(scene.problem().await, Some(Problem::Protocol), "{name}");
    }
}

/// Answers of these bytes, to every request on a connection of its own.
fn raw(answer: String) -> Repository {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            // The request is short; whether it was read does not matter.
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    Repository::new(&address, "a/b").expect("a repository")
}

/// I-12: what no HTTP library would send.
#[tokio::test]
async fn a_length_stands_once() {
    let scene = Scene::new();
    let ask = async |headers: &str| {
        let body = "{}";
        let repository = raw(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n{body}"));
        let found = scene.remote.manifest(&scene.context, &repository, &tag("latest")).await;
        found.map(|found| found.is_some()).map_err(|error| error.problem())
    };
    assert_eq!(ask("content-length: 2\r\n").await, Ok(true));
    // Contradicting ones are refused by the parser, equal ones by us.
    assert_eq!(ask("content-length: 2\r\ncontent-length: 1\r\n").await, Err(Problem::Unavailable));
    assert_eq!(ask("content-length: 2\r\ncontent-length: 2\r\n").await, Err(Problem::Protocol));
    assert_eq!(ask("content-length: 3\r\n").await, Err(Problem::Unavailable));
    // K-16: headers have a bound as well.
    let long = format!("content-length: 2\r\nlink: <{}>\r\n", "x".repeat(1 << 20));
    assert_eq!(ask(&long).await, Err(Problem::Unavailable));
}

/// K-01, K-11: bounds on what is read, announced or not.
#[tokio::test]
async fn a_manifest_has_a_bound() {
    let scene = Scene::new();
    let size = scene.image.size();
    let scene = scene.limits(|limits| limits.manifest_bytes = size);
    assert_eq!(scene.problem().await, None);
    let scene = scene.limits(|limits| limits.manifest_bytes = size - 1);
    assert_eq!(scene.problem().await, Some(Problem::Limit));
    // One request: a limit is not tried again.
    assert_eq!(scene.context.requests(), 1);
    // Without a Content-Length it shows on the way.
    let body = scene.image.bytes().to_vec();
    let chunked = Answer::status(200).header("transfer-encoding", "chunked").body(body);
    scene.registry.fault(Fault::on("latest").answer(chunked));
    assert_eq!(scene.problem().await, Some(Problem::Limit));
    let scene = scene.limits(|limits| limits.manifest_bytes = size);
    assert_eq!(scene.problem().await, None);
}

#[tokio::test]
async fn an_error_body_is_quoted_only_in_part() {
    let scene = Scene::new();
    let said = r#"{"errors":[{"code":"DENIED","message":"no \u001b[31mpull\u0007 here"}]}"#;
    scene.registry.fault(Fault::on("latest").times(1).answer(Answer::status(403).body(said)));
    let error = scene.by_tag().await.expect_err("denied").to_string();
    assert!(error.contains("DENIED no 31mpull here") || error.contains("DENIED no [31mpull here"), "{error}");
    assert!(!error.contains('\u{1b}'), "{error}");
    let scene = scene.limits(|limits| limits.error_bytes = 10);
    scene.registry.fault(Fault::on("latest").answer(Answer::status(403).body(said)));
    let error = scene.by_tag().await.expect_err("denied");
    assert_eq!(error.problem(), Problem::Denied);
    assert!(!error.to_string().contains("DENIED"), "{error}");
}
