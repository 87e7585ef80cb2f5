//! The sweeper: what is over goes, what lives stays, and nothing that strangers cause grows without end.

use crate::model;
use latchstring_core::{
    Kind, Result, account,
    admin::{invitations, users},
    attempt::AttemptKind,
    audit::{self, Actor, Entry, Source},
    clock::{DAY, HOUR, MINUTE},
    family::{self, Profile},
    mail::{
        Mail, MailError, Mailer,
        smtp::{Config, Security, Smtp},
    },
    outbox,
    session::Which,
    settings::SignUp,
    sweep,
    testing::{PASSWORD, Refused, TestRealm, who},
};
use std::time::Duration;

const ADA: &str = "ada@northwind.example";

async fn execute(test: &TestRealm, sql: &'static str) {
    test.realm
        .db()
        .write(async move |tx| -> Result<()> { Ok(tx.exec(sql, &[]).await.map(drop)?) })
        .await
        .expect("executed");
}

async fn count(test: &TestRealm, sql: &'static str) -> i64 {
    test.realm
        .db()
        .read(async |tx| -> Result<i64> { Ok(tx.one(sql, &[]).await?.expect("a row").get(0)?) })
        .await
        .expect("counted")
}

/// The tables whose rows go with time.
const TABLES: [(&str, &str); 12] = [
    ("attempts", "SELECT count(*) FROM attempts"),
    ("challenges", "SELECT count(*) FROM challenges"),
    ("browsers", "SELECT count(*) FROM browsers"),
    ("sessions", "SELECT count(*) FROM sessions"),
    ("families", "SELECT count(*) FROM families"),
    ("ended", "SELECT count(*) FROM ended"),
    ("tickets", "SELECT count(*) FROM tickets"),
    ("limits", "SELECT count(*) FROM limits"),
    ("throttles", "SELECT count(*) FROM throttles"),
    ("jobs", "SELECT count(*) FROM jobs"),
    ("audits", "SELECT count(*) FROM audits"),
    ("invitations", "SELECT count(*) FROM invitations"),
];

async fn counts(test: &TestRealm) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for (table, sql) in TABLES {
        counts.push((table, count(test, sql).await));
    }
    counts
}

async fn sweep_all(test: &TestRealm) {
    for _ in 0..20 {
        if sweep::once(&test.realm).await.expect("swept") == 0 {
            return;
        }
    }
    panic!("the sweeper does not come to an end");
}

#[tokio::test]
async fn audit_rows_are_kept_for_as_long_as_the_realm_says() {
    let rows = "SELECT count(*) FROM audits";
    let test = TestRealm::with(|s| s.audit.keep_days = 30).await;
    // More than one step takes.
    test.sign_up(ADA, PASSWORD).await;
    let source = Source { address: Some("192.0.2.1".parse().expect("an address")), ..Source::default() };
    test.realm
        .db()
        .write({
            let ground = test.realm.ground().clone();
            let entries: Vec<_> = (0..1_500)
                .map(|_| {
                    let entry = Entry::new(ground.audit_id(), ground.now(), "user.changed", Actor::Operator);
                    entry.from(&source)
                })
                .collect();
            async move |tx| -> Result<()> {
                for entry in &entries {
                    audit::write(tx, entry.clone()).await?;
                }
                Ok(())
            }
        })
        .await
        .expect("written");
    let before = count(&test, rows).await;
    assert!(before > 1_500);
    test.clock.advance(20 * DAY);
    test.sign_in(ADA, PASSWORD).await;
    sweep_all(&test).await;
    let young = count(&test, rows).await - before;
    assert!(young > 0, "rows of twenty days stay");
    test.clock.advance(11 * DAY);
    let now = test.realm.now();
    let step = sweep::store::Step::Audits(now - 30 * DAY);
    let gone =
        test.realm.db().write(async move |tx| sweep::store::run(tx, step).await).await.expect("a step");
    assert_eq!(gone, sweep::store::FULL, "one step is bounded");
    assert!(sweep::once(&test.realm).await.expect("swept") > 400, "a round takes the rest");
    assert_eq!(count(&test, rows).await, young, "those of 31 days go, those of eleven stay");

    test.set(|s| s.audit.keep_days = 0).await;
    test.clock.advance(4_000 * DAY);
    sweep_all(&test).await;
    assert_eq!(count(&test, rows).await, young, "0: for good");
}

