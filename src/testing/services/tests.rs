//! A client that signs, written with nothing but the wire formats; what it
//! makes is verified by the verifier that this crate relies on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::Bundle;
use sigstore_verify::{VerificationPolicy, Verifier};

use super::{ServiceFault, SigstoreServer};
use crate::testing::sigstore::{Key, base64, dsse_message, pem, sha256};
use crate::testing::{Answer, RegistryFault};

const PERSON: &str = "alice@example.com";

/// What came back: status, headers as text, body.
struct Got(u16, String, Vec<u8>);

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.2).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.2).into_owned()
    }
}

fn send(server: &SigstoreServer, head: &str, headers: &str, body: &[u8]) -> Got {
    let address = server.url().strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let length = body.len();
    write!(stream, "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n")
        .expect("sending");
    stream.write_all(body).expect("sending");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("headers");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Got(status, head, answer[end + 4..].to_vec())
}

fn post(server: &SigstoreServer, path: &str, body: &Value) -> Got {
    send(server, &format!("POST {path}"), "content-type: application/json\r\n", body.to_string().as_bytes())
}

fn get(server: &SigstoreServer, path: &str) -> Got {
    send(server, &format!("GET {path}"), "", b"")
}

/// A client with a key and a token.
struct Client<'a> {
    server: &'a SigstoreServer,
    key: Key,
    token: String,
}

impl<'a> Client<'a> {
    fn new(server: &'a SigstoreServer) -> Self {
        Self { server, key: Key::p256(), token: server.email_token(PERSON) }
    }

    fn certificate_request(&self, proof_over: &str) -> Got {
        let content = pem("PUBLIC KEY", &self.key.spki);
        let body = json!({
            "credentials": { "oidcIdentityToken": self.token },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": content },
                "proofOfPossession": base64(self.key.sign(proof_over.as_bytes())),
            },
        });
        post(self.server, "/api/v2/signingCert", &body)
    }

    fn certificate(&self) -> Vec<u8> {
        let got = self.certificate_request(PERSON);
        assert_eq!(got.0, 200, "{}", got.text());
        let chain = got.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"].clone();
        assert_eq!(chain.as_array().map(Vec::len), Some(3));
        let (_, der) = x509_cert::der::pem::decode_vec(chain[0].as_str().expect("PEM").as_bytes()).expect("PEM");
        der
    }

    fn timestamp(&self, signature: &[u8]) -> Vec<u8> {
        // version 1, SHA-256 over the signature, nonce 5, certificates.
        let imprint = [&SHA256_HEAD[..], &sha256(signature)].concat();
        let query = [&[0x30, 62, 2, 1, 1][..], &imprint, &[2, 1, 5], &[1, 1, 0xff]].concat();
        let query = [&[0x30, (query.len() - 2) as u8][..], &query[2..]].concat();
        let got = send(self.server, "POST /api/v1/timestamp", "content-type: application/timestamp-query\r\n", &query);
        assert_eq!(got.0, 201, "{}", got.text());
        assert!(got.1.contains("application/timestamp-reply"), "{}", got.1);
        got.2
    }

    fn log_v2(&self, message: &[u8], signature: &[u8], certificate: &[u8]) -> Got {
        let verifier = json!({
            "x509Certificate": { "rawBytes": base64(certificate) }, "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        });
        let record = json!({
            "digest": base64(sha256(message)),
            "signature": { "content": base64(signature), "verifier": verifier },
        });
        post(self.server, "/api/v2/log/entries", &json!({ "hashedRekordRequestV002": record }))
    }

    fn log_v1(&self, envelope: &Value, certificate: &[u8]) -> Got {
        let verifiers = [base64(pem("CERTIFICATE", certificate))];
        let content = json!({ "envelope": envelope.to_string(), "verifiers": verifiers });
        let entry = json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": { "proposedContent": content } });
        post(self.server, "/api/v1/log/entries", &entry)
    }

    /// Tokens of a login, or the error of RFC 6749.
    fn exchange(server: &SigstoreServer, form: &[(&str, &str)]) -> Value {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = "content-type: application/x-www-form-urlencoded\r\n";
        send(server, "POST /token", kind, body.as_bytes()).json()
    }

    /// A bundle with a statement about `hello`.
    fn sign(&self, v1: bool) -> String {
        let certificate = self.certificate();
        let payload = statement();
        let message = dsse_message(IN_TOTO, &payload);
        let signature = self.key.sign(&message);
        let envelope = json!({
            "payload": base64(&payload), "payloadType": IN_TOTO, "signatures": [{ "sig": base64(&signature) }],
        });
        let entry = if v1 {
            bundled(&self.log_v1(&envelope, &certificate).json())
        } else {
            let mut entry = self.log_v2(&message, &signature, &certificate).json();
            // Empty fields of the wire are left out of bundles.
            entry.as_object_mut().expect("an object").retain(|_, value| !value.is_null() && *value != "0");
            entry
        };
        let stamps = json!([{ "signedTimestamp": base64(self.timestamp(&signature)) }]);
        let material = json!({
            "certificate": { "rawBytes": base64(&certificate) },
            "tlogEntries": [entry],
            "timestampVerificationData": { "rfc3161Timestamps": stamps },
        });
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        json!({ "mediaType": kind, "verificationMaterial": material, "dsseEnvelope": envelope }).to_string()
    }
}

const IN_TOTO: &str = "application/vnd.in-toto+json";
const BLOB: &[u8] = b"hello";
/// `MessageImprint` of a SHA-256, up to the hash itself.
const SHA256_HEAD: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];

