//! Deleting one's own account: what ends at once, the time in which it can be kept, and the end.

use latchstring_core::{
    Kind, Result, account,
    admin::users,
    attempt::{AttemptKind, Sink, begin::Begin},
    audit::{Actor, Source},
    browser,
    clock::{DAY, HOUR, Micros},
    id::UserId,
    realm::Realm,
    sweep,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, who},
    token::check,
    user::DELETION_PENDING,
};
use latchstring_proto::jose::Unverified;

const ADA: &str = "ada@northwind.example";

async fn try_leave(realm: &Realm, visitor: &Visitor) -> Result<Option<Micros>> {
    let me = visitor.me().await.ok_or(Kind::NotSignedIn)?;
    account::delete_mine(realm, &me, &Source::default()).await
}

async fn leave(test: &TestRealm, visitor: &Visitor) -> Micros {
    try_leave(&test.realm, visitor).await.expect("begun").expect("a time to think")
}

/// What whoever holds a cookie sends to keep the account.
async fn keep(realm: &Realm, visitor: &Visitor) -> Result<()> {
    let me = visitor.me().await.ok_or(Kind::NotSignedIn)?;
    let (full, cookie) = account::keep(realm, &me, &visitor.caller().await).await?;
    assert_eq!(full.user.delete_after, None);
    if let Some(cookie) = cookie {
        visitor.plant(&cookie.secret.text());
    }
    Ok(())
}

async fn usable(visitor: &Visitor) -> bool {
    let signed = visitor.signed().await.expect("in");
    assert_eq!(browser::usable(&signed).is_err(), *signed.tasks == [DELETION_PENDING]);
    browser::usable(&signed).is_ok()
}

async fn there(test: &TestRealm, id: UserId) -> bool {
    users::read(&test.realm, id).await.is_ok()
}

async fn sweep(test: &TestRealm) {
    sweep::once(&test.realm).await.expect("swept");
}

#[tokio::test]
async fn a_deleted_account_ends_everywhere_at_once_and_is_gone_a_week_later() {
    let test = TestRealm::new().await;
    let node = test.node().await;
    let (here, app) = (test.sign_up(ADA, PASSWORD).await, test.app());
    app.sign_in(ADA, PASSWORD).await;
    let (elsewhere, id) = (here.at(&node), test.id_of(ADA).await);
    assert!(elsewhere.is_in().await);
    let at = leave(&test, &here).await;
    assert!((at - test.realm.now() - 7 * DAY).abs() < HOUR);
    node.follow().await.expect("followed");
    assert!(!here.is_in().await && !elsewhere.is_in().await && !app.is_in().await);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    let mail = here.mail_to(ADA).await;
    assert!(mail.text.contains("8 January 2026, 00:00 UTC"), "{}", mail.text);
    assert!(mail.text.contains("/sign-in"), "{}", mail.text);

    // What it is called by stays taken.
    let taken = test.visitor();
    let attempt = taken.begin(AttemptKind::SignUp, ADA).await;
    let outcome = taken.prove(attempt.id, ADA).await.expect("proven");
    assert_eq!(outcome.attempt.kind, AttemptKind::SignIn, "its owner has an account");
    assert!(!usable(&taken).await);

    test.clock.advance(7 * DAY - HOUR);
    sweep(&test).await;
    assert!(there(&test, id).await);
    test.clock.advance(2 * HOUR);
    sweep(&test).await;
    assert!(!there(&test, id).await && !taken.is_in().await);
    let audited = test.audited(id).await;
    assert_eq!(audited.iter().filter(|a| *a == "user.deletion_begun").count(), 1);
    assert_eq!(audited.last().map(String::as_str), Some("user.deleted"));
    test.sign_up(ADA, OTHER_PASSWORD).await;
    assert_ne!(test.id_of(ADA).await, id, "another account");
}

#[tokio::test]
async fn whoever_signs_in_again_keeps_the_account_and_others_who_wait_are_signed_out() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    leave(&test, &ada).await;
    test.clock.advance(3 * DAY);
    let (back, other, node) = (test.visitor(), test.visitor(), test.node().await);
    for visitor in [&back, &other] {
        let outcome = visitor.try_sign_in(ADA, PASSWORD).await.expect("right");
        assert_eq!(outcome.completed.expect("a session").tasks, [DELETION_PENDING]);
        assert!(!usable(visitor).await && !usable(&visitor.at(&node)).await);
    }
    let before = back.cookie().expect("a cookie");
    keep(&test.realm, &back).await.expect("kept");
    assert_ne!(back.cookie().expect("a cookie"), before, "the cookie changes with what it may do");
    node.follow().await.expect("followed");
    assert!(usable(&back).await && usable(&back.at(&node)).await);
    assert!(!other.is_in().await, "who has not decided signs in again");
    assert!(back.mail_to(ADA).await.subject.contains("is kept"));
    test.clock.advance(10 * DAY);
    sweep(&test).await;
    assert!(there(&test, id).await);
    keep(&test.realm, &back).await.expect("nothing to keep is nothing to refuse");
    assert_eq!(test.audited(id).await.iter().filter(|a| *a == "user.deletion_kept").count(), 1);
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn recovery_leads_back_to_an_account_that_is_to_be_deleted() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    leave(&test, &ada).await;
    let back = test.visitor();
    back.recover(ADA, OTHER_PASSWORD).await;
    assert!(!usable(&back).await, "a new password alone keeps nothing");
    assert_eq!(back.completed().tasks, [DELETION_PENDING]);
    keep(&test.realm, &back).await.expect("kept");
    assert!(usable(&back).await);
}

