//! Who may call what: every operation of the OpenAPI document is called as nobody, as a user and with a key that has no
//! permission for it. A new operation that is on neither list fails here, and the message says what to do.

use super::{app, sign_up, tokens};
use http::Method;

/// Operations that anybody may call.
const OPEN: &[&str] = &[
    "GET /healthz",
    "GET /readyz",
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /token/jwks.json",
    "POST /token",
    "GET /api/v1/openapi.json",
    "POST /api/v1/attempts",
    "GET /api/v1/attempts/{id}",
    "DELETE /api/v1/attempts/{id}",
    "POST /api/v1/attempts/{id}/password",
    "POST /api/v1/attempts/{id}/code/send",
    "POST /api/v1/attempts/{id}/code",
    "POST /api/v1/attempts/{id}/new-password",
    "POST /api/v1/refresh",
    "POST /api/v1/setup",
];

/// Operations of a signed-in user.
const USER: &[&str] = &[
    "GET /api/v1/session",
    "DELETE /api/v1/session",
    "POST /api/v1/session/token",
    "POST /api/v1/session/check",
    "POST /api/v1/session/switch",
    "GET /api/v1/forward-auth",
    "GET /api/v1/account",
    "PATCH /api/v1/account",
    "DELETE /api/v1/account",
    "POST /api/v1/account/keep",
    "POST /api/v1/account/password",
    "PUT /api/v1/account/username",
    "GET /api/v1/sessions",
    "DELETE /api/v1/sessions",
    "DELETE /api/v1/sessions/{id}",
];

/// A body that passes the extractor of each operation, so that the refusal is about who asks.
fn body(operation: &str) -> Option<serde_json::Value> {
    let text = match operation {
        "POST /api/v1/session/switch" => r#"{"session_id":"0190a1b2-0000-7000-8000-000000000000"}"#,
        "POST /api/v1/account/password" => r#"{"new_password":"x"}"#,
        "POST /api/v1/users/{id}/ban" => "{}",
        "POST /api/v1/invitations" => r#"{"email":"a@b.example"}"#,
        "POST /api/v1/keys" => r#"{"name":"k","permissions":["*"]}"#,
        "POST /api/v1/keys/signing/rotate" => r#"{"ring":"native"}"#,
        o if o.starts_with("PATCH") || o.starts_with("PUT") || o == "POST /api/v1/users" => "{}",
        _ => return None,
    };
    Some(serde_json::from_str(text).expect("JSON"))
}

#[tokio::test]
async fn every_operation_is_refused_to_whoever_may_not_call_it() {
    let app = app().await;
    // Wrong keys are limited, and this test shows many.
    app.realm
        .set(|s| s.limits.keys_by_address = latchstring_core::limit::Rate { burst: 1_000, per_seconds: 1 })
        .await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let result = tokens(&app, "ada@northwind.example").await;
    let user = super::bearer(&app, &result["access_token"]);
    // A key that has exactly one permission, which no operation but the feed's asks for; and one for the feed.
    let low = app.backend(&["revocations:read"]).await;
    let users = app.backend(&["users:read"]).await;
    let document: serde_json::Value = serde_json::from_str(&latchstring_server::openapi()).expect("JSON");
    let mut seen = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, _) in operations.as_object().expect("operations") {
            let operation = format!("{} {path}", method.to_uppercase());
            if OPEN.contains(&operation.as_str()) {
                continue;
            }
            seen += 1;
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let mut path = path.replace("{id}", "0190a1b2-0000-7000-8000-000000000000");
            if operation == "DELETE /api/v1/sessions" {
                path.push_str("?scope=others");
            }
            let call = async |client: &latchstring_web::testing::Client| match body(&operation) {
                Some(json) => client.json(method.clone(), &path, json).await,
                None => client.send(method.clone(), &path, None).await,
            };
            let nobody = call(&app.program()).await;
            assert_eq!(
                nobody.status,
                401,
                "{operation} answers somebody who shows nothing with {}. If anybody may call it, put it on OPEN; else \
                 ask for ctx.me() or ctx.key() in its first line.",
                nobody.text()
            );
            if USER.contains(&operation.as_str()) {
                let key = call(&low).await;
                assert_eq!(key.status, 401, "{operation} takes an API key for a user: {}", key.text());
                continue;
            }
            for (who, client) in [("an access token", &user), ("a cookie", &browser)] {
                let answer = call(client).await;
                assert_eq!(
                    answer.status,
                    401,
                    "{operation} takes {who}: {}. If it is a user's own, put it on USER.",
                    answer.text()
                );
            }
            let wrong = if path.contains("revocations") { &users } else { &low };
            let answer = call(wrong).await;
            assert_eq!(answer.status, 403, "{operation} asks for no permission: {}", answer.text());
        }
    }
    assert!(seen > 30, "the document is not empty");
}
