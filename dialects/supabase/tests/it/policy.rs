//! The realm's rules hold here as they hold in our own faces (A171), and what belongs to one face opens no other.

use crate::{
    app::{Vendor, fails},
    flows::{ADA, OTHER, PASSWORD, ada, claims, refresh, sign_in, sign_up, verify},
};
use http::Method;
use latchstring_core::{
    account, admin,
    attempt::Caller,
    audit::{Actor, Source},
    clock::{DAY, MINUTE},
    id::{FactorId, UserId},
    testing::secret,
    token::{check, mint},
    user,
};
use serde_json::{Value, json};

fn id(session: &Value) -> UserId {
    session["user"]["id"].as_str().expect("a user").parse().expect("a UUID")
}

#[tokio::test]
async fn attack_a171_a_ban_ends_everything_and_lets_nobody_in() {
    let vendor = Vendor::new().await;
    let (app, session) = (vendor.app(), ada(&vendor).await);
    let realm = &vendor.test.realm.realm;
    app.post("/auth/v1/recover", json!({ "email": ADA })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    admin::users::ban(realm, Actor::Operator, &Source::default(), id(&session), None, None)
        .await
        .expect("banned");
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&refresh(&app, &session).await, 400, "refresh_token_not_found");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "user_banned");
    fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
    fails(&verify(&app, "recovery", ADA, &code).await, 403, "otp_expired");
    app.post("/auth/v1/otp", json!({ "email": ADA })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    fails(&verify(&app, "email", ADA, &code).await, 403, "user_banned");
}

#[tokio::test]
async fn attack_a171_guesses_are_counted_with_those_of_other_faces() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    ada(&vendor).await;
    for _ in 0..5 {
        fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
    }
    let closed = sign_in(&app, ADA, PASSWORD).await;
    fails(&closed, 429, "over_request_rate_limit");
    assert!(!closed.header("retry-after").is_empty());
    // Our own rule says the same, whoever asks.
    let realm = &vendor.test.realm.realm;
    let caller = Caller::default();
    let who = latchstring_core::testing::who(ADA);
    let native = latchstring_core::attempt::password::check(realm, &caller, &who, secret(PASSWORD)).await;
    assert_eq!(native.err().and_then(|e| e.kind()), Some(latchstring_core::Kind::Throttled));
}

#[tokio::test]
async fn attack_a171_who_has_a_second_factor_is_not_let_in_by_the_first() {
    let vendor = Vendor::new().await;
    let (app, session) = (vendor.app(), ada(&vendor).await);
    let (user, realm) = (id(&session), &vendor.test.realm.realm);
    let (now, factor) = (realm.now(), FactorId::new(realm.now(), realm.ground().random()));
    realm
        .db()
        .write(async move |tx| -> latchstring_core::Result<()> {
            let full = user::store::full(tx, user).await?.expect("the user");
            let email = full.email().expect("an address").id;
            latchstring_core::factor::store::insert_email(tx, factor, user, email, now).await
        })
        .await
        .expect("a factor");
    fails(&sign_in(&app, ADA, PASSWORD).await, 401, "insufficient_aal");
    app.post("/auth/v1/otp", json!({ "email": ADA })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    fails(&verify(&app, "email", ADA, &code).await, 401, "insufficient_aal");
}

#[tokio::test]
async fn attack_a171_an_account_that_is_to_be_deleted_waits() {
    let vendor = Vendor::new().await;
    let (app, session) = (vendor.app(), ada(&vendor).await);
    let realm = &vendor.test.realm.realm;
    let me = account::Me {
        user: id(&session),
        session: claims(&session)["session_id"].as_str().expect("an id").parse().expect("a UUID"),
        browser: None,
        auth_at: realm.now(),
    };
    account::delete_mine(realm, &me, &Source::default()).await.expect("begun");
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    let refused = sign_in(&app, ADA, PASSWORD).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.json().get("access_token").is_none());
}

#[tokio::test]
async fn attack_a171_sessions_end_when_the_realm_says() {
    let vendor = Vendor::new().await;
    let (app, session) = (vendor.app(), ada(&vendor).await);
    vendor.test.realm.clock.advance(13 * DAY);
    let session = refresh(&app, &session).await.must_be(200).json();
    vendor.test.realm.clock.advance(15 * DAY);
    fails(&refresh(&app, &session).await, 400, "refresh_token_not_found");
    let session = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    vendor.test.realm.clock.advance(61 * MINUTE);
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "bad_jwt");
}

#[tokio::test]
async fn attack_a171_weak_passwords_are_weak_here_too() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    for weak in ["12345678", "password1", "ada@northwind.example", "short"] {
        let answer = sign_up(&app, ADA, weak).await;
        fails(&answer, 422, "weak_password");
        assert!(!answer.json()["weak_password"]["reasons"].as_array().expect("reasons").is_empty());
    }
    assert!(vendor.test.mail_to(ADA).await.is_none());
}

