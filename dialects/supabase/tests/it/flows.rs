//! What people do: sign up, sign in, recover, change, leave.

use crate::app::{SITE, Vendor, fails};
use http::Method;
use latchstring_core::{
    mount::Enumeration,
    settings::{self, Settings},
};
use latchstring_web::testing::{Answer, Client};
use serde_json::{Value, json};

pub(crate) const ADA: &str = "ada@northwind.example";
pub(crate) const PASSWORD: &str = "correct horse battery staple 7";
pub(crate) const OTHER: &str = "another long and odd password 8";

async fn set(vendor: &Vendor, change: impl Fn(&mut Settings) + Send + Sync + 'static) {
    vendor.test.realm.set(change).await;
}

pub(crate) async fn sign_up(app: &Client, email: &str, password: &str) -> Answer {
    app.post(
        "/auth/v1/signup",
        json!({ "email": email, "password": password, "data": { "full_name": "Ada" },
        "gotrue_meta_security": {}, "code_challenge": null, "code_challenge_method": null }),
    )
    .await
}

pub(crate) async fn sign_in(app: &Client, email: &str, password: &str) -> Answer {
    app.post("/auth/v1/token?grant_type=password", json!({ "email": email, "password": password })).await
}

pub(crate) async fn refresh(app: &Client, session: &Value) -> Answer {
    app.post("/auth/v1/token?grant_type=refresh_token", json!({ "refresh_token": session["refresh_token"] }))
        .await
}

pub(crate) async fn verify(app: &Client, kind: &str, email: &str, code: &str) -> Answer {
    app.post("/auth/v1/verify", json!({ "type": kind, "email": email, "token": code, "options": {} })).await
}

/// What the access token of a session says.
pub(crate) fn claims(session: &Value) -> Value {
    let token = session["access_token"].as_str().expect("a token");
    let payload = token.split('.').nth(1).expect("a payload");
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, payload).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Somebody with an account.
pub(crate) async fn ada(vendor: &Vendor) -> Value {
    sign_up(&vendor.app(), ADA, PASSWORD).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    verify(&vendor.app(), "signup", ADA, &code).await.must_be(200).json()
}

#[tokio::test]
async fn a_sign_up_is_confirmed_by_its_code_and_the_password_holds() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let waiting = sign_up(&app, ADA, PASSWORD).await.must_be(200).json();
    assert!(waiting.get("access_token").is_none() && waiting["email_confirmed_at"].is_null());
    assert_eq!(waiting["identities"][0]["provider"], "email");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "email_not_confirmed");
    fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
    fails(&verify(&app, "signup", ADA, "000000").await, 403, "otp_expired");
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "signup", ADA, &code).await.must_be(200).json();
    assert_eq!(session["user"]["id"], waiting["id"], "the id that the app was told");
    assert_eq!(session["user"]["user_metadata"]["full_name"], "Ada");
    assert_eq!(
        (session["token_type"].as_str(), session["expires_in"].as_i64()),
        (Some("bearer"), Some(3600))
    );
    assert!(session["user"]["email_confirmed_at"].is_string());
    fails(&verify(&app, "signup", ADA, &code).await, 403, "otp_expired");
    let user = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
    assert_eq!((user["email"].as_str(), user["role"].as_str()), (Some(ADA), Some("authenticated")));
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn claims_are_those_that_policies_read() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let claims = claims(&session);
    assert_eq!(claims["sub"], session["user"]["id"]);
    for (name, value) in
        [("role", "authenticated"), ("aud", "authenticated"), ("aal", "aal1"), ("email", ADA)]
    {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["iss"], "https://id.northwind.example/auth/v1");
    assert_eq!(claims["amr"][0]["method"], "otp");
    assert!(claims["session_id"].is_string() && claims["is_anonymous"] == false);
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 3600);
    assert_eq!(claims["app_metadata"]["provider"], "email");
}