#[tokio::test]
async fn a_family_without_an_end_lives_while_it_or_its_session_is_used_and_goes_when_forgotten() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let me = app.me().await.expect("in");
    execute(&test, "UPDATE sessions SET ends_at = NULL").await;
    execute(&test, "DELETE FROM families").await;
    let endless = |new: &mut family::New| (new.profile, new.idle_us) = (Profile::Fixed, None);
    let used = model::insert_family(&test, &me, endless).await;
    let unused = model::insert_family(&test, &me, endless).await;
    let (used, unused) = (model::first(&test, used), model::first(&test, unused));
    for _ in 0..5 {
        test.clock.advance(100 * DAY);
        sweep_all(&test).await;
        model::refresh(&test, &used).await.expect("it is in use");
        // The session is used by other means: a cookie, another family.
        test.realm.touch(me.session, test.realm.now());
        latchstring_core::jobs::flush_uses(&test.realm).await.expect("noted");
    }
    model::refresh(&test, &unused).await.expect("never used, but its session was");
    test.clock.advance(399 * DAY);
    sweep_all(&test).await;
    model::refresh(&test, &used).await.expect("in time");
    test.clock.advance(399 * DAY);
    sweep_all(&test).await;
    assert_eq!(model::refresh(&test, &unused).await.refused(), Kind::RefreshUnusable, "forgotten");
    model::refresh(&test, &used).await.expect("in time");
    test.clock.advance(401 * DAY);
    sweep_all(&test).await;
    assert_eq!(model::refresh(&test, &used).await.refused(), Kind::RefreshUnusable, "forgotten");
    test.clock.advance(8 * DAY);
    sweep_all(&test).await;
    assert_eq!(count(&test, "SELECT count(*) FROM families").await, 0);
}

#[tokio::test]
async fn a_fixed_family_with_a_limit_counts_it_from_its_last_use() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let me = app.me().await.expect("in");
    execute(&test, "UPDATE sessions SET ends_at = NULL").await;
    let id = model::insert_family(&test, &me, |new| {
        (new.profile, new.idle_us) = (Profile::Fixed, Some(20 * DAY));
    })
    .await;
    let text = model::first(&test, id);
    for _ in 0..5 {
        test.clock.advance(19 * DAY);
        sweep_all(&test).await;
        let (family, same) = model::refresh(&test, &text).await.expect("used in time");
        assert_eq!((family.counter, same), (1, text.clone()));
    }
    test.clock.advance(21 * DAY);
    assert_eq!(model::refresh(&test, &text).await.refused(), Kind::RefreshUnusable);
    sweep_all(&test).await;
    assert_eq!(count(&test, "SELECT count(*) FROM families WHERE end_reason = 'unused'").await, 1);
}

#[tokio::test]
async fn a_family_without_an_end_ends_with_its_session() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let me = app.me().await.expect("in");
    let id = model::insert_family(&test, &me, |new| new.idle_us = None).await;
    let (_, next) = model::refresh(&test, &model::first(&test, id)).await.expect("in use");
    test.clock.advance(31 * DAY);
    sweep_all(&test).await;
    assert_eq!(
        model::refresh(&test, &next).await.refused(),
        Kind::RefreshUnusable,
        "the session's time is over"
    );
}

#[tokio::test]
async fn the_round_of_families_goes_on_where_it_was_and_begins_anew() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let me = app.me().await.expect("in");
    for _ in 0..5 {
        model::insert_family(&test, &me, |new| new.idle_us = Some(DAY)).await;
        test.clock.advance(1);
    }
    let step = async || {
        let now = test.realm.now();
        test.realm
            .db()
            .write(async move |tx| -> Result<u64> {
                sweep::store::end_unused_families(tx, now, now - 400 * DAY, 2).await
            })
            .await
            .expect("a step")
    };
    for _ in 0..4 {
        assert_eq!(step().await, 0, "nothing is over");
    }
    test.clock.advance(2 * DAY);
    let steps = [step().await, step().await, step().await, step().await];
    assert!(steps.iter().all(|n| *n <= 2), "{steps:?}");
    assert_eq!(steps.iter().sum::<u64>(), 5, "{steps:?}");
}

