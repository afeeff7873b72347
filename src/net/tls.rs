//! Whom we believe to be the server that was named: the TLS configuration.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

/// Why there is no TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the library was built without cryptography and the application installed none")]
    NoProvider,
    #[error("{0}")]
    Setup(String),
}

/// The certificates in `pem`.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() && !pem.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

/// A configuration that believes the operating system, or Mozilla's list where
/// that has no certificates (a container without `ca-certificates`), and `extra`.
///
/// It costs tens of milliseconds: the system's certificates are read.
pub(crate) fn config(extra: &[CertificateDer<'static>]) -> Result<ClientConfig, TlsError> {
    let provider = provider().ok_or(TlsError::NoProvider)?;
    let setup = |error: rustls::Error| TlsError::Setup(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(setup)?;
    // Extra certificates alone would hide that the system has none.
    let system = Verifier::new(Arc::clone(&provider)).and_then(|system| match extra {
        [] => Ok(system),
        extra => Verifier::new_with_extra_roots(extra.iter().cloned(), provider),
    });
    let mut config = match system {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth(),
        Err(reason) => {
            tracing::debug!(%reason, "the system has no usable certificates; using Mozilla's");
            let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            for certificate in extra {
                roots.add(certificate.clone()).map_err(setup)?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The configuration of a client that speaks no TLS: it believes nobody, and costs nothing.
pub(crate) fn believing_nobody() -> Result<ClientConfig, TlsError> {
    let provider = provider().ok_or(TlsError::NoProvider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TlsError::Setup(error.to_string()))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// What the application installed, else aws-lc-rs if it is built in. Nothing is installed here.
fn provider() -> Option<Arc<CryptoProvider>> {
    let installed = CryptoProvider::get_default().cloned();
    #[cfg(feature = "aws-lc-rs")]
    let installed = installed.or_else(|| Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider())));
    installed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_from_pem() {
        assert_eq!(certificates(b""), Ok(Vec::new()));
        assert!(certificates(b"not a certificate").is_err());
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
        let one = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(one).map(|found| found.len()), Ok(1));
    }
}
