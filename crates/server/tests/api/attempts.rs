//! `/api/v1/attempts`

use super::{app, check, sign_up, tokens};
use latchstring_core::testing::{OTHER_PASSWORD, PASSWORD};
use serde_json::json;

#[tokio::test]
async fn a_person_signs_up_proves_the_address_and_is_signed_in() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let session = browser.get("/api/v1/session").await.must_be(200).json();
    assert_eq!(session["user"]["email"], "ada@northwind.example");
    assert_eq!(session["user"]["email_proven"], true);
    assert_eq!(session["user"]["email_asserted"], false);
    assert_eq!(session["session"]["kind"], "browser");
    check(&browser).await.must_be(200);
}

#[tokio::test]
async fn one_sign_in_gives_a_session_and_a_jwt_and_one_call_ends_both() {
    let app = app().await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let token =
        browser.post_nothing("/api/v1/session/token").await.must_be(200).json()["access_token"].clone();
    let service = super::bearer(&app, &token);
    check(&service).await.must_be(200);
    browser.delete("/api/v1/session").await.must_be(204);
    check(&browser).await.must_refuse(401, "not_signed_in");
    check(&service).await.must_refuse(401, "unusable_token");
}

#[tokio::test]
async fn a_password_in_the_first_request_signs_in_at_once() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let result = tokens(&app, "Ada@Northwind.Example").await;
    assert!(result["refresh_token"].as_str().is_some_and(|t| t.starts_with("lsr_")));
    check(&super::bearer(&app, &result["access_token"])).await.must_be(200);
}

#[tokio::test]
async fn a_wrong_password_in_the_first_request_leaves_an_attempt_to_go_on_with() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    app.realm.clock.advance(latchstring_core::clock::HOUR);
    let begin = |sink: &str, email: &str| json!({"kind": "sign_in", "sink": sink, "identifier": email, "password": OTHER_PASSWORD});
    let mut seen = Vec::new();
    for email in ["ada@northwind.example", "bob@northwind.example"] {
        let mut program = app.program();
        let refused = program.post("/api/v1/attempts", begin("tokens", email)).await;
        let mut refused = refused.must_refuse(403, "wrong_credentials").json();
        let attempt = refused["attempt"].clone();
        program.set("latchstring-attempt", attempt["handle"].as_str().unwrap());
        let path = format!("/api/v1/attempts/{}", attempt["id"].as_str().unwrap());
        program.post_nothing(&format!("{path}/code/send")).await.must_be(202);
        if email.starts_with("ada") {
            let code = app.code_to(email).await;
            let done = program.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200);
            assert_eq!(done.json()["state"], "completed");
        }

        let browser = app.browser();
        let answer = browser.post("/api/v1/attempts", begin("cookie", email)).await;
        let answer = answer.must_refuse(403, "wrong_credentials");
        assert!(answer.headers.contains_key("set-cookie"), "{email}");
        let mut kept = answer.json();
        assert!(kept["attempt"].get("handle").is_none(), "the cookie binds it");
        let path = format!("/api/v1/attempts/{}", kept["attempt"]["id"].as_str().unwrap());
        browser.post_nothing(&format!("{path}/code/send")).await.must_be(202);

        for document in [&mut refused, &mut kept] {
            for (member, value) in document["attempt"].as_object_mut().unwrap() {
                if ["id", "handle", "identifier", "expires_at"].contains(&member.as_str()) {
                    *value = json!("…");
                }
            }
        }
        seen.push([refused, kept]);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0][0]["attempt"]["offers"], json!(["password", "code"]));
}

#[tokio::test]
async fn a_guest_brings_no_password() {
    let app = app().await;
    app.realm.set(|s| s.guests = true).await;
    let body = json!({"kind": "sign_up", "guest": true, "password": PASSWORD});
    app.program().post("/api/v1/attempts", body).await.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn a_mailed_code_signs_in_by_its_attempts_handle_only() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let mut program = app.program();
    let body = json!({"kind": "sign_in", "identifier": "ada@northwind.example"});
    let begun = program.post("/api/v1/attempts", body.clone()).await.must_be(201).json();
    let other = program.post("/api/v1/attempts", body).await.must_be(201).json();
    assert_eq!(begun["offers"], json!(["password", "code"]));
    let path = format!("/api/v1/attempts/{}", begun["id"].as_str().unwrap());
    program.get(&path).await.must_refuse(404, "unknown_attempt");
    program.set("latchstring-attempt", other["handle"].as_str().unwrap());
    program.get(&path).await.must_refuse(404, "unknown_attempt");
    program.set("latchstring-attempt", begun["handle"].as_str().unwrap());
    program.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    let code = app.code_to("ada@northwind.example").await;
    let done = program.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200).json();
    assert_eq!(done["state"], "completed");
    assert_eq!(done["offers"], json!([]));
    program.post(&format!("{path}/code"), json!({"code": code})).await.must_refuse(410, "closed_attempt");
    let read = program.get(&path).await.must_be(200).json();
    assert_eq!(read["state"], "completed", "a completed attempt is readable, and unable to act");
    assert!(read.get("result").is_none(), "tokens are handed out once");
}

