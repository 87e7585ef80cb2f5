//! Who may call what: every route of `routes/mod.rs` is called as nobody, as an app, as a user and as a back end. A new one
//! that is not in the table fails here, and the message says what to do.

use crate::{
    app::{Vendor, fails},
    flows::ada,
};
use http::Method;
use latchstring_web::testing::Client;
use serde_json::json;
use std::collections::BTreeSet;

/// What a route asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Anybody may call it.
    Nothing,
    /// A user's token, and no key.
    User,
    /// A back end's key, and no user's token.
    Admin,
}
use Needs::{Admin, Nothing, User};

const TABLE: &[(&str, Needs)] = &[
    ("GET /health", Nothing),
    ("GET /settings", Nothing),
    ("GET /.well-known/jwks.json", Nothing),
    ("GET /.well-known/openid-configuration", Nothing),
    ("POST /signup", Nothing),
    ("POST /token", Nothing),
    ("POST /otp", Nothing),
    ("POST /magiclink", Nothing),
    ("POST /recover", Nothing),
    ("POST /resend", Nothing),
    ("GET /reauthenticate", User),
    ("GET /verify", Nothing),
    ("POST /verify", Nothing),
    ("GET /verify/done", Nothing),
    ("GET /user", User),
    ("PUT /user", User),
    ("GET /user/identities/authorize", User),
    ("DELETE /user/identities/{id}", User),
    ("POST /factors", User),
    ("DELETE /factors/{id}", User),
    ("POST /factors/{id}/challenge", User),
    ("POST /factors/{id}/verify", User),
    ("GET /authorize", Nothing),
    ("POST /sso", Nothing),
    ("POST /logout", User),
    ("POST /invite", Admin),
    ("GET /admin/users", Admin),
    ("POST /admin/users", Admin),
    ("GET /admin/users/{id}", Admin),
    ("PUT /admin/users/{id}", Admin),
    ("DELETE /admin/users/{id}", Admin),
    ("POST /admin/generate_link", Admin),
];

/// The routes that the source lists: a path, and the methods of what follows up to the end of the call.
fn routes() -> BTreeSet<String> {
    let source = include_str!("../../src/routes/mod.rs");
    let mut found = BTreeSet::new();
    for call in source.split(".route(").skip(1) {
        let mut depth = 1;
        let end = call.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let call = &call[..end.expect("the call ends")];
        let path = call.split('"').nth(1).expect("a path in quotes");
        let handlers = &call[call.rfind('"').expect("its end")..];
        let before = found.len();
        for method in ["get", "post", "put", "patch", "delete"] {
            let named = format!("{method}(");
            let begins = |at: usize| !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if handlers.match_indices(&named).any(|(at, _)| begins(at)) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        assert!(
            found.len() > before,
            "{path} has no method that this test knows: write get(…), post(…) and the like"
        );
    }
    found
}

#[tokio::test]
async fn every_route_is_refused_to_whoever_may_not_call_it() {
    let routes = routes();
    let listed: BTreeSet<String> = TABLE.iter().map(|(route, _)| (*route).to_owned()).collect();
    let missing: Vec<_> = routes.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "not in TABLE: {missing:?}. Say what each needs, and begin its handler with ask.user() or ask.admin(…)"
    );
    let gone: Vec<_> = listed.difference(&routes).collect();
    assert!(gone.is_empty(), "in TABLE, and no route: {gone:?}");

    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let mut nobody = vendor.app();
    nobody.unset("authorization");
    let (app, back_end, user) = (vendor.app(), vendor.admin(), vendor.signed(&session));
    for (route, needs) in TABLE {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let path = format!("/auth/v1{}", path.replace("{id}", "0190a1b2-0000-7000-8000-000000000000"));
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let call = async |client: &Client| client.json(method.clone(), &path, json!({})).await;
        match needs {
            Nothing => {
                let status = call(&nobody).await.status;
                assert!(status != 401 && status != 405, "{route}: {status}");
            }
            User => {
                fails(&call(&nobody).await, 401, "no_authorization");
                fails(&call(&app).await, 403, "bad_jwt");
                fails(&call(&back_end).await, 403, "bad_jwt");
            }
            Admin => {
                fails(&call(&nobody).await, 401, "no_authorization");
                fails(&call(&app).await, 403, "not_admin");
                fails(&call(&user).await, 403, "not_admin");
                let status = call(&back_end).await.status;
                assert!(status != 401 && status != 403, "{route} refuses a back end: {status}");
            }
        }
    }
}