#[tokio::test]
async fn a_refresh_rotates_survives_a_lost_answer_and_ends_at_theft() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let first = ada(&vendor).await;
    let second = refresh(&app, &first).await.must_be(200).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let again = refresh(&app, &first).await.must_be(200).json();
    assert_eq!(again["refresh_token"], second["refresh_token"], "the same successor");
    let third = refresh(&app, &second).await.must_be(200).json();
    fails(&refresh(&app, &first).await, 400, "refresh_token_already_used");
    fails(&refresh(&app, &third).await, 400, "refresh_token_not_found");
    fails(&vendor.signed(&third).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&refresh(&app, &json!({ "refresh_token": "nonsense" })).await, 400, "refresh_token_not_found");
}

#[tokio::test]
async fn sign_out_has_three_scopes_and_works_at_once() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let one = ada(&vendor).await;
    let two = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    let three = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    vendor.signed(&one).post_nothing("/auth/v1/logout?scope=local").await.must_be(204);
    fails(&vendor.signed(&one).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&refresh(&app, &one).await, 400, "refresh_token_not_found");
    vendor.signed(&two).post_nothing("/auth/v1/logout?scope=others").await.must_be(204);
    fails(&vendor.signed(&three).get("/auth/v1/user").await, 403, "session_not_found");
    vendor.signed(&two).get("/auth/v1/user").await.must_be(200);
    fails(&vendor.signed(&two).post_nothing("/auth/v1/logout?scope=x").await, 400, "validation_failed");
    vendor.signed(&two).post_nothing("/auth/v1/logout").await.must_be(204);
    fails(&vendor.signed(&two).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&app.get("/auth/v1/user").await, 403, "bad_jwt");
    fails(&vendor.test.program().get("/auth/v1/user").await_modern().await, 401, "no_authorization");
}

/// A client without any key reads the older form; this asks for the newer one.
trait Modern {
    async fn await_modern(self) -> Answer;
}

impl<F: Future<Output = Answer>> Modern for F {
    async fn await_modern(self) -> Answer {
        let mut answer = self.await;
        let body = answer.json();
        answer.headers.insert("x-supabase-api-version", http::HeaderValue::from_static("2024-01-01"));
        answer.body = json!({ "code": body["error_code"] }).to_string().into_bytes();
        answer
    }
}

#[tokio::test]
async fn a_mailed_code_signs_in_and_makes_an_account_if_that_is_asked_for() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let otp = async |create: bool| {
        app.post(
            "/auth/v1/otp",
            json!({ "email": ADA, "data": { "n": 1 }, "create_user": create, "gotrue_meta_security": {} }),
        )
        .await
    };
    fails(&otp(false).await, 422, "otp_disabled");
    assert_eq!(otp(true).await.must_be(200).json(), json!({}));
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "email", ADA, &code).await.must_be(200).json();
    assert_eq!(session["user"]["user_metadata"]["n"], 1);
    otp(false).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    let again = verify(&app, "magiclink", ADA, &code).await.must_be(200).json();
    assert_eq!(session["user"]["id"], again["user"]["id"]);
}

#[tokio::test]
async fn what_an_account_begins_with_is_what_one_person_typed() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let otp = async |email: &str, body: Value| {
        let mut all = json!({ "email": email });
        settings::merge(&mut all, &body);
        app.post("/auth/v1/otp", all).await
    };
    // Who has only looked whether there is an account has typed nothing.
    fails(&otp(ADA, json!({ "create_user": false })).await, 422, "otp_disabled");
    otp(ADA, json!({ "data": { "plan": "basic" } })).await.must_be(200);
    otp(ADA, json!({ "data": { "plan": "basic" } })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "email", ADA, &code).await.must_be(200).json();
    assert_eq!(session["user"]["user_metadata"]["plan"], "basic");
    // Somebody else has asked for the same address with other words.
    let eve = "eve@northwind.example";
    otp(eve, json!({ "data": { "plan": "stolen" } })).await.must_be(200);
    otp(eve, json!({ "data": { "plan": "basic" } })).await.must_be(200);
    let code = vendor.test.code_to(eve).await;
    let session = verify(&app, "email", eve, &code).await.must_be(200).json();
    assert!(session["user"]["user_metadata"].get("plan").is_none());
}

