//! Core alone driven through the shapes of four vendors: if a dialect would need a rule of its own, it shows here.

use crate::add_factor;
use latchstring_core::{
    Kind, Result,
    account::{self, Me},
    attempt::{self, AttemptKind, Sink, Step, begin::Begin, mailed},
    audit::Source,
    browser,
    challenge::Purpose,
    clock::{DAY, MINUTE, SECOND},
    family::{self, Profile},
    id::{ClientId, FamilyId, UserId},
    session::{self, Which},
    testing::{PASSWORD, Refused, TestRealm, who},
    token,
};
use uuid::Uuid;

// Clerk: a client (here: a browser) holds sign-ins, sign-ups and several sessions, one of them active.

#[tokio::test]
async fn clerk_one_browser_holds_two_users_and_switches_between_them() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("ada@northwind.example", PASSWORD).await;
    let ada = visitor.signed().await.expect("Ada is in");
    visitor.sign_up("grace@northwind.example", PASSWORD).await;
    let grace = visitor.signed().await.expect("Grace is in");
    assert_ne!(ada.user, grace.user);
    let browser = ada.browser.expect("a browser");
    assert_eq!(grace.browser, Some(browser), "the same browser holds both");
    let held =
        test.realm.db().read(async |tx| session::store::of_browser(tx, browser).await).await.expect("list");
    assert_eq!(held.iter().map(|s| s.id).collect::<Vec<_>>(), [grace.session, ada.session]);

    let known = visitor.caller().await.browser.expect("known");
    let before = visitor.cookie().expect("a cookie");
    let cookie = account::switch(&test.realm, &known, ada.session).await.expect("switch");
    visitor.plant(&cookie.secret.text());
    assert_eq!(visitor.signed().await.expect("in").user, ada.user);
    assert!(
        browser::check(&test.realm, &before).await.expect("check").is_none(),
        "the cookie before is dead"
    );

    // Grace signs out from elsewhere: Ada's session lives.
    let which = Which::One(grace.session);
    let me = account::Me { user: grace.user, session: grace.session, browser: None, auth_at: grace.auth_at };
    account::end_mine(&test.realm, &me, &Source::default(), which).await.expect("sign-out");
    assert_eq!(visitor.signed().await.expect("in").user, ada.user);
    let known = visitor.caller().await.browser.expect("known");
    assert_eq!(account::switch(&test.realm, &known, grace.session).await.refused(), Kind::NotFound);

    // And the current one ends: the browser is there, with nobody in it.
    visitor.sign_out().await;
    let known = visitor.caller().await.browser.expect("the browser is still known");
    assert!(known.signed.is_none());
}

#[tokio::test]
async fn clerk_no_switching_to_a_session_of_another_browser() {
    let test = TestRealm::new().await;
    let here = test.sign_up("ada@northwind.example", PASSWORD).await;
    let there = test.sign_in("ada@northwind.example", PASSWORD).await;
    let known = here.caller().await.browser.expect("known");
    let other = there.signed().await.expect("in").session;
    assert_eq!(account::switch(&test.realm, &known, other).await.refused(), Kind::NotFound);
}

#[tokio::test]
async fn clerk_a_sign_in_turns_into_a_sign_up_and_is_read_again_but_can_not_act() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let begin = Begin {
        or_sign_up: true,
        name: Some("Ada Lovelace".into()),
        ..Begin::new(AttemptKind::SignIn, Some(who("ada@northwind.example")), Sink::Cookie)
    };
    let attempt = visitor.try_begin(begin).await.expect("begins").outcome.attempt;
    assert_eq!(attempt.offers(true), [Step::Password, Step::Code], "nothing tells that there is no account");
    let outcome = visitor.prove(attempt.id, "ada@northwind.example").await.expect("proven");
    assert_eq!(outcome.attempt.id, attempt.id, "the same row");
    assert_eq!(outcome.attempt.kind, AttemptKind::SignUp);
    assert!(outcome.completed.is_none() && !visitor.is_in().await, "a password is outstanding");
    visitor.new_password(attempt.id, PASSWORD).await.expect("done");
    assert_eq!(
        test.find("ada@northwind.example").await.expect("made").user.name.as_deref(),
        Some("Ada Lovelace")
    );

    let again = visitor.load(attempt.id).await.expect("readable");
    assert!(!again.open);
    assert_eq!(again.session, Some(visitor.completed().session), "its result stays readable");
    assert!(again.offers(true).is_empty());
    assert_eq!(visitor.password(attempt.id, PASSWORD).await.refused(), Kind::AttemptClosed);
    assert_eq!(visitor.send(attempt.id).await.refused(), Kind::AttemptClosed);
    assert_eq!(visitor.code(attempt.id, "123456").await.refused(), Kind::AttemptClosed);
    assert_eq!(visitor.new_password(attempt.id, PASSWORD).await.refused(), Kind::AttemptClosed);
    assert_eq!(
        test.visitor().load(attempt.id).await.refused(),
        Kind::AttemptUnknown,
        "to others it is nothing"
    );

    test.clock.advance(DAY + MINUTE);
    assert_eq!(visitor.load(attempt.id).await.refused(), Kind::AttemptUnknown, "after a day it is gone");
}

