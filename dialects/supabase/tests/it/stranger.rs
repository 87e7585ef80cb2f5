//! What somebody who knows an address and nothing else can leave behind for its owner, or learn of them.

use crate::{
    admin::put,
    app::{SITE, Vendor, fails},
    flows::{ADA, OTHER, PASSWORD, ada, claims, refresh, sign_in, sign_up, verify},
};
use http::Method;
use latchstring_core::{
    clock::{MINUTE, SECOND},
    mount::Enumeration,
};
use latchstring_web::testing::{Answer, Client};
use serde_json::{Value, json};

async fn otp(app: &Client, email: &str, data: Value) -> Answer {
    app.post("/auth/v1/otp", json!({ "email": email, "data": data })).await
}

/// The token of the newest mail's link.
async fn link(vendor: &Vendor, email: &str) -> String {
    let link = vendor.test.mail_to(email).await.expect("a mail").link.expect("a link");
    link.split("token=").nth(1).expect("a token").to_owned()
}

#[tokio::test]
async fn attack_a056_a_password_changed_before_the_proof_goes_with_the_first_one() {
    let vendor = Vendor::new().await;
    vendor.test.realm.set(|s| s.confirm_sign_up = false).await;
    let app = vendor.app();
    let stranger = sign_up(&app, ADA, PASSWORD).await.must_be(200).json();
    let put = vendor.signed(&stranger).json(Method::PUT, "/auth/v1/user", json!({ "password": OTHER })).await;
    put.must_be(200);
    sign_in(&app, ADA, OTHER).await.must_be(200);
    otp(&app, ADA, json!({})).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    verify(&app, "email", ADA, &code).await.must_be(200);
    for password in [PASSWORD, OTHER] {
        fails(&sign_in(&app, ADA, password).await, 400, "invalid_credentials");
    }
}

#[tokio::test]
async fn attack_a056_nor_does_one_stay_that_a_back_end_has_set() {
    let vendor = Vendor::new().await;
    vendor.test.realm.set(|s| s.confirm_sign_up = false).await;
    let app = vendor.app();
    let stranger = sign_up(&app, ADA, PASSWORD).await.must_be(200).json();
    put(&vendor.admin(), &stranger["user"], json!({ "password": OTHER })).await.must_be(200);
    otp(&app, ADA, json!({})).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    verify(&app, "email", ADA, &code).await.must_be(200);
    fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
}

#[tokio::test]
async fn attack_a056_a_strangers_words_are_nobodys() {
    for by in ["otp", "recover", "invite"] {
        let vendor = Vendor::new().await;
        let (app, admin) = (vendor.app(), vendor.admin());
        sign_up(&app, ADA, OTHER).await.must_be(200);
        let session = match by {
            "invite" => {
                let body = json!({ "email": ADA, "data": { "team": 7 } });
                let shown = admin.post("/auth/v1/invite", body).await.must_be(200).json();
                assert_eq!(shown["user_metadata"], json!({ "team": 7 }));
                let token = link(&vendor, ADA).await;
                app.post("/auth/v1/verify", json!({ "type": "invite", "token_hash": token })).await
            }
            "otp" => {
                otp(&app, ADA, json!({ "team": 7 })).await.must_be(200);
                let code = vendor.test.code_to(ADA).await;
                verify(&app, "email", ADA, &code).await
            }
            _ => {
                app.post("/auth/v1/recover", json!({ "email": ADA })).await.must_be(200);
                let code = vendor.test.code_to(ADA).await;
                verify(&app, "recovery", ADA, &code).await
            }
        };
        let session = session.must_be(200).json();
        let own = &session["user"]["user_metadata"];
        assert!(own.get("full_name").is_none(), "{by}: {own}");
        assert_eq!(own.get("team").is_some(), by != "recover", "{by}: {own}");
        fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
    }
}

#[tokio::test]
async fn attack_a056_words_of_an_older_request_are_nobodys_either() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    otp(&app, ADA, json!({ "evil": 1 })).await.must_be(200);
    let token = link(&vendor, ADA).await;
    otp(&app, ADA, json!({})).await.must_be(200);
    let shown = json!({ "type": "magiclink", "token_hash": token });
    let session = app.post("/auth/v1/verify", shown).await.must_be(200).json();
    assert!(session["user"]["user_metadata"].get("evil").is_none());
}

