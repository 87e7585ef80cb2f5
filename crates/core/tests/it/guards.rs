//! Edges between parts: proofs that are for something else, realms that know nothing of each other, a database or a
//! password pool that has no time.

use crate::add_factor;
use latchstring_core::{
    Kind, Result, account,
    admin::setup,
    attempt::{AttemptKind, Sink, Step, begin::Begin},
    audit::{Actor, Source},
    browser,
    clock::{SECOND, TestClock},
    ended::{self, Ending},
    hash::HashPool,
    id::SessionId,
    identifier::Identifier,
    random::SystemRandom,
    realm::{Breached, Realm},
    session::{self, Which},
    settings::Settings,
    testing::{self, OTHER_PASSWORD, PASSWORD, Refused, TestRealm, secret, who},
    token::{check, mint},
    user,
};
use latchstring_proto::password::Params;
use std::sync::Arc;

const ADA: &str = "ada@northwind.example";

#[tokio::test]
async fn a_code_for_the_first_step_is_none_for_the_second() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    add_factor(&test, test.id_of(ADA).await).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let (first, link) = (visitor.code_to(ADA).await, visitor.link_to(ADA).await);
    let outcome = visitor.password(attempt.id, PASSWORD).await.expect("right");
    assert_eq!(outcome.attempt.offers(true), [Step::Factor]);
    assert_eq!(visitor.follow(&link).await.refused(), Kind::StepNotOffered, "its link neither");
    assert_eq!(visitor.code(attempt.id, &first).await.refused(), Kind::CodeWrong);
    assert!(!visitor.is_in().await);
    visitor.prove(attempt.id, ADA).await.expect("the one that was sent for it").completed.expect("in");
}

#[tokio::test]
async fn attack_a043_a_session_of_a_browser_is_raised_with_its_cookie_or_not_at_all() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let within = Some(ada.within().await);
    for (kind, identifier) in
        [(AttemptKind::StepUp, None), (AttemptKind::Verify, Some(who("ada@new.example")))]
    {
        // By tokens the cookie would stay what it was, and memory would not learn of the change.
        let begin = Begin { within, ..Begin::new(kind, identifier.clone(), Sink::Tokens) };
        assert_eq!(ada.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::InputInvalid));
        // Nor from another browser.
        let begin = Begin { within, ..Begin::new(kind, identifier, Sink::Cookie) };
        assert_eq!(
            test.visitor().try_begin(begin).await.err().and_then(|e| e.kind()),
            Some(Kind::NotSignedIn)
        );
    }
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let begin =
        Begin { within: Some(app.within().await), ..Begin::new(AttemptKind::StepUp, None, Sink::Cookie) };
    assert_eq!(app.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::InputInvalid));
    app.step_up(PASSWORD).await;
}

#[tokio::test]
async fn a_raised_session_is_raised_at_once_on_every_node() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let node = test.node().await;
    let before = ada.at(&node).signed().await.expect("in").auth_at;
    let stale = ada.cookie().expect("a cookie");
    test.clock.advance(SECOND);
    ada.step_up(PASSWORD).await;
    node.follow().await.expect("a poll");
    assert!(ada.at(&node).signed().await.expect("in").auth_at > before);
    assert!(browser::check(&node, &stale).await.expect("checked").is_none());
}

// A161: realms are worlds of their own.

#[tokio::test]
async fn attack_a161_nothing_of_one_realm_is_anything_in_another() {
    let (here, there) = (TestRealm::new().await, TestRealm::new().await);
    // The same people, and the same clock.
    let mine = here.sign_up(ADA, PASSWORD).await;
    there.sign_up(ADA, PASSWORD).await;
    let app = here.app();
    app.sign_in(ADA, PASSWORD).await;
    let visitor = here.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let (code, link) = (visitor.code_to(ADA).await, visitor.link_to(ADA).await);
    let token = setup::token(&here.realm).await.expect("read").expect("a token");
    let source = Source::default();

    let cookie = mine.cookie().expect("a cookie");
    assert!(browser::check(&there.realm, &cookie).await.expect("checked").is_none());
    let access = app.tokens().access.token;
    assert_eq!(
        check::access(&there.realm, &access).await.err().and_then(|e| e.kind()),
        Some(Kind::TokenUnusable)
    );
    let refreshed = mint::refresh(&there.realm, &app.tokens().refresh, &source).await;
    assert_eq!(refreshed.err().and_then(|e| e.kind()), Some(Kind::RefreshUnusable));
    assert_eq!(there.visitor().follow(&link).await.refused(), Kind::LinkUnusable);
    assert_eq!(visitor.at(&there.realm).code(attempt.id, &code).await.refused(), Kind::AttemptUnknown);
    assert_eq!(setup::redeem(&there.realm, &source, &token).await.refused(), Kind::SetupUnusable);
    let key = setup::redeem(&here.realm, &source, &token).await.expect("here it is good");
    let checked = latchstring_core::api_key::check_text(&there.realm, &source, &key).await;
    assert_eq!(checked.refused(), Kind::ApiKeyUnusable);
    latchstring_core::api_key::check_text(&here.realm, &source, &key).await.expect("here it is good");
}