#[tokio::test]
async fn a_round_keeps_up_with_more_than_one_step_takes() {
    let test = TestRealm::new().await;
    let before = count(&test, "SELECT count(*) FROM limits").await;
    test.realm
        .db()
        .write(async |tx| -> Result<()> {
            for n in 0..3_500_i64 {
                let key = n.to_be_bytes().to_vec();
                tx.exec("INSERT INTO limits (key, tat) VALUES ($1, 0)", &[&key]).await?;
            }
            Ok(())
        })
        .await
        .expect("written");
    sweep::once(&test.realm).await.expect("swept");
    assert!(count(&test, "SELECT count(*) FROM limits").await <= before);
}

#[tokio::test]
async fn one_node_sweeps_at_a_time_and_another_takes_over_when_it_is_gone() {
    let test = TestRealm::new().await;
    let (one, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let rows = "SELECT count(*) FROM limits WHERE tat = 0";
    sweep::round(&test.realm, one).await.expect("swept");
    let insert = async || {
        test.realm
            .db()
            .write(async |tx| -> Result<()> {
                Ok(tx.exec("INSERT INTO limits (key, tat) VALUES ($1, 0)", &[&vec![1_u8]]).await.map(drop)?)
            })
            .await
            .expect("written");
    };
    insert().await;
    sweep::round(&test.realm, other).await.expect("leaves it");
    assert_eq!(count(&test, rows).await, 1, "the other one's lease");
    sweep::round(&test.realm, one).await.expect("swept");
    assert_eq!(count(&test, rows).await, 0, "goes on with its own");
    insert().await;
    test.clock.advance(2 * MINUTE);
    sweep::round(&test.realm, other).await.expect("swept");
    assert_eq!(count(&test, rows).await, 0, "takes over");
}

#[tokio::test]
async fn keys_that_are_over_go_and_a_guest_goes_with_the_last_session() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let source = Source::default();
    let make = async || {
        latchstring_core::api_key::create(&test.realm, Actor::Operator, &source, "k", vec!["*".into()], None)
            .await
            .expect("made")
            .0
    };
    let (old, kept) = (make().await, make().await);
    latchstring_core::api_key::revoke(&test.realm, Actor::Operator, &source, old.id).await.expect("revoked");
    let guest = test.visitor();
    let mut begin = latchstring_core::attempt::begin::Begin::new(
        AttemptKind::SignUp,
        None,
        latchstring_core::attempt::Sink::Cookie,
    );
    begin.guest = true;
    guest.try_begin(begin).await.expect("a guest");
    test.clock.advance(DAY);
    sweep_all(&test).await;
    assert!(guest.is_in().await, "in use");
    test.clock.advance(60 * DAY);
    sweep_all(&test).await;
    test.clock.advance(8 * DAY);
    sweep_all(&test).await;
    assert_eq!(count(&test, "SELECT count(*) FROM users").await, 0, "nobody can be that guest again");
    let deleted = "SELECT count(*) FROM audits WHERE action = 'user.deleted' AND actor_kind = 'server'";
    assert_eq!(count(&test, deleted).await, 1);
    let left = latchstring_core::api_key::list(&test.realm).await.expect("listed");
    assert_eq!(left.iter().map(|k| k.id).collect::<Vec<_>>(), [kept.id]);
}

struct Refuses;
impl Mailer for Refuses {
    fn send<'a>(
        &'a self,
        _: &'a str,
        _: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(MailError::Never("no such mailbox".into()))))
    }
}

