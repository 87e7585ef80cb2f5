//! `/api/v1/forward-auth`

use super::{app, sign_up, tokens};
use latchstring_core::token::mint::{self, Subject};

#[tokio::test]
async fn a_proxy_learns_who_is_signed_in_by_signed_headers() {
    let app = app().await;
    app.program().get("/api/v1/forward-auth").await.must_refuse(401, "not_signed_in");
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let answer = browser.get("/api/v1/forward-auth").await.must_be(200);
    let id = app.realm.id_of("ada@northwind.example").await;
    assert_eq!(answer.header("x-latchstring-user"), id.to_string());
    let claims = answer.header("x-latchstring-claims");
    let by_token = super::bearer(&app, &tokens(&app, "ada@northwind.example").await["access_token"]);
    assert_eq!(
        by_token.get("/api/v1/forward-auth").await.must_be(200).header("x-latchstring-user"),
        id.to_string()
    );
    // attack_a014: the identity header is no access token.
    let mut thief = app.program();
    thief.bearer(&claims);
    super::check(&thief).await.must_refuse(401, "unusable_token");
    // attack_a147: what comes from outside under these names has no effect.
    let mut outside = app.program();
    outside.set("x-latchstring-user", &id.to_string());
    outside.set("x-remote-user", "ada");
    outside.get("/api/v1/forward-auth").await.must_refuse(401, "not_signed_in");
    browser.delete("/api/v1/session").await.must_be(204);
    browser.get("/api/v1/forward-auth").await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn every_header_is_overwritten_also_for_a_token_without_a_session() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let subject = Subject {
        user: app.realm.id_of("ada@northwind.example").await,
        session: None,
        auth_time: app.realm.realm.now() / latchstring_core::clock::SECOND,
        amr: &[],
        assurance: 1,
    };
    let token = mint::access(&app.realm.realm, &subject).expect("a token").token;
    let mut service = app.program();
    service.bearer(&token);
    service.set("x-latchstring-session", "forged");
    for service in [service.by_the_router(), service.clone(), service] {
        let answer = service.get("/api/v1/forward-auth").await.must_be(200);
        assert_eq!(answer.headers.get("x-latchstring-session").expect("there").as_bytes(), b"");
    }
}
