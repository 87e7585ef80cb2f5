//! `/admin/users`: what back ends do with users.

use crate::{
    app::{Vendor, fails},
    flows::{ADA, PASSWORD, sign_in},
};
use http::Method;
use latchstring_core::{clock::DAY, mount::Enumeration, sweep, testing::OTHER_PASSWORD};
use latchstring_supabase::init::Init;
use latchstring_web::testing::{Answer, Client};
use serde_json::{Value, json};

const NEW: &str = "ada@new.example";
const USERS: &str = "/auth/v1/admin/users";

pub(crate) async fn create(admin: &Client, body: Value) -> Value {
    admin.post(USERS, body).await.must_be(200).json()
}

pub(crate) async fn put(admin: &Client, user: &Value, body: Value) -> Answer {
    admin.json(Method::PUT, &path(user), body).await
}

pub(crate) fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_back_end_makes_a_user_who_signs_in() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let id = "8a7b6c5d-4e3f-4a1b-9c8d-7e6f5a4b3c2d";
    let user = create(
        &admin,
        json!({
            "id": id, "email": ADA, "password": PASSWORD, "email_confirm": true, "role": "editor", "aud": "authenticated",
            "phone": "", "phone_confirm": true, "nonce": "x",
            "user_metadata": { "full_name": "Ada", "sub": "x", "email_verified": false, "gone": null },
            "app_metadata": { "plan": "pro", "provider": "google", "providers": ["google"] },
        }),
    )
    .await;
    assert_eq!((user["id"].as_str(), user["role"].as_str()), (Some(id), Some("editor")));
    assert!(user["email_confirmed_at"].is_string() && user["banned_until"].is_null());
    assert_eq!(user["app_metadata"], json!({ "plan": "pro", "provider": "email", "providers": ["email"] }));
    let own = &user["user_metadata"];
    assert_eq!(own, &json!({ "full_name": "Ada" }), "what it said, without what only this face says");
    let session = sign_in(&vendor.app(), ADA, PASSWORD).await.must_be(200).json();
    assert_eq!(session["user"]["role"], "editor");
    assert_eq!(admin.get(&path(&user)).await.must_be(200).json()["id"], id);
}

#[tokio::test]
async fn what_a_user_may_not_be_is_refused() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    create(&admin, json!({ "email": "grace@northwind.example" })).await;
    let ada = create(&admin, json!({ "email": ADA })).await;
    for (body, status, code) in [
        (json!({ "aud": "other" }), 400, "validation_failed"),
        (json!({ "phone": "4712345678" }), 400, "phone_provider_disabled"),
        (json!({ "password": PASSWORD, "password_hash": "x" }), 400, "validation_failed"),
        (json!({ "password": "short" }), 422, "weak_password"),
        (json!({ "password_hash": "nonsense" }), 400, "validation_failed"),
        (json!({ "ban_duration": "1 day" }), 400, "validation_failed"),
        (json!({ "role": "a b" }), 400, "validation_failed"),
        (json!({ "role": "service_role" }), 400, "validation_failed"),
        (json!({ "role": "supabase_admin" }), 400, "validation_failed"),
        (json!({ "user_metadata": [1] }), 400, "bad_json"),
        (json!({ "user_metadata": { "x": "y".repeat(20_000) } }), 400, "validation_failed"),
        (json!({ "app_metadata": { "x": "y".repeat(20_000) } }), 400, "validation_failed"),
        (json!({ "email": "no address" }), 400, "validation_failed"),
        (json!({ "email": "Grace@northwind.example" }), 422, "email_exists"),
        (json!({ "email": 5 }), 400, "bad_json"),
    ] {
        // Each with things that could be done, which are not done.
        let mut whole = json!({ "email": NEW, "email_confirm": true, "user_metadata": { "a": 1 } });
        whole.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
        fails(&admin.post(USERS, whole.clone()).await, status, code);
        fails(&put(&admin, &ada, whole).await, status, code);
        assert_eq!(admin.get(&path(&ada)).await.json(), ada, "{body}");
    }
    for body in [json!({}), json!({ "password": PASSWORD }), json!({ "email": "" })] {
        fails(&admin.post(USERS, body).await, 400, "validation_failed");
    }
    for id in ["x", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"] {
        fails(&admin.post(USERS, json!({ "email": NEW, "id": id })).await, 400, "validation_failed");
    }
    let again = admin.post(USERS, json!({ "email": NEW, "id": ada["id"] })).await;
    fails(&again, 422, "conflict");
    let total = admin.get(USERS).await.must_be(200);
    assert_eq!(total.header("x-total-count"), "2");
}

