//! Attacks that belong to no single URL, through the real router.

use super::{app, bearer, check, sign_up, tokens};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use http::Method;
use latchstring_core::{ended, limit::Rate, testing::PASSWORD};
use latchstring_web::testing::{Client, TestApp};
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};

const ADA: &str = "ada@northwind.example";

/// Limits that don't bite where a test tries other things than limits.
async fn generous(app: &TestApp) {
    app.realm
        .set(|s| {
            let l = &mut s.limits;
            for rate in [
                &mut l.attempts_by_address,
                &mut l.passwords_by_address,
                &mut l.codes_by_address,
                &mut l.sends_by_target,
                &mut l.sends_by_address,
                &mut l.sign_ups_by_address,
                &mut l.keys_by_address,
            ] {
                *rate = Rate { burst: 100_000, per_seconds: 1 };
            }
        })
        .await;
}

/// A program that goes on with an attempt that it has begun.
async fn begun(client: &Client, body: Value) -> (Client, String) {
    let view = client.post("/api/v1/attempts", body).await.must_be(201).json();
    let mut client = client.clone();
    client.set("latchstring-attempt", view["handle"].as_str().expect("a handle"));
    (client, format!("/api/v1/attempts/{}", view["id"].as_str().expect("an id")))
}

#[tokio::test]
async fn attack_a006_nothing_that_is_encrypted_or_compressed_is_opened() {
    let app = app().await;
    app.program().get("/api/v1/session").await.must_be(401);
    // Stored blocks of DEFLATE would inflate to what they say; nobody here looks.
    let bomb = B64.encode(vec![0u8; 150_000]);
    let jwe = B64.encode(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
    let jws = B64.encode(r#"{"alg":"EdDSA","typ":"at+jwt","zip":"DEF"}"#);
    let before = app.realm.statements();
    for token in [
        format!("{jwe}..AAAA.{bomb}.AAAA"),
        format!("{jwe}.AAAA.AAAA.{bomb}.AAAA"),
        format!("{jws}.{bomb}.AAAA"),
    ] {
        let client = bearer(&app, &json!(token));
        check(&client).await.must_refuse(401, "unusable_token");
        client.get("/api/v1/forward-auth").await.must_refuse(401, "unusable_token");
        client.get("/api/v1/account").await.must_refuse(401, "unusable_token");
    }
    assert_eq!(app.realm.statements(), before, "refused by its shape");
}

#[tokio::test]
async fn attack_a030_what_is_said_twice_is_not_said() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let twice = format!("username=nobody&username={ADA}&password={}", PASSWORD.replace(' ', "+"));
    let answer = app.program().form("/token", &twice).await.must_be(400);
    assert_eq!(answer.json()["error"], "invalid_request");
    let admin = app.backend(&["*"]).await;
    for path in [
        "/api/v1/users?limit=1&limit=200",
        "/api/v1/users?q=a&q=b",
        "/api/v1/audit?limit=1&limit=2",
        "/api/v1/revocations/events?after=1&after=2",
    ] {
        admin.get(path).await.must_refuse(400, "invalid_input");
    }
    let link = format!("/verify?token={0}&token={0}", "A".repeat(64));
    let page = app.browser().get(&link).await;
    assert_eq!((page.status.as_u16(), page.header("set-cookie").as_str()), (410, ""));
}

#[tokio::test]
async fn attack_a030_nor_in_a_body_of_any_shape() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    let id = app.realm.admin_user(ADA, true, None).await.user.id;
    let user = format!("/api/v1/users/{id}");
    for (path, body, name) in [
        ("/api/v1/settings", r#"{"name":"a","name":"b"}"#, "name"),
        ("/api/v1/settings", r#"{"code":{"tries":3,"tries":9}}"#, "tries"),
        (user.as_str(), r#"{"metadata":{"private":{"plan":"free","plan":"gold"}}}"#, "plan"),
        (user.as_str(), r#"{"metadata":{"public":[{"a":{"b":1,"b":2}}]}}"#, "b"),
    ] {
        let body = Some(("application/json", body.as_bytes().to_vec()));
        let answer = admin.send(http::Method::PATCH, path, body).await.must_refuse(400, "invalid_input");
        assert_eq!(answer.json()["param"], name);
    }
}

#[tokio::test]
async fn attack_a040_a_token_is_a_bearer_token_and_nothing_else() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    let token = tokens(&app, ADA).await["access_token"].as_str().expect("a token").to_owned();
    let (_, key) = latchstring_core::api_key::create(
        &app.realm.realm,
        latchstring_core::audit::Actor::Operator,
        &latchstring_core::audit::Source::default(),
        "test",
        vec!["*".into()],
        None,
    )
    .await
    .expect("a key");
    use base64::prelude::BASE64_STANDARD;
    for secret in [token.as_str(), key.as_str()] {
        for basic in [format!("{secret}:"), format!("x:{secret}"), secret.to_owned()] {
            let mut client = app.program();
            client.set("authorization", &format!("Basic {}", BASE64_STANDARD.encode(basic)));
            client.get("/api/v1/account").await.must_refuse(401, "unusable_token");
            client.get("/api/v1/users").await.must_refuse(401, "unusable_api_key");
        }
        for path in ["/api/v1/account", "/api/v1/forward-auth", "/api/v1/users", "/api/v1/revocations"] {
            for name in ["access_token", "token", "key", "api_key"] {
                app.program().get(&format!("{path}?{name}={secret}")).await.must_be(401);
            }
        }
        let form = format!("access_token={secret}");
        app.program().form("/api/v1/session/check", &form).await.must_refuse(401, "not_signed_in");
    }
}

#[tokio::test]
async fn attack_a048_no_foreign_page_signs_anybody_out() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, ADA).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let mut foreign = ada.clone();
        foreign.unset("sec-fetch-site");
        foreign.set(name, value);
        foreign.delete("/api/v1/session").await.must_refuse(403, "origin_refused");
        foreign.delete("/api/v1/sessions?scope=all").await.must_refuse(403, "origin_refused");
        foreign.delete("/api/v1/account").await.must_refuse(403, "origin_refused");
        for path in ["/api/v1/session", "/api/v1/session?_method=DELETE"] {
            let mut overridden = foreign.clone();
            overridden.set("x-http-method-override", "DELETE");
            overridden.get(path).await.must_be(200);
            overridden.form(path, "_method=DELETE").await.must_be(405);
        }
    }
    check(&ada).await.must_be(200);
}

