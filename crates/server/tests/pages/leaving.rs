//! Deleting the account, and keeping it: what its owner sees on the way.

use super::{
    house::{at_home, send},
    *,
};
use latchstring_core::clock::DAY;

/// Signs in by the page, on the way to `to`. Gives where it leads.
async fn enter_for(browser: &Client, to: &str) -> String {
    let page = browser.get(&format!("/sign-in?return_to={to}")).await.must_be(200);
    let password = PASSWORD.replace(' ', "+");
    let body = format!("{}&return_to={to}&identifier={ADA}&password={password}", form(&page));
    browser.form("/sign-in", &body).await.must_be(303).header("location")
}

async fn leave(browser: &Client) {
    let gone = send(browser, "/account/delete", "/account/delete", "x=y").await.must_be(303);
    let page = browser.get(&gone.header("location")).await.must_be(200);
    says(&page, "Your account will be deleted");
    says(&page, "For 7 days you can still keep it");
}

#[tokio::test]
async fn an_account_is_deleted_by_its_owner_and_kept_after_signing_in_again() {
    let app = app().await;
    app.realm.set(|s| s.origins = vec!["https://shop.example".into()]).await;
    let browser = at_home(&app).await;
    says(&browser.get("/account/delete").await.must_be(200), "What will be lost");
    leave(&browser).await;
    assert_eq!(signed_in(&browser).await, None);
    assert!(browser.get("/account").await.must_be(303).header("location").starts_with("/sign-in"));

    app.realm.clock.advance(2 * DAY);
    let place = enter_for(&browser, "https://shop.example/basket").await;
    assert_eq!(place, "/account/keep?return_to=https%3A//shop.example/basket");
    let page = browser.get(&place).await.must_be(200);
    says(&page, "8 January 2026, 00:00 UTC");
    says(&page, "Keep my account");
    says(&page, "/sign-out");
    says(&page, ADA);
    assert!(!page.text().contains("<script"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    // Wherever else they go, they are led there; an app that sends them to sign in does not go round with them.
    for here in ["/account", "/account/security", "/account/sessions", "/account/data", "/account/delete"] {
        let to = browser.get(here).await.must_be(303).header("location");
        assert_eq!(to, format!("/account/keep?return_to={here}"));
    }
    let to = browser.get("/sign-in?return_to=https://shop.example/basket").await.must_be(303);
    assert_eq!(to.header("location"), place);
    browser.get("/sign-in?another=1").await.must_be(200);
    assert_eq!(
        browser.form("/account/name", "form=x&name=Eve").await.must_be(303).header("location")[..13],
        *"/account/keep"
    );

    let before = browser.cookie();
    let body = format!("{}&return_to=https://shop.example/basket", form(&page));
    let kept = browser.form("/account/keep", &body).await.must_be(303).header("location");
    assert_ne!(browser.cookie(), before);
    let page = browser.get(&kept).await.must_be(200);
    says(&page, "Your account is kept");
    says(&page, "href=\"https:&#x2f;&#x2f;shop.example&#x2f;basket\"");
    browser.get("/account").await.must_be(200);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    // The form once more, from a tab that was left open.
    assert_eq!(browser.get(&place).await.must_be(303).header("location"), "https://shop.example/basket");
    says(&browser.get("/account").await.must_be(200), "Profile");
}

#[tokio::test]
async fn attack_a144_a_foreign_page_keeps_nothing_and_leads_nowhere() {
    let app = app().await;
    let browser = at_home(&app).await;
    leave(&browser).await;
    let place = enter_for(&browser, "/account").await;
    let own = form(&browser.get(&place).await.must_be(200));
    let mut evil = browser.clone();
    evil.set("sec-fetch-site", "cross-site");
    evil.form("/account/keep", &own).await.must_be(403);
    says(&browser.form("/account/keep", "form=x").await.must_be(409), "Keep your account?");
    let full = app.realm.find(ADA).await.expect("Ada");
    assert!(full.user.delete_after.is_some());
    for to in ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)"] {
        let page = browser.get(&format!("/account/keep?return_to={to}")).await.must_be(200);
        assert!(!page.text().contains("evil") && !page.text().contains("javascript"), "{to}");
    }
    let done =
        browser.form("/account/keep", &format!("{own}&return_to=https://evil.test")).await.must_be(303);
    let page = browser.get(&done.header("location")).await.must_be(200);
    assert!(!page.text().contains("evil"));
    assert_eq!(browser.get("/account/keep").await.must_be(303).header("location"), "/account");
}

#[tokio::test]
async fn signing_out_leaves_it_as_it_is() {
    let app = app().await;
    let browser = at_home(&app).await;
    leave(&browser).await;
    enter_for(&browser, "/account").await;
    send(&browser, "/sign-out", "/sign-out", "x=y").await.must_be(303);
    assert_eq!(browser.get("/account/keep").await.must_be(303).header("location"), "/account");
    assert!(app.realm.find(ADA).await.expect("Ada").user.delete_after.is_some());
}

#[tokio::test]
async fn a_mailed_link_leads_to_the_decision_too() {
    let app = app().await;
    let browser = at_home(&app).await;
    leave(&browser).await;
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let done = press(&browser, &link_to(&app, ADA).await).await.must_be(303).header("location");
    let to = browser.get(&done).await.must_be(303).header("location");
    assert_eq!(to, "/account/keep?return_to=/account");
    says(&browser.get(&to).await.must_be(200), "Keep your account?");
}

#[tokio::test]
async fn where_there_is_no_grace_it_is_gone_and_says_so() {
    let app = app().await;
    app.realm.set(|s| s.account.deletion_grace_seconds = 0).await;
    let browser = at_home(&app).await;
    says(&browser.get("/account/delete").await.must_be(200), "It can’t be undone");
    let gone = send(&browser, "/account/delete", "/account/delete", "x=y").await.must_be(303);
    says(&browser.get(&gone.header("location")).await.must_be(200), "Your account is gone");
    assert!(app.realm.find(ADA).await.is_none());
    assert_eq!(signed_in(&browser).await, None);
}