#[tokio::test]
async fn a_hash_from_elsewhere_is_a_password() {
    let vendor = Vendor::new().await;
    // A vector of bcrypt's.
    let hash = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
    let body = json!({ "email": ADA, "email_confirm": true, "password_hash": hash });
    create(&vendor.admin(), body).await;
    fails(&sign_in(&vendor.app(), ADA, "another").await, 400, "invalid_credentials");
    sign_in(&vendor.app(), ADA, "U*U*U").await.must_be(200);
}

#[tokio::test]
async fn members_of_metadata_are_changed_one_by_one() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let user = create(&admin, json!({ "email": ADA, "app_metadata": { "a": { "x": 1 }, "b": 2 } })).await;
    let body = json!({ "app_metadata": { "a": { "y": 1 }, "b": null, "provider": null }, "user_metadata": { "c": [1] } });
    let user = put(&admin, &user, body).await.must_be(200).json();
    assert_eq!(user["app_metadata"], json!({ "a": { "y": 1 }, "provider": "email", "providers": ["email"] }));
    assert_eq!(user["user_metadata"]["c"], json!([1]));
    let user =
        put(&admin, &user, json!({ "user_metadata": {}, "app_metadata": null })).await.must_be(200).json();
    assert_eq!(user["user_metadata"]["c"], json!([1]));
    // The role: any, and back.
    for (role, shown) in [("editor", "editor"), ("", "editor"), ("authenticated", "authenticated")] {
        let user = put(&admin, &user, json!({ "role": role })).await.must_be(200).json();
        assert_eq!(user["role"], shown);
    }
}

#[tokio::test]
async fn address_and_password_change_together() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let user = create(&admin, json!({ "email": ADA, "password": PASSWORD, "email_confirm": true })).await;
    let session = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    let body = json!({ "email": NEW, "email_confirm": true, "password": OTHER_PASSWORD });
    let user = put(&admin, &user, body).await.must_be(200).json();
    assert_eq!((user["email"].as_str(), user["identities"][0]["email"].as_str()), (Some(NEW), Some(NEW)));
    assert!(user["email_confirmed_at"].is_string());
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
    sign_in(&app, NEW, OTHER_PASSWORD).await.must_be(200);
    assert!(vendor.test.mail_to(ADA).await.is_some(), "whoever had the account is told");
    // One that nobody vouches for is a claim.
    let user = put(&admin, &user, json!({ "email": ADA })).await.must_be(200).json();
    assert!(user["email_confirmed_at"].is_null());
    fails(&sign_in(&app, ADA, OTHER_PASSWORD).await, 400, "email_not_confirmed");
    put(&admin, &user, json!({ "email_confirm": true })).await.must_be(200);
    sign_in(&app, ADA, OTHER_PASSWORD).await.must_be(200);
}

