//! Fulcio v2: a certificate for a key, against an identity token
//! (fulcio.proto, `CreateSigningCertificate`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::SignError;
use super::certificate::Certificate;
use super::key::SigningKey;
use super::oidc::Token;
use super::service::{ANSWER_BYTES, Desk};
use crate::net::{Ask, certificates};
use crate::time::Timestamp;
use crate::trust::TrustRoot;

/// Certificates above the leaf; real chains have one or two.
const MAX_CHAIN: usize = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest<'a> {
    credentials: WireCredentials<'a>,
    public_key_request: WireKey<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireCredentials<'a> {
    oidc_identity_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireKey<'a> {
    public_key: WirePublicKey<'a>,
    proof_of_possession: String,
}

#[derive(Serialize)]
struct WirePublicKey<'a> {
    algorithm: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer {
    signed_certificate_embedded_sct: Option<WireSigned>,
}

#[derive(Deserialize)]
struct WireSigned {
    chain: WireChain,
}

#[derive(Deserialize)]
struct WireChain {
    certificates: Vec<String>,
}

/// Asks for a certificate for `key` and checks it.
pub(super) async fn certify(
    desk: Desk<'_>,
    key: &SigningKey,
    token: &Token,
    trust: &TrustRoot,
    now: Timestamp,
) -> Result<Certificate, SignError> {
    let proof = key.sign(token.challenge().as_bytes())?;
    let request = WireRequest {
        credentials: WireCredentials { oidc_identity_token: token.reveal() },
        public_key_request: WireKey {
            public_key: WirePublicKey { algorithm: "ECDSA", content: &key.public_key_pem() },
            proof_of_possession: BASE64_STANDARD.encode(proof),
        },
    };
    let body = serde_json::to_vec(&request).map_err(|error| desk.protocol(error.to_string()))?;
    let ask = Ask::post(desk.url("api/v2/signingCert"), "application/json", body, ANSWER_BYTES);
    let reply = desk.ask(&ask).await?;
    if !matches!(reply.status, 200 | 201) {
        return Err(desk.refused(&reply, Some(token.reveal())).into());
    }
    let wire: WireAnswer =
        crate::json::object(&reply.body).map_err(|_| desk.protocol("its answer is no certificate"))?;
    // The other form keeps the log's promise outside, and no bundle has a place for it.
    let signed = wire.signed_certificate_embedded_sct;
    let signed = signed.ok_or_else(|| desk.protocol("the certificate is not proven to be in a certificate log"))?;
    if signed.chain.certificates.len() > MAX_CHAIN {
        return Err(desk.protocol(format!("a chain of more than {MAX_CHAIN} certificates")).into());
    }
    let mut chain = Vec::new();
    for pem in &signed.chain.certificates {
        let found = certificates(pem.as_bytes()).map_err(|_| desk.protocol("a certificate of its answer is none"))?;
        chain.extend(found.into_iter().map(|der| der.to_vec()));
    }
    Certificate::check(chain, key.public_key_der(), token, trust, now)
        .map_err(|(code, detail)| desk.error(code, detail).into())
}
