//! `/verify?not_me=…`: the page behind the link of a notice.

use super::*;
use latchstring_core::{attempt::AttemptKind, clock::MINUTE, testing::OTHER_PASSWORD};

/// Ada has an account, and somebody has signed in to it with a browser of theirs. Gives the link of the notice.
async fn noticed(app: &TestApp) -> String {
    ada(app).await;
    app.realm.sign_in(ADA, PASSWORD).await;
    not_me_to(app, ADA).await
}

#[tokio::test]
async fn the_page_says_what_the_button_does_and_the_button_leads_to_a_new_password() {
    let app = app().await;
    let link = noticed(&app).await;
    let browser = person(&app);
    let page = open(&browser, &link).await.must_be(200);
    says(&page, "A new device signed in to your account on 1 January 2026, 00:00 UTC");
    says(&page, "This was not me");
    says(&page, ADA);
    let code = browser.form("/verify/not-me", &form(&page)).await.must_be(303);
    let place = code.header("location");
    assert!(place.starts_with("/recover/") && place.ends_with("?by=code&ended=1"), "{place}");
    assert_eq!(signed_in(&browser).await, None, "nobody is signed in by it");
    let page = browser.get(&place).await.must_be(200);
    says(&page, "Everything is signed out");
    says(&page, "Check your mail");
    let at = place.split('?').next().expect("a path");
    let body = format!("{}&step=code&code={}", form(&page), app.code_to(ADA).await);
    let next = browser.form(at, &body).await.must_be(303).header("location");
    let page = browser.get(&next).await.must_be(200);
    let body = format!("{}&step=new_password&password={}", form(&page), OTHER_PASSWORD.replace(' ', "+"));
    browser.form(at, &body).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    // Nothing is carried any more, and the link says so.
    says(&browser.get("/verify").await.must_be(200), "Open the link from your mail");
    let gone = open(&browser, &link).await.must_be(410);
    says(&gone, "can’t be used any more");
    says(&gone, "Set a new password");
}

#[tokio::test]
async fn attack_a111_link_scanners_spend_nothing_and_the_token_leaves_the_address() {
    let app = app().await;
    let link = noticed(&app).await;
    let token = link.split('=').nth(1).expect("a token");
    let scanner = app.program();
    for _ in 0..3 {
        scanner.get(&link).await.must_be(303);
        scanner.send(http::Method::HEAD, &link, None).await.must_be(303);
        let page = scanner.get("/verify").await.must_be(200);
        assert!(!page.text().contains(token), "the token stands on the page");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");
        scanner.send(http::Method::HEAD, "/verify", None).await.must_be(200);
        assert_eq!(scanner.get("/verify/not-me").await.must_be(303).header("location"), "/verify");
    }
    // One that presses every button it finds does not say where it comes from.
    let page = scanner.get("/verify").await.must_be(200);
    scanner.form("/verify/not-me", &form(&page)).await.must_be(403);
    assert!(app.realm.find(ADA).await.expect("Ada").has_password);
    press_not_me(&person(&app), &link).await.must_be(303);
    assert!(!app.realm.find(ADA).await.expect("Ada").has_password);
}

async fn press_not_me(browser: &Client, link: &str) -> Answer {
    let page = open(browser, link).await.must_be(200);
    browser.form("/verify/not-me", &form(&page)).await
}

#[tokio::test]
async fn attack_a144_the_button_is_pressed_on_its_own_page_alone() {
    let app = app().await;
    let link = noticed(&app).await;
    let browser = person(&app);
    let page = open(&browser, &link).await.must_be(200);
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("https://evil.northwind.example")),
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
        evil.form("/verify/not-me", &form(&page)).await.must_be(403);
    }
    for bad in ["", "form=", "form=00", "form=x&form=x"] {
        let status = browser.form("/verify/not-me", bad).await.status;
        assert!(status == 409 || status == 400, "{bad}: {status}");
    }
    // The token of another page of this browser's is none of this one's.
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let other = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    assert_eq!(browser.form("/verify/not-me", &form(&page)).await.must_be(303).header("location"), "/verify");
    open(&browser, &link).await.must_be(200);
    browser.form("/verify/not-me", &form(&other)).await.must_be(409);
    assert_eq!(browser.form("/verify", &form(&page)).await.must_be(303).header("location"), "/verify");
    assert!(app.realm.find(ADA).await.expect("Ada").has_password);
    // Two of them in one address are none (A030).
    let token = link.split('=').nth(1).expect("a token");
    browser.get(&format!("{link}&token={token}")).await.must_be(410);
    browser.get(&format!("{link}&not_me={token}")).await.must_be(410);
}

#[tokio::test]
async fn a_changed_address_is_put_back_and_the_thief_is_out() {
    let app = app().await;
    ada(&app).await;
    let thief = app.realm.sign_in(ADA, PASSWORD).await;
    app.realm.clock.advance(MINUTE);
    let attempt = thief.begin_within(AttemptKind::Verify, Some("eve@evil.example")).await;
    thief.prove(attempt.id, "eve@evil.example").await.expect("proven");
    let browser = person(&app);
    let page = open(&browser, &not_me_to(&app, ADA).await).await.must_be(200);
    says(&page, "The address of your account was changed on");
    says(&page, "this address is the account’s again");
    app.realm.clock.advance(4 * MINUTE);
    browser.form("/verify/not-me", &form(&page)).await.must_be(303);
    assert!(!thief.is_in().await);
    assert!(app.realm.find(ADA).await.is_some() && app.realm.find("eve@evil.example").await.is_none());
    assert_eq!(app.code_to(ADA).await.len(), 6, "a code for a new password is on its way");
}

#[tokio::test]
async fn an_address_that_another_account_has_is_said_to_be_so() {
    let app = app().await;
    ada(&app).await;
    let thief = app.realm.sign_in(ADA, PASSWORD).await;
    app.realm.clock.advance(MINUTE);
    let attempt = thief.begin_within(AttemptKind::Verify, Some("eve@evil.example")).await;
    thief.prove(attempt.id, "eve@evil.example").await.expect("proven");
    app.realm.clock.advance(4 * MINUTE);
    app.realm.sign_up(ADA, OTHER_PASSWORD).await;
    let done = press_not_me(&person(&app), &not_me_to(&app, ADA).await).await.must_be(200);
    says(&done, "another account has it by now");
    app.realm.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn where_no_code_may_be_sent_now_the_page_for_it_is_shown_all_the_same() {
    let app = app().await;
    let link = noticed(&app).await;
    app.realm.set(|s| s.limits.sends_by_address.burst = 1).await;
    begin(&person(&app), json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let browser = person(&app);
    let place = press_not_me(&browser, &link).await.must_be(303).header("location");
    says(&browser.get(&place).await.must_be(200), "Send another mail");
}
