//! `/api/v1/account` and `/api/v1/sessions`

use super::{app, bearer, check, sign_up, tokens};
use http::Method;
use latchstring_core::{
    clock::MINUTE,
    testing::{OTHER_PASSWORD, PASSWORD},
};
use serde_json::json;

const ADA: &str = "ada@northwind.example";

#[tokio::test]
async fn a_profile_is_changed_member_by_member() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let change = json!({"name": "Ada Lovelace", "metadata": {"own": {"theme": "dark"}}});
    browser.json(Method::PATCH, "/api/v1/account", change).await.must_be(200);
    let after =
        browser.json(Method::PATCH, "/api/v1/account", json!({"locale": "en"})).await.must_be(200).json();
    assert_eq!((after["name"].as_str(), after["locale"].as_str()), (Some("Ada Lovelace"), Some("en")));
    let after =
        browser.json(Method::PATCH, "/api/v1/account", json!({"name": null})).await.must_be(200).json();
    assert_eq!(after["name"], json!(null));
    assert_eq!(after["metadata"]["own"]["theme"], "dark");
    assert!(after["metadata"].get("private").is_none());
}

#[tokio::test]
async fn attack_a112_nobody_proves_an_address_by_saying_so() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    for body in [
        json!({"email": "other@northwind.example"}),
        json!({"email_verified": true}),
        json!({"email_proven": true}),
        json!({"email_asserted": true}),
        json!({"metadata": {"public": {}}}),
        json!({"metadata": {"private": {}}}),
        json!({"id": "0190a1b2-0000-7000-8000-000000000000"}),
        json!({"status": "active"}),
    ] {
        browser.json(Method::PATCH, "/api/v1/account", body).await.must_refuse(400, "invalid_input");
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let other = tokens(&app, "ada@northwind.example").await;
    let wrong = json!({"current_password": "not it at all", "new_password": OTHER_PASSWORD});
    browser.post("/api/v1/account/password", wrong).await.must_refuse(403, "wrong_credentials");
    let weak = json!({"current_password": PASSWORD, "new_password": "northwind"});
    let refused = browser.post("/api/v1/account/password", weak).await.must_refuse(400, "weak_password");
    assert!(!refused.text().contains("\"northwind\""), "attack_a125: an error does not echo the password");
    let right = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    browser.post("/api/v1/account/password", right).await.must_be(204);
    check(&browser).await.must_be(200);
    check(&bearer(&app, &other["access_token"])).await.must_refuse(401, "unusable_token");
    let notice = app.mail_to("ada@northwind.example").await.expect("a notice");
    assert!(notice.subject.contains("password was changed"));
}

#[tokio::test]
async fn a_new_address_is_proven_before_it_counts_and_the_old_one_is_told() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let body = json!({"kind": "verify", "sink": "cookie", "identifier": "ada@new.example"});
    let begun = browser.post("/api/v1/attempts", body).await.must_be(201);
    let path = format!("/api/v1/attempts/{}", begun.json()["id"].as_str().unwrap());
    browser.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    assert_eq!(browser.get("/api/v1/account").await.json()["email"], "ada@northwind.example");
    let code = app.code_to("ada@new.example").await;
    browser.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200);
    assert_eq!(browser.get("/api/v1/account").await.json()["email"], "ada@new.example");
    let notice = app.mail_to("ada@northwind.example").await.expect("a notice");
    assert!(notice.subject.contains("address"));
    let old = json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": PASSWORD});
    app.program().post("/api/v1/attempts", old).await.must_refuse(403, "wrong_credentials");
}

#[tokio::test]
async fn what_matters_needs_a_fresh_proof_which_a_step_up_gives() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    app.realm.clock.advance(11 * MINUTE);
    let body = json!({"username": "ada"});
    browser
        .json(Method::PUT, "/api/v1/account/username", body.clone())
        .await
        .must_refuse(403, "reauthentication_required");
    browser.delete("/api/v1/account").await.must_refuse(403, "reauthentication_required");
    let begun =
        browser.post("/api/v1/attempts", json!({"kind": "step_up", "sink": "cookie"})).await.must_be(201);
    let path = format!("/api/v1/attempts/{}/password", begun.json()["id"].as_str().unwrap());
    let old = browser.cookie();
    browser.post(&path, json!({"password": PASSWORD})).await.must_be(200);
    assert_ne!(browser.cookie(), old, "attack_a043: the cookie changes at a step-up");
    browser.json(Method::PUT, "/api/v1/account/username", body).await.must_be(200);
    let sign_in = json!({"kind": "sign_in", "identifier": "ADA", "password": PASSWORD});
    app.program().post("/api/v1/attempts", sign_in).await.must_be(201);
    browser.delete("/api/v1/account").await.must_be(202);
    check(&browser).await.must_refuse(401, "not_signed_in");
    browser.post_nothing("/api/v1/account/keep").await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_all_at_once() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let one = tokens(&app, "ada@northwind.example").await;
    let two = tokens(&app, "ada@northwind.example").await;
    let list = browser.get("/api/v1/sessions").await.must_be(200).json();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(3));
    let id = one["session_id"].as_str().unwrap();
    browser.delete(&format!("/api/v1/sessions/{id}")).await.must_be(204);
    browser.delete(&format!("/api/v1/sessions/{id}")).await.must_refuse(404, "not_found");
    check(&bearer(&app, &one["access_token"])).await.must_refuse(401, "unusable_token");
    check(&bearer(&app, &two["access_token"])).await.must_be(200);
    browser.delete("/api/v1/sessions?scope=others").await.must_be(200);
    check(&bearer(&app, &two["access_token"])).await.must_refuse(401, "unusable_token");
    check(&browser).await.must_be(200);
    browser.delete("/api/v1/sessions?scope=all").await.must_be(200);
    check(&browser).await.must_refuse(401, "not_signed_in");
    browser.delete("/api/v1/sessions?scope=everything").await.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn nobody_ends_anothers_session() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, "ada@northwind.example").await;
    let eve = app.browser();
    sign_up(&app, &eve, "eve@northwind.example").await;
    let id = ada.get("/api/v1/session").await.json()["session"]["id"].as_str().unwrap().to_owned();
    eve.delete(&format!("/api/v1/sessions/{id}")).await.must_refuse(404, "not_found");
    check(&ada).await.must_be(200);
}

