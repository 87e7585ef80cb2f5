//! `/verify?token=…`: the pages behind a mailed link.

use super::*;
use latchstring_core::{clock::MINUTE, testing::OTHER_PASSWORD};

#[tokio::test]
async fn attack_a111_the_token_leaves_the_address_and_a_get_spends_nothing() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let link = link_to(&app, ADA).await;
    let token = link.split('=').nth(1).expect("a token");
    for _ in 0..2 {
        let moved = browser.get(&link).await.must_be(303);
        assert_eq!(moved.header("location"), "/verify");
        assert!(moved.body.is_empty());
        let cookie = moved.header("set-cookie");
        assert_eq!(
            cookie,
            format!(
                "__Secure-latchstring-link=link.{token}; Path=/verify; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
            )
        );
        for _ in 0..2 {
            let page = browser.get("/verify").await.must_be(200);
            assert!(!page.text().contains(token), "the token stands on the page");
            assert_eq!(page.header("referrer-policy"), "same-origin");
        }
        browser.send(http::Method::HEAD, &link, None).await.must_be(303);
        browser.send(http::Method::HEAD, "/verify", None).await.must_be(200);
    }
    assert_eq!(signed_in(&browser).await, None, "looking signs nobody in");
    let done = press(&browser, &link).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}

#[tokio::test]
async fn a_link_goes_on_with_the_attempt_of_its_own_browser() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let id = begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let before = browser.cookie();
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, ADA);
    assert!(!page.text().contains("another device"), "it is the same browser");
    let done = browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    assert_ne!(browser.cookie(), before, "the browser's secret changes with each sign-in");
    let attempt = browser.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!(attempt["state"], "completed");
    let page = browser.get("/verify/done").await.must_be(200);
    says(&page, "You are signed in");
    says(&page, ADA);
    // Back and reload lead to the end again, not into an error.
    assert_eq!(browser.get("/verify").await.must_be(303).header("location"), "/verify/done");
}

#[tokio::test]
async fn a_link_never_completes_the_attempt_of_another_browser() {
    let app = app().await;
    ada(&app).await;
    let (first, second) = (person(&app), person(&app));
    let id = begin(&first, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&second, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Sign in here");
    says(&page, "type the code from the same mail there");
    second.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(signed_in(&second).await.as_deref(), Some(ADA));
    assert_eq!(signed_in(&first).await, None, "somebody else's press of a button signs nobody in");
    let attempt = first.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!(attempt["state"], "open");
    second.get(&format!("/api/v1/attempts/{id}")).await.must_refuse(404, "unknown_attempt");
}

#[tokio::test]
async fn a_link_of_an_app_signs_in_at_the_browser_and_gives_the_app_nothing() {
    let app = app().await;
    ada(&app).await;
    let begun = app.program().post("/api/v1/attempts", json!({"kind": "sign_in", "identifier": ADA})).await;
    let begun = begun.must_be(201).json();
    let id = begun["id"].as_str().expect("an id");
    let mut program = app.program();
    program.set("latchstring-attempt", begun["handle"].as_str().expect("a handle"));
    program.post_nothing(&format!("/api/v1/attempts/{id}/code/send")).await.must_be(202);
    let browser = person(&app);
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    let attempt = program.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!((attempt["state"].as_str(), attempt.get("result")), (Some("open"), None));
}

#[tokio::test]
async fn attack_a063_a144_a_form_from_another_origin_is_refused() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let form = form(&page);
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("https://evil.northwind.example")),
        (Some("none"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
        (None, None),
    ] {
        let mut evil = browser.clone();
        evil.unset("sec-fetch-site");
        if let Some(site) = site {
            evil.set("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            evil.set("origin", origin);
        }
        for path in ["/verify", "/verify/password", "/verify/invitation"] {
            let refused = evil.form(path, &form).await.must_be(403);
            says(&refused, "Open the link again");
        }
    }
    // Bodies that a foreign page can send without a preflight, and a method that hides in one.
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json"] {
        browser
            .send(http::Method::POST, "/verify", Some((kind, form.clone().into_bytes())))
            .await
            .must_be(400);
    }
    browser.get(&format!("/verify?_method=post&{form}")).await.must_be(200);
    assert_eq!(signed_in(&browser).await, None);
    browser.form("/verify", &form).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA), "nothing of that has spent the link");
}

#[tokio::test]
async fn a_form_is_good_for_its_browser_and_its_link_alone() {
    let app = app().await;
    ada(&app).await;
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let (browser, other) = (person(&app), person(&app));
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    begin(&other, json!({"kind": "sign_in", "sink": "cookie", "identifier": "bea@northwind.example"})).await;
    let evil = link_to(&app, "bea@northwind.example").await;
    let theirs = open(&other, &evil).await.must_be(200);
    for bad in ["", "form=", "form=00", &form(&theirs), &format!("form={}", "ä".repeat(32))] {
        let again = browser.form("/verify", bad).await.must_be(409);
        says(&again, "This page had changed meanwhile");
        says(&again, ADA);
    }
    // Another link was opened meanwhile, by an attacker's page perhaps: the old form does not press its button.
    open(&browser, &evil).await.must_be(200);
    let again = browser.form("/verify", &form(&page)).await.must_be(409);
    says(&again, "bea@northwind.example");
    assert_eq!(signed_in(&browser).await, None);
    // A form that names a member twice is none.
    browser.form("/verify", &format!("{0}&{0}", form(&again))).await.must_be(400);
    browser.form("/verify", &form(&again)).await.must_be(303);
}

