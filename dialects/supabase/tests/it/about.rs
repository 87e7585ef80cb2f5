//! What the face says of itself, where it stands, and how it says no.

use crate::app::{Vendor, fails, preflight};
use latchstring_supabase::init::Init;

#[tokio::test]
async fn a_mount_says_what_it_is() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let health = app.get("/auth/v1/health").await.must_be(200).json();
    assert_eq!(health["name"], "Latchstring");
    let settings = app.get("/auth/v1/settings").await.must_be(200).json();
    assert_eq!(settings["external"]["email"], true);
    assert_eq!(settings["external"]["google"], false);
    assert_eq!(settings["mailer_autoconfirm"], false);
    let jwks = app.get("/auth/v1/.well-known/jwks.json").await.must_be(200).json();
    assert_eq!(jwks["keys"][0]["alg"], "ES256");
    assert!(jwks["keys"][0]["kid"].is_string() && jwks["keys"][0].get("d").is_none());
    let discovery = app.get("/auth/v1/.well-known/openid-configuration").await.must_be(200).json();
    assert_eq!(discovery["issuer"], "https://id.northwind.example/auth/v1");
}

#[tokio::test]
async fn errors_have_the_form_that_the_client_reads() {
    let vendor = Vendor::new().await;
    let mut app = vendor.app();
    fails(&app.get("/auth/v1/nothing").await, 404, "not_found");
    fails(&app.post_nothing("/auth/v1/health").await, 405, "method_not_allowed");
    app.unset("x-supabase-api-version");
    let answer = app.get("/auth/v1/nothing").await.must_be(404);
    let body = answer.json();
    assert_eq!((body["code"].as_i64(), body["error_code"].as_str()), (Some(404), Some("not_found")));
    assert!(body["msg"].is_string() && answer.header("x-supabase-api-version").is_empty());
}

#[tokio::test]
async fn pages_of_any_origin_may_ask_and_read_what_the_sdk_needs() {
    let vendor = Vendor::new().await;
    let answer = preflight(&vendor.app(), "/auth/v1/token").await.must_be(204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    for name in ["apikey", "authorization", "content-type", "x-client-info", "x-supabase-api-version"] {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
    }
    let answer = vendor.app().get("/auth/v1/nothing").await;
    for name in ["x-total-count", "link", "x-supabase-api-version"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_mount_is_where_it_was_put_and_nowhere_else() {
    let vendor = Vendor::new().await;
    for path in ["/health", "/auth/v1x/health", "/auth/health", "/AUTH/V1/health"] {
        assert_eq!(vendor.app().get(path).await.status, 404, "{path}");
    }
    let mut stranger = vendor.app();
    stranger.set("host", "evil.example");
    assert_eq!(stranger.get("/auth/v1/health").await.status, 404, "another host");

    let on_a_host = Vendor::with(|init: &mut Init| init.host = Some("login.example".into())).await;
    assert_eq!(on_a_host.prepared.url, "https://login.example");
    let mut app = on_a_host.app();
    assert_eq!(app.get("/auth/v1/health").await.status, 404, "not at the realm's own host");
    app.set("host", "login.example");
    for path in ["/health", "/auth/v1/health"] {
        app.get(path).await.must_be(200);
    }
}
