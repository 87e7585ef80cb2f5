//! Counters and histograms, in the Prometheus text format. No user, realm or address is ever a label.

use latchstring_core::{Kind, clock::SECOND, outbox, realm::Realm};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{sync::atomic::AtomicI64, time::Duration};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refused {
    code: &'static str,
}

/// All of a process's metrics.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Route, Counter>,
    seconds: Histogram,
    refusals: Family<Refused, Counter>,
    handshakes_failed: Counter,
    certificate_ends: Gauge<i64, AtomicI64>,
    hash_waiting: Gauge<i64, AtomicI64>,
    hashes: Gauge<i64, AtomicI64>,
    statements: Gauge<i64, AtomicI64>,
    limit_keys: Gauge<i64, AtomicI64>,
    lag_millis: Gauge<i64, AtomicI64>,
    mail_waiting: Gauge<i64, AtomicI64>,
    mail_waiting_seconds: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("latchstring");
        let metrics = Self {
            registry: Mutex::new(Registry::default()),
            requests: Family::default(),
            seconds: Histogram::new([
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
            ]),
            refusals: Family::default(),
            handshakes_failed: Counter::default(),
            certificate_ends: Gauge::default(),
            hash_waiting: Gauge::default(),
            hashes: Gauge::default(),
            statements: Gauge::default(),
            limit_keys: Gauge::default(),
            lag_millis: Gauge::default(),
            mail_waiting: Gauge::default(),
            mail_waiting_seconds: Gauge::default(),
        };
        registry.register("requests", "Requests by route and status", metrics.requests.clone());
        registry.register("request_seconds", "Time to answer", metrics.seconds.clone());
        registry.register("refusals", "Refusals by code", metrics.refusals.clone());
        registry.register(
            "tls_handshakes_failed",
            "Connections that did not become secure",
            metrics.handshakes_failed.clone(),
        );
        registry.register(
            "tls_certificate_ends_seconds",
            "When the certificate in use ends, in Unix time; 0 without one",
            metrics.certificate_ends.clone(),
        );
        registry.register("hash_queue", "Passwords waiting to be hashed", metrics.hash_waiting.clone());
        registry.register("hashes", "Passwords hashed since the start", metrics.hashes.clone());
        registry.register("statements", "Statements executed since the start", metrics.statements.clone());
        registry.register("limit_keys", "Keys that the limiter counts", metrics.limit_keys.clone());
        registry.register(
            "revocation_lag_milliseconds",
            "Age of the last completed poll",
            metrics.lag_millis.clone(),
        );
        registry.register(
            "mail_waiting",
            "Mails not sent yet; -1 while the database is away",
            metrics.mail_waiting.clone(),
        );
        registry.register(
            "mail_waiting_seconds",
            "Age of the oldest of them",
            metrics.mail_waiting_seconds.clone(),
        );
        *metrics.registry.lock() = registry;
        metrics
    }
}

impl Metrics {
    /// The counter of a route's answers with a status.
    pub fn requests(&self, route: &str, status: u16) -> Counter {
        self.requests.get_or_create_owned(&Route { route: route.to_owned(), status })
    }

    /// Notes how long an answer took.
    pub fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refused(&self, kind: Kind) {
        self.refusals.get_or_create(&Refused { code: kind.code() }).inc();
    }

    /// Counts a connection that did not become secure.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    /// Notes when the certificate in use ends, in Unix seconds.
    pub fn certificate_ends(&self, at: i64) {
        self.certificate_ends.set(at);
    }

    /// The text that Prometheus reads.
    pub async fn text(&self, realm: Option<&Realm>) -> String {
        let clamp = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        if let Some(realm) = realm {
            let figures = realm.hash().figures();
            self.hash_waiting.set(clamp(figures.waiting as u64));
            self.hashes.set(clamp(figures.done));
            self.statements.set(clamp(realm.db().statements()));
            self.limit_keys.set(clamp(realm.limiter().len() as u64));
            let lag = realm.ended().lag().map_or(-1, |lag| clamp(lag.as_millis() as u64));
            self.lag_millis.set(lag);
            let (waiting, oldest) = match outbox::waiting(realm.db()).await {
                Ok((waiting, since)) => (waiting, since.map_or(0, |since| (realm.now() - since) / SECOND)),
                Err(_) => (-1, -1),
            };
            self.mail_waiting.set(waiting);
            self.mail_waiting_seconds.set(oldest);
        }
        let mut text = String::new();
        // Writing into a String can't fail.
        let _ = encode(&mut text, &self.registry.lock());
        text
    }
}