#[tokio::test]
async fn recovery_sets_a_new_password_and_ends_everything_else() {
    let app = app().await;
    let before = app.browser();
    sign_up(&app, &before, "ada@northwind.example").await;
    let browser = app.browser();
    let begun = browser
        .post(
            "/api/v1/attempts",
            json!({"kind": "recover", "sink": "cookie", "identifier": "ada@northwind.example"}),
        )
        .await
        .must_be(201);
    let path = format!("/api/v1/attempts/{}", begun.json()["id"].as_str().unwrap());
    browser.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    let code = app.code_to("ada@northwind.example").await;
    let proven = browser.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200);
    assert_eq!(proven.json()["offers"], json!(["new_password"]));
    browser.post(&format!("{path}/new-password"), json!({"password": OTHER_PASSWORD})).await.must_be(200);
    check(&browser).await.must_be(200);
    check(&before).await.must_refuse(401, "not_signed_in");
    let old = json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": PASSWORD});
    app.program().post("/api/v1/attempts", old).await.must_refuse(403, "wrong_credentials");
}

#[tokio::test]
async fn a_guest_becomes_a_person_with_the_same_id() {
    let app = app().await;
    app.realm.set(|s| s.guests = true).await;
    let browser = app.browser();
    let guest =
        browser.post("/api/v1/attempts", json!({"kind": "sign_up", "sink": "cookie", "guest": true})).await;
    let id = guest.must_be(201).json()["result"]["user_id"].clone();
    let begun = browser
        .post(
            "/api/v1/attempts",
            json!({"kind": "sign_up", "sink": "cookie", "upgrade": true, "identifier": "ada@northwind.example"}),
        )
        .await
        .must_be(201);
    let path = format!("/api/v1/attempts/{}", begun.json()["id"].as_str().unwrap());
    browser.post_nothing(&format!("{path}/code/send")).await.must_be(202);
    let code = app.code_to("ada@northwind.example").await;
    browser.post(&format!("{path}/code"), json!({"code": code})).await.must_be(200);
    let done =
        browser.post(&format!("{path}/new-password"), json!({"password": PASSWORD})).await.must_be(200);
    assert_eq!(done.json()["result"]["user_id"], id);
    let account = browser.get("/api/v1/account").await.must_be(200).json();
    assert_eq!(
        (account["kind"].as_str(), account["email"].as_str()),
        (Some("person"), Some("ada@northwind.example"))
    );
}

