//! Attacks that no other file has, tried as somebody from outside would: what a thief keeps after the owner has acted,
//! and what one proof buys.

use crate::add_factor;
use latchstring_core::{
    Kind, account,
    admin::{
        invitations, restored, setup,
        users::{self, NewSecret},
    },
    api_key,
    attempt::{AttemptKind, Redirect, SecondFactor, Sink, Step, begin::Begin, mailed},
    audit::{Actor, Source},
    browser,
    challenge::Purpose,
    clock::{DAY, MINUTE, SECOND},
    id::UserId,
    limit::Rate,
    session::Which,
    settings::SignUp,
    sweep,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, secret, who},
    token::check,
};

const ADA: &str = "ada@northwind.example";

async fn knows(test: &TestRealm, visitor: &Visitor, user: UserId) -> bool {
    let id = visitor.caller().await.browser.expect("a cookie").id;
    browser::is_known_to(&test.realm, id, user).await.expect("read")
}

#[tokio::test]
async fn attack_a049_no_browser_is_known_any_more_once_credentials_change() {
    #[derive(Debug, Clone, Copy)]
    enum Act {
        Change,
        Recover,
        SetByOperator,
        Ban,
        EndedByOperator,
        SignOutEverywhere,
    }
    for act in [
        Act::Change,
        Act::Recover,
        Act::SetByOperator,
        Act::Ban,
        Act::EndedByOperator,
        Act::SignOutEverywhere,
    ] {
        let test = TestRealm::new().await;
        let owner = test.sign_up(ADA, PASSWORD).await;
        let thief = test.sign_in(ADA, PASSWORD).await;
        let me = owner.me().await.expect("in");
        assert!(knows(&test, &thief, me.user).await);
        let source = Source::default();
        match act {
            Act::Change => {
                let caller = owner.caller().await;
                let (old, new) = (Some(secret(PASSWORD)), secret(OTHER_PASSWORD));
                account::change_password(&test.realm, &me, &caller, old, new).await.expect("changed");
            }
            Act::Recover => owner.recover(ADA, OTHER_PASSWORD).await,
            Act::SetByOperator => {
                let new = NewSecret::Password(secret(OTHER_PASSWORD));
                users::set_password(&test.realm, Actor::Operator, &source, me.user, new).await.expect("set");
            }
            Act::Ban => {
                users::ban(&test.realm, Actor::Operator, &source, me.user, None, None).await.expect("banned");
            }
            Act::EndedByOperator => {
                let (user, operator) = (me.user, Actor::Operator);
                account::end_sessions(&test.realm, user, operator, &source, Which::All).await.expect("ended");
            }
            Act::SignOutEverywhere => {
                account::end_mine(&test.realm, &me, &source, Which::All).await.expect("ended");
            }
        }
        assert!(!knows(&test, &thief, me.user).await, "{act:?}: his has a counter of its own no more");
        let here = matches!(act, Act::Change | Act::Recover);
        assert_eq!(knows(&test, &owner, me.user).await, here, "{act:?}: hers, where she proved who she is");
    }
}

#[tokio::test]
async fn attack_a094_one_mailbox_is_one_factor_however_often_it_is_proven() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    test.sign_up(ADA, PASSWORD).await;
    add_factor(&test, test.id_of(ADA).await).await;
    let levels = async |visitor: &Visitor| {
        let signed = visitor.signed().await.expect("in");
        (signed.assurance, signed.methods.contains(&"mfa".to_owned()))
    };

    let by_code = test.visitor();
    let id = by_code.begin(AttemptKind::SignIn, ADA).await.id;
    let first = by_code.prove(id, ADA).await.expect("right");
    assert!(first.completed.is_none() && !by_code.is_in().await, "the second step is asked for");
    assert_eq!(first.attempt.offers(true), [Step::Factor]);
    by_code.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&by_code).await, (1, false), "a code twice");

    let by_link = test.visitor();
    let id = by_link.begin(AttemptKind::SignIn, ADA).await.id;
    by_link.send(id).await.expect("sent");
    by_link.follow(&by_link.link_to(ADA).await).await.expect("usable");
    by_link.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&by_link).await, (1, false), "a link and a code");

    let task = test.visitor();
    let begin = Begin {
        second_factor: SecondFactor::Task,
        ..Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie)
    };
    let id = task.try_begin(begin).await.expect("begins").outcome.attempt.id;
    task.prove(id, ADA).await.expect("right").completed.expect("a session with a task");
    let id = task.begin_within(AttemptKind::StepUp, None).await.id;
    task.prove(id, ADA).await.expect("right").completed.expect("done");
    assert_eq!(levels(&task).await, (1, false), "a code, and a code for the step-up");

    let both = test.visitor();
    let id = both.try_sign_in(ADA, PASSWORD).await.expect("right").attempt.id;
    both.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&both).await, (2, true), "a password and a code");

    let recovered = test.visitor();
    let id = recovered.begin(AttemptKind::Recover, ADA).await.id;
    recovered.prove(id, ADA).await.expect("right");
    recovered.new_password(id, OTHER_PASSWORD).await.expect("set");
    recovered.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(
        levels(&recovered).await,
        (1, false),
        "a password chosen by whoever reads the mail is no proof"
    );
}