#[tokio::test]
async fn a_step_up_does_not_keep_the_account_and_an_open_attempt_does_not_either() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let early = test.visitor();
    let attempt = early.begin(AttemptKind::SignIn, ADA).await;
    early.send(attempt.id).await.expect("sent");
    let code = early.code_to(ADA).await;
    leave(&test, &ada).await;
    assert_eq!(early.code(attempt.id, &code).await.refused(), Kind::CodeWrong, "void since");
    early.sign_in(ADA, PASSWORD).await;
    early.step_up(PASSWORD).await;
    assert!(!usable(&early).await);
    assert_eq!(early.completed().tasks, [DELETION_PENDING]);
}

#[tokio::test]
async fn tokens_of_an_account_that_is_to_be_deleted_are_for_no_app() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    leave(&test, &app).await;
    app.sign_in(ADA, PASSWORD).await;
    let audience = |token: &str| {
        let ring = test.realm.native_ring().expect("a ring");
        let unverified = Unverified::parse(token).expect("a token");
        let kid = unverified.header().kid.clone().expect("a kid");
        let verified = unverified.verify(ring.verifying(&kid).expect("its key")).expect("ours");
        verified.claims::<serde_json::Value>().expect("claims")["aud"].as_str().expect("one").to_owned()
    };
    let token = app.tokens().access.token;
    assert_ne!(audience(&token), test.realm.issuer(), "verifiers that know no tasks refuse it all the same");
    assert_eq!(check::access(&test.realm, &token).await.refused(), Kind::TaskOutstanding);
    let checked = check::access_with_tasks(&test.realm, &token).await.expect("for faces that serve it");
    assert_eq!(*checked.tasks, [DELETION_PENDING]);
    let me = account::Me { user: checked.sub, session: checked.sid.expect("one"), browser: None, auth_at: 0 };
    account::keep(&test.realm, &me, &app.caller().await).await.expect("kept");
    let token = app.refresh().await.expect("refreshed").access.token;
    assert_eq!(audience(&token), test.realm.issuer());
    check::access(&test.realm, &token).await.expect("usable");
}

#[tokio::test]
async fn guests_and_accounts_of_realms_without_a_grace_go_at_once() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let guest = test.visitor();
    guest.be_guest().await.expect("a guest");
    let id = guest.me().await.expect("in").user;
    assert_eq!(try_leave(&test.realm, &guest).await.expect("gone"), None);
    assert!(!there(&test, id).await);
    test.set(|s| s.account.deletion_grace_seconds = 0).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    assert_eq!(try_leave(&test.realm, &ada).await.expect("gone"), None);
    assert!(!there(&test, id).await);
}

#[tokio::test]
async fn an_operator_deletes_at_once_also_what_waits() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    leave(&test, &ada).await;
    account::delete(&test.realm, id, Actor::Operator, &Source::default()).await.expect("deleted");
    assert!(!there(&test, id).await);
    test.clock.advance(8 * DAY);
    sweep(&test).await;
    assert_eq!(test.audited(id).await.iter().filter(|a| *a == "user.deleted").count(), 1);
}

#[tokio::test]
async fn a_shorter_grace_does_not_hasten_what_was_promised() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    leave(&test, &ada).await;
    test.set(|s| s.account.deletion_grace_seconds = 0).await;
    test.clock.advance(6 * DAY);
    sweep(&test).await;
    assert!(there(&test, id).await);
}

#[tokio::test]
async fn many_accounts_that_are_due_go_in_one_round() {
    let test = TestRealm::new().await;
    for n in 0..45 {
        test.admin_user(&format!("u{n}@northwind.example"), true, None).await;
    }
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            Ok(tx.exec("UPDATE users SET delete_after = 1", &[]).await.map(drop)?)
        })
        .await
        .expect("marked");
    sweep(&test).await;
    let left = users::list(&test.realm, None, None, 100).await.expect("a list").users;
    assert!(left.is_empty(), "{} are left", left.len());
}

#[tokio::test]
async fn one_account_that_cannot_go_does_not_hold_up_the_others() {
    let test = TestRealm::new().await;
    for n in 0..45 {
        test.admin_user(&format!("u{n}@northwind.example"), true, None).await;
    }
    // More of them than one step takes: something that we know nothing of holds on to each.
    let run = async |sql| {
        let done =
            test.realm.db().write(async move |tx| -> Result<()> { Ok(tx.exec(sql, &[]).await.map(drop)?) });
        done.await.expect("done");
    };
    run("UPDATE users SET delete_after = 1").await;
    run("CREATE TABLE holds (user_id BYTEA NOT NULL REFERENCES users (id))").await;
    run("INSERT INTO holds SELECT id FROM users ORDER BY id LIMIT 25").await;
    sweep(&test).await;
    let left = async || users::list(&test.realm, None, None, 100).await.expect("a list").users.len();
    assert_eq!(left().await, 25);
    run("DELETE FROM holds").await;
    sweep(&test).await;
    assert_eq!(left().await, 0, "they are tried again");
}