#[tokio::test]
async fn a_sign_up_that_a_back_end_confirms_stays() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let user =
        app.post("/auth/v1/signup", json!({ "email": ADA, "password": PASSWORD })).await.must_be(200).json();
    put(&admin, &user, json!({ "email_confirm": true })).await.must_be(200);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
    vendor.test.realm.clock.advance(40 * DAY);
    sweep::once(&vendor.test.realm.realm).await.expect("swept");
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
    // Where two have signed up, whose password is right can't be told.
    let grace = "grace@northwind.example";
    let sign_up = async |password: &str| {
        app.post("/auth/v1/signup", json!({ "email": grace, "password": password })).await
    };
    let user = sign_up(PASSWORD).await.must_be(200).json();
    sign_up(OTHER_PASSWORD).await.must_be(200);
    put(&admin, &user, json!({ "email_confirm": true })).await.must_be(200);
    for password in [PASSWORD, OTHER_PASSWORD] {
        fails(&sign_in(&app, grace, password).await, 400, "invalid_credentials");
    }
}

#[tokio::test]
async fn a_ban_lasts_as_long_as_it_says() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let user = create(&admin, json!({ "email": ADA, "password": PASSWORD, "email_confirm": true })).await;
    let session = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    let banned = put(&admin, &user, json!({ "ban_duration": "24h" })).await.must_be(200).json();
    let until = banned["banned_until"].as_str().expect("a time");
    assert!(until.starts_with("2026-01-02T00:00:00"), "{until}");
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    assert!(sign_in(&app, ADA, PASSWORD).await.status.is_client_error());
    vendor.test.realm.clock.advance(DAY);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
    for nothing in ["none", "0", "0s", "-1h", "+0"] {
        put(&admin, &user, json!({ "ban_duration": "876000h" })).await.must_be(200);
        assert!(sign_in(&app, ADA, PASSWORD).await.status.is_client_error());
        let user = put(&admin, &user, json!({ "ban_duration": nothing })).await.must_be(200).json();
        assert!(user["banned_until"].is_null(), "{nothing}");
        sign_in(&app, ADA, PASSWORD).await.must_be(200);
    }
    let body = json!({ "email": NEW, "password": PASSWORD, "email_confirm": true, "ban_duration": "1h" });
    assert!(create(&admin, body).await["banned_until"].is_string());
    assert!(sign_in(&app, NEW, PASSWORD).await.status.is_client_error());
    let body = json!({ "email": "lin@northwind.example", "ban_duration": "none" });
    assert!(create(&admin, body).await["banned_until"].is_null());
}

#[tokio::test]
async fn a_list_has_pages_that_the_sdk_finds() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    for n in 0..5 {
        vendor.test.realm.clock.advance(1);
        create(&admin, json!({ "email": format!("user{n}@northwind.example"), "role": format!("role{n}") }))
            .await;
    }
    let emails = |answer: &Answer| -> Vec<String> {
        let list = answer.json();
        assert_eq!(list["aud"], "authenticated");
        let users = list["users"].as_array().expect("users").iter();
        users
            .map(|user| {
                let email = user["email"].as_str().expect("an address");
                let n = &email[4..5];
                assert_eq!(user["role"], format!("role{n}"));
                n.to_owned()
            })
            .collect()
    };
    // As the SDK asks when nothing is said.
    let all = admin.get(&format!("{USERS}?page=&per_page=")).await.must_be(200);
    assert_eq!(emails(&all), ["4", "3", "2", "1", "0"]);
    assert_eq!(all.header("link"), "</auth/v1/admin/users?page=1&per_page=50>; rel=\"last\"");
    let page = admin.get(&format!("{USERS}?per_page=2&page=2")).await.must_be(200);
    assert_eq!((emails(&page), page.header("x-total-count").as_str()), (vec!["2".into(), "1".into()], "5"));
    assert_eq!(
        page.header("link"),
        "</auth/v1/admin/users?page=3&per_page=2>; rel=\"next\", </auth/v1/admin/users?page=3&per_page=2>; rel=\"last\""
    );
    assert_eq!(emails(&admin.get(&format!("{USERS}?page=9")).await.must_be(200)), [""; 0]);
    let sorted =
        admin.get(&format!("{USERS}?sort=created_at%20asc&filter=User&per_page=3")).await.must_be(200);
    assert_eq!(emails(&sorted), ["0", "1", "2"]);
    assert!(
        sorted
            .header("link")
            .starts_with("</auth/v1/admin/users?page=2&per_page=3&sort=created_at+asc&filter=User>")
    );
    let found = admin.get(&format!("{USERS}?filter=ER3@")).await.must_be(200);
    assert_eq!((emails(&found), found.header("x-total-count").as_str()), (vec!["3".into()], "1"));
    for bad in ["page=x", "per_page=0", "sort=email", "page=10000000&per_page=1000", "filter=%00"] {
        fails(&admin.get(&format!("{USERS}?{bad}")).await, 400, "validation_failed");
    }

    // On a host of its own the face stands in two places.
    let on_a_host = Vendor::with(|init: &mut Init| init.host = Some("login.example".into())).await;
    let mut admin = on_a_host.admin();
    admin.set("host", "login.example");
    for path in ["/admin/users", "/auth/v1/admin/users"] {
        let link = admin.get(path).await.must_be(200).header("link");
        assert_eq!(link, format!("<{path}?page=0&per_page=50>; rel=\"last\""));
    }
}

