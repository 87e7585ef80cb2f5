//! What lives as long as the process: configuration, the realm once it is open, metrics.

use crate::metrics::Metrics;
use latchstring_core::{mail::Mailbox, realm::Realm};
use latchstring_proto::net::Cidr;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// What faces have to know of the configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The public origin, as in `LATCHSTRING_URL`, without a trailing slash.
    pub origin: String,
    /// Host names (with the port, where it is not the scheme's own) that requests may ask for.
    pub hosts: Vec<String>,
    /// Whether this is `latchstring dev`.
    pub dev: bool,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// The name of the browser's cookie.
    pub cookie: String,
    /// Whether cookies are `Secure`: always, but for plain http on loopback.
    pub secure: bool,
}

impl Config {
    /// The configuration of a public origin. `__Host-` cookies where it is https; else (dev on loopback) a name that
    /// holds the port, since cookies of one host are shared by all of its ports.
    pub fn new(origin: &str, dev: bool, trusted_proxies: Vec<Cidr>) -> Self {
        let origin = origin.trim_end_matches('/').to_owned();
        let secure = origin.starts_with("https://");
        let authority = origin.split_once("://").map_or(origin.as_str(), |(_, rest)| rest).to_owned();
        let port = authority.rsplit_once(':').map_or("80", |(_, port)| port).to_owned();
        let mut hosts = vec![authority.clone()];
        if dev {
            hosts.extend([format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
        }
        let cookie = if secure { "__Host-latchstring".to_owned() } else { format!("latchstring-{port}") };
        Self { origin, hosts, dev, trusted_proxies, cookie, secure }
    }

    /// The name of another cookie for the whole host, made in the same way.
    pub fn cookie_named(&self, name: &str) -> String {
        match self.cookie.strip_prefix("latchstring") {
            Some(port) => format!("latchstring-{name}{port}"),
            None => format!("__Host-latchstring-{name}"),
        }
    }
}

struct Inner {
    config: Config,
    realm: OnceLock<Realm>,
    metrics: Metrics,
    mailbox: Option<Arc<Mailbox>>,
    stopping: AtomicBool,
}

/// The process, as handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl App {
    /// A process without a realm yet: requests are answered with 503 until [`App::open`].
    pub fn new(config: Config, mailbox: Option<Arc<Mailbox>>) -> Self {
        Self(Arc::new(Inner {
            config,
            realm: OnceLock::new(),
            metrics: Metrics::default(),
            mailbox,
            stopping: AtomicBool::new(false),
        }))
    }

    /// The realm is there. Only the first call counts.
    pub fn open(&self, realm: Realm) {
        let _ = self.0.realm.set(realm);
    }

    /// The realm, once it is open.
    pub fn realm(&self) -> Option<&Realm> {
        self.0.realm.get()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Counters and histograms.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The development mailbox.
    pub fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.0.mailbox.as_ref()
    }

    /// The process is about to stop: `/readyz` says so, and long answers end.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}
