//! The instance: all its authorities and logs, and the time it is there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::authority::{Authority, Window};
use super::ct::CtLog;
use super::fault::Fault;
use super::identity::Identity;
use super::key::{Key, ManagedKey, base64};
use super::log::TransparencyLog;
use super::mint::Mint;
use super::tsa::TimestampAuthority;
use crate::time::Timestamp;

/// A Sigstore instance in memory, with keys made when it is made.
///
/// Clones and [`VirtualSigstore::at`] share the keys and the logs. The time is
/// a value: the instance never reads a clock. It begins at
/// `2026-03-02T12:00:00Z`, in the past, because a verifier that reads the
/// clock refuses what claims to be from the future.
#[derive(Clone)]
pub struct VirtualSigstore {
    pub(super) services: Arc<Services>,
    now: Timestamp,
}

/// The services of an instance.
pub(super) struct Services {
    pub(super) fulcio: Authority,
    pub(super) ct: CtLog,
    pub(super) rekor_v1: TransparencyLog,
    pub(super) rekor_v2: TransparencyLog,
    pub(super) tsa: TimestampAuthority,
    /// Who looks after the logs. Nobody has to trust them.
    pub(super) witnesses: [Key; 2],
    /// What was trusted until [`RETIRED`] and still has its keys and certificates.
    pub(super) retired: Retired,
}

/// Services that were trusted once; what they sign today nobody may accept.
pub(super) struct Retired {
    pub(super) fulcio: Authority,
    pub(super) ct: CtLog,
    pub(super) rekor_v1: TransparencyLog,
    pub(super) tsa: TimestampAuthority,
    /// The trust root does not say that it was retired; its certificates have expired.
    pub(super) lapsed: Authority,
}

/// 2026-03-02T12:00:00Z.
const BEGIN: i64 = 1_772_452_800;
/// 2000-01-01T00:00:00Z, from when everything is trusted, and the end of 2001, until when the retired services were.
const TRUSTED: i64 = 946_684_800;
const RETIRED: i64 = 1_009_843_199;
/// 2200-01-01T00:00:00Z, the end of the authorities' certificates.
const END: i64 = 7_258_118_400;