/// Or whoever is about to be banned would begin a deletion, and come back with the same address.
#[tokio::test]
async fn a_ban_outlives_a_deletion_that_was_begun_before_it() {
    let test = TestRealm::new().await;
    let (source, operator) = (Source::default(), Actor::Operator);
    let mut ids = Vec::new();
    for (address, days) in [(ADA, None), ("bob@northwind.example", Some(30))] {
        let visitor = test.sign_up(address, PASSWORD).await;
        let id = test.id_of(address).await;
        leave(&test, &visitor).await;
        let until = days.map(|days| test.realm.now() + days * DAY);
        users::ban(&test.realm, operator.clone(), &source, id, until, None).await.expect("banned");
        ids.push(id);
    }
    for (days, bob) in [(8, true), (23, false)] {
        test.clock.advance(days * DAY);
        sweep(&test).await;
        assert!(there(&test, ids[0]).await, "for good");
        assert_eq!(there(&test, ids[1]).await, bob, "until the ban is over");
        assert!(
            !account::finish(&test.realm, ids[0]).await.expect("looked at"),
            "the statement is the check"
        );
    }
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::UserBanned);
    users::unban(&test.realm, operator, &source, ids[0]).await.expect("lifted");
    sweep(&test).await;
    assert!(!there(&test, ids[0]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deleting_twice_at_once_begins_once() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let (id, node) = (test.id_of(ADA).await, test.node().await);
    let me = ada.me().await.expect("in");
    let mut set = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (realm, me) = (if n % 2 == 0 { test.realm.clone() } else { node.clone() }, me.clone());
        set.spawn(async move { account::delete_mine(&realm, &me, &Source::default()).await });
    }
    let results = set.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    assert_eq!(test.audited(id).await.iter().filter(|a| *a == "user.deletion_begun").count(), 1);
    test.deliver().await;
    let told = test.mailbox.list().iter().filter(|mail| mail.subject.contains("will be deleted")).count();
    assert_eq!(told, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeping_and_sweeping_at_once_leave_a_whole_account_or_none() {
    for _ in 0..8 {
        let test = TestRealm::new().await;
        let ada = test.sign_up(ADA, PASSWORD).await;
        let id = test.id_of(ADA).await;
        leave(&test, &ada).await;
        test.clock.advance(7 * DAY - HOUR);
        ada.sign_in(ADA, PASSWORD).await;
        test.clock.advance(2 * HOUR);
        let node = test.node().await;
        let sweeping = tokio::spawn(async move { sweep::once(&node).await });
        let kept = keep(&test.realm, &ada).await;
        sweeping.await.expect("ended").expect("swept");
        test.realm.follow().await.expect("followed");
        match kept {
            Ok(()) => assert!(there(&test, id).await && usable(&ada).await),
            Err(e) => {
                assert_eq!(e.kind(), Some(Kind::NotSignedIn));
                assert!(!there(&test, id).await && !ada.is_in().await);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_under_way_while_the_account_is_deleted_gives_nothing_that_lives() {
    let test = TestRealm::new().await;
    let (ada, node) = (test.sign_up(ADA, PASSWORD).await, test.node().await);
    let mut apps = Vec::new();
    for _ in 0..10 {
        let app = test.app();
        app.sign_in(ADA, PASSWORD).await;
        apps.push(app);
    }
    let mut set = tokio::task::JoinSet::new();
    for app in &apps {
        let app = app.at(&node);
        set.spawn(async move { app.refresh().await.map(drop) });
    }
    leave(&test, &ada).await;
    for result in set.join_all().await {
        assert!(result.is_ok() || result.refused() == Kind::RefreshUnusable);
    }
    node.follow().await.expect("followed");
    for app in &apps {
        assert!(!app.is_in().await && !app.at(&node).is_in().await);
        assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    }
}

#[tokio::test]
async fn a_second_factor_comes_before_the_decision() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    crate::add_factor(&test, test.id_of(ADA).await).await;
    leave(&test, &ada).await;
    let visitor = test.visitor();
    let begin = Begin {
        second_factor: latchstring_core::attempt::SecondFactor::Task,
        ..Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie)
    };
    let id = visitor.try_begin(begin).await.expect("begins").outcome.attempt.id;
    visitor.password(id, PASSWORD).await.expect("right");
    let refused = keep(&test.realm, &visitor).await;
    assert_eq!(refused.refused(), Kind::TaskOutstanding);
    let attempt = visitor.begin_within(AttemptKind::StepUp, None).await;
    visitor.prove(attempt.id, ADA).await.expect("the second factor");
    keep(&test.realm, &visitor).await.expect("kept");
    assert!(usable(&visitor).await);
}
