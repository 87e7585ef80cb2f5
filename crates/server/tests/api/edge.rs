//! What every request passes: hosts, headers, CORS, bodies, paths.

use super::{app, bearer, sign_up, tokens};
use http::Method;
use latchstring_core::testing::TestRealm;
use latchstring_web::{Config, testing::TestApp};
use serde_json::json;

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_it_safe() {
    let app = app().await;
    for path in ["/healthz", "/api/v1/session", "/nowhere", "/.well-known/jwks.json"] {
        let answer = app.program().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    assert_eq!(app.program().get("/api/v1/session").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn attack_a150_and_a102_links_and_issuer_never_come_from_a_header() {
    let app = app().await;
    for (name, value) in [
        ("host", "evil.example"),
        ("host", "id.northwind.example.evil.example"),
        ("host", "id.northwind.example:443@evil.example"),
    ] {
        let mut client = app.program();
        client.set(name, value);
        client.get("/.well-known/jwks.json").await.must_refuse(404, "not_found");
        client
            .post("/api/v1/attempts", json!({"kind": "recover", "identifier": "a@b.example"}))
            .await
            .must_be(404);
    }
    super::sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let mut client = app.program();
    for name in ["x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url", "x-rewrite-url"] {
        client.set(name, "evil.example");
    }
    let begun = client
        .post("/api/v1/attempts", json!({"kind": "recover", "identifier": "ada@northwind.example"}))
        .await;
    let view = begun.must_be(201).json();
    client.set("latchstring-attempt", view["handle"].as_str().unwrap());
    client
        .post_nothing(&format!("/api/v1/attempts/{}/code/send", view["id"].as_str().unwrap()))
        .await
        .must_be(202);
    let link = app.mail_to("ada@northwind.example").await.and_then(|m| m.link).expect("a link");
    assert!(link.starts_with("https://id.northwind.example/verify?token="), "{link}");
}

#[tokio::test]
async fn forwarding_headers_count_only_from_trusted_proxies() {
    let realm = TestRealm::new().await;
    let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
    let config = Config::new(latchstring_core::testing::ISSUER, false, trusted);
    let app = TestApp::with(latchstring_server::service, config, realm);
    let mut proxy = app.program();
    proxy.peer = "10.1.2.3:5".parse().unwrap();
    proxy.set("x-forwarded-for", "198.51.100.7, 203.0.113.9");
    let mut stranger = app.program();
    stranger.set("x-forwarded-for", "203.0.113.10");
    for client in [&proxy, &stranger] {
        let body = json!({"kind": "sign_up", "identifier": "ada@northwind.example"});
        client.post("/api/v1/attempts", body).await.must_be(201);
    }
    super::sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let sign_in = json!({"kind": "sign_in", "identifier": "ada@northwind.example",
                         "password": latchstring_core::testing::PASSWORD});
    for (client, expected) in [(&proxy, "203.0.113.9"), (&stranger, "192.0.2.7")] {
        let result =
            client.post("/api/v1/attempts", sign_in.clone()).await.must_be(201).json()["result"].clone();
        let session = super::bearer(&app, &result["access_token"]).get("/api/v1/session").await.json();
        assert_eq!(session["session"]["address"], expected);
    }
}

#[tokio::test]
async fn a_dev_server_refuses_to_stand_behind_a_proxy() {
    let config = Config::new("http://localhost:8080", true, Vec::new());
    let app = TestApp::with(latchstring_server::service, config, TestRealm::new().await);
    app.program().get("/api/v1/session").await.must_be(401);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let mut client = app.program();
        client.set(name, "203.0.113.9");
        client.get("/api/v1/session").await.must_refuse(400, "invalid_input");
        client.get("/api/v1/forward-auth").await.must_refuse(401, "not_signed_in");
    }
    for host in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"] {
        let mut client = app.program();
        client.set("host", host);
        client.get("/api/v1/session").await.must_be(401);
    }
    let mut client = app.program();
    client.set("host", "192.168.1.7:8080");
    client.get("/api/v1/session").await.must_be(404);
}

#[tokio::test]
async fn attack_a145_cors_is_a_list_and_never_a_reflection() {
    let app = app().await;
    app.realm.set(|s| s.origins = vec!["https://app.northwind.example".into()]).await;
    for (origin, listed) in [
        ("https://app.northwind.example", true),
        ("https://app.northwind.example.evil.example", false),
        ("http://app.northwind.example", false),
        ("null", false),
        ("https://evil.example", false),
    ] {
        let mut client = app.program();
        client.set("origin", origin);
        let answer = client.get("/api/v1/session").await;
        assert_eq!(answer.header("access-control-allow-origin"), if listed { origin } else { "" });
        assert!(answer.header("vary").contains("Origin"));
        client.set("access-control-request-method", "POST");
        let preflight = client.send(Method::OPTIONS, "/api/v1/attempts", None).await;
        assert_eq!(!preflight.header("access-control-allow-methods").is_empty(), listed, "{origin}");
    }
    let mut any = app.program();
    any.set("origin", "https://evil.example");
    let keys = any.get("/.well-known/jwks.json").await.must_be(200);
    assert_eq!(keys.header("access-control-allow-origin"), "*");
    assert!(keys.header("access-control-allow-credentials").is_empty());
}

#[tokio::test]
async fn attack_a148_and_a149_paths_are_exact() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    admin.get("/api/v1/users").await.must_be(200);
    for path in [
        "//api/v1/users",
        "/api/v1/users/",
        "/API/v1/users",
        "/api/v1/users;x",
        "/api/v1/./users",
        "/api/v1/%75sers%2f",
        "/api/v1/users%20",
        "/api/v1/session/x.css",
        "/.well-known/jwks.json/x",
        "//evil.example/",
        "/%5cevil.example",
    ] {
        let answer = app.program().get(path).await;
        assert!(matches!(answer.status.as_u16(), 401 | 404), "{path}: {}", answer.status);
        assert!(answer.header("location").is_empty(), "attack_a146: {path} redirects");
    }
}