#[tokio::test]
async fn answers_do_not_tell_whether_an_account_exists() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    // The mail of the sign-up counted against the address; let that be over.
    app.realm.clock.advance(latchstring_core::clock::HOUR);
    let mut seen = Vec::new();
    for email in ["ada@northwind.example", "bob@northwind.example"] {
        let mut program = app.program();
        let mut answers = Vec::new();
        for kind in ["sign_in", "sign_up", "recover"] {
            let begun = program
                .post("/api/v1/attempts", json!({"kind": kind, "identifier": email}))
                .await
                .must_be(201);
            let view = begun.json();
            answers.push(format!("{} {} {}", begun.status, view["offers"], view["state"]));
            program.set("latchstring-attempt", view["handle"].as_str().unwrap());
            let path = format!("/api/v1/attempts/{}", view["id"].as_str().unwrap());
            let sent = program.post_nothing(&format!("{path}/code/send")).await;
            answers.push(format!("{} {}", sent.status, sent.text()));
            let wrong = program.post(&format!("{path}/code"), json!({"code": "000000"})).await;
            answers.push(format!("{} {}", wrong.status, wrong.text()));
            if kind == "sign_in" {
                let wrong =
                    program.post(&format!("{path}/password"), json!({"password": "not it at all"})).await;
                answers.push(format!("{} {}", wrong.status, wrong.text()));
            }
        }
        seen.push(answers);
        assert!(app.mail_to(email).await.is_some(), "both get mail; what it says is for its reader alone");
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn sign_up_follows_the_realms_setting() {
    let app = app().await;
    let body = json!({"kind": "sign_up", "identifier": "ada@northwind.example"});
    for mode in [latchstring_core::settings::SignUp::Invite, latchstring_core::settings::SignUp::Closed] {
        app.realm.set(move |s| s.sign_up = mode).await;
        app.program().post("/api/v1/attempts", body.clone()).await.must_refuse(403, "sign_up_closed");
    }
    let guest = json!({"kind": "sign_up", "guest": true});
    app.program().post("/api/v1/attempts", guest).await.must_refuse(403, "guests_off");
}

#[tokio::test]
async fn an_invitation_makes_an_account_for_its_address_only() {
    let app = app().await;
    app.realm.set(|s| s.sign_up = latchstring_core::settings::SignUp::Invite).await;
    let admin = app.backend(&["invitations:write"]).await;
    admin.post("/api/v1/invitations", json!({"email": "eve@northwind.example"})).await.must_be(201);
    let link = app.mail_to("eve@northwind.example").await.and_then(|m| m.link).expect("a link");
    let secret = link.split("invitation=").nth(1).expect("a secret").to_owned();
    let mut program = app.program();
    let body = json!({"kind": "sign_up", "invitation": secret, "identifier": "mallory@evil.example"});
    let begun = program.post("/api/v1/attempts", body.clone()).await.must_be(201).json();
    assert_eq!(begun["identifier"], "eve@northwind.example", "attack_a109: the address is the invitation's");
    program.set("latchstring-attempt", begun["handle"].as_str().unwrap());
    let path = format!("/api/v1/attempts/{}/new-password", begun["id"].as_str().unwrap());
    program.post(&path, json!({"password": PASSWORD})).await.must_be(200);
    app.program().post("/api/v1/attempts", body).await.must_refuse(410, "unusable_invitation");
}

#[tokio::test]
async fn an_invitation_is_enough_where_no_password_is_asked_for() {
    let app = app().await;
    app.realm.set(|s| s.password.required = false).await;
    let admin = app.backend(&["invitations:write"]).await;
    admin.post("/api/v1/invitations", json!({"email": "eve@northwind.example"})).await.must_be(201);
    let link = app.mail_to("eve@northwind.example").await.and_then(|m| m.link).expect("a link");
    let secret = link.split("invitation=").nth(1).expect("a secret");
    let body = json!({"kind": "sign_up", "invitation": secret});
    let done = app.program().post("/api/v1/attempts", body.clone()).await.must_be(201).json();
    assert_eq!(done["state"], "completed");
    check(&super::bearer(&app, &done["result"]["access_token"])).await.must_be(200);
    app.program().post("/api/v1/attempts", body).await.must_refuse(410, "unusable_invitation");
}

#[tokio::test]
async fn attack_a043_a_planted_cookie_is_useless_after_the_sign_in() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let attacker = app.browser();
    let begin = json!({"kind": "sign_in", "sink": "cookie", "identifier": "ada@northwind.example"});
    attacker.post("/api/v1/attempts", begin.clone()).await.must_be(201);
    let planted = attacker.cookie();
    let victim = app.browser();
    victim.plant(planted.clone());
    let begun = victim.post("/api/v1/attempts", begin).await.must_be(201);
    assert_eq!(victim.cookie(), planted, "the same browser row, as far as the server can tell");
    let path = format!("/api/v1/attempts/{}/password", begun.json()["id"].as_str().unwrap());
    victim.post(&path, json!({"password": PASSWORD})).await.must_be(200);
    assert_ne!(victim.cookie(), planted);
    check(&victim).await.must_be(200);
    check(&attacker).await.must_refuse(401, "not_signed_in");
}

#[tokio::test]
async fn attack_a045_and_a101_another_browser_can_not_go_on_with_an_attempt() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let mine = app.browser();
    let begin = json!({"kind": "sign_in", "sink": "cookie", "identifier": "ada@northwind.example"});
    let begun = mine.post("/api/v1/attempts", begin.clone()).await.must_be(201);
    let path = format!("/api/v1/attempts/{}", begun.json()["id"].as_str().unwrap());
    let other = app.browser();
    other.post("/api/v1/attempts", begin).await.must_be(201);
    other
        .post(&format!("{path}/password"), json!({"password": PASSWORD}))
        .await
        .must_refuse(404, "unknown_attempt");
    other.post_nothing(&format!("{path}/code/send")).await.must_refuse(404, "unknown_attempt");
    other.get(&path).await.must_refuse(404, "unknown_attempt");
}