#[tokio::test]
async fn a_planted_second_cookie_is_not_taken() {
    let app = app().await;
    let browser = person(&app);
    browser.plant(Some("__Secure-latchstring-link=link.a; __Secure-latchstring-link=link.b".into()));
    says(&browser.get("/verify").await.must_be(200), "Open the link from your mail");
    browser.form("/verify", "form=x").await.must_be(303);
}

#[tokio::test]
async fn signing_up_works_wholly_behind_the_mail() {
    let app = app().await;
    begin(&app.program(), json!({"kind": "sign_up", "identifier": ADA})).await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Confirm your address");
    let moved = browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(moved.header("location"), "/verify");
    assert!(app.realm.find(ADA).await.is_none(), "no account before its password");
    let page = browser.get("/verify").await.must_be(200);
    says(&page, "Choose a password");
    says(&page, "autocomplete=\"new-password\"");
    says(&page, "At least 8 characters");
    // A password that is refused says why, and the same form goes on.
    let weak =
        browser.form("/verify/password", &format!("{}&password=northwind", form(&page))).await.must_be(400);
    says(&weak, "little more than a name that belongs to you");
    assert!(!weak.text().contains("value=\"northwind\""), "a password is not sent back");
    let good = format!("{}&password={}", form(&weak), PASSWORD.replace(' ', "+"));
    // Nobody else can use that form.
    let other = person(&app);
    assert_eq!(other.form("/verify/password", &good).await.must_be(303).header("location"), "/verify");
    let done = browser.form("/verify/password", &good).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    says(&browser.get("/verify/done").await.must_be(200), "Your account is ready");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    app.realm.sign_in(ADA, PASSWORD).await;
    assert_eq!(browser.form("/verify/password", &good).await.must_be(303).header("location"), "/verify");
}

#[tokio::test]
async fn recovering_works_wholly_behind_the_mail() {
    let app = app().await;
    ada(&app).await;
    let old = app.realm.sign_in(ADA, PASSWORD).await;
    begin(&app.program(), json!({"kind": "recover", "identifier": ADA})).await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Set a new password");
    browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(signed_in(&browser).await, None, "the link alone opens nothing");
    assert!(old.is_in().await);
    // A reload, as people do.
    browser.get("/verify").await.must_be(200);
    let page = browser.get("/verify").await.must_be(200);
    says(&page, "will be signed out");
    let body =
        format!("{}&username=eve%40evil.example&password={}", form(&page), OTHER_PASSWORD.replace(' ', "+"));
    browser.form("/verify/password", &body).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Your new password is set");
    assert_eq!(
        signed_in(&browser).await.as_deref(),
        Some(ADA),
        "the account of the link, whatever the form says"
    );
    assert!(!old.is_in().await);
    app.realm.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn what_belongs_to_a_session_is_confirmed_there_and_nowhere_else() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    let new = "ada@lovelace.example";
    begin(&browser, json!({"kind": "verify", "sink": "cookie", "identifier": new})).await;
    let link = link_to(&app, new).await;
    let other = person(&app);
    let page = open(&other, &link).await.must_be(200);
    says(&page, "works only in the browser where you asked for it");
    assert!(!page.text().contains("<form"));
    let page = open(&browser, &link).await.must_be(200);
    says(&page, "It becomes the address of your account");
    assert!(!page.text().contains("Going on switches"), "the session stays");
    browser.form("/verify", &form(&page)).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Confirmed");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(new));

    begin(&browser, json!({"kind": "step_up", "sink": "cookie"})).await;
    let link = link_to(&app, new).await;
    says(&open(&other, &link).await.must_be(200), "works only in the browser");
    press(&browser, &link).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(new));
}

#[tokio::test]
async fn a_link_that_is_over_says_what_to_do_next() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let sign_in = json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA});
    begin(&browser, sign_in.clone()).await;
    let used = link_to(&app, ADA).await;
    let page = open(&browser, &used).await.must_be(200);
    browser.form("/verify", &form(&page)).await.must_be(303);
    begin(&browser, sign_in.clone()).await;
    let expired = link_to(&app, ADA).await;
    let page = open(&browser, &expired).await.must_be(200);
    app.realm.clock.advance(11 * MINUTE);
    let late = browser.form("/verify", &form(&page)).await.must_be(410);
    let text = late.text();
    let unknown = format!("/verify?token={}", "A".repeat(64));
    for link in [
        used.as_str(),
        expired.as_str(),
        unknown.as_str(),
        "/verify?token=",
        "/verify?token=x%0d%0aSet-Cookie:a=b",
    ] {
        let page = open(&browser, link).await.must_be(410);
        assert_eq!(page.text(), text, "{link}: why it is over is told to nobody");
    }
    says(&late, "ask for a new mail");
    for twice in ["/verify?token=a&token=b", "/verify?token=a&invitation=b"] {
        browser.get(twice).await.must_be(410);
    }
    // The account was banned since.
    begin(&browser, sign_in).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let id = app.realm.id_of(ADA).await;
    let banned =
        app.backend(&["users:write"]).await.post(&format!("/api/v1/users/{id}/ban"), json!({})).await;
    assert!(banned.status.is_success(), "{}", banned.text());
    browser.form("/verify", &form(&page)).await.must_be(410);
    assert_eq!(signed_in(&browser).await, None);
}

#[tokio::test]
async fn whoever_is_signed_in_already_is_told_who_follows() {
    let app = app().await;
    ada(&app).await;
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let browser = person(&app);
    for who in [ADA, "bea@northwind.example"] {
        begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": who})).await;
        let page = open(&browser, &link_to(&app, who).await).await.must_be(200);
        assert_eq!(page.text().contains("This browser is signed in as"), who != ADA);
        browser.form("/verify", &form(&page)).await.must_be(303);
        assert_eq!(signed_in(&browser).await.as_deref(), Some(who));
    }
}