fn statement() -> Vec<u8> {
    let digest = crate::digest::Digest::sha256(BLOB);
    crate::testing::Statement::about(&digest).spdx()
}

/// An entry of Rekor v1's API as bundles have it.
fn bundled(answer: &Value) -> Value {
    let entry = answer.as_object().and_then(|object| object.values().next()).expect("one entry");
    let unhex = |text: &Value| base64(crate::digest::unhex(text.as_str().expect("hex")).expect("hex"));
    let proof = &entry["verification"]["inclusionProof"];
    let body = entry["body"].as_str().expect("a body");
    let decoded: Value = serde_json::from_slice(&BASE64_STANDARD.decode(body).expect("base64")).expect("JSON");
    let hashes: Vec<String> = proof["hashes"].as_array().expect("hashes").iter().map(unhex).collect();
    json!({
        "logIndex": entry["logIndex"].to_string(),
        "logId": { "keyId": unhex(&entry["logID"]) },
        "kindVersion": { "kind": decoded["kind"], "version": decoded["apiVersion"] },
        "integratedTime": entry["integratedTime"].to_string(),
        "inclusionPromise": { "signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"] },
        "inclusionProof": {
            "logIndex": proof["logIndex"].to_string(), "rootHash": unhex(&proof["rootHash"]),
            "treeSize": proof["treeSize"].to_string(), "hashes": hashes,
            "checkpoint": { "envelope": proof["checkpoint"] },
        },
        "canonicalizedBody": body,
    })
}

/// Who signed, or why it is no good.
fn verify(server: &SigstoreServer, bundle: &str) -> Result<String, String> {
    let root = TrustedRoot::from_json(&server.trusted_root_json()).expect("a trust root");
    let verifier = Verifier::new(&root).expect("a usable trust root");
    let bundle = Bundle::from_json(bundle).map_err(|e| e.to_string())?;
    let verified = verifier.verify(BLOB, &bundle, &VerificationPolicy::any_identity()).map_err(|e| e.to_string())?;
    let identity = verified.certificate().and_then(|certificate| certificate.identity.clone());
    Ok(identity.expect("a name").as_str().to_owned())
}

#[test]
fn what_a_client_signs_with_these_services_verifies() {
    let server = SigstoreServer::start();
    for v1 in [false, true] {
        for _ in 0..3 {
            let client = Client::new(&server);
            assert_eq!(verify(&server, &client.sign(v1)).as_deref(), Ok(PERSON), "Rekor v1: {v1}");
        }
    }
    let another = SigstoreServer::start();
    assert!(verify(&another, &Client::new(&server).sign(false)).is_err());
}

/// But for those that a client has to see before it goes on: tests of their own, below.
#[test]
fn each_lie_about_a_signature_is_seen_by_the_verifier() {
    let server = SigstoreServer::start();
    for v1 in [false, true] {
        for (fault, visible) in [
            (ServiceFault::CertificateForAnotherIdentity, true),
            (ServiceFault::CertificateByAnotherAuthority, true),
            (ServiceFault::CertificateWithoutSct, true),
            (ServiceFault::EntryForAnotherPayload, true),
            (ServiceFault::EntryForAnotherSignature, true),
            (ServiceFault::PromiseByAnotherKey, v1),
            (ServiceFault::ProofCorrupted, true),
            (ServiceFault::CheckpointByAnotherKey, true),
            (ServiceFault::TimestampOverOtherBytes, true),
            (ServiceFault::TimestampByAnotherKey, true),
            (ServiceFault::TimestampTooEarly, true),
            (ServiceFault::TimestampRejected, true),
        ] {
            server.lie(fault);
            let found = verify(&server, &Client::new(&server).sign(v1));
            assert_eq!(found.as_deref() != Ok(PERSON), visible, "{fault:?}, Rekor v1 {v1}: {found:?}");
            server.clear_faults();
            assert_eq!(verify(&server, &Client::new(&server).sign(v1)).as_deref(), Ok(PERSON));
        }
    }
}