#[tokio::test]
async fn bad_bodies_are_clear_4xx_and_write_nothing() {
    let app = app().await;
    let path = "/api/v1/attempts";
    let bad: &[&[u8]] = &[
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"x\"",
        b"{\"kind\":\"sign_in\"",
        b"{\"kind\":\"nonsense\"}",
        b"{\"kind\":7}",
        b"{\"kind\":\"sign_in\",\"identifier\":1e400}",
        b"\xff\xfe",
        b"{\"kind\":\"sign_in\",\"kind\":\"sign_up\",\"identifier\":\"a@b.example\"}",
    ];
    app.program().send(Method::POST, path, Some(("application/json", b"{".to_vec()))).await.must_be(400);
    let before = app.realm.statements();
    for body in bad {
        let answer = app.program().send(Method::POST, path, Some(("application/json", body.to_vec()))).await;
        answer.must_refuse(400, "invalid_input");
    }
    let deep = "[".repeat(60_000);
    let answer = app.program().send(Method::POST, path, Some(("application/json", deep.into_bytes()))).await;
    answer.must_refuse(400, "invalid_input");
    let large = vec![b' '; 70_000];
    app.program()
        .send(Method::POST, path, Some(("application/json", large)))
        .await
        .must_refuse(400, "invalid_input");
    assert_eq!(app.realm.statements(), before);
    let wrong = app.program().send(Method::PUT, path, None).await.must_refuse(405, "method_not_allowed");
    assert_eq!(wrong.json()["title"], "Method not allowed");
    assert_eq!(wrong.header("allow"), "POST", "RFC 9110, 15.5.6");
    let deleted = app.program().send(Method::DELETE, "/api/v1/openapi.json", None).await;
    assert_eq!(deleted.must_refuse(405, "method_not_allowed").header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn nothing_is_served_before_the_realm_is_open() {
    let config = Config::new(latchstring_core::testing::ISSUER, false, Vec::new());
    let app = latchstring_web::App::new(config, None);
    let service = latchstring_server::service(app);
    let request = http::Request::get("/api/v1/session").header("host", "id.northwind.example");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let peer = "192.0.2.7:4711".parse().unwrap();
    let response = service.answer(latchstring_web::edge::RequestId::next(), peer, request).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn limits_answer_429_with_retry_after_and_are_per_address() {
    let app = app().await;
    app.realm
        .set(|s| s.limits.attempts_by_address = latchstring_core::limit::Rate { burst: 3, per_seconds: 60 })
        .await;
    let body = json!({"kind": "recover", "identifier": "ada@northwind.example"});
    let client = app.program();
    for _ in 0..3 {
        client.post("/api/v1/attempts", body.clone()).await.must_be(201);
    }
    let limited = client.post("/api/v1/attempts", body.clone()).await.must_refuse(429, "rate_limited");
    assert_eq!(limited.header("retry-after"), "20");
    assert_eq!(limited.header("ratelimit"), "\"attempts_by_address\";r=0;t=20");
    assert_eq!(limited.header("ratelimit-policy"), "\"attempts_by_address\";q=3;w=60");
    assert!(limited.json().get("limit").is_none(), "the document stays as it was");
    let mut other = client.clone();
    other.peer = "198.51.100.1:1".parse().unwrap();
    other.post("/api/v1/attempts", body).await.must_be(201);
}

/// What is answered before the router is what the router answers, word for word and header for header.
#[tokio::test]
async fn answers_from_memory_are_the_routers() {
    let app = app().await;
    let mut browser = app.browser();
    browser.set("origin", latchstring_core::testing::ISSUER);
    sign_up(&app, &browser, "ada@northwind.example").await;
    let tokens = tokens(&app, "ada@northwind.example").await;
    let mut holder = bearer(&app, &tokens["access_token"]);
    holder.set("origin", "https://elsewhere.example");
    let mut stranger = app.browser();
    stranger.set("host", "elsewhere.example");
    let asks = [
        (Method::POST, "/api/v1/session/check"),
        (Method::GET, "/api/v1/forward-auth"),
        (Method::GET, "/.well-known/jwks.json"),
        (Method::HEAD, "/.well-known/jwks.json"),
        (Method::OPTIONS, "/api/v1/session/check"),
    ];
    for who in [&browser, &holder, &app.program(), &stranger] {
        for (method, path) in &asks {
            // As the loop of a node does: a memory that is too old is not used, and the claims are signed anew.
            app.realm.realm.follow().await.expect("followed");
            // The router first: it fills the memory.
            let slow = who.by_the_router().send(method.clone(), path, None).await;
            let quick = who.send(method.clone(), path, None).await;
            let seen = |answer: &latchstring_web::testing::Answer| {
                let mut headers: Vec<(String, Vec<u8>)> = answer
                    .headers
                    .iter()
                    .filter(|(name, _)| *name != "x-request-id" && *name != "content-length")
                    .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                    .collect();
                headers.sort();
                (answer.status, headers, answer.text())
            };
            assert_eq!(seen(&quick), seen(&slow), "{method} {path}");
            assert_ne!(quick.header("x-request-id"), slow.header("x-request-id"));
        }
    }
    // And it ends when the session does.
    browser.send(Method::DELETE, "/api/v1/session", None).await.must_be(204);
    for (method, path) in &asks[..2] {
        browser.send(method.clone(), path, None).await.must_refuse(401, "not_signed_in");
    }
}