#[tokio::test]
async fn after_sixty_days_all_that_is_over_has_gone() {
    let test = TestRealm::with(|s| (s.sign_up, s.audit.keep_days) = (SignUp::Open, 30)).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    invitations::create(&test.realm, Actor::Operator, &Source::default(), who("new@northwind.example"))
        .await
        .expect("made");
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    app.refresh().await.expect("rotates");
    test.sign_in(ADA, PASSWORD).await.sign_out().await;
    let _ = test.visitor().try_sign_in("nobody@northwind.example", "a wrong guess").await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, "nobody@northwind.example").await;
    visitor.send(attempt.id).await.expect("sent");
    latchstring_core::jobs::work(&test.realm, &Refuses, uuid::Uuid::from_u128(1)).await.expect("given up");
    latchstring_core::admin::setup::token(&test.realm).await.expect("a set-up token");
    let me = ada.me().await.expect("in");
    account::end_sessions(
        &test.realm,
        me.user,
        Actor::Operator,
        &Source::default(),
        Which::Others(me.session),
    )
    .await
    .expect("ended");
    // And one that is left alone until its time is over.
    test.app().sign_in(ADA, PASSWORD).await;
    test.deliver().await;
    for (table, n) in counts(&test).await {
        assert!(n > 0, "{table} is empty; this test shows nothing about it");
    }
    test.clock.advance(60 * DAY);
    sweep_all(&test).await;
    // Sessions that expired by themselves are marked first, and go a week later.
    test.clock.advance(8 * DAY);
    sweep_all(&test).await;
    let left: Vec<_> = counts(&test).await.into_iter().filter(|(_, n)| *n > 0).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(test.find(ADA).await.is_some());
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn nothing_that_lives_is_swept() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let other = test.sign_in(ADA, PASSWORD).await;
    let access = other.completed().session;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let token = latchstring_core::admin::setup::token(&test.realm).await.expect("read").expect("a token");
    let invited =
        invitations::create(&test.realm, Actor::Operator, &Source::default(), who("new@northwind.example"))
            .await
            .expect("made");
    other.sign_out().await;
    let before = counts(&test).await;
    test.clock.advance(4 * MINUTE);
    // Limits that are full again say nothing and may go.
    let without_limits = |counts: Vec<(&'static str, i64)>| {
        counts.into_iter().filter(|(t, _)| *t != "limits").collect::<Vec<_>>()
    };
    sweep_all(&test).await;
    assert_eq!(without_limits(counts(&test).await), without_limits(before));
    assert!(ada.is_in().await && app.is_in().await && !other.is_in().await);
    assert!(
        test.node().await.ended().session_ended(access),
        "its tokens could still be inside their lifetime"
    );
    visitor.code(attempt.id, &visitor.code_to(ADA).await).await.expect("the code is still good");
    latchstring_core::admin::setup::redeem(&test.realm, &Source::default(), &token)
        .await
        .expect("the token too");
    assert_eq!(invited.state(test.realm.now()), "pending");

    // A completed attempt is readable for a day, a live session for its time.
    test.clock.advance(23 * HOUR);
    sweep_all(&test).await;
    visitor.load(attempt.id).await.expect("readable");
    test.clock.advance(2 * HOUR);
    sweep_all(&test).await;
    assert_eq!(visitor.load(attempt.id).await.refused(), Kind::AttemptUnknown);
    assert!(ada.is_in().await);
    app.refresh().await.expect("the family goes on");
}

#[tokio::test]
async fn a_refresh_window_does_not_depend_on_the_sweeper() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    test.clock.advance(31 * DAY);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable, "over, though the row is there");
    sweep_all(&test).await;
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
}

