//! The sweeper: what is over goes, what lives stays, and nothing that strangers cause grows without end.

use latchstring_core::{
    Kind, Result, account,
    admin::{invitations, users},
    attempt::AttemptKind,
    audit::{Actor, Source},
    clock::{DAY, HOUR, MINUTE},
    mail::{Mail, MailError, Mailer},
    outbox,
    session::Which,
    settings::SignUp,
    sweep,
    testing::{PASSWORD, Refused, TestRealm, who},
};

const ADA: &str = "ada@northwind.example";

/// The tables whose rows go with time.
const TABLES: [(&str, &str); 10] = [
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
];

async fn counts(test: &TestRealm) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for (table, sql) in TABLES {
        let n = test
            .realm
            .db()
            .read(async |tx| -> Result<i64> { Ok(tx.one(sql, &[]).await?.expect("a row").get(0)?) })
            .await
            .expect("counted");
        counts.push((table, n));
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

struct Refuses;
impl Mailer for Refuses {
    fn send<'a>(
        &'a self,
        _: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(MailError::Never("no such mailbox".into()))))
    }
}

#[tokio::test]
async fn after_sixty_days_all_that_is_over_has_gone() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Open).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
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
    let (waiting, _) = test.realm.db().read(async |tx| outbox::store::waiting(tx).await).await.expect("read");
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
        ("browser_users", "SELECT count(*) FROM browser_users WHERE user_id = $1"),
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