#[tokio::test]
async fn who_asks_for_the_mail_once_more_from_elsewhere_has_typed_no_password() {
    for elsewhere in [false, true] {
        let vendor = Vendor::new().await;
        let app = vendor.app();
        sign_up(&app, ADA, PASSWORD).await.must_be(200);
        let mut asker = vendor.app();
        if elsewhere {
            asker.peer = ([198, 51, 100, 9], 4711).into();
        }
        asker.post("/auth/v1/resend", json!({ "type": "signup", "email": ADA })).await.must_be(200);
        let code = vendor.test.code_to(ADA).await;
        verify(&app, "signup", ADA, &code).await.must_be(200);
        let signed = sign_in(&app, ADA, PASSWORD).await;
        match elsewhere {
            true => fails(&signed, 400, "invalid_credentials"),
            false => drop(signed.must_be(200)),
        }
    }
}

#[tokio::test]
async fn attack_a113_a_strict_mount_answers_a_sign_up_alike_whoever_has_the_address() {
    let vendor = Vendor::with(|init| init.enumeration = Enumeration::Strict).await;
    let app = vendor.app();
    let mut ids = Vec::new();
    let shape = |answer: &Value| {
        let mut shape = answer.clone();
        for name in ["id", "email", "created_at", "updated_at", "confirmation_sent_at"] {
            shape[name] = Value::Null;
        }
        shape["user_metadata"]["sub"] = Value::Null;
        shape["user_metadata"]["email"] = Value::Null;
        shape["identities"][0] = Value::Null;
        shape
    };
    let mut shapes = Vec::new();
    // Nobody's, then waiting, then somebody's.
    for round in 0..3 {
        let answer = sign_up(&app, ADA, PASSWORD).await.must_be(200).json();
        assert_eq!(answer["identities"][0]["user_id"], answer["id"]);
        shapes.push(shape(&answer));
        ids.push((answer["id"].clone(), answer["identities"][0]["identity_id"].clone()));
        // The password that was just typed tells nothing, unless the account is theirs.
        if round < 2 {
            fails(&sign_in(&app, ADA, PASSWORD).await, 400, "invalid_credentials");
        }
        if round == 1 {
            let code = vendor.test.code_to(ADA).await;
            verify(&app, "signup", ADA, &code).await.must_be(200);
            vendor.test.realm.clock.advance(30 * MINUTE);
        }
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    let lin = sign_up(&app, "lin@northwind.example", PASSWORD).await.must_be(200).json();
    assert_ne!(lin["id"], ids[0].0);
}

#[tokio::test]
async fn attack_a113_asking_for_a_change_of_address_once_more_tells_nothing() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let new = json!({ "email": "ada@new.example" });
    vendor.signed(&session).json(Method::PUT, "/auth/v1/user", new).await.must_be(200);
    vendor.test.realm.clock.advance(10 * MINUTE);
    let mut answers = Vec::new();
    for email in [ADA, "nobody@northwind.example"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let body = json!({ "type": "email_change", "email": email });
            statuses.push(vendor.app().post("/auth/v1/resend", body).await.status.as_u16());
        }
        answers.push(statuses);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains(&429));
    let again = json!({ "type": "email_change", "email": ADA });
    let limited = vendor.app().post("/auth/v1/resend", again).await;
    fails(&limited, 429, "over_email_send_rate_limit");
    assert!(limited.header("ratelimit").starts_with("\"sends_by_target\";r=0;t="));
    assert!(limited.header("ratelimit-policy").starts_with("\"sends_by_target\";q="));
}

#[tokio::test]
async fn attack_a021_no_link_of_ours_carries_an_answer_that_another_wrote() {
    let vendor = Vendor::new().await;
    ada(&vendor).await;
    for evil in [
        "https://app.example/#access_token=x&refresh_token=y",
        "https://app.example/?access_token=x",
        "https://app.example/a/%2e%2e/b",
        "https://app.example/a/../b",
    ] {
        let body = json!({ "type": "magiclink", "email": ADA, "redirect_to": evil });
        let drawn = vendor.admin().post("/auth/v1/admin/generate_link", body).await.must_be(200).json();
        assert_eq!(drawn["redirect_to"], SITE, "{evil}");
    }
}