#[tokio::test]
async fn attack_a165_nobody_says_of_themselves_what_only_we_say() {
    let vendor = Vendor::new().await;
    vendor.test.realm.set(|s| s.guests = true).await;
    let app = vendor.app();
    let body = json!({ "email": ADA, "password": PASSWORD, "provider": "google", "role": "service_role",
        "email_confirm": true, "email_confirmed_at": "2020-01-01T00:00:00Z", "app_metadata": { "admin": true },
        "id": uuid::Uuid::nil(), "aud": "admin", "is_super_admin": true,
        "data": { "sub": "x", "email": "eve@northwind.example", "email_verified": true } });
    let user = app.post("/auth/v1/signup", body).await.must_be(200).json();
    assert_eq!((user["role"].as_str(), user["aud"].as_str()), (Some("authenticated"), Some("authenticated")));
    assert_eq!(user["app_metadata"], json!({ "provider": "email", "providers": ["email"] }));
    assert_eq!((&user["user_metadata"]["sub"], &user["user_metadata"]["email"]), (&user["id"], &json!(ADA)));
    assert!(user["email_confirmed_at"].is_null() && user["user_metadata"]["email_verified"] == false);
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "email_not_confirmed");
    // A guest does not become somebody who is there already, and hears nothing of them.
    let code = vendor.test.code_to(ADA).await;
    verify(&app, "signup", ADA, &code).await.must_be(200);
    let guest = app.post("/auth/v1/signup", json!({})).await.must_be(200).json();
    let put = vendor.signed(&guest).json(Method::PUT, "/auth/v1/user", json!({ "email": ADA })).await;
    fails(&put, 422, "email_exists");
    let still = vendor.signed(&guest).get("/auth/v1/user").await.must_be(200).json();
    assert_eq!((&still["is_anonymous"], &still["email"]), (&json!(true), &json!("")));
}

#[tokio::test]
async fn attack_a103_an_address_is_one_address() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    ada(&vendor).await;
    for path in ["recover", "otp", "resend", "magiclink"] {
        for email in [
            json!([ADA, "eve@evil.example"]),
            json!({ "0": ADA }),
            json!(format!("{ADA},eve@evil.example")),
            json!(format!("{ADA}\r\nBcc: eve@evil.example")),
            json!(format!("\"{ADA}\" <eve@evil.example>")),
        ] {
            let answer =
                app.post(&format!("/auth/v1/{path}"), json!({ "type": "signup", "email": email })).await;
            assert_eq!(answer.status, 400, "{path} {email}: {}", answer.text());
        }
    }
    assert!(vendor.test.mail_to("eve@evil.example").await.is_none());
}

#[tokio::test]
async fn tokens_of_one_face_open_no_other() {
    let vendor = Vendor::new().await;
    let (app, session) = (vendor.app(), ada(&vendor).await);
    let realm = &vendor.test.realm.realm;
    let text = |name: &str| session[name].as_str().expect("a text").to_owned();
    assert!(check::access(realm, &text("access_token")).await.is_err(), "not at our own API");
    let native = mint::refresh(realm, &text("refresh_token"), &Source::default()).await;
    assert!(native.is_err(), "not a refresh token of our own API");
    refresh(&app, &session).await.must_be(200);
    // And the other way round.
    let visitor = vendor.test.realm.app();
    visitor.sign_in(ADA, PASSWORD).await;
    let tokens = visitor.tokens();
    let wrong = json!({ "refresh_token": *tokens.refresh });
    fails(&refresh(&app, &wrong).await, 400, "refresh_token_not_found");
    let mut client = vendor.app();
    client.bearer(&tokens.access.token);
    fails(&client.get("/auth/v1/user").await, 403, "bad_jwt");
    mint::refresh(realm, &tokens.refresh, &Source::default()).await.expect("good where it belongs");
    // Nor does a code that was mailed for one face work at the other.
    let other = Vendor::with(|init| init.host = Some("login.example".into())).await;
    let mut there = other.app();
    there.set("host", "login.example");
    sign_up(&there, ADA, PASSWORD).await.must_be(200);
    let code = other.test.code_to(ADA).await;
    let here = latchstring_core::attempt::mailed::code(
        &other.test.realm.realm,
        &Caller::default(),
        &[latchstring_core::challenge::Purpose::SignUp],
        &latchstring_core::testing::who(ADA),
        &code,
    )
    .await;
    assert!(here.is_err());
    verify(&there, "signup", ADA, &code).await.must_be(200);
}

#[tokio::test]
async fn a_token_that_is_altered_or_is_no_users_opens_nothing() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let token = session["access_token"].as_str().expect("a token");
    let mut parts: Vec<String> = token.split('.').map(ToOwned::to_owned).collect();
    parts[2] = "A".repeat(parts[2].len());
    let header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for bad in [
        parts.join("."),
        format!("{header}.{}.", parts[1]),
        format!("{header}.{}.{}", parts[1], token.split('.').nth(2).expect("a signature")),
        format!("{token}x"),
        token.replace('.', ".."),
        "x".repeat(9_000),
        String::new(),
    ] {
        let mut client = vendor.app();
        client.set("authorization", &format!("Bearer {bad}"));
        let answer = client.get("/auth/v1/user").await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{}", answer.text());
    }
    for key in [&vendor.prepared.anon, &vendor.prepared.service_role, &vendor.prepared.secret] {
        let mut client = vendor.app();
        client.bearer(key);
        fails(&client.get("/auth/v1/user").await, 403, "bad_jwt");
        fails(&client.post_nothing("/auth/v1/logout").await, 403, "bad_jwt");
    }
}