#[tokio::test]
async fn a_strict_mount_tells_nobody_who_has_an_account() {
    let vendor = Vendor::with(|init| init.enumeration = Enumeration::Strict).await;
    let app = vendor.app();
    ada(&vendor).await;
    let shape = |answer: &Answer| {
        let mut body = answer.json();
        for name in ["id", "created_at", "updated_at", "confirmation_sent_at", "email"] {
            body[name] = Value::Null;
        }
        body["identities"] = json!(body["identities"].as_array().map(Vec::len));
        body["user_metadata"] = json!(body["user_metadata"]["full_name"]);
        (answer.status, body)
    };
    let taken = sign_up(&app, ADA, PASSWORD).await;
    let free = sign_up(&app, "eve@northwind.example", PASSWORD).await;
    assert_eq!(shape(&taken), shape(&free));
    for path in ["otp", "recover", "magiclink"] {
        vendor.test.realm.clock.advance(600 * 1_000_000);
        let ask = async |email: &str| {
            let body = json!({ "email": email, "create_user": false });
            let answer = app.post(&format!("/auth/v1/{path}"), body).await;
            (answer.status, answer.text())
        };
        assert_eq!(ask(ADA).await, ask("nobody@northwind.example").await, "{path}");
    }
}

#[tokio::test]
async fn who_recovers_sets_a_new_password() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let before = ada(&vendor).await;
    assert_eq!(app.post("/auth/v1/recover", json!({ "email": ADA })).await.must_be(200).json(), json!({}));
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "recovery", ADA, &code).await.must_be(200).json();
    let put = async |body: Value| vendor.signed(&session).json(Method::PUT, "/auth/v1/user", body).await;
    fails(&put(json!({ "password": "abc" })).await, 422, "weak_password");
    fails(&put(json!({ "password": PASSWORD })).await, 422, "same_password");
    put(json!({ "password": OTHER })).await.must_be(200);
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
    sign_in(&app, ADA, OTHER).await.must_be(200);
    fails(&vendor.signed(&before).get("/auth/v1/user").await, 403, "session_not_found");
    vendor.signed(&session).get("/auth/v1/user").await.must_be(200);
}

#[tokio::test]
async fn an_old_session_proves_itself_before_the_password_changes() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    vendor.test.realm.clock.advance(20 * 60 * 1_000_000);
    let put = async |body: Value| vendor.signed(&session).json(Method::PUT, "/auth/v1/user", body).await;
    fails(&put(json!({ "password": OTHER })).await, 400, "reauthentication_needed");
    fails(
        &put(json!({ "password": OTHER, "current_password": OTHER })).await,
        400,
        "current_password_invalid",
    );
    vendor.signed(&session).get("/auth/v1/reauthenticate").await.must_be(200);
    fails(&put(json!({ "password": OTHER, "nonce": "000000" })).await, 422, "reauthentication_not_valid");
    // The password that stands is no answer to a wrong nonce.
    fails(&put(json!({ "password": PASSWORD, "nonce": "000000" })).await, 422, "reauthentication_not_valid");
    let nonce = vendor.test.code_to(ADA).await;
    fails(&put(json!({ "password": PASSWORD, "nonce": nonce })).await, 422, "same_password");
    put(json!({ "password": OTHER, "nonce": nonce })).await.must_be(200);
    sign_in(&vendor.app(), ADA, OTHER).await.must_be(200);
    put(json!({ "password": PASSWORD, "current_password": OTHER })).await.must_be(200);
}

#[tokio::test]
async fn metadata_is_merged_and_only_ones_own() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let put = async |body: Value| vendor.signed(&session).json(Method::PUT, "/auth/v1/user", body).await;
    let user = put(json!({ "data": { "a": 1, "b": 2 } })).await.must_be(200).json();
    assert_eq!(
        (&user["user_metadata"]["a"], &user["user_metadata"]["full_name"]),
        (&json!(1), &json!("Ada"))
    );
    let user =
        put(json!({ "data": { "a": null, "sub": "x", "email_verified": false } })).await.must_be(200).json();
    assert!(user["user_metadata"].get("a").is_none());
    assert_eq!((&user["user_metadata"]["b"], &user["user_metadata"]["sub"]), (&json!(2), &user["id"]));
    put(json!({ "data": { "c": { "x": 1 } } })).await.must_be(200);
    let user = put(json!({ "data": { "c": { "y": 2 } } })).await.must_be(200).json();
    assert_eq!(user["user_metadata"]["c"], json!({ "y": 2 }), "a member is replaced as a whole");
    fails(&put(json!({ "app_metadata": { "admin": true } })).await, 403, "not_admin");
    fails(&put(json!({ "data": { "long": "x".repeat(20_000) } })).await, 400, "validation_failed");
}

