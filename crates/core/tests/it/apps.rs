//! Attempts that lead back to an app: the page behind a mailed link hands over a code, and nobody is signed in where the
//! link was opened.

use latchstring_core::{
    Kind,
    attempt::{AttemptKind, CodeChallenge, Outcome, Redirect, begin::Within, exchange, link, mailed},
    clock::MINUTE,
    testing::{PASSWORD, Refused, TestRealm, Visitor, who},
};
use latchstring_proto::return_to;

const ADA: &str = "ada@northwind.example";
const NEW: &str = "ada@elsewhere.example";
const APP: &str = "https://app.example/back";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn redirect(bound: bool) -> Redirect {
    Redirect {
        to: APP.into(),
        ends_at: APP.into(),
        confirmed: Some(format!("{APP}#message=changed")),
        half: Some(format!("{APP}#message=half")),
        challenge: bound.then(|| CodeChallenge { text: CHALLENGE.into(), plain: false }),
        state: "magiclink".into(),
    }
}

/// The token of the newest mail's link.
async fn link_to(test: &TestRealm, address: &str) -> String {
    test.deliver().await;
    let mail = test.mailbox.newest_where(address, |mail| mail.link.is_some()).expect("a mail");
    mail.link.expect("a link").split_once("token=").expect("a token").1.to_owned()
}

/// Follows the newest link to `address`, somewhere.
async fn follow(test: &TestRealm, visitor: &Visitor, address: &str) -> Outcome {
    let token = link_to(test, address).await;
    link::follow(&test.realm, &visitor.caller().await, &token).await.expect("followed").0
}

/// The code that an outcome carries.
fn code(outcome: &Outcome) -> String {
    let to = outcome.redirect.as_ref().expect("it leads back");
    to.strip_prefix(&format!("{APP}?code=")).expect("a code").to_owned()
}

async fn asked(test: &TestRealm, bound: bool) -> Outcome {
    let app = test.app();
    let ask = mailed::Ask {
        kind: AttemptKind::SignIn,
        address: who(ADA),
        or_sign_up: false,
        data: None,
        vouched: false,
        redirect: redirect(bound),
    };
    mailed::ask(&test.realm, &app.caller().await, ask).await.expect("mailed");
    let elsewhere = test.visitor();
    let outcome = follow(test, &elsewhere, ADA).await;
    assert!(outcome.completed.is_none() && elsewhere.signed().await.is_none());
    outcome
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_in_time() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let caller = test.app().caller().await;
    let first = code(&asked(&test, false).await);
    let (outcome, to) = exchange::exchange(&test.realm, &caller, &first, None).await.expect("exchanged");
    assert!(outcome.completed.is_some_and(|done| done.grant.is_some()) && to.state == "magiclink");
    let again = exchange::exchange(&test.realm, &caller, &first, None).await;
    assert_eq!(again.map(|_| ()).refused(), Kind::AuthCodeUnusable);

    test.clock.advance(10 * MINUTE);
    let late = code(&asked(&test, false).await);
    test.clock.advance(5 * MINUTE);
    let late = exchange::exchange(&test.realm, &caller, &late, None).await;
    assert_eq!(late.map(|_| ()).refused(), Kind::AuthCodeUnusable);
    for bad in ["", "x", &"A".repeat(64)] {
        let bad = exchange::exchange(&test.realm, &caller, bad, None).await;
        assert_eq!(bad.map(|_| ()).refused(), Kind::AuthCodeUnusable);
    }
}

#[tokio::test]
async fn a_code_is_for_whoever_holds_its_verifier_and_a_wrong_one_spends_it() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let caller = test.app().caller().await;
    for (bound, wrong) in
        [(true, None), (true, Some(CHALLENGE)), (true, Some("short")), (false, Some(VERIFIER))]
    {
        test.clock.advance(10 * MINUTE);
        let code = code(&asked(&test, bound).await);
        let refused = exchange::exchange(&test.realm, &caller, &code, wrong).await;
        assert_eq!(refused.map(|_| ()).refused(), Kind::CodeVerifierWrong);
        let spent = exchange::exchange(&test.realm, &caller, &code, bound.then_some(VERIFIER)).await;
        assert_eq!(spent.map(|_| ()).refused(), Kind::AuthCodeUnusable);
    }
    test.clock.advance(10 * MINUTE);
    let code = code(&asked(&test, true).await);
    let (one, two) = tokio::join!(
        exchange::exchange(&test.realm, &caller, &code, Some(VERIFIER)),
        exchange::exchange(&test.realm, &caller, &code, Some(VERIFIER))
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "one of two at once");
}

#[tokio::test]
async fn a_reset_meanwhile_lets_no_code_live() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let caller = test.app().caller().await;
    let code = code(&asked(&test, false).await);
    test.visitor().recover(ADA, "another long and odd password 8").await;
    let late = exchange::exchange(&test.realm, &caller, &code, None).await;
    assert_eq!(late.map(|_| ()).refused(), Kind::CredentialsWrong);
}

#[tokio::test]
async fn a_change_of_address_signs_nobody_in_where_its_link_is_opened() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let done = app.completed();
    let me = Within { session: done.session, user: done.user };
    let caller = app.caller().await;
    mailed::change_email(&test.realm, &caller, me, who(NEW), true, redirect(false)).await.expect("mailed");
    // Another's browser, in which somebody else may be signed in.
    test.sign_up("eve@northwind.example", PASSWORD).await;
    let eve = test.sign_in("eve@northwind.example", PASSWORD).await;
    let before = eve.signed().await.expect("in").session;
    let half = follow(&test, &eve, NEW).await;
    assert_eq!(half.redirect.as_deref().map(String::as_str), Some("https://app.example/back#message=half"));
    let whole = follow(&test, &eve, ADA).await;
    assert_eq!(
        whole.redirect.as_deref().map(String::as_str),
        Some("https://app.example/back#message=changed")
    );
    assert!(whole.completed.is_some_and(|done| done.cookie.is_none() && done.grant.is_none()));
    assert_eq!(eve.signed().await.expect("in").session, before, "still who they were");
    let stranger = test.visitor();
    assert!(stranger.signed().await.is_none());
    test.visitor().sign_in(NEW, PASSWORD).await;
}

#[test]
fn a_page_may_lead_to_the_app_alone() {
    assert_eq!(return_to::form_target(APP).as_deref(), Some("https://app.example"));
}