#[tokio::test]
async fn an_app_without_pages_keeps_an_account_that_was_to_be_deleted() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, ADA).await;
    let mine = bearer(&app, &tokens(&app, ADA).await["access_token"]);
    let begun = mine.delete("/api/v1/account").await.must_be(202).json();
    assert!(begun["delete_after"].as_str().is_some_and(|at| at.starts_with("2026-01-08T")), "{begun}");
    check(&browser).await.must_refuse(401, "not_signed_in");
    check(&mine).await.must_refuse(401, "unusable_token");

    // Signing in again leads to a session that waits.
    let held = tokens(&app, ADA).await;
    assert_eq!(held["tasks"], json!(["deletion_pending"]));
    let waiting = bearer(&app, &held["access_token"]);
    for (method, path) in [
        (Method::GET, "/api/v1/account"),
        (Method::GET, "/api/v1/sessions"),
        (Method::GET, "/api/v1/forward-auth"),
        (Method::POST, "/api/v1/session/check"),
        (Method::DELETE, "/api/v1/account"),
    ] {
        let refused = waiting.send(method, path, None).await.must_refuse(403, "task_outstanding").json();
        assert_eq!(refused["reasons"], json!(["deletion_pending"]), "{path}");
    }
    let verify = json!({"kind": "verify", "identifier": "ada@new.example"});
    waiting.post("/api/v1/attempts", verify).await.must_refuse(403, "task_outstanding");
    let shown = waiting.get("/api/v1/session").await.must_be(200).json();
    assert_eq!(shown["user"]["delete_after"], begun["delete_after"]);
    let renew = async |held: &serde_json::Value| {
        let body = json!({"refresh_token": held["refresh_token"]});
        app.program().post("/api/v1/refresh", body).await.must_be(200).json()
    };
    let again = renew(&held).await;
    check(&bearer(&app, &again["access_token"])).await.must_refuse(403, "task_outstanding");

    let kept = waiting.post_nothing("/api/v1/account/keep").await.must_be(200).json();
    assert_eq!(kept.get("delete_after"), None);
    waiting.post_nothing("/api/v1/account/keep").await.must_be(200);
    let usable = bearer(&app, &renew(&again).await["access_token"]);
    check(&usable).await.must_be(200);
    usable.get("/api/v1/account").await.must_be(200);
}

#[tokio::test]
async fn a_cookie_keeps_the_account_from_its_own_pages_only_and_changes() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, ADA).await;
    browser.delete("/api/v1/account").await.must_be(202);
    let by_cookie = json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA, "password": PASSWORD});
    browser.post("/api/v1/attempts", by_cookie).await.must_be(201);
    for client in [&browser, &browser.by_the_router()] {
        check(client).await.must_refuse(403, "task_outstanding");
        client.get("/api/v1/forward-auth").await.must_refuse(403, "task_outstanding");
        client.post_nothing("/api/v1/session/token").await.must_refuse(403, "task_outstanding");
    }
    let mut foreign = browser.clone();
    foreign.set("sec-fetch-site", "cross-site");
    foreign.post_nothing("/api/v1/account/keep").await.must_refuse(403, "origin_refused");
    let before = browser.cookie();
    browser.post_nothing("/api/v1/account/keep").await.must_be(200);
    assert_ne!(browser.cookie(), before);
    check(&browser).await.must_be(200);
}

#[tokio::test]
async fn the_textbook_app_is_refused_an_account_that_is_to_be_deleted() {
    let app = app().await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let browser = app.browser();
    sign_up(&app, &browser, ADA).await;
    let form = format!("grant_type=password&username={ADA}&password={}", PASSWORD.replace(' ', "+"));
    app.program().form("/token", &form).await.must_be(200);
    browser.delete("/api/v1/account").await.must_be(202);
    let refused = app.program().form("/token", &form).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(app.realm.audited(app.realm.id_of(ADA).await).await.last().expect("a row"), "sign_in.refused");
}