#[tokio::test]
async fn attack_a053_no_id_comes_twice_and_none_comes_back() {
    let app = app().await;
    generous(&app).await;
    app.realm.set(|s| s.guests = true).await;
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let guest = app.program().post("/api/v1/attempts", json!({"kind": "sign_up", "guest": true})).await;
        let result = guest.must_be(201).json()["result"].clone();
        for id in ["user_id", "session_id"] {
            assert!(seen.insert(result[id].as_str().expect("an id").to_owned()), "{id} came twice");
        }
        let claims =
            result["access_token"].as_str().expect("a token").split('.').nth(1).expect("claims").to_owned();
        let claims: Value = serde_json::from_slice(&B64.decode(claims).expect("base64url")).expect("JSON");
        let jti = claims["jti"].as_str().expect("a jti").to_owned();
        assert!(B64.decode(&jti).is_ok_and(|bits| bits.len() >= 16), "128 bits");
        assert!(seen.insert(jti), "a jti came twice");
    }
    // The id of a user who was deleted is taken by another: whatever the first one held stays dead.
    let admin = app.backend(&["users:write"]).await;
    let user = json!({"id": "0190a1b2-0000-7000-8000-00000000aaaa", "email": ADA, "email_asserted": true, "password": PASSWORD});
    admin.post("/api/v1/users", user.clone()).await.must_be(201);
    let browser = app.browser();
    let by_cookie = json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA, "password": PASSWORD});
    browser.post("/api/v1/attempts", by_cookie).await.must_be(201);
    let held = tokens(&app, ADA).await;
    admin.delete("/api/v1/users/0190a1b2-0000-7000-8000-00000000aaaa").await.must_be(204);
    admin.post("/api/v1/users", user).await.must_be(201);
    check(&browser).await.must_refuse(401, "not_signed_in");
    check(&bearer(&app, &held["access_token"])).await.must_refuse(401, "unusable_token");
    let refresh = json!({"refresh_token": held["refresh_token"]});
    app.program().post("/api/v1/refresh", refresh).await.must_refuse(400, "unusable_refresh_token");
    tokens(&app, ADA).await;
}

