//! `/api/v1/keys`, `/api/v1/setup`

use super::{app, bearer, check, sign_up, tokens};
use serde_json::json;

#[tokio::test]
async fn the_set_up_token_gives_the_first_key_once() {
    let app = app().await;
    let token = app.setup_token().await.expect("no key yet");
    let program = app.program();
    program
        .post("/api/v1/setup", json!({"token": "nonsense"}))
        .await
        .must_refuse(410, "unusable_setup_token");
    let key = program.post("/api/v1/setup", json!({"token": token})).await.must_be(201).json()["key"].clone();
    program.post("/api/v1/setup", json!({"token": token})).await.must_refuse(410, "unusable_setup_token");
    assert!(app.setup_token().await.is_none(), "there is a key now");
    bearer(&app, &key).get("/api/v1/settings").await.must_be(200);
}

#[tokio::test]
async fn a_revoked_or_expired_key_is_dead_at_once() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    let made = admin
        .post("/api/v1/keys", json!({"name": "ci", "permissions": ["users:read"]}))
        .await
        .must_be(201)
        .json();
    let ci = bearer(&app, &made["key"]);
    ci.get("/api/v1/users").await.must_be(200);
    let list = admin.get("/api/v1/keys").await.must_be(200);
    assert!(!list.text().contains("lsk_"), "a key is shown once");
    admin.delete(&format!("/api/v1/keys/{}", made["id"].as_str().unwrap())).await.must_be(204);
    ci.get("/api/v1/users").await.must_refuse(401, "unusable_api_key");
    let soon = json!({"name": "ci", "permissions": ["users:read"], "expires_at": "2026-01-02T00:00:00Z"});
    let made = admin.post("/api/v1/keys", soon).await.must_be(201).json();
    let ci = bearer(&app, &made["key"]);
    ci.get("/api/v1/users").await.must_be(200);
    app.realm.clock.advance(2 * latchstring_core::clock::DAY);
    ci.get("/api/v1/users").await.must_refuse(401, "unusable_api_key");
}

#[tokio::test]
async fn keys_and_tokens_are_not_taken_for_one_another() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let result = tokens(&app, "ada@northwind.example").await;
    bearer(&app, &result["access_token"]).get("/api/v1/users").await.must_refuse(401, "unusable_api_key");
    bearer(&app, &result["refresh_token"]).get("/api/v1/users").await.must_refuse(401, "unusable_api_key");
    let admin = app.backend(&["*"]).await;
    check(&admin).await.must_refuse(401, "unusable_token");
    admin.get("/api/v1/account").await.must_refuse(401, "unusable_token");
}

#[tokio::test]
async fn signing_keys_rotate_with_overlap() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let admin = app.backend(&["*"]).await;
    let old = tokens(&app, "ada@northwind.example").await;
    let ring = json!({"ring": "native"});
    let kid = admin.post("/api/v1/keys/signing/rotate", ring).await.must_be(201).json()["kid"].clone();
    let jwks = app.program().get("/.well-known/jwks.json").await.must_be(200).json();
    assert_eq!(jwks["keys"].as_array().map(Vec::len), Some(2), "published before it signs");
    let kid_of = |token: &serde_json::Value| {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
        let header = token.as_str().unwrap().split('.').next().unwrap().to_owned();
        serde_json::from_slice::<serde_json::Value>(&B64.decode(header).unwrap()).unwrap()["kid"].clone()
    };
    assert_ne!(kid_of(&tokens(&app, "ada@northwind.example").await["access_token"]), kid);
    check(&bearer(&app, &old["access_token"])).await.must_be(200);
    app.realm.clock.advance(11 * latchstring_core::clock::MINUTE);
    assert_eq!(kid_of(&tokens(&app, "ada@northwind.example").await["access_token"]), kid);
    admin
        .post("/api/v1/keys/signing/rotate", json!({"ring": "nonsense"}))
        .await
        .must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn rings_of_mounts_are_shown_and_rotated_beside_our_own() {
    use latchstring_core::{
        admin::mounts,
        audit::{Actor, Source},
        id::MountId,
        key::Purpose,
        mount::Mount,
    };
    let app = app().await;
    let realm = &app.realm.realm;
    let id = MountId::new(realm.now(), realm.ground().random());
    let mount = Mount::new(id, "*", "/auth/v1", "supabase", "https://id.northwind.example/auth/v1");
    mounts::put(realm, Actor::Operator, &Source::default(), mount).await.expect("put");
    let first = realm.ring_of(id, Purpose::Access).await.expect("made").keys[0].kid.clone();
    let admin = app.backend(&["keys:read", "keys:write"]).await;
    let of = |list: &serde_json::Value, kid: &str| {
        let keys = list["keys"].as_array().expect("keys").iter();
        keys.filter(|key| key["kid"] == kid).map(|key| key["mount"].clone()).collect::<Vec<_>>()
    };
    let list = admin.get("/api/v1/keys/signing").await.must_be(200).json();
    assert_eq!(of(&list, &first), ["/auth/v1"]);
    assert!(
        list["keys"]
            .as_array()
            .expect("keys")
            .iter()
            .any(|key| key["mount"].is_null() && key["ring"] == "native")
    );
    let path = "/api/v1/keys/signing/rotate";
    for bad in [json!({"ring": "access"}), json!({"ring": "access", "mount": "/auth/v2"})] {
        admin.post(path, bad).await.must_refuse(400, "invalid_input");
    }
    let ring = json!({"ring": "access", "mount": "/auth/v1", "now": true});
    let kid = admin.post(path, ring).await.must_be(201).json()["kid"].clone();
    let key = |kid: &str, query: &str| format!("/api/v1/keys/signing/{kid}{query}");
    let kid = kid.as_str().expect("a kid");
    admin.delete(&key(kid, "")).await.must_be(409);
    admin.delete(&key(&first, "?mount=/auth/v2")).await.must_refuse(400, "invalid_input");
    admin.delete(&key(&first, "?ring=access")).await.must_refuse(400, "invalid_input");
    admin.delete(&key(&first, "?mount=/auth/v1")).await.must_be(204);
    let list = admin.get("/api/v1/keys/signing").await.must_be(200).json();
    assert!(of(&list, &first).is_empty() && of(&list, kid) == ["/auth/v1"]);
}

/// Where our own faces answer, no mount may stand.
#[test]
fn every_path_of_the_api_is_our_own() {
    let document: serde_json::Value = serde_json::from_str(&latchstring_server::openapi()).expect("JSON");
    for path in document["paths"].as_object().expect("paths").keys() {
        let first = path.split('/').nth(1).expect("a segment");
        assert!(latchstring_core::mount::OWN.contains(&first), "add `{first}` to mount::OWN in core");
    }
}