#[tokio::test]
async fn attack_a155_what_strangers_begin_is_bounded_and_gone_within_hours() {
    let test = TestRealm::new().await;
    for n in 0..200 {
        let visitor = test.visitor().from("192.0.2.7");
        let begin = latchstring_core::attempt::begin::Begin::new(
            AttemptKind::SignIn,
            Some(who(&format!("person{n}@northwind.example"))),
            latchstring_core::attempt::Sink::Cookie,
        );
        if let Ok(begun) = visitor.try_begin(begin).await {
            let _ = visitor.send(begun.outcome.attempt.id).await;
            let _ = visitor.password(begun.outcome.attempt.id, "a guess").await;
        }
    }
    for (table, n) in counts(&test).await {
        assert!(n <= 100, "{table} has {n} rows from one address in a moment");
    }
    test.deliver().await;
    test.clock.advance(8 * DAY);
    sweep_all(&test).await;
    let left: Vec<_> = counts(&test).await.into_iter().filter(|(_, n)| *n > 0).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn payloads_of_jobs_are_sealed_and_go_with_the_job() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignUp, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let payload = async || {
        test.realm
            .db()
            .read(async |tx| -> Result<Option<Vec<u8>>> {
                Ok(tx.one("SELECT sealed FROM jobs", &[]).await?.expect("a job").get(0)?)
            })
            .await
            .expect("read")
    };
    let sealed = payload().await.expect("a payload");
    assert!(!sealed.windows(9).any(|w| w == b"northwind"), "it holds the address in clear");
    test.deliver().await;
    assert!(payload().await.is_none());
}

struct Away;
impl Mailer for Away {
    fn send<'a>(
        &'a self,
        _: &'a str,
        _: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(MailError::Later("421 try later".into()))))
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_delays_mail_and_loses_none_for_two_days() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignUp, ADA).await;
    visitor.send(attempt.id).await.expect("a request does not wait for it");
    let holder = uuid::Uuid::from_u128(1);
    let work = async |mailer: &dyn Mailer| {
        latchstring_core::jobs::work(&test.realm, mailer, holder).await.expect("works")
    };
    assert_eq!(work(&Away).await, 1);
    assert_eq!(work(&Away).await, 0, "not again at once");
    test.clock.advance(11 * 1_000_000);
    assert_eq!(work(&Away).await, 1);
    test.clock.advance(DAY);
    test.deliver().await;
    assert!(test.mailbox.newest_to(ADA).is_some(), "late, and there");

    let attempt = visitor.begin(AttemptKind::SignUp, "grace@northwind.example").await;
    visitor.send(attempt.id).await.expect("sent");
    for _ in 0..300 {
        work(&Away).await;
        test.clock.advance(15 * MINUTE);
    }
    let (waiting, _) = outbox::waiting(test.realm.db()).await.expect("read");
    assert_eq!(waiting, 0, "after two days it is given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_send_each_mail_once() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    for n in 0..40 {
        let made = invitations::create(
            &test.realm,
            Actor::Operator,
            &Source::default(),
            who(&format!("p{n}@x.example")),
        )
        .await;
        made.expect("made");
    }
    let node = test.node().await;
    let mut set = tokio::task::JoinSet::new();
    for i in 0..4 {
        let (realm, mailbox) =
            (if i % 2 == 0 { test.realm.clone() } else { node.clone() }, test.mailbox.clone());
        set.spawn(async move {
            while latchstring_core::jobs::work(&realm, &*mailbox, uuid::Uuid::from_u128(i))
                .await
                .expect("works")
                > 0
            {}
        });
    }
    set.join_all().await;
    assert_eq!(test.mailbox.list().len(), 40);
}

#[tokio::test]
async fn a_deleted_user_leaves_no_row_that_names_them() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    crate::add_factor(&test, ada.me().await.expect("in").user).await;
    let attempt = ada.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
    ada.send(attempt.id).await.expect("sent");
    let id = test.id_of(ADA).await;
    account::delete(&test.realm, id, Actor::User(id.0), &Source::default()).await.expect("deleted");
    assert_eq!(users::read(&test.realm, id).await.refused(), Kind::NotFound);
    for (table, sql) in [
        ("identifiers", "SELECT count(*) FROM identifiers WHERE user_id = $1"),
        ("credentials", "SELECT count(*) FROM credentials WHERE user_id = $1"),
        ("factors", "SELECT count(*) FROM factors WHERE user_id = $1"),
        ("sessions", "SELECT count(*) FROM sessions WHERE user_id = $1"),
        ("families", "SELECT count(*) FROM families WHERE user_id = $1"),
        ("challenges", "SELECT count(*) FROM challenges WHERE user_id = $1"),
        ("tickets", "SELECT count(*) FROM tickets WHERE user_id = $1"),
        ("browser_users", "SELECT count(*) FROM browser_users WHERE user_id = $1"),
        ("attempts", "SELECT count(*) FROM attempts WHERE user_id = $1"),
        ("invitations", "SELECT count(*) FROM invitations WHERE accepted_by = $1"),
    ] {
        let n = test
            .realm
            .db()
            .read(async |tx| -> Result<i64> { Ok(tx.one(sql, &[&id.0]).await?.expect("a row").get(0)?) })
            .await
            .expect("counted");
        assert_eq!(n, 0, "{table}");
    }
}