#[test]
fn fulcio_wants_its_own_issuers_token_and_the_proof_of_the_key() {
    let server = SigstoreServer::start();
    let client = Client::new(&server);
    assert_eq!(client.certificate_request(PERSON).0, 200);
    let refused = |token: String, proof: &str| {
        let got = Client { server: &server, key: Key::p256(), token }.certificate_request(proof);
        assert_eq!(got.0, 400, "{}", got.text());
        got.json()["message"].as_str().expect("a message").to_owned()
    };
    let token = |query: &str| get(&server, &format!("/token?{query}")).text();
    assert!(refused(client.token.clone(), "bob@example.com").contains("signature"));
    assert!(refused(token("email=alice@example.com&lifetime=-1"), PERSON).contains("token"));
    assert!(refused(token("email=alice@example.com&audience=another"), PERSON).contains("token"));
    assert!(refused(SigstoreServer::start().email_token(PERSON), PERSON).contains("token"));
    assert!(refused("a.b.c".to_owned(), PERSON).contains("token"));
    for lie in [ServiceFault::TokenExpired, ServiceFault::TokenForAnotherAudience] {
        server.lie(lie);
        assert!(refused(server.email_token(PERSON), PERSON).contains("token"));
        server.clear_faults();
    }
    let workflow = token("repository=octo/hello&ref=refs/tags/v1");
    let asked = Client { server: &server, key: Key::p256(), token: workflow };
    assert_eq!(asked.certificate_request("repo:octo/hello:ref:refs/tags/v1").0, 200);
    assert_eq!(asked.certificate_request(PERSON).0, 400);
    let builder = "spiffe://example.com/builder";
    let asked = Client { server: &server, key: Key::p256(), token: token(&format!("sub={builder}")) };
    assert_eq!(asked.certificate_request(builder).0, 200);
    assert!(refused(token("sub=builder"), "builder").contains("token"));
}

#[test]
fn logs_take_an_entry_once_and_only_with_a_right_signature() {
    let server = SigstoreServer::start();
    let client = Client::new(&server);
    let (certificate, message) = (client.certificate(), b"message");
    let signature = client.key.sign(message);
    let first = client.log_v2(message, &signature, &certificate);
    assert_eq!(first.0, 201, "{}", first.text());
    // Defaults are on the wire, as a gRPC gateway writes them.
    assert_eq!(first.json()["integratedTime"], "0");
    let again = client.log_v2(message, &signature, &certificate);
    let index = first.json()["logIndex"].as_str().expect("an index").to_owned();
    assert!(again.0 == 409 && again.1.contains(&format!("x-log-index: {index}")), "{}", again.1);
    assert_eq!(client.log_v2(b"another", &signature, &certificate).0, 400);

    let envelope = |payload: &[u8]| {
        let signature = client.key.sign(&dsse_message(IN_TOTO, b"{}"));
        json!({ "payload": base64(payload), "payloadType": IN_TOTO, "signatures": [{ "sig": base64(signature) }] })
    };
    let good = envelope(b"{}");
    let first = client.log_v1(&good, &certificate);
    assert_eq!(first.0, 201, "{}", first.text());
    let again = client.log_v1(&good, &certificate);
    assert_eq!(again.0, 409);
    let location = again.1.lines().find_map(|line| line.strip_prefix("location: ")).expect("a location").trim();
    assert_eq!(get(&server, location).json(), first.json());
    let index = first.json().as_object().and_then(|o| o.values().next().map(|e| e["logIndex"].clone())).expect("one");
    assert_eq!(get(&server, &format!("/api/v1/log/entries?logIndex={index}")).json(), first.json());
    assert_eq!(client.log_v1(&envelope(b"[]"), &certificate).0, 400);
    assert_eq!(get(&server, "/api/v1/log").json()["treeSize"], 6);
    assert!(get(&server, "/api/v1/log/publicKey").text().starts_with("-----BEGIN PUBLIC KEY"));
}

#[test]
fn the_first_entry_of_a_log_has_its_zeros_on_the_wire() {
    let server = SigstoreServer::start_with_empty_logs();
    let client = Client::new(&server);
    let signature = client.key.sign(b"message");
    let entry = client.log_v2(b"message", &signature, &client.certificate()).json();
    assert_eq!(entry["logIndex"], "0");
    assert_eq!(entry["inclusionProof"]["logIndex"], "0");
    assert_eq!(entry["inclusionProof"]["hashes"], json!([]));
    assert_eq!(verify(&server, &client.sign(true)).as_deref(), Ok(PERSON));
}