#[tokio::test]
async fn a_deleted_user_is_answered_once_more_and_gone() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let user = create(
        &admin,
        json!({ "email": ADA, "password": PASSWORD, "email_confirm": true, "role": "editor" }),
    )
    .await;
    let session = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    // As the SDK sends it, and as others do.
    let gone =
        admin.json(Method::DELETE, &path(&user), json!({ "should_soft_delete": false })).await.must_be(200);
    assert_eq!((&gone.json()["id"], &gone.json()["email"]), (&user["id"], &user["email"]));
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    for answer in
        [admin.get(&path(&user)).await, admin.delete(&path(&user)).await, put(&admin, &user, json!({})).await]
    {
        fails(&answer, 404, "user_not_found");
    }
    let again = create(&admin, json!({ "email": ADA, "id": user["id"] })).await;
    assert_eq!(again["role"], "authenticated", "nothing is inherited");
    admin.delete(&path(&again)).await.must_be(200);
}

#[tokio::test]
async fn of_a_user_who_is_deleted_softly_the_id_stays() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let body = json!({ "email": ADA, "password": PASSWORD, "email_confirm": true, "role": "editor",
                       "user_metadata": { "full_name": "Ada" }, "app_metadata": { "plan": "pro" } });
    let user = create(&admin, body).await;
    let session = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();
    let soft = async || admin.json(Method::DELETE, &path(&user), json!({ "should_soft_delete": true })).await;
    let gone = soft().await.must_be(200).json();
    assert_eq!((&gone["id"], &gone["created_at"]), (&user["id"], &user["created_at"]));
    assert_eq!((&gone["email"], &gone["role"]), (&json!(""), &json!("authenticated")));
    assert_eq!((&gone["user_metadata"], &gone["app_metadata"]), (&json!({}), &json!({})));
    assert!(
        gone["deleted_at"].is_string() && gone["banned_until"].is_string() && gone["identities"] == json!([])
    );
    fails(&vendor.signed(&session).get("/auth/v1/user").await, 403, "session_not_found");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
    vendor.test.realm.clock.advance(DAY);
    assert_eq!(soft().await.must_be(200).json()["deleted_at"], gone["deleted_at"], "once is enough");
    assert_eq!(admin.get(USERS).await.json()["users"][0]["id"], user["id"]);
    create(&admin, json!({ "email": ADA })).await;
    admin.delete(&path(&user)).await.must_be(200);
    fails(&admin.get(&path(&user)).await, 404, "user_not_found");
}

