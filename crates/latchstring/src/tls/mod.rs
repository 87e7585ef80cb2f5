//! TLS of the public listener: one certificate at a time, which may be replaced under the connections.

pub(crate) mod dev;
pub(crate) mod files;

use arc_swap::ArcSwap;
use latchstring_web::{App, listen::Tls, to_https};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Sessions that may be taken up again without a new exchange. Some hundred bytes each.
const SESSIONS: usize = 10_000;

/// The certificate that new connections get.
#[derive(Debug)]
pub(crate) struct Certificates(ArcSwap<CertifiedKey>);

impl Certificates {
    pub(crate) fn new(first: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(first)))
    }

    /// Connections from now on get this one; those that are open keep theirs.
    pub(crate) fn replace(&self, by: CertifiedKey) {
        self.0.store(Arc::new(by));
    }
}

impl ResolvesServerCert for Certificates {
    // Whatever name is asked for: there is one certificate, and a client that does not find its name in it ends the matter.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// TLS 1.2 and 1.3 with the cipher suites of rustls, HTTP/2 before HTTP/1.1. No early data: it can be replayed.
pub(crate) fn of(app: &App, certificates: Arc<Certificates>) -> Result<Tls, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), in_clear: to_https::service(app) })
}