// A guest is somebody without an identifier: what was set up by whoever began is not inherited by whoever proves.

async fn upgrade(visitor: &Visitor, sink: Sink, email: &str) -> latchstring_core::id::AttemptId {
    let begin = Begin {
        upgrade: true,
        within: Some(visitor.within().await),
        ..Begin::new(AttemptKind::SignUp, Some(who(email)), sink)
    };
    visitor.try_begin(begin).await.expect("begins").outcome.attempt.id
}

#[tokio::test]
async fn attack_a165_nobody_takes_a_guest_over_after_the_session_has_ended() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let guest = test.app();
    guest.be_guest().await.expect("a guest");
    let user = guest.me().await.expect("in").user;
    let thief = guest.copy();
    let begun = upgrade(&thief, Sink::Tokens, "mallory@evil.example").await;
    guest.sign_out().await;
    thief.send(begun).await.expect("sent");
    let code = thief.code_to("mallory@evil.example").await;
    let proven = thief.code(begun, &code).await;
    let taken = match proven {
        Ok(_) => thief.new_password(begun, PASSWORD).await,
        refused => refused,
    };
    assert_eq!(taken.refused(), Kind::NotSignedIn);
    assert!(test.find("mallory@evil.example").await.is_none());
    assert_eq!(test.audited(user).await.iter().filter(|a| *a == "user.guest_upgraded").count(), 0);
}

#[tokio::test]
async fn attack_a056_whoever_held_the_guest_does_not_hold_the_person() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let mallory = test.app();
    mallory.be_guest().await.expect("a guest");
    let planted = mallory.copy();
    let id = upgrade(&planted, Sink::Tokens, ADA).await;
    planted.prove(id, ADA).await.expect("proven");
    planted.new_password(id, PASSWORD).await.expect("made");
    assert!(planted.is_in().await, "by new tokens");
    assert!(!mallory.is_in().await, "the tokens from before are dead");
    assert_eq!(mallory.refresh().await.refused(), Kind::RefreshUnusable);
}

#[tokio::test]
async fn a_guest_has_no_name_and_no_password() {
    // A realm that makes no accounts makes none by way of a guest either.
    let test = TestRealm::with(|s| {
        s.guests = true;
        s.sign_up = SignUp::Closed;
        s.password.required = false;
    })
    .await;
    let guest = test.visitor();
    guest.be_guest().await.expect("a guest");
    assert_eq!(guest.take_username("squatter").await.refused(), Kind::NotForGuests);
    let (me, caller) = (guest.me().await.expect("in"), guest.caller().await);
    let set = account::change_password(&test.realm, &me, &caller, None, secret(PASSWORD)).await;
    assert_eq!(set.refused(), Kind::NotForGuests);
    let begin = Begin {
        within: Some(guest.within().await),
        ..Begin::new(AttemptKind::Verify, Some(who(ADA)), Sink::Cookie)
    };
    assert_eq!(guest.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::NotForGuests));
    assert!(test.find("squatter").await.is_none());
}

#[tokio::test]
async fn a_realm_that_closes_between_proof_and_password_makes_no_account() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let id = visitor.begin(AttemptKind::SignUp, ADA).await.id;
    visitor.prove(id, ADA).await.expect("proven");
    test.set(|s| s.sign_up = SignUp::Invite).await;
    assert_eq!(visitor.new_password(id, PASSWORD).await.refused(), Kind::SignUpClosed);
    assert!(test.find(ADA).await.is_none());
}

