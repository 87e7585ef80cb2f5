//! `/api/v1/settings`

use super::app;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn settings_are_merged_checked_and_in_force_at_once() {
    let app = app().await;
    let admin = app.backend(&["settings:read", "settings:write"]).await;
    let path = "/api/v1/settings";
    let before = admin.get(path).await.must_be(200);
    assert_eq!(before.json()["sign_up"], "open");
    let mut seen = admin.clone();
    seen.set("if-match", &before.header("etag"));
    // The realm of a test hashes cheaper than an operator may.
    let back = json!({"password": {"memory_kib": 19456, "passes": 2}, "sign_up": "closed"});
    seen.json(Method::PATCH, path, back).await.must_be(200);
    seen.json(Method::PATCH, path, json!({"sign_up": "open"})).await.must_refuse(412, "changed_meanwhile");
    let begin = json!({"kind": "sign_up", "identifier": "ada@northwind.example"});
    app.program().post("/api/v1/attempts", begin).await.must_refuse(403, "sign_up_closed");
    let odd = admin
        .json(Method::PATCH, path, json!({"sign_upp": "open"}))
        .await
        .must_refuse(400, "invalid_setting");
    assert!(odd.text().contains("Did you mean"), "{}", odd.text());
    for bad in [
        json!({"password": {"min_chars": 3}}),
        json!({"code": {"seconds": 86_400}}),
        json!({"origins": ["*"]}),
        json!({"sign_up": "sometimes"}),
        json!({"token_endpoint": {"secret": "short"}}),
        json!({"limits": {"attempts_by_address": {"burst": 0, "per_seconds": 1}}}),
    ] {
        admin.json(Method::PATCH, path, bad).await.must_refuse(400, "invalid_setting");
    }
    admin.json(Method::PATCH, path, json!([1])).await.must_refuse(400, "invalid_input");
    assert_eq!(admin.get(path).await.json()["sign_up"], "closed", "a refusal leaves no trace");
}

#[tokio::test]
async fn a_secret_setting_is_written_and_never_read_back() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    let secret = "a shared secret of more than thirty-two bytes";
    let body = json!({"password": {"memory_kib": 19456, "passes": 2},
                      "token_endpoint": {"enabled": true, "alg": "HS256", "secret": secret}});
    let answer = admin.json(Method::PATCH, "/api/v1/settings", body).await.must_be(200);
    assert!(!answer.text().contains(secret));
    assert!(!admin.get("/api/v1/settings").await.text().contains(secret));
    assert!(!admin.get("/api/v1/audit").await.text().contains(secret));
}
