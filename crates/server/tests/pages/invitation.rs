//! `/verify?invitation=…`: the page behind an invitation.

use super::*;
use latchstring_core::{
    admin,
    audit::{Actor, Source},
    clock::DAY,
    identifier::Identifier,
    testing::OTHER_PASSWORD,
};

#[tokio::test]
async fn an_invitation_makes_its_account_and_no_other() {
    let app = app().await;
    app.realm.set(|s| s.sign_up = latchstring_core::settings::SignUp::Invite).await;
    let invite = async |email: &str| {
        let address = Identifier::email(email).expect("an address");
        admin::invitations::create(&app.realm.realm, Actor::Operator, &Source::default(), address)
            .await
            .expect("an invitation")
    };
    invite(ADA).await;
    let link = link_to(&app, ADA).await;
    let browser = person(&app);
    let page = open(&browser, &link).await.must_be(200);
    says(&page, "You are invited");
    says(&page, ADA);
    let secret = link.split('=').nth(1).expect("a secret");
    assert!(!page.text().contains(secret));
    // A name that can't be shown, then a password that is too weak: each says so, and what was typed is kept.
    let send = async |page: &Answer, path: &str, rest: &str| {
        browser.form(path, &format!("{}&{rest}", form(page))).await
    };
    let page = send(&page, "/verify/invitation", "name=Ada%E2%80%AEx&password=x").await.must_be(400);
    says(&page, "Ada");
    says(&page, "id=\"name-says\"");
    let page = send(&page, "/verify/invitation", "name=Ada+%3Cb%3E&password=short").await.must_be(400);
    says(&page, "id=\"password-says\"");
    assert!(app.realm.find(ADA).await.is_none());
    let good = format!("email=eve%40evil.example&password={}", PASSWORD.replace(' ', "+"));
    send(&page, "/verify/password", &good).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA), "A109: for the invited address alone");
    let full = app.realm.find(ADA).await.expect("the account");
    assert_eq!(full.user.name.as_deref(), Some("Ada <b>"));
    assert!(full.email().is_some_and(|email| email.proven_at.is_some()));
    // Again: used.
    says(&open(&person(&app), &link).await.must_be(410), "This invitation can’t be used");

    // At once, without a name.
    invite("bea@northwind.example").await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, "bea@northwind.example").await).await.must_be(200);
    let body = format!("{}&name=+&password={}", form(&page), PASSWORD.replace(' ', "+"));
    browser.form("/verify/invitation", &body).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Your account is ready");

    // Taken back, expired, no longer needed.
    let taken = invite("cleo@northwind.example").await;
    let link = link_to(&app, "cleo@northwind.example").await;
    admin::invitations::revoke(&app.realm.realm, Actor::Operator, &Source::default(), taken.id)
        .await
        .expect("revoked");
    open(&browser, &link).await.must_be(410);
    invite("dora@northwind.example").await;
    let link = link_to(&app, "dora@northwind.example").await;
    app.realm.clock.advance(60 * DAY);
    open(&browser, &link).await.must_be(410);
    invite(ADA).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let body = format!("{}&password={}", form(&page), OTHER_PASSWORD.replace(' ', "+"));
    says(&browser.form("/verify/invitation", &body).await.must_be(410), "sign in with it");
    app.realm.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn where_no_password_is_asked_for_the_button_is_enough() {
    let app = app().await;
    app.realm.set(|s| s.password.required = false).await;
    let address = Identifier::email(ADA).expect("an address");
    admin::invitations::create(&app.realm.realm, Actor::Operator, &Source::default(), address)
        .await
        .expect("made");
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    assert!(!page.text().contains("new-password"), "no field for what is not asked for");
    browser.form("/verify/invitation", &format!("{}&name=Ada", form(&page))).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}
