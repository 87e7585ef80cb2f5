//! `/api/v1/users`, `/invitations`, `/audit`

use super::{app, check, sign_up};
use http::Method;
use latchstring_core::testing::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn users_are_created_read_changed_and_deleted() {
    let app = app().await;
    let admin = app.backend(&["users:write", "users:read", "audit:read"]).await;
    let body = json!({"email": "ada@northwind.example", "email_asserted": true, "username": "ada", "password": PASSWORD,
                      "name": "Ada", "metadata": {"private": {"plan": "gold"}}});
    let made = admin.post("/api/v1/users", body.clone()).await.must_be(201);
    let user = made.json();
    let id = user["id"].as_str().unwrap();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(user["metadata"]["private"]["plan"], "gold");
    assert_eq!(user["email_proven"], false, "an admin's word is an assertion, not a proof that we saw");
    assert_eq!(user["email_asserted"], true);
    assert!(user["identifiers"][0]["asserted_at"].is_string());
    admin.post("/api/v1/users", body).await.must_refuse(409, "identifier_taken");
    let sign_in = json!({"kind": "sign_in", "identifier": "ada", "password": PASSWORD});
    app.program().post("/api/v1/attempts", sign_in).await.must_be(201);

    let etag = made.header("etag");
    let mut seen = admin.clone();
    seen.set("if-match", &etag);
    seen.json(Method::PATCH, &path, json!({"name": "Ada L."})).await.must_be(200);
    seen.json(Method::PATCH, &path, json!({"name": "Ada K."})).await.must_refuse(412, "changed_meanwhile");
    // The name from before said more than it did. Who still sends it learns that, instead of a user nobody vouched for.
    let said = json!({"email": "cy@northwind.example", "email_proven": true});
    admin.post("/api/v1/users", said).await.must_refuse(400, "invalid_input");
    admin.json(Method::PATCH, &path, json!({"password_hash": "x"})).await.must_refuse(400, "invalid_input");

    let audit = admin.get(&format!("{path}/audit")).await.must_be(200).json();
    let actions: Vec<_> =
        audit["audit"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.changed", "session.began", "device.new", "user.created"]);

    admin.delete(&path).await.must_be(204);
    admin.get(&path).await.must_refuse(404, "not_found");
    admin.delete(&path).await.must_refuse(404, "not_found");
}

#[tokio::test]
async fn hashes_from_elsewhere_are_imported_and_upgraded_on_use() {
    let app = app().await;
    let admin = app.backend(&["users:write"]).await;
    // A published vector of bcrypt (crypt_blowfish, cost 5).
    let phc = ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U");
    let body = json!({"email": "ada@northwind.example", "email_asserted": true, "password_hash": phc.0});
    admin.post("/api/v1/users", body).await.must_be(201);
    let sign_in = json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": phc.1});
    app.program().post("/api/v1/attempts", sign_in.clone()).await.must_be(201);
    let id = app.realm.id_of("ada@northwind.example").await;
    let stored = app
        .realm
        .realm
        .db()
        .read(async |tx| latchstring_core::credential::store::password(tx, id).await)
        .await
        .expect("read")
        .expect("a hash");
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    app.program().post("/api/v1/attempts", sign_in).await.must_be(201);
}

#[tokio::test]
async fn attack_a124_hashes_that_would_stall_a_sign_in_are_refused() {
    let app = app().await;
    let admin = app.backend(&["users:write"]).await;
    for phc in [
        "$argon2id$v=19$m=2147483648,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=1000000,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$2b$31$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "pbkdf2_sha256$1000000000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "$1$md5crypt$x",
        "plain",
        "",
    ] {
        let body = json!({"email": "ada@northwind.example", "password_hash": phc});
        let answer = admin.post("/api/v1/users", body).await.must_refuse(400, "unusable_hash");
        assert_eq!(answer.json()["param"], "password_hash");
    }
    assert!(app.realm.find("ada@northwind.example").await.is_none(), "a refusal leaves no trace");
}

#[tokio::test]
async fn lists_are_paged_by_key_and_searched_by_prefix() {
    let app = app().await;
    let admin = app.backend(&["users:write", "users:read"]).await;
    for n in 0..7 {
        let body = json!({"email": format!("user{n}@northwind.example"), "username": format!("u{n}")});
        admin.post("/api/v1/users", body).await.must_be(201);
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/users?limit=3".to_owned();
    loop {
        let page = admin.get(&path).await.must_be(200).json();
        seen.extend(
            page["users"].as_array().unwrap().iter().map(|u| u["email"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/users?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..7).map(|n| format!("user{n}@northwind.example")).collect::<Vec<_>>());
    let found = admin.get("/api/v1/users?q=USER3@").await.must_be(200).json();
    assert_eq!(found["users"].as_array().map(Vec::len), Some(1));
    let page = admin.get("/api/v1/users?q=user&limit=4").await.must_be(200).json();
    let next = page["next"].as_str().expect("more");
    let rest = admin.get(&format!("/api/v1/users?q=user&limit=4&cursor={next}")).await.must_be(200).json();
    assert_eq!(rest["users"].as_array().map(Vec::len), Some(3));
    admin.get("/api/v1/users?cursor=nonsense").await.must_refuse(400, "invalid_input");
    admin.get("/api/v1/users?limit=-5").await.must_be(200);
    admin.get("/api/v1/users?offset=5").await.must_refuse(400, "invalid_input");
    let guessed = admin.get("/api/v1/users?email=ada@example.com").await.must_refuse(400, "invalid_input");
    let says = guessed.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(says.contains("address") && says.contains("goes into q"), "{says}");
    for odd in ["%25", "%27%20OR%201=1--", "%00", "%F0%9F%92%A9"] {
        let answer = admin.get(&format!("/api/v1/users?q={odd}")).await;
        assert!(answer.status.is_success() || answer.status == 400, "{odd}: {}", answer.text());
    }
}

#[tokio::test]
async fn attack_a130_and_a132_every_route_asks_for_its_permission() {
    let app = app().await;
    let low = app.backend(&["users:read"]).await;
    low.post("/api/v1/users", json!({"email": "x@northwind.example"}))
        .await
        .must_refuse(403, "missing_permission");
    low.get("/api/v1/settings").await.must_refuse(403, "missing_permission");
    low.post("/api/v1/keys", json!({"name": "k", "permissions": ["*"]}))
        .await
        .must_refuse(403, "missing_permission");
    let middling = app.backend(&["keys:write", "users:read"]).await;
    let more = json!({"name": "k", "permissions": ["users:write"]});
    middling.post("/api/v1/keys", more).await.must_refuse(403, "missing_permission");
    middling.post("/api/v1/keys", json!({"name": "k", "permissions": ["users:read"]})).await.must_be(201);
}

#[tokio::test]
async fn attack_a131_ids_that_are_no_uuids_are_not_found() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    for id in ["..", "%2e%2e", "%2e%2e%2fsettings", "1", "null", "0190a1b2-0000-7000-8000-00000000000g"] {
        let answer = admin.get(&format!("/api/v1/users/{id}")).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
        let answer = admin.delete(&format!("/api/v1/users/{id}")).await;
        assert!(answer.status == 404 || answer.status == 405, "{id}: {}", answer.text());
    }
}

#[tokio::test]
async fn attack_a123_a_user_without_a_password_has_none() {
    let app = app().await;
    let admin = app.backend(&["users:write"]).await;
    admin
        .post("/api/v1/users", json!({"email": "ada@northwind.example", "email_asserted": true}))
        .await
        .must_be(201);
    for password in ["", "undefined", "null", " "] {
        let body = json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": password});
        let answer = app.program().post("/api/v1/attempts", body).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{password:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_password_set_by_an_admin_ends_every_session() {
    let app = app().await;
    let admin = app.backend(&["users:write", "users:read"]).await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let id = app.realm.id_of("ada@northwind.example").await;
    let path = format!("/api/v1/users/{id}/password");
    let body = json!({"password": latchstring_core::testing::OTHER_PASSWORD});
    admin.json(Method::PUT, &path, body).await.must_be(204);
    check(&browser).await.must_refuse(401, "not_signed_in");
    let both = json!({"password": PASSWORD, "password_hash": "x"});
    admin.json(Method::PUT, &path, both).await.must_refuse(400, "invalid_input");
    admin.json(Method::PUT, &path, json!({})).await.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn attack_a116_control_and_bidi_characters_are_refused() {
    let app = app().await;
    let admin = app.backend(&["users:write"]).await;
    for name in ["a\u{0}b", "a\u{202e}b", "a\nb", &"x".repeat(10_000)] {
        let body = json!({"email": "ada@northwind.example", "name": name});
        admin.post("/api/v1/users", body).await.must_refuse(400, "invalid_input");
    }
    for username in ["admin\u{0}x", "a\u{200b}b", "victim@corp.example", "", " ", ".x"] {
        let body = json!({"username": username});
        admin.post("/api/v1/users", body).await.must_refuse(400, "invalid_username");
    }
}
