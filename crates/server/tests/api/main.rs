//! The JSON API through the real router. Files mirror URLs.

mod account;
mod attacks;
mod attempts;
mod edge;
mod forward_auth;
mod keys;
mod openapi;
mod ratchet;
mod refresh;
mod revocations;
mod session;
mod settings;
mod token;
mod users;

use latchstring_core::testing::PASSWORD;
use latchstring_web::testing::{Answer, Client, TestApp};
use serde_json::json;

async fn app() -> TestApp {
    TestApp::new(latchstring_server::service).await
}

/// Signs `email` up at a browser: address, code, password.
async fn sign_up(app: &TestApp, browser: &Client, email: &str) {
    let begun = browser
        .post("/api/v1/attempts", json!({"kind": "sign_up", "sink": "cookie", "identifier": email}))
        .await;
    let id = begun.must_be(201).json()["id"].as_str().expect("an id").to_owned();
    browser.post_nothing(&format!("/api/v1/attempts/{id}/code/send")).await.must_be(202);
    let code = app.code_to(email).await;
    browser.post(&format!("/api/v1/attempts/{id}/code"), json!({"code": code})).await.must_be(200);
    let done =
        browser.post(&format!("/api/v1/attempts/{id}/new-password"), json!({"password": PASSWORD})).await;
    assert_eq!(done.must_be(200).json()["state"], "completed");
}

/// Signs in with a password, for tokens.
async fn tokens(app: &TestApp, email: &str) -> serde_json::Value {
    let body = json!({"kind": "sign_in", "identifier": email, "password": PASSWORD});
    app.program().post("/api/v1/attempts", body).await.must_be(201).json()["result"].clone()
}

/// A client that shows an access token.
fn bearer(app: &TestApp, token: &serde_json::Value) -> Client {
    let mut client = app.program();
    client.bearer(token.as_str().expect("a token"));
    client
}

async fn check(client: &Client) -> Answer {
    client.post_nothing("/api/v1/session/check").await
}