#[tokio::test]
async fn attack_a086_codes_are_burned_by_wrong_tries_wherever_they_are_asked_for() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    let user = bearer(&app, &tokens(&app, ADA).await["access_token"]);
    let other = "ada@new.example";
    for (client, kind, address) in [
        (&app.program(), "sign_in", ADA),
        (&app.program(), "recover", ADA),
        (&app.program(), "sign_up", "new@northwind.example"),
        (&user, "step_up", ADA),
        (&user, "verify", other),
    ] {
        let mut body = json!({"kind": kind});
        if kind != "step_up" {
            body["identifier"] = json!(address);
        }
        let (client, path) = begun(client, body).await;
        client.post_nothing(&format!("{path}/code/send")).await.must_be(202);
        let right: u32 = app.code_to(address).await.parse().expect("digits");
        for n in 1..=5 {
            let wrong = format!("{:06}", (right + n) % 1_000_000);
            let answer = client.post(&format!("{path}/code"), json!({"code": wrong})).await;
            answer.must_refuse(403, "wrong_code");
        }
        let right = format!("{right:06}");
        let answer = client.post(&format!("{path}/code"), json!({"code": right})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "wrong_code"), "{kind}");
    }
}

#[tokio::test]
async fn attack_a090_the_second_factor_is_skipped_by_no_other_step() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let full = app.realm.find(ADA).await.expect("an account");
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
    let (client, path) =
        begun(&app.program(), json!({"kind": "sign_in", "identifier": ADA, "password": PASSWORD})).await;
    let view = client.get(&path).await.must_be(200).json();
    assert_eq!(
        (view["state"].as_str(), &view["offers"], &view["result"]),
        (Some("open"), &json!(["factor"]), &json!(null))
    );
    let again = json!({"password": PASSWORD});
    client.post(&format!("{path}/password"), again.clone()).await.must_refuse(409, "step_not_offered");
    client.post(&format!("{path}/new-password"), again).await.must_refuse(409, "step_not_offered");
    client.post(&format!("{path}/code"), json!({"code": "000000"})).await.must_refuse(403, "wrong_code");
    for path in ["/api/v1/account", "/api/v1/session", "/api/v1/forward-auth", "/api/v1/sessions"] {
        client.get(path).await.must_refuse(401, "not_signed_in");
    }
    client.post_nothing("/api/v1/session/token").await.must_refuse(401, "not_signed_in");
    let form = format!("username={ADA}&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(client.form("/token", &form).await.must_be(400).json()["error"], "invalid_grant");
    // A link of the first step is none of the second.
    let browser = app.browser();
    let body = json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA});
    let id = browser.post("/api/v1/attempts", body).await.must_be(201).json()["id"].clone();
    let path = format!("/api/v1/attempts/{}", id.as_str().expect("an id"));
    browser.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    let code = app.code_to(ADA).await;
    let proven = browser.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200).json();
    assert_eq!((proven["state"].as_str(), &proven["offers"]), (Some("open"), &json!(["factor"])));
    browser.post(&format!("{path}/code"), json!({"code": code})).await.must_refuse(403, "wrong_code");
    check(&browser).await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn attack_a100_a_thousand_requests_send_no_more_mails_than_one_mailbox_can_bear() {
    let app = app().await;
    sign_up(&app, &app.browser(), ADA).await;
    app.mail_to(ADA).await;
    app.realm.clock.advance(latchstring_core::clock::DAY);
    let count = |app: &TestApp, to: &str| app.realm.mailbox.list().iter().filter(|m| m.to == to).count();
    let before = count(&app, ADA);
    let mut answers = HashSet::new();
    for n in 0..100u8 {
        for (kind, address) in [("sign_in", ADA), ("recover", ADA), ("recover", "nobody@northwind.example")] {
            let mut client = app.program();
            client.peer = std::net::SocketAddr::from(([198, 51, 100, n], 1));
            let (client, path) = begun(&client, json!({"kind": kind, "identifier": address})).await;
            let answer = client.post_nothing(&format!("{path}/code/send")).await;
            if n > 10 {
                answers.insert((answer.status.as_u16(), answer.code()));
            }
        }
    }
    app.realm.deliver().await;
    assert_eq!(count(&app, ADA) - before, 3, "from a hundred addresses");
    assert_eq!(count(&app, "nobody@northwind.example"), 3, "nobody's is written to as often");
    assert_eq!(
        answers.into_iter().collect::<Vec<_>>(),
        [(429, "rate_limited".to_owned())],
        "and told the same"
    );
    // From one address to many mailboxes.
    let mut sent = 0;
    for n in 0..50 {
        let body = json!({"kind": "recover", "identifier": format!("person{n}@northwind.example")});
        let (client, path) = begun(&app.program(), body).await;
        sent += usize::from(client.post_nothing(&format!("{path}/code/send")).await.status == 202);
    }
    assert_eq!(sent, 20);
}

