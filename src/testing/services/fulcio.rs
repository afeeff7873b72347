//! Fulcio v2: a token and the proof of a key against a certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use x509_cert::der::{Decode as _, Encode as _, pem};
use x509_cert::request::CertReq;

use super::claims;
use super::fault::ServiceFault;
use super::public_key::PublicKey;
use super::server::Services;
use crate::testing::http::{Answer, RecordedRequest};
use crate::testing::sigstore::{Key, VirtualSigstore, pem as to_pem};
use crate::testing::{Fault, Identity};

/// What Fulcio says to its clients when it refuses: a gRPC status code behind HTTP, and a sentence.
const BAD_TOKEN: &str = "There was an error processing the identity token";
const BAD_REQUEST: &str = "The certificate signing request could not be parsed";
const BAD_KEY: &str = "The public key supplied in the request could not be parsed";
const BAD_PROOF: &str = "The signature supplied in the request could not be verified";

/// `POST /api/v2/signingCert`.
pub(super) fn signing_certificate(services: &Services, now: &VirtualSigstore, request: &RecordedRequest) -> Answer {
    let issued = requested(services, now, request).map(|(identity, key)| {
        let leaf = certificate(services, now, &identity, &key);
        let chain = now.fulcio_chain();
        let certificates: Vec<String> =
            [leaf.as_slice(), chain[0], chain[1]].map(|der| to_pem("CERTIFICATE", der)).into();
        json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": certificates } } })
    });
    issued.map_or_else(refusal, |body| Answer::json(200, &body))
}

/// `GET /api/v2/trustBundle`.
pub(super) fn trust_bundle(now: &VirtualSigstore) -> Answer {
    let chain = now.fulcio_chain().map(|der| to_pem("CERTIFICATE", der));
    Answer::json(200, &json!({ "chains": [{ "certificates": chain }] }))
}

/// `GET /api/v2/configuration`.
pub(super) fn configuration(services: &Services) -> Answer {
    let issuer = json!({ "issuerUrl": services.url, "audience": "sigstore", "challengeClaim": "email" });
    Answer::json(200, &json!({ "issuers": [issuer] }))
}

/// Who asks, and for which key, once both are proven.
fn requested(
    services: &Services,
    now: &VirtualSigstore,
    request: &RecordedRequest,
) -> Result<(Identity, PublicKey), &'static str> {
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| BAD_REQUEST)?;
    let header = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = body["credentials"]["oidcIdentityToken"].as_str().or(header).ok_or(BAD_TOKEN)?;
    let claims = services.issuer.accept(token, now.now()).ok_or(BAD_TOKEN)?;
    let identity = claims::identity(&claims).ok_or(BAD_TOKEN)?;
    if let Some(request) = body["certificateSigningRequest"].as_str() {
        return Ok((identity, certificate_request(request)?));
    }
    let asked = &body["publicKeyRequest"];
    let key = asked["publicKey"]["content"].as_str().and_then(|text| PublicKey::from_pem(text.as_bytes()));
    let key = key.ok_or(BAD_KEY)?;
    let proof = asked["proofOfPossession"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let challenge = claims::challenge(&claims).ok_or(BAD_TOKEN)?;
    match proof {
        Some(proof) if key.signed(challenge.as_bytes(), &proof) => Ok((identity, key)),
        _ => Err(BAD_PROOF),
    }
}

/// The key of a PKCS #10 request, PEM inside base64, that it is signed with.
fn certificate_request(text: &str) -> Result<PublicKey, &'static str> {
    let text = BASE64_STANDARD.decode(text).map_err(|_| BAD_REQUEST)?;
    let (_, der) = pem::decode_vec(&text).map_err(|_| BAD_REQUEST)?;
    let request = CertReq::from_der(&der).map_err(|_| BAD_REQUEST)?;
    let spki = request.info.public_key.to_der().map_err(|_| BAD_KEY)?;
    let key = PublicKey::from_spki(&spki).ok_or(BAD_KEY)?;
    let message = request.info.to_der().map_err(|_| BAD_REQUEST)?;
    if key.signed(&message, request.signature.raw_bytes()) { Ok(key) } else { Err(BAD_PROOF) }
}

fn certificate(services: &Services, now: &VirtualSigstore, identity: &Identity, key: &PublicKey) -> Vec<u8> {
    if services.lies(ServiceFault::CertificateForAnotherKey) {
        return now.certificate(identity, &Key::p256().spki, None);
    }
    if services.lies(ServiceFault::CertificateForAnotherIdentity) {
        let mallory = Identity::email("mallory@example.com", &services.url);
        return now.certificate(&mallory, &key.spki, None);
    }
    if services.lies(ServiceFault::CertificateByAnotherAuthority) {
        return VirtualSigstore::new().at(now.now()).certificate(identity, &key.spki, None);
    }
    let fault = services.lies(ServiceFault::CertificateWithoutSct).then_some(Fault::SctMissing);
    now.certificate(identity, &key.spki, fault)
}

/// An error as a gRPC gateway writes it; 3 is `INVALID_ARGUMENT`.
fn refusal(message: &str) -> Answer {
    Answer::json(400, &json!({ "code": 3, "message": message, "details": [] }))
}
