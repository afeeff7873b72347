//! Timestamp authorities (RFC 3161): signed times over a signature.

use super::authority::{Authority, Certified, Window, ecdsa_with_sha256};
use super::der;
use super::instance::authority_window;
use super::key::{Key, sha256};
use crate::time::Timestamp;

const SHA256: [u32; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];
const SIGNED_DATA: [u32; 7] = [1, 2, 840, 113_549, 1, 7, 2];
const TST_INFO: [u32; 9] = [1, 2, 840, 113_549, 1, 9, 16, 1, 4];
const CONTENT_TYPE: [u32; 7] = [1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: [u32; 7] = [1, 2, 840, 113_549, 1, 9, 4];
const SIGNING_CERTIFICATE_V2: [u32; 9] = [1, 2, 840, 113_549, 1, 9, 16, 2, 47];
const POLICY: [u32; 7] = [1, 3, 6, 1, 4, 1, 57264];

/// What a timestamp is asked for (RFC 3161, 2.4.1).
pub(in crate::testing) struct Query {
    /// The `MessageImprint`, DER.
    pub(in crate::testing) imprint: Vec<u8>,
    /// An INTEGER, DER, that comes back as it is.
    pub(in crate::testing) nonce: Option<Vec<u8>>,
    /// Whether the authority's certificates are wanted in the answer.
    pub(in crate::testing) certificates: bool,
}

impl Query {
    /// The hash of `message`, no nonce, with the certificates.
    pub(in crate::testing) fn about(message: &[u8]) -> Self {
        let imprint = der::sequence(&[&sha256_algorithm(), &der::octets(&sha256(message))]);
        Self { imprint, nonce: None, certificates: true }
    }
}

/// An authority that signs times.
pub(in crate::testing) struct TimestampAuthority(pub(super) Authority);

impl TimestampAuthority {
    pub(super) fn new(name: &str, window: Window) -> Self {
        Self(Authority::timestamping(name, window))
    }

    /// A granted `TimeStampResp` over `message`, with the authority's chain embedded.
    pub(in crate::testing) fn stamp(&self, message: &[u8], time: Timestamp) -> Vec<u8> {
        self.stamp_with(&self.0.issuer.key, message, time)
    }

    /// A granted `TimeStampResp` to a query.
    pub(in crate::testing) fn answer(&self, query: &Query, time: Timestamp) -> Vec<u8> {
        self.answer_with(&self.0.issuer.key, query, time)
    }

    /// The same in this authority's name, signed by any key.
    pub(in crate::testing) fn answer_with(&self, key: &Key, query: &Query, time: Timestamp) -> Vec<u8> {
        self.response(&self.0.issuer, key, &[&self.0.issuer, &self.0.root], query, time)
    }

    /// A `TimeStampResp` that rejects whatever was asked.
    pub(in crate::testing) fn rejection() -> Vec<u8> {
        der::sequence(&[&der::sequence(&[&der::integer(&[2])])])
    }

    /// The same in this authority's name, signed by any key.
    pub(in crate::testing) fn stamp_with(&self, key: &Key, message: &[u8], time: Timestamp) -> Vec<u8> {
        self.answer_with(key, &Query::about(message), time)
    }

    /// The same, signed by a certificate that this authority's root gave out for
    /// another purpose; the authority's own stands before it.
    pub(in crate::testing) fn stamp_as_another(&self, message: &[u8], time: Timestamp) -> Vec<u8> {
        let other = self.0.code_signer(authority_window());
        self.response(&other, &other.key, &[&self.0.issuer, &other, &self.0.root], &Query::about(message), time)
    }

    fn response(
        &self,
        signer: &Certified,
        key: &Key,
        embedded: &[&Certified],
        query: &Query,
        time: Timestamp,
    ) -> Vec<u8> {
        let info = tst_info(query, time);
        let certificates: Vec<&[u8]> = embedded.iter().map(|certified| certified.certificate.as_slice()).collect();
        let encapsulated = der::sequence(&[&der::oid(&TST_INFO), &der::tagged(0, &der::octets(&info))]);
        let certificates = under_tag(0, &der::set(&certificates));
        let signed_data = der::sequence(&[
            &der::integer(&[3]),
            &der::set(&[&sha256_algorithm()]),
            &encapsulated,
            if query.certificates { &certificates } else { &[] },
            &der::set(&[&signer_info(signer, &self.0.root, key, &info)]),
        ]);
        let token = der::sequence(&[&der::oid(&SIGNED_DATA), &der::tagged(0, &signed_data)]);
        let granted = der::sequence(&[&der::integer(&[0])]);
        der::sequence(&[&granted, &token])
    }
}

fn sha256_algorithm() -> Vec<u8> {
    der::sequence(&[&der::oid(&SHA256)])
}

/// RFC 3161, 2.4.2.
fn tst_info(query: &Query, time: Timestamp) -> Vec<u8> {
    let nonce = query.nonce.as_deref().unwrap_or_default();
    let serial = sha256(&[&query.imprint, nonce].concat());
    der::sequence(&[
        &der::integer(&[1]),
        &der::oid(&POLICY),
        &query.imprint,
        &der::integer(&serial[..16]),
        &der::generalized_time(time),
        nonce,
    ])
}

/// RFC 5652, 5.3. The attributes are signed as a SET OF and stored under `[0]`.
fn signer_info(signer: &Certified, issuer: &Certified, key: &Key, info: &[u8]) -> Vec<u8> {
    let attribute = |arcs: &[u32], value: &[u8]| der::sequence(&[&der::oid(arcs), &der::set(&[value])]);
    // ESSCertIDv2 with its default hash, SHA-256 (RFC 5816).
    let certificate_id = der::sequence(&[&der::octets(&sha256(&signer.certificate))]);
    let attributes = der::set(&[
        &attribute(&CONTENT_TYPE, &der::oid(&TST_INFO)),
        &attribute(&MESSAGE_DIGEST, &der::octets(&sha256(info))),
        &attribute(&SIGNING_CERTIFICATE_V2, &der::sequence(&[&der::sequence(&[&certificate_id])])),
    ]);
    let signature = key.sign(&attributes);
    der::sequence(&[
        &der::integer(&[1]),
        &signer.issuer_and_serial(issuer),
        &sha256_algorithm(),
        &under_tag(0, &attributes),
        &ecdsa_with_sha256(),
        &der::octets(&signature),
    ])
}

/// A constructed value with its tag replaced: `[number] IMPLICIT`.
fn under_tag(number: u8, value: &[u8]) -> Vec<u8> {
    [&[0xa0 | number], &value[1..]].concat()
}
