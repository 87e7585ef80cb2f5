//! `/api/v1/refresh`

use super::{app, bearer, check, sign_up, tokens};
use serde_json::json;

#[tokio::test]
async fn refresh_tokens_rotate_and_a_lost_answer_can_be_asked_for_again() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let first = tokens(&app, "ada@northwind.example").await;
    let program = app.program();
    let body = json!({"refresh_token": first["refresh_token"]});
    let second = program.post("/api/v1/refresh", body.clone()).await.must_be(200).json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let again = program.post("/api/v1/refresh", body.clone()).await.must_be(200).json();
    assert_eq!(again["refresh_token"], second["refresh_token"], "within the window: the same successor");
    check(&bearer(&app, &second["access_token"])).await.must_be(200);
}

#[tokio::test]
async fn attack_a046_a_replayed_refresh_token_ends_family_and_session() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let first = tokens(&app, "ada@northwind.example").await;
    let program = app.program();
    let old = json!({"refresh_token": first["refresh_token"]});
    let second = program.post("/api/v1/refresh", old.clone()).await.must_be(200).json();
    app.realm.clock.advance(61 * latchstring_core::clock::SECOND);
    program.post("/api/v1/refresh", old).await.must_refuse(400, "reused_refresh_token");
    let newest = json!({"refresh_token": second["refresh_token"]});
    program.post("/api/v1/refresh", newest).await.must_refuse(400, "unusable_refresh_token");
    check(&bearer(&app, &second["access_token"])).await.must_refuse(401, "unusable_token");
}

#[tokio::test]
async fn attack_a026_refresh_fails_once_the_user_is_banned_or_signed_out() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let admin = app.backend(&["users:write", "users:read"]).await;
    let one = tokens(&app, "ada@northwind.example").await;
    bearer(&app, &one["access_token"]).delete("/api/v1/session").await.must_be(204);
    let body = json!({"refresh_token": one["refresh_token"]});
    app.program().post("/api/v1/refresh", body).await.must_refuse(400, "unusable_refresh_token");
    let two = tokens(&app, "ada@northwind.example").await;
    let id = two["user_id"].as_str().unwrap();
    admin.post(&format!("/api/v1/users/{id}/ban"), json!({"reason": "test"})).await.must_be(200);
    let body = json!({"refresh_token": two["refresh_token"]});
    app.program().post("/api/v1/refresh", body).await.must_refuse(400, "unusable_refresh_token");
    check(&bearer(&app, &two["access_token"])).await.must_refuse(401, "unusable_token");
    let sign_in = json!({"kind": "sign_in", "identifier": "ada@northwind.example",
                         "password": latchstring_core::testing::PASSWORD});
    app.program().post("/api/v1/attempts", sign_in.clone()).await.must_refuse(403, "user_banned");
    admin.post_nothing(&format!("/api/v1/users/{id}/unban")).await.must_be(200);
    app.program().post("/api/v1/attempts", sign_in).await.must_be(201);
}

#[tokio::test]
async fn what_is_no_refresh_token_of_ours_costs_no_statement() {
    let app = app().await;
    let program = app.program();
    program.post("/api/v1/refresh", json!({"refresh_token": "x"})).await.must_be(400);
    let before = app.realm.statements();
    for bad in ["", "lsr_", "lsr_AAAA", &"lsr_".repeat(1_000), "eyJhbGciOiJub25lIn0.e30."] {
        program
            .post("/api/v1/refresh", json!({"refresh_token": bad}))
            .await
            .must_refuse(400, "unusable_refresh_token");
    }
    assert_eq!(app.realm.statements(), before);
}

#[tokio::test]
async fn a_refresh_is_two_statements_at_most() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let first = tokens(&app, "ada@northwind.example").await;
    let before = app.realm.statements();
    app.program()
        .post("/api/v1/refresh", json!({"refresh_token": first["refresh_token"]}))
        .await
        .must_be(200);
    assert!(app.realm.statements() - before <= 3, "one UPDATE, within BEGIN and COMMIT");
}