#[tokio::test]
async fn a_session_whose_time_is_over_is_not_brought_back_by_a_proof_that_was_under_way() {
    let test = TestRealm::with(|s| {
        s.session.idle_seconds = 300;
        s.limits.sends_by_target.burst = 100;
    })
    .await;
    for kind in [AttemptKind::StepUp, AttemptKind::Verify] {
        let app = test.app();
        if test.find(ADA).await.is_some() {
            app.sign_in(ADA, PASSWORD).await
        } else {
            app.sign_up(ADA, PASSWORD).await
        }
        let address = if kind == AttemptKind::Verify { "mallory@evil.example" } else { ADA };
        let attempt = app.begin_within(kind, (kind == AttemptKind::Verify).then_some(address)).await;
        app.send(attempt.id).await.expect("sent");
        let code = app.code_to(address).await;
        test.clock.advance(6 * MINUTE);
        assert_eq!(app.code(attempt.id, &code).await.refused(), Kind::NotSignedIn, "{kind:?}");
        assert!(!app.is_in().await, "{kind:?}");
    }
    assert!(test.find("mallory@evil.example").await.is_none());
}

#[tokio::test]
async fn whoever_loses_a_claim_to_an_address_has_it_in_the_trail() {
    let test = TestRealm::new().await;
    let squatter = test.admin_user("claimed@northwind.example", false, Some(PASSWORD)).await.user.id;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let attempt = ada.begin_within(AttemptKind::Verify, Some("claimed@northwind.example")).await;
    ada.prove(attempt.id, "claimed@northwind.example").await.expect("hers");
    assert_eq!(test.audited(squatter).await, ["user.created", "email.lost"]);
}

#[tokio::test]
async fn a_set_up_token_is_void_once_there_is_a_key_however_it_came() {
    let test = TestRealm::new().await;
    let token = setup::token(&test.realm).await.expect("read").expect("there is no key yet");
    let source = Source::default();
    api_key::create(&test.realm, Actor::Operator, &source, "by command", vec!["users:read".into()], None)
        .await
        .expect("made");
    assert_eq!(setup::redeem(&test.realm, &source, &token).await.refused(), Kind::SetupUnusable);
    assert_eq!(api_key::list(&test.realm).await.expect("list").len(), 1);
}

#[tokio::test]
async fn weak_passwords_are_not_estimated_without_end() {
    let test = TestRealm::with(|s| s.limits.passwords_by_address = Rate { burst: 3, per_seconds: 60 }).await;
    let ada = test.visitor().from("192.0.2.7");
    let id = ada.begin(AttemptKind::SignUp, ADA).await.id;
    ada.prove(id, ADA).await.expect("proven");
    for _ in 0..3 {
        assert_eq!(ada.new_password(id, "password1").await.refused(), Kind::PasswordWeak);
    }
    assert_eq!(ada.new_password(id, "password1").await.refused(), Kind::RateLimited);
    test.clock.advance(MINUTE);
    ada.new_password(id, PASSWORD).await.expect("made");
    let (me, caller) = (ada.me().await.expect("in"), ada.caller().await);
    let mut last = None;
    for _ in 0..5 {
        let (old, new) = (Some(secret(PASSWORD)), secret("password1"));
        last = Some(account::change_password(&test.realm, &me, &caller, old, new).await.refused());
    }
    assert_eq!(last, Some(Kind::RateLimited));
}

#[tokio::test]
async fn nobody_has_an_id_that_stands_for_nobody() {
    let test = TestRealm::new().await;
    for id in [uuid::Uuid::nil(), uuid::Uuid::max()] {
        let new = users::NewUser {
            id: Some(UserId(id)),
            email: Some(who(ADA)),
            email_asserted: true,
            ..users::NewUser::default()
        };
        let made = users::create(&test.realm, Actor::Operator, &Source::default(), new).await;
        assert_eq!(made.refused(), Kind::InputInvalid, "lists begin after the one and end before the other");
    }
}

