//! What a trusted root holds, for showing it.

use sigstore_verify::trust_root::trusted_root::{CertChain, PublicKey};
use sigstore_verify::types::TimeRange;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::ParsedRoot;
use crate::digest::{Digest, hex};
use crate::time::Timestamp;

/// One authority or log.
pub(crate) struct Contents {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    /// A log's key ID, an authority's certificate's SHA-256: lower-case hex.
    pub(crate) id: String,
    /// The kind of a log's key, the name of an authority's certificate.
    pub(crate) name: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

/// What it does.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    CertificateAuthority,
    Log,
    CertificateLog,
    TimestampAuthority,
}

impl ParsedRoot {
    /// Everything that it trusts; the windows are those in which the
    /// certificates of an authority are valid as well.
    pub(crate) fn contents(&self) -> Vec<Contents> {
        let root = &self.inner;
        let authorities = root
            .certificate_authorities
            .iter()
            .map(|ca| Contents::authority(Kind::CertificateAuthority, ca.uri.clone(), &ca.cert_chain, ca.valid_for));
        let logs = root
            .tlogs
            .iter()
            .map(|log| Contents::log(Kind::Log, &log.base_url, log.log_id.key_id.as_bytes(), &log.public_key));
        let certificate_logs = root.ctlogs.iter().map(|log| {
            Contents::log(Kind::CertificateLog, &log.base_url, log.log_id.key_id.as_bytes(), &log.public_key)
        });
        let timestamps = root.timestamp_authorities.iter().map(|tsa| {
            let url = tsa.uri.clone().unwrap_or_default();
            Contents::authority(Kind::TimestampAuthority, url, &tsa.cert_chain, tsa.valid_for)
        });
        authorities.chain(logs).chain(certificate_logs).chain(timestamps).collect()
    }
}

impl Contents {
    fn authority(kind: Kind, url: String, chain: &CertChain, window: Option<TimeRange>) -> Self {
        let leaf = chain.certificates.first().map(|entry| entry.raw_bytes.as_bytes()).unwrap_or_default();
        let certificate = Certificate::from_der(leaf);
        let name = certificate.map(|c| c.tbs_certificate().subject().to_string()).unwrap_or_default();
        let id = Digest::sha256(leaf).hex().to_owned();
        let (start, end) = ends(window);
        Self { kind, url, id, name, start, end }
    }

    fn log(kind: Kind, url: &str, id: &[u8], key: &PublicKey) -> Self {
        let (start, end) = ends(key.valid_for);
        Self { kind, url: url.to_owned(), id: hex(id), name: key.key_details.as_str().to_owned(), start, end }
    }
}

fn ends(window: Option<TimeRange>) -> (Option<Timestamp>, Option<Timestamp>) {
    let Some(window) = window else { return (None, None) };
    (Some(Timestamp::from_jiff(window.start)), window.end.map(Timestamp::from_jiff))
}