// Firebase: `mfaPendingCredential` in the hands of whoever gave the password; a refresh token that never changes.

#[tokio::test]
async fn firebase_the_second_factor_waits_behind_a_bearer_handle() {
    let test = TestRealm::new().await;
    test.sign_up("ada@northwind.example", PASSWORD).await;
    let ada = test.id_of("ada@northwind.example").await;
    add_factor(&test, ada).await;

    let app = test.app();
    let outcome = app.try_sign_in("ada@northwind.example", PASSWORD).await.expect("the password is right");
    assert!(outcome.completed.is_none(), "nobody is in by the password alone");
    let id = outcome.attempt.id;
    assert_eq!(outcome.attempt.offers(true), [Step::Factor]);
    assert_eq!(app.password(id, PASSWORD).await.refused(), Kind::StepNotOffered);

    // Another handle: for the same attempt with another secret, for another attempt, and none.
    let other = test.app();
    other.begin(AttemptKind::SignIn, "ada@northwind.example").await;
    let foreign = other.handle().expect("a handle");
    for handle in [Some(foreign.with_id(id.0)), Some(foreign), None] {
        other.hold(handle);
        assert_eq!(other.load(id).await.refused(), Kind::AttemptUnknown);
        assert_eq!(other.send(id).await.refused(), Kind::AttemptUnknown);
        assert_eq!(other.code(id, "123456").await.refused(), Kind::AttemptUnknown);
    }

    let outcome = app.prove(id, "ada@northwind.example").await.expect("the second factor");
    let completed = outcome.completed.expect("now they are in");
    assert!(completed.cookie.is_none() && completed.tokens.is_some());
    let checked = token::check::access(&test.realm, &app.tokens().access.token).await.expect("usable");
    assert_eq!((checked.sub, checked.acr.as_str()), (ada, "aal2"));
    assert_eq!(*checked.amr, ["pwd", "otp", "mfa"]);
}

/// A family as a dialect makes it: hanging off the session of `me`.
pub(crate) async fn insert_family(
    test: &TestRealm,
    me: &Me,
    change: impl FnOnce(&mut family::New),
) -> FamilyId {
    let session = session::New {
        id: me.session,
        user: me.user,
        kind: session::SessionKind::Token,
        browser: None,
        client: None,
        mount: test.realm.mount(),
        methods: vec!["pwd".into()],
        assurance: 1,
        tasks: Vec::new(),
        claims: serde_json::json!({}),
        user_agent: None,
        address: None,
        idle_us: None,
        ends_at: None,
    };
    let now = test.realm.now();
    let id = FamilyId::new(now, test.realm.ground().random());
    let settings = &test.realm.settings().1;
    let mut new = token::mint::family(id, &session, test.realm.issuer(), settings, me.auth_at);
    change(&mut new);
    test.realm
        .db()
        .write(async move |tx| -> Result<()> { family::store::insert(tx, &new, now).await })
        .await
        .expect("a family");
    id
}

pub(crate) async fn refresh(test: &TestRealm, text: &str) -> Result<(family::Family, String)> {
    let keys = &test.realm.ground().keys;
    let (family, token) =
        family::refresh(&test.realm, test.realm.mount(), text, 60 * SECOND, &Source::default()).await?;
    Ok((family, token.text(keys).to_string()))
}

pub(crate) fn first(test: &TestRealm, family: FamilyId) -> String {
    family::Token { family, counter: 1 }.text(&test.realm.ground().keys).to_string()
}

#[tokio::test]
async fn firebase_a_fixed_family_never_rotates_and_dies_with_everything() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("ada@northwind.example", PASSWORD).await;
    let me = visitor.me().await.expect("in");
    let id = insert_family(&test, &me, |new| {
        new.profile = Profile::Fixed;
        new.idle_us = None;
    })
    .await;
    let text = first(&test, id);
    for _ in 0..3 {
        test.clock.advance(100 * DAY);
        let (family, next) = refresh(&test, &text).await.expect("still good");
        assert_eq!(
            (next, family.counter),
            (text.clone(), 1),
            "the token stays the same, for as long as it lives"
        );
    }
    account::end_mine(&test.realm, &me, &Source::default(), Which::All).await.expect("all");
    assert_eq!(refresh(&test, &text).await.refused(), Kind::RefreshUnusable);
    let user = test.find("ada@northwind.example").await.expect("Ada").user;
    assert!(user.valid_after > me.auth_at, "tokens that no session vouches for are dead too");
}