#[tokio::test]
async fn attack_a052_and_a144_a_foreign_page_can_not_sign_anybody_in() {
    let app = app().await;
    sign_up(&app, &app.browser(), "mallory@evil.example").await;
    let mut foreign = app.browser();
    foreign.unset("sec-fetch-site");
    let body = json!({"kind": "sign_in", "sink": "cookie", "identifier": "mallory@evil.example", "password": PASSWORD});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://id.northwind.example.evil.example"),
    ] {
        let mut client = foreign.clone();
        client.set(name, value);
        client.post("/api/v1/attempts", body.clone()).await.must_refuse(403, "origin_refused");
    }
    foreign.post("/api/v1/attempts", body.clone()).await.must_refuse(403, "origin_refused");
    let text = body.to_string().into_bytes();
    let mut same = app.browser();
    same.set("origin", "https://id.northwind.example");
    let plain = same.send(http::Method::POST, "/api/v1/attempts", Some(("text/plain", text))).await;
    plain.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn attack_a103_and_a104_an_address_is_one_mailbox_or_nothing() {
    let app = app().await;
    sign_up(&app, &app.browser(), "victim@good.example").await;
    let bad = [
        json!(["victim@good.example", "attacker@evil.example"]),
        json!({"a": "victim@good.example"}),
        json!(null),
        json!(7),
        json!("victim@good.example,attacker@evil.example"),
        json!("victim@good.example;attacker@evil.example"),
        json!("victim@good.example\r\nBcc: attacker@evil.example"),
        json!("\"a@evil.example x\"@good.example"),
        json!("<victim@good.example>"),
        json!("=?utf-8?q?x?=@good.example"),
        json!("victim@good.example\u{0}"),
        json!("vic\u{202e}tim@good.example"),
    ];
    for identifier in bad {
        let answer = app
            .program()
            .post("/api/v1/attempts", json!({"kind": "recover", "identifier": identifier}))
            .await;
        assert_eq!(answer.status, 400, "{identifier}: {}", answer.text());
    }
    let twice =
        br#"{"kind":"recover","identifier":"victim@good.example","identifier":"attacker@evil.example"}"#;
    let answer = app
        .program()
        .send(http::Method::POST, "/api/v1/attempts", Some(("application/json", twice.to_vec())))
        .await;
    answer.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn attack_a121_long_passwords_are_refused_before_they_cost_anything() {
    let app = app().await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let before = app.realm.hashes();
    for n in [257, 4_097, 60_000] {
        let body =
            json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": "x".repeat(n)});
        app.program().post("/api/v1/attempts", body).await.must_refuse(400, "invalid_input");
    }
    let body =
        json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": "x".repeat(1_000_000)});
    app.program().post("/api/v1/attempts", body).await.must_refuse(400, "invalid_input");
    assert_eq!(app.realm.hashes(), before);
}

#[tokio::test]
async fn attack_a122_failed_sign_ins_slow_down_and_the_owner_still_gets_in() {
    let app = app().await;
    let owner = app.browser();
    sign_up(&app, &owner, "ada@northwind.example").await;
    let wrong =
        json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": "not it at all"});
    let mut last = None;
    for _ in 0..7 {
        last = Some(app.program().post("/api/v1/attempts", wrong.clone()).await);
    }
    let last = last.unwrap().must_refuse(429, "throttled");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    let right = json!({"kind": "sign_in", "identifier": "ada@northwind.example", "password": PASSWORD});
    app.program().post("/api/v1/attempts", right.clone()).await.must_refuse(429, "throttled");
    // The browser in which the owner signed in before is not locked out by strangers.
    let mut known = right;
    known["sink"] = json!("cookie");
    owner.post("/api/v1/attempts", known).await.must_be(201);
}

#[tokio::test]
async fn attack_a133_members_that_nobody_may_send_are_refused() {
    let app = app().await;
    for extra in
        ["role", "email_verified", "email_proven", "user_id", "app_metadata", "aal", "is_super_admin"]
    {
        let mut body = json!({"kind": "sign_up", "identifier": "ada@northwind.example"});
        body[extra] = json!(true);
        let answer = app.program().post("/api/v1/attempts", body).await.must_refuse(400, "invalid_input");
        assert_eq!(answer.json()["param"], extra);
    }
}