#[tokio::test]
async fn a_new_address_is_confirmed_in_both_mailboxes() {
    let vendor = Vendor::new().await;
    let (new, app) = ("ada@elsewhere.example", vendor.app());
    let session = ada(&vendor).await;
    let put = async |email: &str| {
        vendor.signed(&session).json(Method::PUT, "/auth/v1/user", json!({ "email": email })).await
    };
    let asked = put(new).await.must_be(200).json();
    assert_eq!((&asked["email"], &asked["new_email"]), (&json!(ADA), &json!(new)));
    assert!(asked["email_change_sent_at"].is_string());
    let (to_new, to_old) = (vendor.test.code_to(new).await, vendor.test.code_to(ADA).await);
    let half = verify(&app, "email_change", new, &to_new).await.must_be(200).json();
    assert_eq!(half["code"], "200");
    let user = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
    assert_eq!(user["email"], ADA, "not yet");
    let done = verify(&app, "email_change", ADA, &to_old).await.must_be(200).json();
    assert_eq!(done["user"]["email"], new);
    assert!(done["user"].get("new_email").is_none());
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
    sign_in(&app, new, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn a_guest_becomes_a_person_and_keeps_the_id() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    fails(&app.post("/auth/v1/signup", json!({ "data": {} })).await, 422, "anonymous_provider_disabled");
    set(&vendor, |s| s.guests = true).await;
    let guest = app.post("/auth/v1/signup", json!({ "data": { "n": 7 } })).await.must_be(200).json();
    assert_eq!(
        (&guest["user"]["is_anonymous"], &guest["user"]["user_metadata"]["n"]),
        (&json!(true), &json!(7))
    );
    let put = async |body: Value| vendor.signed(&guest).json(Method::PUT, "/auth/v1/user", body).await;
    fails(&put(json!({ "password": PASSWORD })).await, 422, "validation_failed");
    put(json!({ "email": ADA })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "email_change", ADA, &code).await.must_be(200).json();
    assert_eq!(
        (&session["user"]["id"], &session["user"]["is_anonymous"]),
        (&guest["user"]["id"], &json!(false))
    );
    assert_eq!(session["user"]["user_metadata"]["n"], 7);
    vendor
        .signed(&session)
        .json(Method::PUT, "/auth/v1/user", json!({ "password": PASSWORD }))
        .await
        .must_be(200);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn where_no_confirmation_is_asked_for_a_sign_up_signs_in() {
    let vendor = Vendor::new().await;
    set(&vendor, |s| s.confirm_sign_up = false).await;
    let app = vendor.app();
    let session = sign_up(&app, ADA, PASSWORD).await.must_be(200).json();
    assert_eq!(session["user"]["email"], ADA);
    fails(&sign_up(&app, ADA, PASSWORD).await, 422, "user_already_exists");
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
    // Whoever reads the mail is the owner: what was set without proof goes (invariant 9).
    app.post("/auth/v1/otp", json!({ "email": ADA })).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    verify(&app, "email", ADA, &code).await.must_be(200);
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
}

#[tokio::test]
async fn two_who_sign_up_with_one_address_leave_no_password() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    sign_up(&app, ADA, OTHER).await.must_be(200);
    sign_up(&app, ADA, PASSWORD).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "signup", ADA, &code).await.must_be(200).json();
    assert!(session["user"]["user_metadata"].get("full_name").is_none(), "nobody knows whose it was");
    for password in [PASSWORD, OTHER] {
        fails(&sign_in(&app, ADA, password).await, 400, "invalid_credentials");
    }
    // Whoever presses the button twice is one person.
    let eve = "eve@northwind.example";
    sign_up(&app, eve, PASSWORD).await.must_be(200);
    sign_up(&app, eve, PASSWORD).await.must_be(200);
    let code = vendor.test.code_to(eve).await;
    verify(&app, "signup", eve, &code).await.must_be(200);
    sign_in(&app, eve, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_makes_one_account() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let (one, two) = tokio::join!(sign_up(&app, ADA, PASSWORD), sign_up(&app, ADA, PASSWORD));
    let (one, two) = (one.must_be(200).json(), two.must_be(200).json());
    assert_eq!(one["id"], two["id"]);
    let code = vendor.test.code_to(ADA).await;
    let session = verify(&app, "signup", ADA, &code).await.must_be(200).json();
    assert_eq!(session["user"]["id"], one["id"]);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn a_code_works_once_when_two_show_it() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    sign_up(&app, ADA, PASSWORD).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    let (one, two) = tokio::join!(verify(&app, "signup", ADA, &code), verify(&app, "signup", ADA, &code));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
}

#[tokio::test]
async fn a_sign_up_that_nobody_confirms_is_swept_and_one_that_is_confirmed_stays() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let eve = "eve@northwind.example";
    ada(&vendor).await;
    sign_up(&app, eve, PASSWORD).await.must_be(200);
    let realm = &vendor.test.realm;
    realm.clock.advance(29 * latchstring_core::clock::DAY);
    latchstring_core::sweep::once(&realm.realm).await.expect("swept");
    fails(&sign_in(&app, eve, PASSWORD).await, 400, "email_not_confirmed");
    realm.clock.advance(2 * latchstring_core::clock::DAY);
    latchstring_core::sweep::once(&realm.realm).await.expect("swept");
    fails(&sign_in(&app, eve, PASSWORD).await, 400, "invalid_credentials");
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn a_link_leads_to_the_page_and_the_page_is_not_here() {
    let vendor = Vendor::new().await;
    sign_up(&vendor.app(), ADA, PASSWORD).await.must_be(200);
    let mail = vendor.test.mail_to(ADA).await.expect("a mail");
    let link = mail.link.expect("a link");
    assert!(link.starts_with("https://id.northwind.example/verify?token="), "{link}");
    let token = link.split_once("token=").expect("a token").1;
    let get =
        vendor.app().get(&format!("/auth/v1/verify?token={token}&type=signup&redirect_to={SITE}")).await;
    assert_eq!((get.status.as_u16(), get.header("location")), (303, link.clone()));
    let odd = vendor.app().get("/auth/v1/verify?token=%22%3E%3Cscript%3E&type=signup").await;
    assert_eq!(odd.header("location"), "https://id.northwind.example/verify?token=unreadable");
    // Shown by a client: it proves the address, and the password that was typed before goes.
    let body = json!({ "type": "signup", "token_hash": token });
    vendor.app().post("/auth/v1/verify", body.clone()).await.must_be(200);
    fails(&vendor.app().post("/auth/v1/verify", body).await, 403, "otp_expired");
    fails(&sign_in(&vendor.app(), ADA, PASSWORD).await, 400, "invalid_credentials");
}

#[tokio::test]
async fn settings_that_are_checked_are_the_realms() {
    settings::Settings::default().check().expect("defaults");
    let vendor = Vendor::new().await;
    set(&vendor, |s| s.sign_up = settings::SignUp::Closed).await;
    fails(&sign_up(&vendor.app(), ADA, PASSWORD).await, 422, "signup_disabled");
    fails(&sign_in(&vendor.app(), "no address", PASSWORD).await, 400, "invalid_credentials");
}

#[tokio::test]
async fn two_who_change_two_members_at_once_both_hold() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let put = async |body: Value| vendor.signed(&session).json(Method::PUT, "/auth/v1/user", body).await;
    let all = (0..8).map(|n| put(json!({ "data": { format!("m{n}"): n } })));
    for answer in futures_util::future::join_all(all).await {
        answer.must_be(200);
    }
    let user = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
    for n in 0..8 {
        assert_eq!(user["user_metadata"][format!("m{n}")], n);
    }
}
