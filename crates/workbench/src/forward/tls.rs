//! Which certificates a server elsewhere may show: those the system trusts, or only those of a file the person
//! named for it.

use std::{fmt, fs, io::Read, path::Path, sync::Arc};

use loci_api::said::Said;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::sentences::Connecting;

/// No file of certificates is larger.
const LARGEST: u64 = 1 << 20;

/// Whom to believe.
#[derive(Debug, Clone, Default)]
pub(crate) enum Trust {
    #[default]
    System,
    /// Only these, and those they signed.
    Own(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// The certificates of a PEM file. Blocking.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn read(path: &Path) -> Result<Self, Said> {
        let refuse = |why: Connecting| -> Said {
            let path = path.display().to_string();
            Connecting::CertificateFile { path, why: why.into() }.into()
        };
        let unreadable =
            |error: std::io::Error| refuse(Connecting::CertificateFileUnreadable { said: error.to_string() });
        if !path.is_absolute() {
            return Err(refuse(Connecting::CertificateFileWholePath));
        }
        let file = fs::File::open(path).map_err(unreadable)?;
        if !file.metadata().is_ok_and(|about| about.is_file()) {
            return Err(refuse(Connecting::CertificateFileNone));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(refuse(Connecting::CertificateFileTooLarge));
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|_| refuse(Connecting::CertificateFileNotPem))?;
        if certificates.is_empty() {
            return Err(refuse(Connecting::CertificateFileEmpty));
        }
        Ok(Self::Own(certificates))
    }

    /// What the HTTP client is to use instead of the system's rules, if anything.
    pub(super) fn config(&self) -> Result<Option<ClientConfig>, Said> {
        let Self::Own(certificates) = self else { return Ok(None) };
        let unusable = |said: String| Said::from(Connecting::CertificatesUnusable { said });
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(certificates.iter().cloned());
        let signed = match usable {
            0 => None,
            _ => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|error| unusable(error.to_string()))?,
            ),
        };
        let verifier = Named { named: certificates.clone(), signed, provider: Arc::clone(&provider) };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(config))
    }
}

/// Accepts what the named certificates signed, by the usual rules, and a server that shows one of them itself:
/// that is what most self-signed certificates are, and the usual rules know no such thing.
struct Named {
    named: Vec<CertificateDer<'static>>,
    signed: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Named {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(output, "Named({} certificates)", self.named.len())
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The very certificate the person named for this one connection, whoever's name it bears.
        if self.named.iter().any(|named| named == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        match &self.signed {
            Some(usual) => {
                usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
