//! The timestamp authority (RFC 3161): a query against a signed time.

use serde_json::json;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{self, Decode as _, Encode as _, Reader as _, Tag, Tagged as _};

use super::fault::ServiceFault;
use super::server::Services;
use crate::testing::http::{Answer, RecordedRequest};
use crate::testing::sigstore::{Key, Query, TimestampAuthority, VirtualSigstore, pem};
use crate::time::Timestamp;

/// `POST /api/v1/timestamp`.
pub(super) fn timestamp(services: &Services, now: &VirtualSigstore, request: &RecordedRequest) -> Answer {
    let Ok(mut query) = query(&request.body) else {
        return Answer::json(400, &json!({ "code": 400, "message": "Error parsing timestamp request" }));
    };
    let (tsa, mut time) = (now.tsa(), now.now());
    if services.lies(ServiceFault::TimestampOverOtherBytes) {
        query.imprint = Query::about(b"other bytes").imprint;
    }
    if services.lies(ServiceFault::TimestampWithAnotherNonce) {
        // The INTEGER 7, in the place of whatever number was sent.
        query.nonce = Some(vec![2, 1, 7]);
    }
    if services.lies(ServiceFault::TimestampTooEarly) {
        time = Timestamp::from_unix(time.unix() - 3600).unwrap_or(time);
    }
    let body = if services.lies(ServiceFault::TimestampRejected) {
        TimestampAuthority::rejection()
    } else if services.lies(ServiceFault::TimestampByAnotherKey) {
        tsa.answer_with(&Key::p256(), &query, time)
    } else {
        tsa.answer(&query, time)
    };
    Answer::status(201).header("content-type", "application/timestamp-reply").body(body)
}

/// `GET /api/v1/timestamp/certchain`.
pub(super) fn certificates(now: &VirtualSigstore) -> Answer {
    let chain: String = now.tsa_chain().iter().map(|der| pem("CERTIFICATE", der)).collect();
    Answer::status(200).header("content-type", "application/pem-certificate-chain").body(chain)
}

/// Reads a `TimeStampReq` (RFC 3161, 2.4.1).
fn query(bytes: &[u8]) -> der::Result<Query> {
    AnyRef::from_der(bytes)?.sequence(|reader| {
        let _version: u8 = reader.decode()?;
        let imprint: AnyRef<'_> = reader.decode()?;
        let mut query = Query { imprint: imprint.to_der()?, nonce: None, certificates: false };
        while !reader.is_finished() {
            let field: AnyRef<'_> = reader.decode()?;
            match field.tag() {
                Tag::ObjectIdentifier => drop(field.decode_as::<ObjectIdentifier>()?),
                Tag::Integer => query.nonce = Some(field.to_der()?),
                Tag::Boolean => query.certificates = field.decode_as()?,
                // Extensions.
                _ => {}
            }
        }
        Ok(query)
    })
}