#[tokio::test]
async fn attack_a118_policy_follows_the_account_and_not_its_spelling() {
    let app = app().await;
    generous(&app).await;
    let admin = app.backend(&["users:write"]).await;
    let user = json!({"email": ADA, "email_asserted": true, "username": "ada.l", "password": PASSWORD});
    let id = admin.post("/api/v1/users", user).await.must_be(201).json()["id"].clone();
    let spellings = [
        "ada.l",
        "ADA.L",
        "Ada.L",
        "ada.l ",
        " ada.l",
        "аda.l",
        "ａｄａ.ｌ",
        "ada.l\u{200b}",
        "ada\u{2024}l",
        ADA,
        "ADA@NORTHWIND.EXAMPLE",
        "Ada@Northwind.Example",
        "ada@northwind.example.",
        " ada@northwind.example",
    ];
    let sign_in = async |who: &str, password: &str| {
        let body = json!({"kind": "sign_in", "identifier": who, "password": password});
        app.program().post("/api/v1/attempts", body).await
    };
    // Failures are counted together: five are free. The right one after them is not evaluated, whatever it is spelled as;
    // and a name that has had no five of its own is not told from one that nobody has.
    for password in ["not it at all", PASSWORD] {
        for who in spellings {
            let answer = sign_in(who, password).await;
            match (answer.status.as_u16(), answer.code().as_str()) {
                (403, "wrong_credentials") | (429, "throttled") | (400, _) => {}
                other => panic!("{who:?}: {other:?}"),
            }
        }
    }
    app.realm.clock.advance(latchstring_core::clock::HOUR);
    admin.post(&format!("/api/v1/users/{}/ban", id.as_str().expect("an id")), json!({})).await.must_be(200);
    for who in spellings {
        app.realm.clock.advance(latchstring_core::clock::HOUR);
        let answer = sign_in(who, PASSWORD).await;
        let said = (answer.status.as_u16(), answer.code());
        let refused =
            said.0 == 400 || said == (403, "user_banned".into()) || said == (403, "wrong_credentials".into());
        assert!(refused, "{who:?}: {said:?}");
    }
}

#[tokio::test]
async fn attack_a120_every_character_of_a_password_counts() {
    let app = app().await;
    generous(&app).await;
    let admin = app.backend(&["users:write"]).await;
    let same = format!("{PASSWORD} {}", "walnut harbour ".repeat(4));
    assert!(same.len() > 72);
    let (long, other) = (format!("{same}first"), format!("{same}second"));
    let name = "n".repeat(60);
    let user =
        json!({"email": format!("{name}@northwind.example"), "email_asserted": true, "password": long});
    admin.post("/api/v1/users", user).await.must_be(201);
    let sign_in = |password: String| {
        let body = json!({"kind": "sign_in", "identifier": format!("{name}@northwind.example"), "password": password});
        let program = app.program();
        async move { program.post("/api/v1/attempts", body).await }
    };
    for wrong in [other, same.clone(), long[..72].to_owned(), format!("{long}\0"), format!("{long} ")] {
        sign_in(wrong).await.must_refuse(403, "wrong_credentials");
    }
    app.realm.clock.advance(latchstring_core::clock::MINUTE);
    sign_in(long).await.must_be(201);
}