// Time between nodes.

#[tokio::test]
async fn endings_of_a_node_whose_clock_is_behind_are_not_missed() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let behind = Arc::new(TestClock::at(test.realm.now() - 2 * SECOND));
    let node = Realm::open(testing::opening(test.db.reopen().await, behind, &test.secret))
        .await
        .expect("a second node");
    test.realm.follow().await.expect("a poll");
    test.clock.advance(SECOND);
    test.realm.follow().await.expect("another, after which only what is new is read");
    let me = app.me().await.expect("in");
    account::end_sessions(&node, me.user, Actor::Operator, &Source::default(), Which::One(me.session))
        .await
        .expect("ended");
    test.realm.follow().await.expect("a poll");
    assert!(!app.is_in().await);
}

#[tokio::test]
async fn an_ending_that_a_newer_binary_writes_is_passed_over() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up(ADA, PASSWORD).await;
    let id = test.realm.ground().audit_id().0;
    let now = test.realm.now();
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            tx.exec(
                "INSERT INTO ended (id, kind, object_id, number, at, keep_until) VALUES ($1, 'galaxy', $1, 0, $2, $3)",
                &[&id, &now, &(now + 1_000_000_000)],
            )
            .await?;
            Ok(())
        })
        .await
        .expect("written");
    test.realm.follow().await.expect("a poll");
    assert!(visitor.is_in().await);
}

#[tokio::test]
async fn memory_forgets_endings_when_no_token_can_be_alive() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up(ADA, PASSWORD).await;
    let session = visitor.completed().session;
    visitor.sign_out().await;
    let keep = test.realm.longest_token();
    test.realm.ended().forget(test.realm.now() + keep - SECOND);
    assert!(test.realm.ended().session_ended(session));
    test.realm.ended().forget(test.realm.now() + keep + SECOND);
    assert!(!test.realm.ended().session_ended(session));
    let ending = Ending::session(test.realm.ground(), session, keep);
    assert!(
        ending.keep_until >= test.realm.now() + 3_600 * SECOND,
        "as long as the longest token that can be set"
    );
    ended::publish(test.realm.db()).await.expect("published");
}

#[tokio::test]
async fn a_node_that_hears_nothing_and_reaches_no_database_lets_nobody_in() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let cookie = test.sign_in(ADA, PASSWORD).await.cookie().expect("a cookie");
    let node = test.node().await;
    let access = app.tokens().access.token;
    check::access(&node, &access).await.expect("good");
    node.db().shutdown().await;
    assert_eq!(node.follow().await.refused(), Kind::DatabaseAway);
    tokio::time::sleep(std::time::Duration::from_millis(750)).await;
    assert_eq!(check::access(&node, &access).await.err().and_then(|e| e.kind()), Some(Kind::DatabaseAway));
    assert_eq!(browser::check(&node, &cookie).await.err().and_then(|e| e.kind()), Some(Kind::DatabaseAway));
}

// The password pool.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_says_when_to_come_again_and_drops_who_has_gone() {
    let pool = Arc::new(HashPool::new(1, 4, Arc::new(SystemRandom::default())).expect("a pool"));
    let params = Params { m_kib: 19_456, t: 2, p: 1 };
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let pool = pool.clone();
        set.spawn(async move { pool.hash(secret(PASSWORD), params).await });
    }
    let results = set.join_all().await;
    let mut refused = 0;
    for result in results {
        match result {
            Ok(phc) => assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")),
            Err(latchstring_core::Error::Refused(r)) => {
                assert_eq!((r.kind, r.detail.retry_after), (Kind::HashQueueFull, Some(2)));
                refused += 1;
            }
            Err(fault) => panic!("{fault:?}"),
        }
    }
    assert!(refused > 0 && pool.figures().refused == refused);

    let done = pool.figures().done;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let pool = pool.clone();
        waiting.spawn(async move { pool.hash(secret(PASSWORD), params).await });
    }
    tokio::task::yield_now().await;
    waiting.abort_all();
    while waiting.join_next().await.is_some() {}
    pool.hash(secret(PASSWORD), params).await.expect("room again");
    let figures = pool.figures();
    assert!(figures.done - done <= 3, "those who had gone cost nothing: {figures:?}");
}