impl VirtualSigstore {
    /// A new instance. Two instances have nothing in common but their names.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn new() -> Self {
        let rekor_v1 = TransparencyLog::rekor_v1("rekor.virtual.test");
        Self::with_logs(rekor_v1, TransparencyLog::rekor_v2("log2026-1.rekor.virtual.test"))
    }

    /// An instance whose logs have the name that clients derive from a loopback URL.
    pub(in crate::testing) fn on_loopback() -> Self {
        let name = "127.0.0.1";
        Self::with_logs(TransparencyLog::rekor_v1(name), TransparencyLog::rekor_v2(name))
    }

    /// The same, with nothing in its logs yet.
    pub(in crate::testing) fn on_loopback_before_the_first_entry() -> Self {
        let Services { rekor_v1, rekor_v2, .. } = &*Self::on_loopback().services;
        Self::with_logs(rekor_v1.before_the_first(), rekor_v2.before_the_first())
    }

    fn with_logs(rekor_v1: TransparencyLog, rekor_v2: TransparencyLog) -> Self {
        let services = Services {
            fulcio: Authority::fulcio(authority_window()),
            ct: CtLog::new(),
            rekor_v1,
            rekor_v2,
            tsa: TimestampAuthority::new("virtual-tsa", authority_window()),
            witnesses: [Key::ed25519(), Key::ed25519()],
            retired: Retired {
                fulcio: Authority::fulcio(authority_window()),
                ct: CtLog::new(),
                rekor_v1: TransparencyLog::rekor_v1("retired.rekor.virtual.test"),
                tsa: TimestampAuthority::new("virtual-retired-tsa", authority_window()),
                lapsed: Authority::fulcio(Window(unix(TRUSTED), unix(RETIRED))),
            },
        };
        Self { services: Arc::new(services), now: unix(BEGIN) }
    }

    /// The same instance at another time: the time of every signature that follows.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Self {
        Self { services: Arc::clone(&self.services), now: time }
    }

    /// The time at this instance.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Begins a keyless signature: `identity` gets a certificate of ten minutes.
    pub fn sign<'a>(&'a self, identity: &'a Identity) -> Mint<'a> {
        Mint::keyless(self, identity)
    }

    /// Begins a signature with a key that is managed elsewhere.
    pub fn sign_with_key<'a>(&'a self, key: &'a ManagedKey) -> Mint<'a> {
        Mint::with_key(self, key)
    }

    /// The trust root (`application/vnd.dev.sigstore.trustedroot+json;version=0.1`) of this instance.
    #[must_use]
    pub fn trusted_root_json(&self) -> String {
        let Services { fulcio, ct, rekor_v1, rekor_v2, tsa, retired, .. } = &*self.services;
        let log = |log: &TransparencyLog, end| log_json(&format!("https://{}", log.name), &log.key, &log.id, end);
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&retired.rekor_v1, Some(RETIRED)), log(rekor_v1, None), log(rekor_v2, None)],
            "ctlogs": [
                log_json("https://retired.ct.virtual.test", &retired.ct.key, &retired.ct.id, Some(RETIRED)),
                log_json("https://ct.virtual.test", &ct.key, &ct.id, None),
            ],
            "certificateAuthorities": [
                authority_json("https://retired.fulcio.virtual.test", &retired.fulcio, Some(RETIRED)),
                authority_json("https://lapsed.fulcio.virtual.test", &retired.lapsed, None),
                authority_json("https://fulcio.virtual.test", fulcio, None),
            ],
            "timestampAuthorities": [
                authority_json("https://retired.tsa.virtual.test", &retired.tsa.0, Some(RETIRED)),
                authority_json("https://tsa.virtual.test", &tsa.0, None),
            ],
        });
        root.to_string()
    }

    /// The trust root of what is in use, with the services at `url`.
    pub(in crate::testing) fn trusted_root_at(&self, url: &str) -> Value {
        let Services { fulcio, ct, rekor_v1, rekor_v2, tsa, .. } = &*self.services;
        let log = |log: &TransparencyLog| log_json(url, &log.key, &log.id, None);
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(rekor_v1), log(rekor_v2)],
            "ctlogs": [log_json(url, &ct.key, &ct.id, None)],
            "certificateAuthorities": [authority_json(url, fulcio, None)],
            "timestampAuthorities": [authority_json(url, &tsa.0, None)],
        })
    }

    /// A certificate of ten minutes for the owner of the key `spki`, DER; wrong in this one way.
    pub(in crate::testing) fn certificate(&self, identity: &Identity, spki: &[u8], fault: Option<Fault>) -> Vec<u8> {
        let begin = shifted(self.now, -5);
        let window = Window(begin, shifted(begin, 600));
        self.services.fulcio.certify(identity, spki, window, &self.services.ct, fault)
    }

    /// The certificates above those of signers, nearest first, DER.
    pub(in crate::testing) fn fulcio_chain(&self) -> [&[u8]; 2] {
        chain(&self.services.fulcio)
    }

    /// Rekor v1.
    pub(in crate::testing) fn rekor_v1(&self) -> &TransparencyLog {
        &self.services.rekor_v1
    }

    /// Rekor v2.
    pub(in crate::testing) fn rekor_v2(&self) -> &TransparencyLog {
        &self.services.rekor_v2
    }

    /// The timestamp authority.
    pub(in crate::testing) fn tsa(&self) -> &TimestampAuthority {
        &self.services.tsa
    }

    /// The certificate that signs timestamps, and its root, DER.
    pub(in crate::testing) fn tsa_chain(&self) -> [&[u8]; 2] {
        chain(&self.services.tsa.0)
    }
}

fn chain(authority: &Authority) -> [&[u8]; 2] {
    [&authority.issuer.certificate, &authority.root.certificate]
}

impl Default for VirtualSigstore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for VirtualSigstore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualSigstore").field("now", &self.now).finish_non_exhaustive()
    }
}

fn log_json(url: &str, key: &Key, id: &[u8; 32], end: Option<i64>) -> Value {
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": { "rawBytes": base64(&key.spki), "keyDetails": key.details(), "validFor": trusted(end) },
        "logId": { "keyId": base64(id) },
    })
}

fn authority_json(url: &str, authority: &Authority, end: Option<i64>) -> Value {
    let certificates = chain(authority).map(|certificate| json!({ "rawBytes": base64(certificate) }));
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    json!({
        "subject": { "organization": "virtual.sigstore.test", "commonName": host },
        "uri": url,
        "certChain": { "certificates": certificates },
        "validFor": trusted(end),
    })
}

/// A `TimeRange`; one without an end is open.
fn trusted(end: Option<i64>) -> Value {
    match end {
        Some(end) => json!({ "start": unix(TRUSTED), "end": unix(end) }),
        None => json!({ "start": unix(TRUSTED) }),
    }
}

/// How long the certificates of authorities are valid: longer than any of them is trusted.
pub(super) fn authority_window() -> Window {
    Window(unix(TRUSTED), unix(END))
}

/// A time from one of the constants of this file.
fn unix(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).expect("the constants are in the years 2000 to 2200")
}

/// `seconds` after `time`, or `time` itself where the calendar ends.
pub(super) fn shifted(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(time.unix().saturating_add(seconds)).unwrap_or(time)
}
