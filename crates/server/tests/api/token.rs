//! `POST /token`

use super::{app, check, sign_up};
use http::Method;
use latchstring_core::testing::PASSWORD;
use serde_json::json;

fn form(username: &str, password: &str) -> String {
    format!("grant_type=password&username={username}&password={}", password.replace(' ', "+"))
}

#[tokio::test]
async fn it_is_off_until_the_realm_turns_it_on() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    app.program().form("/token", &form("ada@northwind.example", PASSWORD)).await.must_be(404);
    let metadata = app.program().get("/.well-known/oauth-authorization-server").await.must_be(200).json();
    assert!(metadata.get("token_endpoint").is_none());
}

#[tokio::test]
async fn the_textbook_app_gets_a_jwt_that_its_library_verifies() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let id = app.realm.id_of("ada@northwind.example").await.to_string();
    for alg in ["RS256", "ES256", "EdDSA"] {
        app.realm
            .set(move |s| {
                s.token_endpoint.enabled = true;
                s.token_endpoint.alg = alg.into();
            })
            .await;
        let jwks = app.program().get("/token/jwks.json").await.must_be(200).json();
        let answer =
            app.program().form("/token", &form("ada@northwind.example", PASSWORD)).await.must_be(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = answer.json();
        assert_eq!(answer["token_type"], "bearer");
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).expect("a key set");
        let token = answer["access_token"].as_str().unwrap();
        let header = jsonwebtoken::decode_header(token).expect("a header");
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        let key = set.find(header.kid.as_deref().unwrap()).expect("the key is published");
        let mut rules = jsonwebtoken::Validation::new(header.alg);
        rules.validate_exp = false; // the test's clock stands in the past
        let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a usable key");
        let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &rules).expect("verifies").claims;
        assert_eq!(claims["sub"], id.as_str());
        assert!(claims.get("aud").is_none());
        // Refused by every other face.
        check(&super::bearer(&app, &answer["access_token"])).await.must_refuse(401, "unusable_token");
    }
}

#[tokio::test]
async fn hs256_takes_the_secret_as_its_text() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let secret = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7";
    app.realm
        .set(move |s| {
            s.token_endpoint.enabled = true;
            s.token_endpoint.alg = "HS256".into();
            s.token_endpoint.secret = Some(secret.into());
        })
        .await;
    let answer =
        app.program().form("/token", &form("ada@northwind.example", PASSWORD)).await.must_be(200).json();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    rules.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_secret(secret.as_bytes());
    let token = answer["access_token"].as_str().unwrap();
    jsonwebtoken::decode::<serde_json::Value>(token, &key, &rules).expect("verifies");
    assert_eq!(app.program().get("/token/jwks.json").await.must_be(200).json(), json!({"keys": []}));
}

#[tokio::test]
async fn refusals_are_oauths_and_tell_nothing() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let mut seen = Vec::new();
    for who in ["ada@northwind.example", "nobody@northwind.example", "nobody"] {
        let answer = app.program().form("/token", &form(who, "not it at all")).await.must_be(400);
        seen.push(answer.text());
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
    assert!(seen.windows(2).all(|w| w[0] == w[1]));
    let cases = [
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("username=ada", "invalid_request"),
        ("username=a&username=b&password=c", "invalid_request"),
        ("", "invalid_request"),
    ];
    for (body, error) in cases {
        let answer = app.program().form("/token", body).await.must_be(400);
        assert_eq!(answer.json()["error"], error, "{body}");
    }
    let odd = app.program().form("/token", "username=%00&password=x").await;
    assert_eq!(odd.status, 400);
}

#[tokio::test]
async fn whoever_needs_more_than_a_password_is_refused() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let full = app.realm.find("ada@northwind.example").await.unwrap();
    let realm = &app.realm.realm;
    let factor = latchstring_core::id::FactorId::new(realm.now(), realm.ground().random());
    let (user, identifier, now) = (full.user.id, full.identifiers[0].id, realm.now());
    realm
        .db()
        .write(async move |tx| -> latchstring_core::Result<()> {
            latchstring_core::factor::store::insert_email(tx, factor, user, identifier, now).await
        })
        .await
        .expect("a factor");
    let answer = app.program().form("/token", &form("ada@northwind.example", PASSWORD)).await.must_be(400);
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn its_cors_is_for_its_own_origins_alone() {
    let app = app().await;
    app.realm
        .set(|s| {
            s.token_endpoint.enabled = true;
            s.token_endpoint.origins = vec!["http://127.0.0.1:8000".into()];
        })
        .await;
    let mut swagger = app.program();
    swagger.set("origin", "http://127.0.0.1:8000");
    let refused = swagger.form("/token", &form("ada", "not it at all")).await.must_be(400);
    assert_eq!(refused.header("access-control-allow-origin"), "http://127.0.0.1:8000");
    swagger.set("access-control-request-method", "POST");
    let preflight = swagger.send(Method::OPTIONS, "/token", None).await.must_be(204);
    assert!(preflight.header("access-control-allow-headers").contains("x-requested-with"));
    assert!(preflight.header("access-control-allow-credentials").is_empty());
    let mut other = app.program();
    other.set("origin", "https://evil.example");
    let answer = other.form("/token", &form("ada", "not it at all")).await;
    assert!(answer.header("access-control-allow-origin").is_empty());
}