#[tokio::test]
async fn a_reset_never_ends_the_session_that_it_opens() {
    let test = TestRealm::with(|s| {
        s.limits.sends_by_target.burst = 1_000;
        s.limits.sends_by_target_daily.burst = 1_000;
        s.limits.codes_by_identifier.burst = 1_000;
    })
    .await;
    test.sign_up(ADA, PASSWORD).await;
    // Each look moves the clock by a microsecond: the second begins somewhere within the step.
    for before in 1..=20 {
        let visitor = test.visitor();
        let id = visitor.begin(AttemptKind::Recover, ADA).await.id;
        visitor.prove(id, ADA).await.expect("proven");
        test.clock.advance(2 * SECOND - test.realm.now() % SECOND - before);
        visitor.new_password(id, OTHER_PASSWORD).await.expect("set");
        assert!(visitor.is_in().await, "{before} µs before the second");
    }
}

#[tokio::test]
async fn attack_a117_a_closed_account_does_not_tell_which_spellings_are_its() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await.take_username("ada").await.expect("taken");
    // Makes the decoy's hash, once.
    let _ = test.app().try_sign_in("warm.up", "a wrong guess").await;
    for _ in 0..6 {
        let _ = test.app().try_sign_in(ADA, "a wrong guess").await;
    }
    assert_eq!(test.app().try_sign_in(ADA, "a wrong guess").await.refused(), Kind::Throttled);
    let mut costs = Vec::new();
    for name in ["ada", "nobody.at.all"] {
        let app = test.app();
        let attempt = app.begin(AttemptKind::SignIn, name).await;
        let before = (test.hashes(), test.statements());
        // Of the account not even the right one is evaluated.
        assert_eq!(app.password(attempt.id, PASSWORD).await.refused(), Kind::CredentialsWrong, "{name}");
        costs.push((test.hashes() - before.0, test.statements() - before.1));
    }
    assert_eq!(costs[0], costs[1]);
    // A mailed code opens all of its spellings.
    for _ in 0..6 {
        let _ = test.app().try_sign_in("ada", "a wrong guess").await;
    }
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.prove(attempt.id, ADA).await.expect("another proof");
    test.sign_in("ada", PASSWORD).await;
}

#[tokio::test]
async fn a_closed_realm_makes_no_accounts_of_invitations_from_before() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Invite).await;
    let source = Source::default();
    for who_is in [ADA, "bob@northwind.example"] {
        invitations::create(&test.realm, Actor::Operator, &source, who(who_is)).await.expect("made");
    }
    let begun = test.visitor();
    let id = begun.accept(&begun.link_to(ADA).await).await.expect("begins").outcome.attempt.id;
    test.set(|s| s.sign_up = SignUp::Closed).await;
    assert_eq!(begun.new_password(id, PASSWORD).await.refused(), Kind::SignUpClosed);
    let late = test.visitor();
    let invitation = late.link_to("bob@northwind.example").await;
    assert_eq!(late.accept(&invitation).await.err().and_then(|e| e.kind()), Some(Kind::SignUpClosed));
    assert!(test.find(ADA).await.is_none() && test.find("bob@northwind.example").await.is_none());
}

#[tokio::test]
async fn accounts_are_counted_by_address_however_they_begin() {
    let test = TestRealm::with(|s| {
        s.limits.sign_ups_by_address = Rate { burst: 1, per_seconds: 3_600 };
        s.limits.sends_by_address.burst = 100;
        s.password.required = false;
    })
    .await;
    let from = "192.0.2.7";
    test.visitor().from(from).sign_up(ADA, PASSWORD).await;
    // By a sign-in with an unknown address.
    let turned = test.visitor().from(from);
    let begin = Begin {
        or_sign_up: true,
        ..Begin::new(AttemptKind::SignIn, Some(who("bob@northwind.example")), Sink::Cookie)
    };
    let id = turned.try_begin(begin).await.expect("begins").outcome.attempt.id;
    turned.send(id).await.expect("sent");
    let code = turned.code_to("bob@northwind.example").await;
    assert_eq!(turned.code(id, &code).await.refused(), Kind::RateLimited);
    // By a link that is opened in another browser.
    let elsewhere = test.visitor();
    let id = elsewhere.begin(AttemptKind::SignUp, "eve@northwind.example").await.id;
    elsewhere.send(id).await.expect("sent");
    let link = elsewhere.link_to("eve@northwind.example").await;
    assert_eq!(test.visitor().from(from).follow(&link).await.refused(), Kind::RateLimited);
    // By a code that comes without an attempt.
    let address = who("kim@northwind.example");
    let ask = mailed::Ask {
        or_sign_up: true,
        ..mailed::Ask::new(AttemptKind::SignIn, address.clone(), Redirect::default())
    };
    mailed::ask(&test.realm, &elsewhere.caller().await, ask).await.expect("sent");
    let bare = elsewhere.code_to("kim@northwind.example").await;
    let caller = test.app().from(from).caller().await;
    let made = mailed::code(&test.realm, &caller, &[Purpose::SignIn], &address, &bare).await;
    assert_eq!(made.refused(), Kind::RateLimited);
    for address in ["bob@northwind.example", "eve@northwind.example", "kim@northwind.example"] {
        assert!(test.find(address).await.is_none(), "{address}");
    }
    // One who has an account is not counted, and what was refused is not spent.
    let ada = test.visitor().from(from);
    let id = ada.begin(AttemptKind::SignIn, ADA).await.id;
    ada.prove(id, ADA).await.expect("proven").completed.expect("in");
    elsewhere.follow(&link).await.expect("from another address it is good").completed.expect("in");
}