#[tokio::test]
async fn an_invited_user_signs_in_by_the_link_and_sets_a_password() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let invite = async |email: &str| {
        admin
            .post(
                "/auth/v1/invite?redirect_to=https://app.example/welcome",
                json!({ "email": email, "data": { "team": 7 } }),
            )
            .await
    };
    let user = invite(ADA).await.must_be(200).json();
    assert!(user["invited_at"].is_string() && user["email_confirmed_at"].is_null());
    assert_eq!(user["user_metadata"]["team"], 7);
    // Once more, as long as the address is not confirmed.
    assert_eq!(invite(ADA).await.must_be(200).json()["id"], user["id"]);
    let link = vendor.test.mail_to(ADA).await.expect("a mail").link.expect("a link");
    let token = link.split("token=").nth(1).expect("a token");
    vendor.test.realm.clock.advance(5 * DAY);
    let session = app
        .post("/auth/v1/verify", json!({ "type": "invite", "token_hash": token }))
        .await
        .must_be(200)
        .json();
    assert_eq!(session["user"]["id"], user["id"]);
    assert!(session["user"]["email_confirmed_at"].is_string());
    let signed = vendor.signed(&session);
    signed.json(Method::PUT, "/auth/v1/user", json!({ "password": PASSWORD })).await.must_be(200);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);
    fails(&invite(ADA).await, 422, "email_exists");
    fails(&invite("no address").await, 400, "validation_failed");
    fails(&invite("").await, 400, "validation_failed");
}

async fn generate(admin: &Client, body: Value) -> Answer {
    admin.post("/auth/v1/admin/generate_link", body).await
}

#[tokio::test]
async fn a_back_end_draws_links_and_mails_them_by_itself() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let body = json!({ "type": "signup", "email": ADA, "password": PASSWORD, "data": { "team": 7 },
                       "redirect_to": "https://app.example/in" });
    let drawn = generate(&admin, body).await.must_be(200).json();
    assert_eq!(
        (&drawn["verification_type"], &drawn["redirect_to"]),
        (&json!("signup"), &json!("https://app.example/in"))
    );
    assert_eq!((&drawn["email"], &drawn["user_metadata"]["team"]), (&json!(ADA), &json!(7)));
    let token = drawn["hashed_token"].as_str().expect("a token");
    assert_eq!(
        drawn["action_link"],
        format!(
            "https://id.northwind.example/auth/v1/verify?token={token}&type=signup&redirect_to=https%3A%2F%2Fapp.example%2Fin"
        )
    );
    assert!(vendor.test.mail_to(ADA).await.is_none(), "nothing is mailed");
    let verify = async |kind: &str, token: &Value| {
        app.post("/auth/v1/verify", json!({ "type": kind, "token_hash": token })).await
    };
    let session = verify("signup", &drawn["hashed_token"]).await.must_be(200).json();
    assert_eq!(session["user"]["id"], drawn["id"]);
    sign_in(&app, ADA, PASSWORD).await.must_be(200);

    for kind in ["magiclink", "recovery"] {
        let drawn = generate(&admin, json!({ "type": kind, "email": ADA, "redirectTo": "x" }))
            .await
            .must_be(200)
            .json();
        assert_eq!((&drawn["verification_type"], &drawn["id"]), (&json!(kind), &session["user"]["id"]));
        verify(kind, &drawn["hashed_token"]).await.must_be(200);
        fails(&verify(kind, &drawn["hashed_token"]).await, 403, "otp_expired");
        let drawn = generate(&admin, json!({ "type": kind, "email": ADA })).await.must_be(200).json();
        let body = json!({ "type": kind, "email": ADA, "token": drawn["email_otp"] });
        app.post("/auth/v1/verify", body).await.must_be(200);
    }
    let drawn = generate(&admin, json!({ "type": "magiclink", "email": NEW })).await.must_be(200).json();
    assert_eq!(drawn["verification_type"], "signup");
    assert_eq!(verify("signup", &drawn["hashed_token"]).await.must_be(200).json()["user"]["id"], drawn["id"]);
    let lin = json!({ "type": "invite", "email": "lin@northwind.example" });
    let drawn = generate(&admin, lin).await.must_be(200).json();
    assert!(drawn["invited_at"].is_string());
    verify("invite", &drawn["hashed_token"]).await.must_be(200);

    for (body, status, code) in [
        (json!({ "type": "signup", "email": ADA, "password": PASSWORD }), 422, "email_exists"),
        (json!({ "type": "invite", "email": ADA }), 422, "email_exists"),
        (json!({ "type": "signup", "email": "x@y.example" }), 400, "validation_failed"),
        (json!({ "type": "signup", "email": "x@y.example", "password": "short" }), 422, "weak_password"),
        (json!({ "type": "recovery", "email": "x@y.example" }), 404, "user_not_found"),
        (json!({ "type": "email_change_new", "email": ADA, "new_email": ADA }), 422, "email_exists"),
        (json!({ "type": "email_change_current", "email": ADA }), 400, "validation_failed"),
        (json!({ "type": "other", "email": ADA }), 400, "validation_failed"),
        (json!({ "email": ADA }), 400, "validation_failed"),
        (json!({ "type": "magiclink" }), 400, "validation_failed"),
    ] {
        fails(&generate(&admin, body).await, status, code);
    }
    // Nobody is led elsewhere.
    let body = json!({ "type": "magiclink", "email": ADA, "redirect_to": "https://evil.example/" });
    assert_eq!(generate(&admin, body).await.must_be(200).json()["redirect_to"], "https://app.example");
}

