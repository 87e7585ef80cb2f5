//! `/api/v1/session`

use super::{app, bearer, check, sign_up, tokens};
use latchstring_core::{
    Result,
    attempt::{AttemptKind, SecondFactor, Sink, begin::Begin},
    factor,
    id::FactorId,
    testing::{PASSWORD, who},
};
use latchstring_web::testing::TestApp;
use serde_json::json;

/// Gives somebody a second factor: a code mailed to their address.
async fn add_factor(app: &TestApp, email: &str) {
    let full = app.realm.find(email).await.expect("an account");
    let (user, identifier) = (full.user.id, full.email().expect("an address").id);
    let now = app.realm.realm.now();
    let id = FactorId::new(now, app.realm.realm.ground().random());
    let insert = app.realm.realm.db().write(async move |tx| -> Result<()> {
        factor::store::insert_email(tx, id, user, identifier, now).await
    });
    insert.await.expect("a factor");
}

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

#[tokio::test]
async fn a_token_whose_session_waits_for_a_second_factor_serves_to_give_it_and_to_sign_out() {
    let app = app().await;
    let email = "ada@northwind.example";
    sign_up(&app, &app.browser(), email).await;
    add_factor(&app, email).await;
    let waiting = async || {
        let visitor = app.realm.app();
        let begin = Begin {
            second_factor: SecondFactor::Task,
            ..Begin::new(AttemptKind::SignIn, Some(who(email)), Sink::Tokens)
        };
        let id = visitor.try_begin(begin).await.expect("begins").outcome.attempt.id;
        visitor.password(id, PASSWORD).await.expect("right").completed.expect("a session with a task");
        let tokens = visitor.tokens();
        (bearer(&app, &json!(tokens.access.token)), tokens.refresh.to_string())
    };
    let (client, refresh) = waiting().await;
    client.get("/api/v1/account").await.must_refuse(403, "task_outstanding");
    let shown = client.get("/api/v1/session").await.must_be(200).json();
    assert_eq!(shown["session"]["tasks"], json!(["second_factor"]));
    let begun = client.post("/api/v1/attempts", json!({"kind": "step_up"})).await.must_be(201).json();
    let mut holder = client.clone();
    holder.set("latchstring-attempt", begun["handle"].as_str().expect("a handle"));
    let path = format!("/api/v1/attempts/{}", begun["id"].as_str().expect("an id"));
    holder.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    let code = app.code_to(email).await;
    holder.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200);
    let next = app.program().post("/api/v1/refresh", json!({"refresh_token": refresh})).await;
    let raised = bearer(&app, &next.must_be(200).json()["access_token"]);
    raised.get("/api/v1/account").await.must_be(200);

    let (client, _) = waiting().await;
    client.delete("/api/v1/session").await.must_be(204);
    client.get("/api/v1/session").await.must_refuse(401, "unusable_token");
}