#[tokio::test]
async fn attack_a147_no_header_from_outside_makes_anybody_somebody() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, ADA).await;
    let victim = app.realm.admin_user("grace@northwind.example", true, None).await.user.id.to_string();
    let names = [
        "x-latchstring-user",
        "x-latchstring-session",
        "x-latchstring-claims",
        "x-user",
        "x-user-id",
        "x-remote-user",
        "remote-user",
        "x-forwarded-user",
        "x-auth-request-user",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-middleware-subrequest",
        "x-http-method-override",
        "x-ssl-client-verify",
        "x-client-cert",
    ];
    let mut outside = app.program();
    let mut inside = ada.clone();
    for name in names {
        for client in [&mut outside, &mut inside] {
            client.set(name, &victim);
        }
    }
    for path in
        ["/api/v1/forward-auth", "/api/v1/account", "/api/v1/session", "/api/v1/users", "/api/v1/settings"]
    {
        let answer = outside.get(path).await.must_be(401);
        assert!(!answer.headers.keys().any(|n| n.as_str().starts_with("x-latchstring-")), "{path}");
        assert!(!answer.text().contains(&victim), "{path}");
    }
    // Whoever is somebody stays that one, said once: a proxy copies what it finds.
    let answer = inside.get("/api/v1/forward-auth").await.must_be(200);
    let id = app.realm.id_of(ADA).await.to_string();
    for (name, mine) in
        [("x-latchstring-user", Some(&id)), ("x-latchstring-session", None), ("x-latchstring-claims", None)]
    {
        let all: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(all.len(), 1, "{name}");
        assert_ne!(all[0], victim.as_str(), "{name}");
        assert!(mine.is_none_or(|mine| all[0] == mine.as_str()), "{name}");
    }
    assert_eq!(inside.get("/api/v1/account").await.must_be(200).json()["id"], json!(id));
}

#[tokio::test]
async fn attack_a164_unknown_sorts_are_refused_and_never_a_default() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    app.realm.set(|s| s.token_endpoint.enabled = true).await;
    let odd = [
        json!(""),
        json!("admin"),
        json!("SIGN_IN"),
        json!("sign_in "),
        json!("sign_in\u{0}"),
        json!(["sign_in"]),
        json!({"sign_in": null}),
        json!(null),
        json!(0),
        json!(true),
        json!("password"),
        json!("magiclink"),
    ];
    let admin = app.backend(&["*"]).await;
    for value in &odd {
        let kind = json!({"kind": value, "identifier": ADA, "password": PASSWORD});
        app.program().post("/api/v1/attempts", kind).await.must_refuse(400, "invalid_input");
        let sink = json!({"kind": "sign_in", "sink": value, "identifier": ADA, "password": PASSWORD});
        app.program().post("/api/v1/attempts", sink).await.must_refuse(400, "invalid_input");
        admin
            .post("/api/v1/keys", json!({"name": "k", "permissions": [value]}))
            .await
            .must_refuse(400, "invalid_input");
        admin
            .post("/api/v1/keys/signing/rotate", json!({"ring": value}))
            .await
            .must_refuse(400, "invalid_input");
        // The hashes of tests are cheaper than any that an operator may set. RFC 7396: null is the default again.
        let settings = json!({"sign_up": value, "password": {"memory_kib": null, "passes": null}});
        let answer = admin.json(Method::PATCH, "/api/v1/settings", settings).await;
        assert_eq!(answer.status == 400, *value != json!(null), "{value}: {}", answer.text());
    }
    for grant in ["", "Password", "client_credentials", "password%00", "%5B%5D", "refresh_token"] {
        let form = format!("grant_type={grant}&username={ADA}&password={}", PASSWORD.replace(' ', "+"));
        let answer = app.program().form("/token", &form).await.must_be(400);
        assert_eq!(answer.json()["error"], "unsupported_grant_type", "{grant:?}");
    }
    let user = bearer(&app, &tokens(&app, ADA).await["access_token"]);
    for scope in ["", "All", "everything", "others%20", "all&scope=others"] {
        user.delete(&format!("/api/v1/sessions?scope={scope}")).await.must_refuse(400, "invalid_input");
    }
    check(&user).await.must_be(200);
}