#[tokio::test]
async fn each_act_is_in_the_trail_with_the_key_that_asked_for_it() {
    let vendor = Vendor::with(|init| init.enumeration = Enumeration::Strict).await;
    let admin = vendor.admin();
    let user = create(&admin, json!({ "email": ADA, "email_confirm": true })).await;
    put(&admin, &user, json!({ "ban_duration": "1h", "role": "x" })).await.must_be(200);
    put(&admin, &user, json!({ "ban_duration": "none" })).await.must_be(200);
    generate(&admin, json!({ "type": "magiclink", "email": ADA })).await.must_be(200);
    admin.json(Method::DELETE, &path(&user), json!({ "should_soft_delete": true })).await.must_be(200);
    admin.delete(&path(&user)).await.must_be(200);
    let id = user["id"].as_str().and_then(|id| id.parse().ok());
    let db = vendor.test.realm.realm.db();
    let mut rows = latchstring_core::audit::list(db, id, None, 100).await.expect("a trail").0;
    rows.reverse();
    assert!(rows.iter().all(|row| row.actor_kind == "api_key" && row.outcome == "done"));
    let acts: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    let wanted = [
        "user.created",
        "user.banned",
        "user.changed",
        "user.unbanned",
        "link.drawn",
        "user.erased",
        "user.deleted",
    ];
    assert_eq!(acts, wanted);
}

#[tokio::test]
async fn links_of_two_mailboxes_change_an_address_together() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    create(&admin, json!({ "email": ADA, "password": PASSWORD, "email_confirm": true })).await;
    let draw = async |side: &str| {
        let body = json!({ "type": format!("email_change_{side}"), "email": ADA, "new_email": NEW });
        admin.post("/auth/v1/admin/generate_link", body).await.must_be(200).json()
    };
    let (current, new) = (draw("current").await, draw("new").await);
    assert_eq!((&current["verification_type"], &new["email"]), (&json!("email_change_current"), &json!(ADA)));
    assert!(new["action_link"].as_str().expect("a link").contains("&type=email_change&"));
    assert!(vendor.test.mail_to(NEW).await.is_none(), "the back end writes by itself");
    let verify = async |drawn: &Value| {
        let body = json!({ "type": "email_change", "token_hash": drawn["hashed_token"] });
        app.post("/auth/v1/verify", body).await
    };
    assert_eq!(verify(&new).await.must_be(200).json()["code"], "200", "half of it");
    fails(&verify(&new).await, 403, "otp_expired");
    let session = verify(&current).await.must_be(200).json();
    assert_eq!(session["user"]["email"], NEW);
    sign_in(&app, NEW, PASSWORD).await.must_be(200);
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
}