/// Mail by SMTP, without much patience.
struct Hasty(Smtp);
impl Mailer for Hasty {
    fn send<'a>(
        &'a self,
        realm: &'a str,
        mail: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        self.0.send(realm, mail)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(300)
    }
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_stops_no_worker() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignUp, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    // It accepts, and is silent.
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("an address").port();
    let silent = tokio::spawn(async move { server.accept().await.expect("a connection") });
    let mailer = Hasty(
        Smtp::new(Config {
            host: "127.0.0.1".into(),
            port,
            security: Security::Plain,
            credentials: None,
            from: "id@northwind.example".into(),
            from_name: None,
        })
        .expect("a sender"),
    );
    let holder = uuid::Uuid::from_u128(1);
    let work = latchstring_core::jobs::work(&test.realm, &mailer, holder);
    let done = tokio::time::timeout(Duration::from_secs(10), work).await.expect("the worker goes on");
    assert_eq!(done.expect("works"), 1);
    let _connection = silent.await.expect("it was asked");
    test.clock.advance(MINUTE);
    test.deliver().await;
    assert!(test.mailbox.newest_to(ADA).is_some(), "it is tried again");
}

#[tokio::test]
async fn a_worker_whose_lease_is_over_does_not_finish_what_another_holds() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignUp, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let (db, ground) = (test.realm.db(), test.realm.ground());
    let (slow, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let take = async |holder| outbox::take(db, ground, holder, MINUTE, 5).await.expect("taken");
    let id = take(slow).await[0].id;
    test.clock.advance(2 * MINUTE);
    assert_eq!(take(other).await[0].id, id);
    let now = test.realm.now();
    outbox::done(db, id, slow, now).await.expect("written");
    outbox::fail(db, id, slow, now, "it took too long").await.expect("written");
    outbox::again(db, id, slow, now, "it took too long").await.expect("written");
    let state = "SELECT count(*) FROM jobs WHERE done_at IS NULL AND failed_at IS NULL AND sealed IS NOT NULL
                    AND last_error IS NULL";
    assert_eq!(count(&test, state).await, 1, "the other's");
    outbox::done(db, id, other, now).await.expect("written");
    assert_eq!(count(&test, state).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_note_the_same_uses_do_not_wait_for_one_another_in_a_ring() {
    let test = TestRealm::new().await;
    let user = test.admin_user(ADA, true, Some(PASSWORD)).await.user.id;
    for _ in 0..60 {
        test.app().sign_in(ADA, PASSWORD).await;
    }
    let nodes = [test.node().await, test.node().await];
    let sessions = account::sessions(&test.realm, user).await.expect("sessions");
    for round in 1..=10 {
        let at = test.realm.now() + round * MINUTE;
        let mut set = tokio::task::JoinSet::new();
        for node in &nodes {
            sessions.iter().for_each(|s| node.touch(s.id, at));
            let node = node.clone();
            set.spawn(async move { latchstring_core::jobs::flush_uses(&node).await });
        }
        for flushed in set.join_all().await {
            flushed.expect("noted");
        }
    }
    let now = test.realm.now();
    let noted = account::sessions(&test.realm, user).await.expect("sessions");
    assert!(noted.len() == 60 && noted.iter().all(|s| s.active_at > now + 9 * MINUTE));
}