/// Every operation of the document, with what strangers write into every member, path and query.
#[tokio::test]
async fn attack_a154_nothing_that_anybody_writes_is_an_error_of_ours() {
    let app = app().await;
    generous(&app).await;
    sign_up(&app, &app.browser(), ADA).await;
    let user = bearer(&app, &tokens(&app, ADA).await["access_token"]);
    let admin = app.backend(&["*"]).await;
    let document: Value = serde_json::from_str(&latchstring_server::openapi()).expect("JSON");
    let long = "x".repeat(50_000);
    let texts = [
        "\u{0}",
        "a\u{0}b",
        "\u{202e}\u{200b}",
        "'; DROP TABLE users; --",
        "%00",
        "../..",
        "\u{10ffff}",
        &long,
        "𝒳@northwind.example",
    ];
    let mut values: Vec<Value> = texts.iter().map(|t| json!(t)).collect();
    values.extend([
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!([[[[]]]]),
        json!({"a": {"b": null}}),
        json!(null),
    ]);
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        // Ends its reader's wait only with the process.
        if path.ends_with("/events") {
            continue;
        }
        for (method, operation) in operations.as_object().expect("operations") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
            let schema = schema
                .and_then(|r| r.rsplit('/').next())
                .map(|name| &document["components"]["schemas"][name]);
            let members: Vec<&String> = schema
                .and_then(|s| s["properties"].as_object())
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
                .collect();
            for value in &values {
                let text = value.as_str().filter(|t| t.len() < 1_000).unwrap_or("-1");
                let escaped: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
                let mut bodies = vec![value.clone()];
                for member in &members {
                    bodies.push(json!({ member.as_str(): value }));
                }
                bodies.push(members.iter().map(|m| ((*m).clone(), value.clone())).collect());
                let id = ["0190a1b2-0000-7000-8000-000000000000", &escaped][asked % 2];
                let at = format!("{}?limit={escaped}&cursor={escaped}", path.replace("{id}", id));
                for client in [&admin, &user, &app.program()] {
                    for path in [path.replace("{id}", id), at.clone()] {
                        let answer = client.send(method.clone(), &path, None).await;
                        assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.text());
                    }
                    for body in &bodies {
                        let answer =
                            client.json(method.clone(), &path.replace("{id}", id), body.clone()).await;
                        assert!(answer.status.as_u16() < 500, "{method} {path} {body}: {}", answer.text());
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked > 2_000, "{asked}");
}

#[tokio::test]
async fn cookies_of_others_on_the_same_host_do_not_hide_ours() {
    let app = app().await;
    let ada = app.browser();
    sign_up(&app, &ada, ADA).await;
    let ours = ada.cookie().expect("a cookie");
    // RFC 6265 lets servers and scripts set what they like: a neighbour's latin-1 must not sign anybody out.
    for (before, after) in [("theme=caf\u{e9}; ", ""), ("", "; x=\u{ff}"), ("broken; =; a==b; ", "; \"")] {
        let text: Vec<u8> = format!("{before}{ours}{after}").chars().map(|c| c as u8).collect();
        let request = http::Request::post("/api/v1/session/check")
            .header("host", "id.northwind.example")
            .header("cookie", http::HeaderValue::from_bytes(&text).expect("a value"))
            .body(axum::body::Body::empty())
            .expect("a request");
        let id = latchstring_web::edge::RequestId::next();
        let peer = "192.0.2.7:4711".parse().expect("an address");
        let answer = latchstring_server::service(app.app.clone()).answer(id, peer, request).await;
        assert_eq!(answer.status(), 200, "{before:?} {after:?}");
    }
}

#[tokio::test]
async fn a_key_that_was_taken_back_follows_the_feed_no_longer() {
    let app = app().await;
    sign_up(&app, &app.browser(), ADA).await;
    let admin = app.backend(&["*"]).await;
    let made = json!({"name": "verifier", "permissions": ["revocations:read"]});
    let made = admin.post("/api/v1/keys", made).await.must_be(201).json();
    let reader = bearer(&app, &made["key"]);
    let following = tokio::spawn(async move { reader.get("/api/v1/revocations/events?after=0").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    admin.delete(&format!("/api/v1/keys/{}", made["id"].as_str().expect("an id"))).await.must_be(204);
    let one = tokens(&app, ADA).await;
    bearer(&app, &one["access_token"]).delete("/api/v1/session").await.must_be(204);
    ended::publish(app.realm.realm.db()).await.expect("published");
    let answer =
        tokio::time::timeout(Duration::from_secs(5), following).await.expect("the feed ends by itself");
    let text = answer.expect("joined").must_be(200).text();
    assert!(!text.contains(one["session_id"].as_str().expect("an id")), "{text}");
}