#[tokio::test]
async fn verifying_an_account_that_does_not_exist_costs_one_hash_at_the_same_price() {
    let pool = HashPool::new(1, 10, Arc::new(SystemRandom::default())).expect("a pool");
    let params = Params { m_kib: 64, t: 1, p: 1 };
    pool.verify(secret("x"), None, params).await.expect("the decoy is made");
    let before = pool.figures().done;
    assert!(!pool.verify(secret(PASSWORD), None, params).await.expect("verified").matches);
    assert_eq!(pool.figures().done - before, 1);
    let phc = pool.hash(secret(PASSWORD), params).await.expect("a hash");
    assert!(pool.verify(secret(PASSWORD), Some(phc.clone()), params).await.expect("verified").matches);
    assert!(!pool.verify(secret(OTHER_PASSWORD), Some(phc), params).await.expect("verified").matches);
}

struct Known;
impl Breached for Known {
    fn contains(&self, password: &str) -> bool {
        password == OTHER_PASSWORD
    }
}

#[tokio::test]
async fn attack_a125_breached_passwords_are_refused_wherever_one_is_set() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let realm = test.try_open(|o| o.breached = Some(Arc::new(Known))).await.expect("opens");
    let ada = ada.at(&realm);
    let me = ada.me().await.expect("in");
    let caller = ada.caller().await;
    let changed =
        account::change_password(&realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD)).await;
    assert_eq!(changed.refused(), Kind::PasswordWeak);
    let attempt = ada.begin(AttemptKind::Recover, ADA).await;
    ada.prove(attempt.id, ADA).await.expect("proven");
    assert_eq!(ada.new_password(attempt.id, OTHER_PASSWORD).await.refused(), Kind::PasswordWeak);
    let new = latchstring_core::admin::users::NewSecret::Password(secret(OTHER_PASSWORD));
    let set = latchstring_core::admin::users::set_password(
        &realm,
        Actor::Operator,
        &Source::default(),
        me.user,
        new,
    )
    .await;
    assert_eq!(set.refused(), Kind::PasswordWeak);
    ada.new_password(attempt.id, "another one with nine harps").await.expect("a good one");
}

#[tokio::test]
async fn what_is_typed_before_a_realm_opens_is_checked_where_it_is_parsed() {
    assert_eq!(Settings::default().check(), Ok(()), "the defaults are what operators may set");
    assert_eq!(Identifier::any("").refused(), Kind::UsernameInvalid);
    assert_eq!(Identifier::any("@").refused(), Kind::EmailInvalid);
    let test = TestRealm::new().await;
    let begin = |kind, identifier| Begin::new(kind, identifier, Sink::Cookie);
    for (begin, kind) in [
        (begin(AttemptKind::SignIn, None), Kind::InputInvalid),
        (begin(AttemptKind::SignUp, None), Kind::InputInvalid),
        (begin(AttemptKind::Recover, None), Kind::InputInvalid),
        (begin(AttemptKind::SignUp, Some(who("ada"))), Kind::EmailInvalid),
        (begin(AttemptKind::Recover, Some(who("ada"))), Kind::EmailInvalid),
        (begin(AttemptKind::StepUp, None), Kind::NotSignedIn),
        (begin(AttemptKind::Verify, Some(who(ADA))), Kind::NotSignedIn),
        (Begin { upgrade: true, ..begin(AttemptKind::SignUp, Some(who(ADA))) }, Kind::NotSignedIn),
        (
            Begin { name: Some("a\nb".into()), ..begin(AttemptKind::SignUp, Some(who(ADA))) },
            Kind::InputInvalid,
        ),
        (
            Begin { name: Some("n".repeat(201)), ..begin(AttemptKind::SignUp, Some(who(ADA))) },
            Kind::InputInvalid,
        ),
        (
            Begin { invitation: Some("x".into()), ..begin(AttemptKind::SignUp, None) },
            Kind::InvitationUnusable,
        ),
    ] {
        assert_eq!(
            test.visitor().try_begin(begin.clone()).await.err().and_then(|e| e.kind()),
            Some(kind),
            "{begin:?}"
        );
    }
}

#[tokio::test]
async fn a_fresh_cookie_is_good_at_a_node_that_remembers_the_one_before() {
    let test = TestRealm::new().await;
    let node = test.node().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let ada = test.visitor();
    ada.begin(AttemptKind::SignIn, ADA).await;
    let stale = ada.cookie().expect("a cookie");
    assert!(ada.at(&node).caller().await.browser.is_some(), "remembered there");
    ada.sign_in(ADA, PASSWORD).await;
    // No poll in between.
    let fresh = ada.cookie().expect("a cookie");
    assert!(browser::glance(&node, &fresh).is_none(), "memory can't tell");
    assert!(ada.at(&node).signed().await.is_some());
    assert!(browser::check(&node, &stale).await.expect("checked").is_none());
    // A wrong secret costs one read and drives nothing out of memory.
    let before = node.db().statements();
    for _ in 0..10 {
        assert!(browser::check(&node, &stale).await.expect("checked").is_none());
    }
    assert_eq!(node.db().statements() - before, 10);
    assert!(browser::glance(&node, &fresh).is_some());
}

