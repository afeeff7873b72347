//! Certificate authorities: a root, what it certifies, and short-lived certificates for signers.

use super::ct::CtLog;
use super::der;
use super::fault::Fault;
use super::identity::{Identity, SubjectName, fulcio};
use super::key::{Key, sha256};
use crate::time::Timestamp;

const CODE_SIGNING: u32 = 3;
const TIME_STAMPING: u32 = 8;
const CLIENT_AUTH: u32 = 2;
const SCT_LIST: [u32; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// A validity, both ends included.
#[derive(Clone, Copy)]
pub(super) struct Window(pub(super) Timestamp, pub(super) Timestamp);

/// A certificate and the key that it is about.
pub(super) struct Certified {
    pub(super) key: Key,
    pub(super) certificate: Vec<u8>,
    name: Vec<u8>,
}

/// A root and what it certified, the issuer of the leaves: Fulcio's shape and a timestamp authority's.
pub(super) struct Authority {
    pub(super) root: Certified,
    /// The intermediate of a certificate authority, the signing certificate of a timestamp authority.
    pub(super) issuer: Certified,
}

impl Authority {
    /// A certificate authority for signers: a root and an intermediate.
    pub(super) fn fulcio(window: Window) -> Self {
        let root = Certified::root("virtual-sigstore", window);
        let key = Key::p256();
        let name = common_name("virtual-sigstore-intermediate");
        let extensions = [
            extension(&[2, 5, 29, 15], true, &key_usage(0x06, 1)),
            extension(&[2, 5, 29, 37], false, &extended_key_usage(CODE_SIGNING)),
            extension(&[2, 5, 29, 19], true, &der::sequence(&[&der::boolean(true), &der::integer(&[0])])),
        ];
        let tbs = to_be_signed(&root.name, &name, &key.spki, window, &extensions.concat());
        let certificate = root.sign(&tbs);
        Self { root, issuer: Certified { key, certificate, name } }
    }

    /// A timestamp authority: a root and the certificate that signs.
    pub(super) fn timestamping(name: &str, window: Window) -> Self {
        let root = Certified::root(&format!("{name}-root"), window);
        let key = Key::p256();
        let name = common_name(name);
        let extensions = [
            extension(&[2, 5, 29, 15], true, &key_usage(0x80, 7)),
            // Critical and alone, as RFC 3161, 2.3 wants it.
            extension(&[2, 5, 29, 37], true, &extended_key_usage(TIME_STAMPING)),
        ];
        let tbs = to_be_signed(&root.name, &name, &key.spki, window, &extensions.concat());
        let certificate = root.sign(&tbs);
        Self { root, issuer: Certified { key, certificate, name } }
    }

    /// A certificate by the same root that is for signing code.
    pub(super) fn code_signer(&self, window: Window) -> Certified {
        let key = Key::p256();
        let name = common_name("virtual-code-signer");
        let extensions = [
            extension(&[2, 5, 29, 15], true, &key_usage(0x80, 7)),
            extension(&[2, 5, 29, 37], true, &extended_key_usage(CODE_SIGNING)),
        ];
        let tbs = to_be_signed(&self.root.name, &name, &key.spki, window, &extensions.concat());
        let certificate = self.root.sign(&tbs);
        Certified { key, certificate, name }
    }

    /// A certificate for the key `spki` (DER) in the profile of Fulcio, or outside it as `fault` says.
    pub(super) fn certify(
        &self,
        identity: &Identity,
        spki: &[u8],
        window: Window,
        log: &CtLog,
        fault: Option<Fault>,
    ) -> Vec<u8> {
        let extensions = leaf_extensions(identity, spki, &self.issuer.key.spki, fault);
        let precertificate = self.leaf(spki, window, &extensions);
        if fault == Some(Fault::SctMissing) {
            return self.issuer.sign(&precertificate);
        }
        let list = match fault {
            // An empty TLS vector of two bytes' length.
            Some(Fault::SctListEmpty) => der::octets(&[0, 0]),
            Some(Fault::SctByUnknownKey) => self.sct(&log.impostor(), &precertificate, window),
            Some(Fault::SctOfAnotherCertificate) => {
                let other = self.leaf(&Key::p256().spki, window, &extensions);
                self.sct(log, &other, window)
            }
            _ => self.sct(log, &precertificate, window),
        };
        let with_sct = [extensions, extension(&SCT_LIST, false, &list)].concat();
        self.issuer.sign(&self.leaf(spki, window, &with_sct))
    }

    fn sct(&self, log: &CtLog, precertificate: &[u8], window: Window) -> Vec<u8> {
        log.timestamp_list(&self.issuer.key.spki, precertificate, window.0)
    }

    /// Signers have an empty subject: their name is in the alternative name.
    fn leaf(&self, spki: &[u8], window: Window, extensions: &[u8]) -> Vec<u8> {
        to_be_signed(&self.issuer.name, &der::sequence(&[]), spki, window, extensions)
    }
}

impl Certified {
    fn root(name: &str, window: Window) -> Self {
        let key = Key::p256();
        let name = common_name(name);
        let extensions = [
            extension(&[2, 5, 29, 15], true, &key_usage(0x06, 1)),
            extension(&[2, 5, 29, 19], true, &der::sequence(&[&der::boolean(true)])),
        ];
        let tbs = to_be_signed(&name, &name, &key.spki, window, &extensions.concat());
        let mut root = Self { key, certificate: Vec::new(), name };
        root.certificate = root.sign(&tbs);
        root
    }

    fn sign(&self, tbs: &[u8]) -> Vec<u8> {
        der::sequence(&[tbs, &ecdsa_with_sha256(), &der::bits(&self.key.sign(tbs))])
    }

    /// `IssuerAndSerialNumber` of a certificate that `issuer` gave to this key (RFC 5652, 10.2.4).
    pub(super) fn issuer_and_serial(&self, issuer: &Self) -> Vec<u8> {
        der::sequence(&[&issuer.name, &serial(&self.key.spki)])
    }
}

pub(super) fn ecdsa_with_sha256() -> Vec<u8> {
    der::sequence(&[&der::oid(&[1, 2, 840, 10045, 4, 3, 2])])
}

fn to_be_signed(issuer: &[u8], subject: &[u8], spki: &[u8], window: Window, extensions: &[u8]) -> Vec<u8> {
    let validity = der::sequence(&[&der::certificate_time(window.0), &der::certificate_time(window.1)]);
    der::sequence(&[
        &der::tagged(0, &der::integer(&[2])),
        &serial(spki),
        &ecdsa_with_sha256(),
        issuer,
        &validity,
        subject,
        spki,
        &der::tagged(3, &der::sequence(&[extensions])),
    ])
}

/// Every certificate has a key of its own, so the key names the certificate.
fn serial(spki: &[u8]) -> Vec<u8> {
    let mut bytes = sha256(spki);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    der::integer(&bytes[..19])
}

fn leaf_extensions(identity: &Identity, spki: &[u8], issuer: &[u8], fault: Option<Fault>) -> Vec<u8> {
    // RFC 7093, method 4: the hash of the whole SubjectPublicKeyInfo.
    let key_id = |spki: &[u8]| sha256(spki)[..20].to_vec();
    let mut out = vec![extension(&[2, 5, 29, 15], true, &key_usage(0x80, 7))];
    match fault {
        Some(Fault::KeyUsageMissing) => {}
        Some(Fault::KeyUsageForeign) => out.push(extension(&[2, 5, 29, 37], false, &extended_key_usage(CLIENT_AUTH))),
        _ => out.push(extension(&[2, 5, 29, 37], false, &extended_key_usage(CODE_SIGNING))),
    }
    out.push(extension(&[2, 5, 29, 14], false, &der::octets(&key_id(spki))));
    out.push(extension(&[2, 5, 29, 35], false, &der::sequence(&[&der::implicit(0, &key_id(issuer))])));

    let second = SubjectName::Email("mallory@example.com".to_owned()).general_name();
    let name = identity.name.general_name();
    let alternative = |names: &[&[u8]]| extension(&[2, 5, 29, 17], true, &der::sequence(names));
    match fault {
        Some(Fault::NameMissing) => {}
        Some(Fault::TwoNames) => out.push(alternative(&[&name, &second])),
        Some(Fault::NameExtensionTwice) => out.extend([alternative(&[&name]), alternative(&[&second])]),
        _ => out.push(alternative(&[&name])),
    }

    let mut claims = identity.extensions.clone();
    match fault {
        // A UTF8String that ends before its length says.
        Some(Fault::IssuerMalformed) => drop(claims.insert(8, vec![0x0c, 0x7f, b'h'])),
        Some(Fault::IssuersDiffer) => drop(claims.insert(1, b"https://issuer.example.net".to_vec())),
        _ => {}
    }
    out.extend(claims.iter().map(|(number, value)| extension(&fulcio(*number), false, value)));
    if fault == Some(Fault::IssuerExtensionTwice) {
        out.push(extension(&fulcio(8), false, &der::utf8("https://issuer.example.net")));
    }
    out.concat()
}

fn extension(arcs: &[u32], critical: bool, content: &[u8]) -> Vec<u8> {
    let flag = if critical { der::boolean(true) } else { Vec::new() };
    der::sequence(&[&der::oid(arcs), &flag, &der::octets(content)])
}

/// The bits of RFC 5280, 4.2.1.3, of which the last `unused` are not written.
fn key_usage(flags: u8, unused: u8) -> Vec<u8> {
    der::value(0x03, &[unused, flags])
}

fn extended_key_usage(purpose: u32) -> Vec<u8> {
    der::sequence(&[&der::oid(&[1, 3, 6, 1, 5, 5, 7, 3, purpose])])
}

fn common_name(name: &str) -> Vec<u8> {
    let organization = der::set(&[&der::sequence(&[&der::oid(&[2, 5, 4, 10]), &der::utf8("virtual.sigstore.test")])]);
    let common = der::set(&[&der::sequence(&[&der::oid(&[2, 5, 4, 3]), &der::utf8(name)])]);
    der::sequence(&[&organization, &common])
}
