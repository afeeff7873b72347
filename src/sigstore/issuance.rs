//! Whether a certificate that was just given out is one of the trust root's,
//! asked before anything is signed with it.

use rustls::pki_types::{CertificateDer, UnixTime};
use sigstore_verify::crypto::WEBPKI_VERIFICATION_ALGS;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::ParsedRoot;
use crate::time::Timestamp;

/// id-kp-codeSigning, 1.3.6.1.5.5.7.3.3.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

impl ParsedRoot {
    /// Whether one of the certificate authorities gave out `leaf` (DER), for
    /// signing code, valid at `now`. The bundle is verified in full later; this
    /// is so that nothing is written into a log with a certificate of somebody else.
    pub(crate) fn gave_out(&self, leaf: &[u8], now: Timestamp) -> Result<(), String> {
        let leaf = CertificateDer::from(leaf);
        let leaf = EndEntityCert::try_from(&leaf).map_err(|error| error.to_string())?;
        let seconds = u64::try_from(now.unix()).map_err(|_| "the time is before 1970".to_owned())?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let mut why = "the trust root has no certificate authority".to_owned();
        for authority in &self.inner.certificate_authorities {
            if authority.valid_for.is_some_and(|window| !window.contains(now.to_jiff())) {
                continue;
            }
            let chain = authority.cert_chain.certificates.iter();
            let mut chain: Vec<_> = chain.map(|c| CertificateDer::from(c.raw_bytes.as_bytes())).collect();
            let Some(root) = chain.pop() else { continue };
            let Ok(anchor) = anchor_from_trusted_cert(&root) else { continue };
            let usage = KeyUsage::required(CODE_SIGNING);
            match leaf.verify_for_usage(WEBPKI_VERIFICATION_ALGS, &[anchor], &chain, time, usage, None, None) {
                Ok(_) => return Ok(()),
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }
}