#[test]
fn timestamps_answer_the_nonce_unless_they_lie() {
    let server = SigstoreServer::start();
    let client = Client::new(&server);
    // The nonce of the query, behind the time.
    let has = |stamp: Vec<u8>, nonce: u8| stamp.windows(4).any(|window| window == [b'Z', 2, 1, nonce]);
    assert!(has(client.timestamp(b"signature"), 5));
    server.lie(ServiceFault::TimestampWithAnotherNonce);
    assert!(has(client.timestamp(b"signature"), 7));
    let chain = get(&server, "/api/v1/timestamp/certchain").text();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(send(&server, "POST /api/v1/timestamp", "", b"no query").0, 400);
}

#[test]
fn a_certificate_for_another_key_is_right_in_everything_else() {
    let server = SigstoreServer::start();
    let client = Client::new(&server);
    let own = |der: &[u8]| der.windows(client.key.spki.len()).any(|window| window == client.key.spki);
    assert!(own(&client.certificate()));
    server.lie(ServiceFault::CertificateForAnotherKey);
    assert!(!own(&client.certificate()));
}

#[test]
fn a_browser_gets_a_code_and_the_code_a_token_once() {
    let server = SigstoreServer::start();
    let challenge = super::jwt::base64_url(sha256(b"the secret of the client"));
    let back = "http://localhost:7/callback";
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("response_type", "code"), ("client_id", "sigstore"), ("redirect_uri", back)])
        .extend_pairs([("state", "s"), ("nonce", "n"), ("code_challenge", &*challenge)])
        .extend_pairs([("code_challenge_method", "S256"), ("login_hint", PERSON)])
        .finish();
    let code = || {
        let got = get(&server, &format!("/auth?{query}"));
        assert_eq!(got.0, 302, "{}", got.text());
        let location = got.1.lines().find_map(|line| line.strip_prefix("location: ")).expect("a location").to_owned();
        assert!(location.starts_with(back) && location.ends_with("&state=s"), "{location}");
        location.split(['=', '&']).nth(1).expect("a code").to_owned()
    };
    let exchange = |code: &str, verifier: &str| {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)];
        Client::exchange(&server, &[&form[..], &[("redirect_uri", back)]].concat())
    };
    let first = code();
    assert_eq!(exchange(&first, "another secret")["error"], "invalid_grant");
    let token = exchange(&first, "the secret of the client")["id_token"].as_str().expect("a token").to_owned();
    assert_eq!(exchange(&first, "the secret of the client")["error"], "invalid_grant");
    assert_eq!(Client { server: &server, key: Key::p256(), token }.certificate_request(PERSON).0, 200);
    assert_eq!(get(&server, &format!("/auth?{}", query.replace("localhost", "example.com"))).0, 400);
}

#[test]
fn a_device_waits_once() {
    let server = SigstoreServer::start();
    server.log_in_as(PERSON);
    let begun = send(&server, "POST /device/code", "", b"client_id=sigstore").json();
    let code = begun["device_code"].as_str().expect("a code");
    let poll = || {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        Client::exchange(&server, &[("grant_type", grant), ("device_code", code)])
    };
    assert_eq!(poll()["error"], "authorization_pending");
    let token = poll()["id_token"].as_str().expect("a token").to_owned();
    assert_eq!(Client { server: &server, key: Key::p256(), token }.certificate_request(PERSON).0, 200);
    // A device's code is no browser's.
    assert_eq!(
        Client::exchange(&server, &[("grant_type", "authorization_code"), ("code", code)])["error"],
        "invalid_grant"
    );
}

#[test]
fn a_workflow_gets_its_token_with_its_request_token_only() {
    let server = SigstoreServer::start();
    let asked = |bearer: &str| {
        let path = format!("GET {}&audience=sigstore", server.request_url().trim_start_matches(server.url()));
        send(&server, &path, &format!("authorization: {bearer}\r\n"), b"")
    };
    assert_eq!(asked("Bearer guessed").0, 401);
    let token = asked(&format!("bearer {}", server.request_token())).json()["value"].as_str().expect("one").to_owned();
    let client = Client { server: &server, key: Key::p256(), token };
    assert_eq!(client.certificate_request("repo:example-org/example-repo:ref:refs/heads/main").0, 200);
}

#[test]
fn http_goes_wrong_as_asked_and_requests_are_remembered() {
    let server = SigstoreServer::start();
    let busy = Answer::status(429).header("retry-after", "1");
    server.fault(RegistryFault::on("/api/v2/signingCert").times(1).answer(busy));
    let client = Client::new(&server);
    assert_eq!(client.certificate_request(PERSON).0, 429);
    assert_eq!(client.certificate_request(PERSON).0, 200);
    assert_eq!(server.lines(), ["POST /api/v2/signingCert", "POST /api/v2/signingCert"]);
    server.forget_requests();
    assert_eq!(get(&server, "/nothing").0, 404);
    assert!(server.lines().is_empty());
}
