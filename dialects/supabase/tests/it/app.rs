//! A realm with a mount of this dialect, and clients as the vendor's SDK makes them.

#![allow(dead_code, reason = "what the tests of each endpoint need of it")]

use axum::Router;
use http::Method;
use latchstring_core::{
    audit::{Actor, Source},
    mount::Enumeration,
    testing::{ISSUER, TestRealm},
};
use latchstring_supabase::{
    DIALECT,
    init::{self, Init, Prepared},
    settings::Settings,
};
use latchstring_web::{
    App, Config, Service,
    testing::{Answer, Client, TestApp},
};
use serde_json::Value;

/// Where apps of these tests live.
pub(crate) const SITE: &str = "https://app.example";

fn service(app: App) -> Service {
    Service::new(app, Router::new()).dialects(&[DIALECT])
}

/// A realm with a mount.
pub(crate) struct Vendor {
    pub(crate) test: TestApp,
    pub(crate) prepared: Prepared,
}

impl Vendor {
    /// With the defaults of `init`.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings, and all that the vendor tells.
    pub(crate) async fn with(change: impl FnOnce(&mut Init)) -> Self {
        let test = TestApp::with(service, Config::new(ISSUER, false, Vec::new()), TestRealm::new().await);
        let settings =
            Settings { site_url: SITE.into(), redirects: vec![format!("{SITE}/**")], ..Settings::default() };
        let mut init = Init { host: None, enumeration: Enumeration::Vendor, settings };
        change(&mut init);
        let prepared = init::prepare(&test.realm.realm, Actor::Operator, &Source::default(), init)
            .await
            .expect("prepared");
        Self { test, prepared }
    }

    /// An app: it shows the publishable key, as the SDK does.
    pub(crate) fn app(&self) -> Client {
        let mut client = self.test.program();
        client.set("apikey", &self.prepared.publishable);
        client.set("x-supabase-api-version", "2024-01-01");
        client.bearer(&self.prepared.publishable);
        client
    }

    /// A back end with the secret key.
    pub(crate) fn admin(&self) -> Client {
        let mut client = self.app();
        client.bearer(&self.prepared.secret);
        client
    }

    /// A client that is signed in.
    pub(crate) fn signed(&self, session: &Value) -> Client {
        let mut client = self.app();
        client.bearer(session["access_token"].as_str().expect("a session"));
        client
    }
}

/// Fails the test unless this is an error of the vendor's newer form.
#[track_caller]
pub(crate) fn fails(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-supabase-api-version"), "2024-01-01");
    assert_eq!(answer.header("x-sb-error-code"), code);
}

/// A preflight, as browsers send it.
pub(crate) async fn preflight(client: &Client, path: &str) -> Answer {
    let mut client = client.clone();
    client.set("origin", SITE);
    client.set("access-control-request-method", "POST");
    client.set("access-control-request-headers", "apikey,authorization,content-type,x-client-info");
    client.send(Method::OPTIONS, path, None).await
}
