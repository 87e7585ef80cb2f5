//! `/api/v1/account` and `/api/v1/sessions`

use super::{app, bearer, check, sign_up, tokens};
use http::Method;
use latchstring_core::{
    clock::MINUTE,
    testing::{OTHER_PASSWORD, PASSWORD},
};
use serde_json::json;

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
    browser.delete("/api/v1/account").await.must_be(204);
    check(&browser).await.must_refuse(401, "not_signed_in");
    assert!(app.realm.find("ada@northwind.example").await.is_none());
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