// Auth0: `mfa_token` belongs to a client; one refresh token for several audiences.

#[tokio::test]
async fn auth0_an_attempt_bound_to_a_client_works_for_that_client_alone() {
    let test = TestRealm::new().await;
    test.sign_up("ada@northwind.example", PASSWORD).await;
    let ada = test.id_of("ada@northwind.example").await;
    add_factor(&test, ada).await;
    let (mine, theirs) = (Uuid::from_u128(0xA), Uuid::from_u128(0xB));

    let app = test.app().client(mine);
    let id = app.try_sign_in("ada@northwind.example", PASSWORD).await.expect("right").attempt.id;
    // The handle leaks to another client, and the client's own credentials to one without the handle.
    for thief in [app.copy().client(theirs), test.app().client(mine)] {
        assert_eq!(thief.load(id).await.refused(), Kind::AttemptUnknown);
        assert_eq!(thief.send(id).await.refused(), Kind::AttemptUnknown);
    }
    let bare = test.app();
    bare.hold(app.handle());
    assert_eq!(bare.load(id).await.refused(), Kind::AttemptUnknown, "the handle without the client");

    app.prove(id, "ada@northwind.example").await.expect("for its own client").completed.expect("done");
    let refresh = app.tokens().refresh;
    let (family, _) = family::refresh(&test.realm, test.realm.mount(), &refresh, SECOND, &Source::default())
        .await
        .expect("usable");
    assert_eq!(family.client, Some(ClientId(mine)), "what comes out belongs to that client");
}

#[tokio::test]
async fn auth0_one_family_serves_two_audiences() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("ada@northwind.example", PASSWORD).await;
    let me = visitor.me().await.expect("in");
    let audiences = serde_json::json!({
        "https://orders.northwind.example": ["orders:read", "orders:write"],
        "https://stock.northwind.example": ["stock:read"],
    });
    let wanted = audiences.clone();
    let id = insert_family(&test, &me, |new| {
        new.client = Some(ClientId(Uuid::from_u128(0xA)));
        new.audiences = audiences;
    })
    .await;
    let (family, next) = refresh(&test, &first(&test, id)).await.expect("rotates");
    assert_eq!(family.audiences, wanted);
    let (family, _) = refresh(&test, &next).await.expect("rotates again");
    assert_eq!(family.audiences, wanted, "a rotation keeps them");
}

// Supabase: a session at the first level that waits for its second factor; codes that come with an address alone.

async fn task_session(test: &TestRealm, sink: Sink) -> (latchstring_core::testing::Visitor, UserId) {
    test.sign_up("ada@northwind.example", PASSWORD).await;
    let ada = test.id_of("ada@northwind.example").await;
    add_factor(test, ada).await;
    let visitor = if sink == Sink::Cookie { test.visitor() } else { test.app() };
    let begin = Begin {
        second_factor: attempt::SecondFactor::Task,
        ..Begin::new(AttemptKind::SignIn, Some(who("ada@northwind.example")), sink)
    };
    let id = visitor.try_begin(begin).await.expect("begins").outcome.attempt.id;
    visitor.password(id, PASSWORD).await.expect("right").completed.expect("a session at once");
    (visitor, ada)
}

#[tokio::test]
async fn supabase_a_session_with_a_task_is_refused_until_a_step_up_raises_it() {
    let test = TestRealm::new().await;
    let (visitor, _) = task_session(&test, Sink::Cookie).await;
    let signed = visitor.signed().await.expect("in");
    assert_eq!((signed.assurance, &*signed.tasks), (1, ["second_factor".to_owned()].as_slice()));
    assert_eq!(browser::usable(&signed).refused(), Kind::TaskOutstanding);

    let attempt = visitor.begin_within(AttemptKind::StepUp, None).await;
    assert_eq!(attempt.offers(true), [Step::Factor], "the password was given; the other factor is asked for");
    let before = visitor.cookie().expect("a cookie");
    visitor.prove(attempt.id, "ada@northwind.example").await.expect("the second factor");
    let raised = visitor.signed().await.expect("in");
    assert_eq!(raised.session, signed.session, "the same session");
    assert_eq!((raised.assurance, raised.tasks.len()), (2, 0));
    assert_eq!(*raised.methods, ["pwd", "otp", "mfa"]);
    browser::usable(&raised).expect("now it may be used");
    assert!(browser::check(&test.realm, &before).await.expect("check").is_none(), "the cookie changed");
}