/// What refreshing shows is kept in memory: it has to be what is there, whatever has changed and by whom.
#[tokio::test]
async fn a_refresh_shows_what_a_look_shows() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let mut session = ada(&vendor).await;
    let user = session["user"].clone();
    let mut seen = Vec::new();
    for step in 0..9 {
        let signed = vendor.signed(&session);
        let own = |body: Value| signed.json(Method::PUT, "/auth/v1/user", body);
        match step {
            0 => {}
            1 => drop(own(json!({ "data": { "full_name": "Lady Ada" } })).await.must_be(200)),
            2 => drop(put(&admin, &user, json!({ "app_metadata": { "plan": "pro" } })).await.must_be(200)),
            3 => drop(put(&admin, &user, json!({ "role": "editor" })).await.must_be(200)),
            4 => drop(sign_in(&vendor.app(), ADA, PASSWORD).await.must_be(200)),
            5 => drop(own(json!({ "email": "ada@new.example" })).await.must_be(200)),
            // That change is given up by time alone.
            6 => vendor.test.realm.clock.advance(2 * 60 * MINUTE),
            7 => {
                let body = json!({ "email": "ada@other.example", "email_confirm": true });
                drop(put(&admin, &user, body).await.must_be(200));
            }
            _ => {
                drop(put(&admin, &user, json!({ "user_metadata": { "full_name": null } })).await.must_be(200))
            }
        }
        // Twice: what the first one keeps, the second one shows.
        for _ in 0..2 {
            session = refresh(&vendor.app(), &session).await.must_be(200).json();
            let shown = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
            assert_eq!(session["user"], shown, "after step {step}");
            let claims = claims(&session);
            for name in ["app_metadata", "user_metadata", "email", "role", "is_anonymous"] {
                assert_eq!(claims[name], shown[name], "{name} after step {step}");
            }
            vendor.test.realm.clock.advance(SECOND);
        }
        seen.push(session["user"].clone());
    }
    for pair in seen.windows(2) {
        assert_ne!(pair[0], pair[1], "each step changes something that is shown");
    }
}

#[tokio::test]
async fn a_change_of_address_that_was_given_up_for_another_is_void() {
    let vendor = Vendor::new().await;
    let session = ada(&vendor).await;
    let change = async |email: &str| {
        let body = json!({ "email": email });
        vendor.signed(&session).json(Method::PUT, "/auth/v1/user", body).await.must_be(200).json()
    };
    change("ada@one.example").await;
    let first = vendor.test.code_to("ada@one.example").await;
    let shown = change("ada@two.example").await;
    assert_eq!(shown["new_email"], "ada@two.example");
    fails(&verify(&vendor.app(), "email_change", "ada@one.example", &first).await, 403, "otp_expired");
    let second = vendor.test.code_to("ada@two.example").await;
    verify(&vendor.app(), "email_change", "ada@two.example", &second).await.must_be(200);
    let current = vendor.test.code_to(ADA).await;
    verify(&vendor.app(), "email_change", ADA, &current).await.must_be(200);
    let shown = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
    assert_eq!(shown["email"], "ada@two.example");
}

#[tokio::test]
async fn a_back_end_is_not_asked_of_a_mailbox_that_does_not_count() {
    let vendor = Vendor::with(|init| init.settings.double_confirm = false).await;
    ada(&vendor).await;
    let draw = async |kind: &str| {
        let body = json!({ "type": kind, "email": ADA, "new_email": "ada@new.example" });
        vendor.admin().post("/auth/v1/admin/generate_link", body).await
    };
    fails(&draw("email_change_current").await, 400, "validation_failed");
    let drawn = draw("email_change_new").await.must_be(200).json();
    let shown = json!({ "type": "email_change", "token_hash": drawn["hashed_token"] });
    let answer = vendor.app().post("/auth/v1/verify", shown).await;
    assert!(answer.status.is_success() || answer.status.as_u16() == 403, "{}", answer.text());
    let users = vendor.admin().get("/auth/v1/admin/users").await.must_be(200).json();
    assert_eq!(users["users"][0]["email"], "ada@new.example");
}

