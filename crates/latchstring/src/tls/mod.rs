//! TLS of the public listener: one certificate at a time, which may be replaced under the connections.

pub(crate) mod acme;
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
use std::{collections::HashMap, sync::Arc};
use tokio_rustls::TlsAcceptor;

/// Sessions that may be taken up again without a new exchange. Some hundred bytes each.
const SESSIONS: usize = 10_000;

/// The protocol by which an authority asks over TLS (RFC 8737, 6.2).
const ACME_TLS: &[u8] = b"acme-tls/1";

/// The certificate that new connections get.
#[derive(Debug)]
pub(crate) struct Certificates {
    current: ArcSwap<CertifiedKey>,
    /// What an authority that asks for a host gets.
    answers: ArcSwap<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    pub(crate) fn new(first: CertifiedKey) -> Arc<Self> {
        Arc::new(Self { current: ArcSwap::from_pointee(first), answers: ArcSwap::default() })
    }

    /// Connections from now on get this one; those that are open keep theirs.
    pub(crate) fn replace(&self, by: CertifiedKey) {
        self.current.store(Arc::new(by));
    }

    /// What authorities are answered from now on, by host.
    pub(crate) fn answer(&self, with: impl Iterator<Item = (String, CertifiedKey)>) {
        self.answers.store(Arc::new(with.map(|(host, key)| (host, Arc::new(key))).collect()));
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks = hello.alpn().is_some_and(|mut names| names.any(|name| name == ACME_TLS));
        if asks {
            // It has to name the host, and gets nothing else.
            return self.answers.load().get(hello.server_name()?).cloned();
        }
        // Whatever name is asked for: there is one certificate, and a client that does not find its name in it ends the matter.
        Some(self.current.load_full())
    }
}

/// TLS 1.2 and 1.3 with the cipher suites of rustls, HTTP/2 before HTTP/1.1. No early data: it can be replayed.
pub(crate) fn of(app: &App, certificates: Arc<Certificates>) -> Result<Tls, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_TLS.to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), in_clear: to_https::service(app) })
}
