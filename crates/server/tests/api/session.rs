//! `/api/v1/session`

use super::{app, check, sign_up, tokens};
use latchstring_core::testing::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn several_accounts_stand_side_by_side_in_one_browser() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let browser = app.browser();
    sign_up(&app, &browser, "bob@northwind.example").await;
    let body = json!({"kind": "sign_in", "sink": "cookie", "identifier": "ada@northwind.example", "password": PASSWORD});
    browser.post("/api/v1/attempts", body).await.must_be(201);
    let now = browser.get("/api/v1/session").await.must_be(200).json();
    assert_eq!(now["user"]["email"], "ada@northwind.example");
    assert_eq!(now["others"].as_array().map(Vec::len), Some(1));
    let other = now["others"][0]["id"].clone();
    let old = browser.cookie();
    browser.post("/api/v1/session/switch", json!({"session_id": other})).await.must_be(204);
    assert_ne!(browser.cookie(), old, "the cookie changes with whom it stands for");
    let now = browser.get("/api/v1/session").await.must_be(200).json();
    assert_eq!(now["user"]["email"], "bob@northwind.example");
    browser.delete("/api/v1/session").await.must_be(204);
    check(&browser).await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn nobody_switches_to_a_session_of_another_browser() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, "ada@northwind.example").await;
    let session = ada.get("/api/v1/session").await.json()["session"]["id"].clone();
    let eve = app.browser();
    sign_up(&app, &eve, "eve@northwind.example").await;
    eve.post("/api/v1/session/switch", json!({"session_id": session})).await.must_refuse(404, "not_found");
}

#[tokio::test]
async fn attack_a051_two_cookies_of_the_same_name_are_none() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, "ada@northwind.example").await;
    let mallory = app.browser();
    sign_up(&app, &mallory, "mallory@evil.example").await;
    let tossed = app.browser();
    tossed.plant(Some(format!("{}; {}", mallory.cookie().unwrap(), ada.cookie().unwrap())));
    check(&tossed).await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn attack_a156_malformed_authorization_is_401() {
    let app = app().await;
    for value in
        ["Bearer", "Bearer ", "Bearer %", "Basic", "Basic !!", "bearer a b", "Bearer \u{e4}", "Digest x"]
    {
        let mut client = app.program();
        client.set("authorization", value);
        let answer = check(&client).await;
        assert_eq!(answer.status, 401, "{value:?}: {}", answer.text());
        assert!(!answer.header("www-authenticate").is_empty());
    }
    let dots = ".".repeat(60_000);
    let mut client = app.program();
    client.set("authorization", &format!("Bearer {dots}"));
    assert_eq!(check(&client).await.status, 401, "attack_a015");
}

#[tokio::test]
async fn a_session_ends_after_its_idle_and_its_absolute_time() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let day = latchstring_core::clock::DAY;
    app.realm.clock.advance(13 * day);
    check(&browser).await.must_be(200);
    latchstring_core::jobs::flush_uses(&app.realm.realm).await.expect("flush");
    app.realm.clock.advance(13 * day);
    check(&browser).await.must_be(200);
    latchstring_core::jobs::flush_uses(&app.realm.realm).await.expect("flush");
    app.realm.clock.advance(5 * day);
    check(&browser).await.must_refuse(401, "not_signed_in");

    let idle = app.browser();
    sign_up(&app, &idle, "bob@northwind.example").await;
    app.realm.clock.advance(14 * day + 1);
    check(&idle).await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn attack_a038_nothing_secret_is_in_what_users_read() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    tokens(&app, "ada@northwind.example").await;
    for path in ["/api/v1/session", "/api/v1/account", "/api/v1/sessions", "/.well-known/jwks.json"] {
        let text = browser.get(path).await.must_be(200).text();
        for secret in ["argon2", "client_secret", "\"d\":", "\"p\":", "\"q\":", "\"hash\"", "phc"] {
            assert!(!text.contains(secret), "{path} shows {secret}");
        }
    }
}