#[tokio::test]
async fn a_token_of_a_node_whose_clock_is_ahead_is_good_at_once_and_none_lives_longer() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let node = async |by| {
        let clock = Arc::new(TestClock::at(test.realm.now() + by));
        Realm::open(testing::opening(test.db.reopen().await, clock, &test.secret)).await.expect("a node")
    };
    let access = app.tokens().access;
    check::access(&node(-2 * SECOND + 100_000).await, &access.token).await.expect("made just now");
    let far = check::access(&node(-4 * SECOND).await, &access.token).await;
    assert_eq!(far.err().and_then(|e| e.kind()), Some(Kind::TokenUnusable));
    let over = check::access(&node(access.expires_in * SECOND).await, &access.token).await;
    assert_eq!(over.err().and_then(|e| e.kind()), Some(Kind::TokenUnusable), "not a second longer");
}

#[tokio::test]
async fn an_ending_that_is_committed_long_after_it_was_written_is_not_missed() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let session = app.completed().session;
    let ending = Ending::session(test.realm.ground(), session, test.realm.longest_token());
    for _ in 0..40 {
        test.clock.advance(SECOND);
        test.realm.follow().await.expect("a poll");
    }
    test.realm
        .db()
        .write(async move |tx| -> Result<()> { ended::write(tx, &ending).await })
        .await
        .expect("the lock was waited for, and now it is there");
    // Five a second, and one of 25 looks back so far.
    for _ in 0..25 {
        test.realm.follow().await.expect("a poll");
    }
    assert!(!app.is_in().await);
}

#[tokio::test]
async fn sign_out_everywhere_waits_for_a_sign_in_that_is_not_committed_yet() {
    for which in [Which::All, Which::Others(SessionId(uuid::Uuid::nil()))] {
        let test = TestRealm::new().await;
        let user = test.admin_user(ADA, true, Some(PASSWORD)).await.user.id;
        let now = test.realm.now();
        let new = session::New {
            id: SessionId::new(now, test.realm.ground().random()),
            user,
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
        let (began, beginning) = tokio::sync::oneshot::channel::<()>();
        let began = std::sync::Mutex::new(Some(began));
        let db = test.realm.db().clone();
        let signing = tokio::spawn(async move {
            db.write(async move |tx| -> Result<()> {
                user::store::sign_in(tx, user, 1, now).await?.expect("nothing changed");
                session::store::insert(tx, &new, now).await?;
                began.lock().expect("whole").take().map(|began| began.send(()));
                // SQLite has one writer, and needs no wait to show it.
                if tx.engine() == latchstring_db::Engine::Postgres {
                    tx.exec("SELECT pg_sleep(0.5)", &[]).await?;
                }
                Ok(())
            })
            .await
        });
        beginning.await.expect("begun");
        account::end_sessions(&test.realm, user, Actor::Operator, &Source::default(), which)
            .await
            .expect("ended");
        signing.await.expect("runs").expect("signed in");
        assert_eq!(account::sessions(&test.realm, user).await.expect("sessions").len(), 0, "{which:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_waited_for_the_end_of_everything_is_later_than_it() {
    let test = TestRealm::new().await;
    let user = test.admin_user(ADA, true, Some(PASSWORD)).await.user.id;
    let drawn = test.realm.now();
    test.clock.advance(2 * SECOND);
    account::end_sessions(&test.realm, user, Actor::Operator, &Source::default(), Which::All)
        .await
        .expect("ended");
    let begun = test
        .realm
        .db()
        .write(async move |tx| -> Result<_> { user::store::sign_in(tx, user, 1, drawn).await })
        .await
        .expect("written")
        .expect("nothing changed");
    assert!(begun.begun >= test.realm.ended().user_valid_after(user), "or the person would land signed out");
}

#[tokio::test]
async fn the_statement_does_not_raise_a_session_whose_time_is_over() {
    let test = TestRealm::with(|s| s.session.idle_seconds = 300).await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let (id, user) = (app.completed().session, app.completed().user);
    for (after, lives) in [(299, true), (301, false)] {
        let now = test.realm.now() + after * SECOND;
        let raised = test
            .realm
            .db()
            .write(async move |tx| -> Result<_> {
                let locked = session::store::lock(tx, id, user, now).await?.is_some();
                let proved = session::store::proved(tx, id, now, "[]", 2, "[]").await?;
                // Nothing of it stays.
                Err::<(), _>(Kind::NotFound.param(format!("{locked} {proved}")).into())
            })
            .await;
        let Err(latchstring_core::Error::Refused(refusal)) = raised else { panic!("rolled back") };
        assert_eq!(refusal.detail.param.as_deref(), Some(format!("{lives} {lives}").as_str()), "{after} s");
    }
}