#[tokio::test]
async fn attack_a162_a_backup_that_was_put_back_revives_nothing_that_has_ended() {
    let test = TestRealm::new().await;
    let browser = test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let user = app.me().await.expect("in").user;
    let pending = test.visitor();
    let id = pending.begin(AttemptKind::Recover, ADA).await.id;
    pending.send(id).await.expect("sent");
    let (code, link) = (pending.code_to(ADA).await, pending.link_to(ADA).await);
    let token = setup::token(&test.realm).await.expect("read").expect("there is no key");
    test.clock.advance(MINUTE);
    // A session from after the backup: no row of it is in there.
    let late = test.app();
    late.sign_in(ADA, PASSWORD).await;
    let (access, session) = (late.tokens().access.token, late.completed().session);
    test.realm
        .db()
        .write(async move |tx| -> latchstring_core::Result<()> {
            tx.exec("DELETE FROM families WHERE session_id = $1", &[&session.0]).await?;
            tx.exec("DELETE FROM sessions WHERE id = $1", &[&session.0]).await?;
            Ok(())
        })
        .await
        .expect("forgotten");
    assert!(late.is_in().await, "by its signature alone");

    test.clock.advance(SECOND);
    let node = test.node().await;
    restored::end_all(&test.realm).await.expect("ended");
    node.follow().await.expect("a poll");
    for realm in [&test.realm, &node] {
        assert!(!browser.at(realm).is_in().await && !app.at(realm).is_in().await);
        let checked = check::access(realm, &access).await;
        assert_eq!(
            checked.err().and_then(|e| e.kind()),
            Some(Kind::TokenUnusable),
            "a token without a session"
        );
    }
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert_eq!(pending.code(id, &code).await.refused(), Kind::AttemptClosed);
    assert_eq!(test.visitor().follow(&link).await.refused(), Kind::LinkUnusable);
    assert_eq!(setup::redeem(&test.realm, &Source::default(), &token).await.refused(), Kind::SetupUnusable);
    assert!(!knows(&test, &browser, user).await);
    // And from here on it is as ever.
    let again = test.app();
    again.sign_in(ADA, PASSWORD).await;
    again.refresh().await.expect("usable");
    assert!(again.is_in().await && again.at(&node).is_in().await);
}

#[tokio::test]
async fn attack_a162_a_restored_backup_deletes_nobody_who_kept_the_account() {
    let test = TestRealm::new().await;
    for grace in [3 * 86_400, 0] {
        let ada = test.sign_up(ADA, PASSWORD).await;
        let me = ada.me().await.expect("in");
        test.set(|s| s.account.deletion_grace_seconds = 3 * 86_400).await;
        let at =
            account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("later");
        // The backup is from now: that she keeps the account tomorrow is not in it.
        test.set(move |s| s.account.deletion_grace_seconds = grace).await;
        test.clock.advance(4 * DAY);
        restored::end_all(&test.realm).await.expect("ended");
        sweep::once(&test.realm).await.expect("swept");
        let wait = if grace == 0 { 7 * DAY } else { 3 * DAY };
        let user = test.find(ADA).await.expect("she is there").user;
        assert!(user.delete_after.is_some_and(|after| after - at >= wait), "{:?}", user.delete_after);
        // Whoever has left for good goes all the same.
        test.clock.advance(wait + DAY);
        sweep::once(&test.realm).await.expect("swept");
        assert!(test.find(ADA).await.is_none());
    }
}