#[tokio::test]
async fn attack_a171_whoever_was_deleted_stays_so() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let user = ada(&vendor).await["user"].clone();
    let soft = json!({ "should_soft_delete": true });
    admin.json(Method::DELETE, &crate::admin::path(&user), soft).await.must_be(200);
    for body in [
        json!({ "ban_duration": "none" }),
        json!({ "email": ADA, "email_confirm": true, "password": OTHER, "ban_duration": "none" }),
        json!({ "role": "editor" }),
    ] {
        fails(&put(&admin, &user, body).await, 400, "validation_failed");
    }
    fails(&sign_in(&vendor.app(), ADA, OTHER).await, 400, "invalid_credentials");
}

#[tokio::test]
async fn a_sign_up_that_is_banned_does_not_free_its_address() {
    let vendor = Vendor::new().await;
    let users =
        async || vendor.admin().get("/auth/v1/admin/users").await.must_be(200).json()["users"].clone();
    sign_up(&vendor.app(), ADA, PASSWORD).await.must_be(200);
    sign_up(&vendor.app(), "lin@northwind.example", PASSWORD).await.must_be(200);
    let ada = users().await.as_array().expect("a list").iter().find(|user| user["email"] == ADA).cloned();
    put(&vendor.admin(), &ada.expect("ada"), json!({ "ban_duration": "10000h" })).await.must_be(200);
    vendor.test.realm.clock.advance(40 * 24 * 60 * MINUTE);
    latchstring_core::sweep::once(&vendor.test.realm.realm).await.expect("swept");
    let left = users().await;
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    assert_eq!(left[0]["email"], ADA);
}

#[tokio::test]
async fn attack_a122_whoever_guesses_at_codes_keeps_nobody_out() {
    let vendor = Vendor::new().await;
    ada(&vendor).await;
    vendor.test.realm.clock.advance(10 * MINUTE);
    let mut stranger = vendor.app();
    stranger.peer = ([198, 51, 100, 9], 4711).into();
    otp(&stranger, ADA, json!({})).await.must_be(200);
    let mut refused = Vec::new();
    for guess in 0..14 {
        refused.push(verify(&stranger, "email", ADA, &format!("{guess:06}")).await.status.as_u16());
    }
    assert!(refused.contains(&429), "the stranger is held up: {refused:?}");
    // The owner, elsewhere, asks anew and gets in at once.
    otp(&vendor.app(), ADA, json!({})).await.must_be(200);
    let code = vendor.test.code_to(ADA).await;
    verify(&vendor.app(), "email", ADA, &code).await.must_be(200);
}

#[tokio::test]
async fn whoever_loses_a_claimed_address_is_shown_without_it_at_once() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let session = ada(&vendor).await;
    let session = refresh(&vendor.app(), &session).await.must_be(200).json();
    // A back end says that Ada has another address, and vouches for nothing.
    put(&admin, &session["user"], json!({ "email": "lin@northwind.example" })).await.must_be(200);
    let session = refresh(&vendor.app(), &session).await.must_be(200).json();
    assert_eq!(session["user"]["email"], "lin@northwind.example");
    // Lin, who has an account by another address, proves it.
    sign_up(&vendor.app(), "lin@old.example", PASSWORD).await.must_be(200);
    let code = vendor.test.code_to("lin@old.example").await;
    let lin = verify(&vendor.app(), "signup", "lin@old.example", &code).await.must_be(200).json();
    let change = json!({ "email": "lin@northwind.example" });
    vendor.signed(&lin).json(Method::PUT, "/auth/v1/user", change).await.must_be(200);
    for address in ["lin@northwind.example", "lin@old.example"] {
        let code = vendor.test.code_to(address).await;
        verify(&vendor.app(), "email_change", address, &code).await.must_be(200);
    }
    let shown = refresh(&vendor.app(), &session).await.must_be(200).json();
    let looked = vendor.signed(&shown).get("/auth/v1/user").await.must_be(200).json();
    assert_eq!(shown["user"], looked);
    assert_ne!(shown["user"]["email"], "lin@northwind.example");
}