#[tokio::test]
async fn supabase_tokens_of_a_session_with_a_task_say_so_and_our_api_refuses_them() {
    let test = TestRealm::new().await;
    let (app, ada) = task_session(&test, Sink::Tokens).await;
    let waiting = app.tokens().access.token;
    assert_eq!(token::check::access(&test.realm, &waiting).await.refused(), Kind::TaskOutstanding);

    let session = app.completed().session;
    let begin = Begin {
        within: Some(attempt::begin::Within { session, user: ada }),
        ..Begin::new(AttemptKind::StepUp, None, Sink::Tokens)
    };
    let id = app.try_begin(begin).await.expect("begins").outcome.attempt.id;
    app.prove(id, "ada@northwind.example").await.expect("the second factor");
    let tokens = app.refresh().await.expect("the family goes on");
    let checked = token::check::access(&test.realm, &tokens.access.token).await.expect("now it is usable");
    assert_eq!(checked.acr, "aal2");
    assert_eq!(token::check::access(&test.realm, &waiting).await.refused(), Kind::TaskOutstanding);
}

#[tokio::test]
async fn supabase_a_mailed_code_is_verified_by_its_address_alone() {
    let test = TestRealm::new().await;
    let ask = mailed::Ask {
        or_sign_up: true,
        ..mailed::Ask::new(AttemptKind::SignIn, who("ada@northwind.example"), attempt::Redirect::default())
    };
    // Whoever asked is nobody any more.
    let sender = test.app();
    mailed::ask(&test.realm, &sender.caller().await, ask).await.expect("sent");
    let code = sender.code_to("ada@northwind.example").await;
    let caller = test.app().caller().await;
    let address = who("Ada@NORTHWIND.example");
    let verify =
        async |purpose, code: &str| mailed::code(&test.realm, &caller, &[purpose], &address, code).await;
    assert_eq!(verify(Purpose::Recover, &code).await.refused(), Kind::CodeWrong, "it is for another purpose");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(verify(Purpose::SignIn, wrong).await.refused(), Kind::CodeWrong);
    let outcome = verify(Purpose::SignIn, &code).await.expect("right");
    assert_eq!(outcome.attempt.kind, AttemptKind::SignUp);
    let completed = outcome.completed.expect("in");
    assert_eq!(completed.user, test.id_of("ada@northwind.example").await);
    assert!(completed.tokens.is_some());
    assert_eq!(verify(Purpose::SignIn, &code).await.refused(), Kind::CodeWrong, "once");
}

#[tokio::test]
async fn supabase_a_code_of_an_attempt_that_somebody_holds_is_not_verified_by_address() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("ada@northwind.example", PASSWORD).await;
    // A code that confirms a new address within a session must not become a sign-in of whoever has that address.
    let attempt = visitor.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
    visitor.send(attempt.id).await.expect("sent");
    let code = visitor.code_to("ada@new.example").await;
    let caller = test.app().caller().await;
    let address = who("ada@new.example");
    for purpose in [Purpose::Verify, Purpose::StepUp, Purpose::Factor, Purpose::SignIn] {
        let verified = mailed::code(&test.realm, &caller, &[purpose], &address, &code).await;
        assert_eq!(verified.refused(), Kind::CodeWrong);
    }
    visitor.code(attempt.id, &code).await.expect("it is still good for what it is for");
}

#[tokio::test]
async fn supabase_the_parent_token_gives_the_same_successor_within_the_window() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up("ada@northwind.example", PASSWORD).await;
    let parent = app.tokens().refresh;
    let child = refresh(&test, &parent).await.expect("rotates").1;
    assert_ne!(*parent, child);
    test.clock.advance(59 * SECOND);
    assert_eq!(refresh(&test, &parent).await.expect("a lost answer").1, child, "the same successor");
    let grandchild = refresh(&test, &child).await.expect("rotates").1;
    assert_eq!(refresh(&test, &child).await.expect("again").1, grandchild);
    test.clock.advance(61 * SECOND);
    assert_eq!(
        refresh(&test, &child).await.refused(),
        Kind::RefreshReused,
        "outside of the window it is theft"
    );
    assert_eq!(refresh(&test, &grandchild).await.refused(), Kind::RefreshUnusable, "all of it has ended");
    assert!(!app.is_in().await, "the session too");
}
