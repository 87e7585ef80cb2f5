//! Many at once: what may happen once happens once, and what is counted is counted. Half of the callers ask a second
//! node, which shares the database and nothing else.

use latchstring_core::{
    Kind, Result, account,
    admin::{invitations, settings, setup, users},
    attempt::{self, AttemptKind, mailed},
    audit::{Actor, Source},
    challenge::Purpose,
    clock::{MINUTE, SECOND},
    credential, family,
    id::UserId,
    key,
    limit::{self, Rate, Rule},
    realm::Realm,
    session,
    settings::SignUp,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, secret, who},
};
use latchstring_proto::jose::Alg;

const ADA: &str = "ada@northwind.example";

/// A realm whose limits don't bite.
async fn generous() -> TestRealm {
    TestRealm::with(|s| {
        for rate in [
            &mut s.limits.codes_by_identifier,
            &mut s.limits.sends_by_target,
            &mut s.limits.sends_by_target_daily,
        ] {
            rate.burst = 10_000;
        }
        s.code.tries = 10_000;
        s.limits.free_failures = 10_000;
        s.limits.failures_until_closed = 20_000;
    })
    .await
}

/// Runs `n` tasks at once and gives what each came to, in no order.
async fn all<T, F>(n: usize, mut task: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut set = tokio::task::JoinSet::new();
    for i in 0..n {
        set.spawn(task(i));
    }
    set.join_all().await
}

/// How many were not refused; a fault fails the test.
fn successes<T>(results: &[Result<T>]) -> usize {
    results
        .iter()
        .filter(|r| match r {
            Ok(_) => true,
            Err(latchstring_core::Error::Refused(_)) => false,
            Err(fault) => panic!("{fault:?}"),
        })
        .count()
}

async fn live_sessions(realm: &Realm, user: UserId) -> usize {
    account::sessions(realm, user).await.expect("sessions").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_by_fifty_at_once_opens_one_session() {
    let test = generous().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    ada.sign_out().await;
    let node = test.node().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let code = visitor.code_to(ADA).await;
    let results = all(50, |i| {
        let visitor = if i % 2 == 0 { visitor.clone() } else { visitor.at(&node) };
        let code = code.clone();
        async move { visitor.code(attempt.id, &code).await }
    })
    .await;
    assert_eq!(successes(&results), 1);
    assert_eq!(live_sessions(&test.realm, test.id_of(ADA).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_by_its_address_by_fifty_at_once_opens_one_session() {
    let test = generous().await;
    test.sign_up(ADA, PASSWORD).await.sign_out().await;
    let sender = test.app();
    let ask = mailed::Ask::new(AttemptKind::SignIn, who(ADA), attempt::Redirect::default());
    mailed::ask(&test.realm, &sender.caller().await, ask).await.expect("sent");
    let code = sender.code_to(ADA).await;
    let (one, two) = (test.realm.clone(), test.node().await);
    let results = all(50, |i| {
        let (realm, code) = (if i % 2 == 0 { one.clone() } else { two.clone() }, code.clone());
        async move {
            let caller = attempt::Caller::default();
            mailed::code(&realm, &caller, &[Purpose::SignIn], &who(ADA), &code).await
        }
    })
    .await;
    assert_eq!(successes(&results), 1);
    assert_eq!(live_sessions(&test.realm, test.id_of(ADA).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_link_by_fifty_browsers_at_once_opens_one_session() {
    let test = generous().await;
    test.sign_up(ADA, PASSWORD).await.sign_out().await;
    let node = test.node().await;
    let beginner = test.visitor();
    let attempt = beginner.begin(AttemptKind::SignIn, ADA).await;
    beginner.send(attempt.id).await.expect("sent");
    let link = beginner.link_to(ADA).await;
    let results = all(50, |i| {
        // Some in the browser that began, most in others.
        let visitor = if i % 5 == 0 { beginner.clone() } else { test.visitor() };
        let visitor = if i % 2 == 0 { visitor } else { visitor.at(&node) };
        let link = link.clone();
        async move { visitor.follow(&link).await }
    })
    .await;
    assert_eq!(successes(&results), 1);
    assert_eq!(live_sessions(&test.realm, test.id_of(ADA).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_setup_token_by_twenty_at_once_makes_one_key() {
    let test = TestRealm::new().await;
    let old = setup::token(&test.realm).await.expect("read").expect("there is no key yet");
    let token = setup::token(&test.realm).await.expect("read").expect("there is no key yet");
    let (one, two) = (test.realm.clone(), test.node().await);
    let results = all(20, |i| {
        let (realm, token) = (if i % 2 == 0 { one.clone() } else { two.clone() }, token.clone());
        async move { setup::redeem(&realm, &Source::default(), &token).await }
    })
    .await;
    assert_eq!(successes(&results), 1);
    assert_eq!(latchstring_core::api_key::list(&test.realm).await.expect("list").len(), 1);
    assert_eq!(setup::redeem(&test.realm, &Source::default(), &old).await.refused(), Kind::SetupUnusable);
    assert!(setup::token(&test.realm).await.expect("read").is_none(), "there is a key: no more tokens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_invitation_by_twenty_at_once_makes_one_account() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Invite).await;
    let made =
        invitations::create(&test.realm, Actor::Operator, &Source::default(), who(ADA)).await.expect("made");
    let secret = test.visitor().link_to(ADA).await;
    let node = test.node().await;
    let results = all(20, |i| {
        let visitor = if i % 2 == 0 { test.visitor() } else { test.visitor().at(&node) };
        let secret = secret.clone();
        async move {
            let attempt = visitor.accept(&secret).await?.outcome.attempt;
            visitor.new_password(attempt.id, PASSWORD).await
        }
    })
    .await;
    assert_eq!(successes(&results), 1);
    let accepted = invitations::list(&test.realm, None, 10).await.expect("list").0;
    assert_eq!((accepted.len(), accepted[0].id), (1, made.id));
    assert!(accepted[0].accepted_at.is_some());
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a122_three_hundred_parallel_guesses_are_no_more_than_the_free_ones() {
    for free in [1, 5] {
        let test = TestRealm::with(move |s| s.limits.free_failures = free).await;
        test.admin_user(ADA, true, Some(PASSWORD)).await;
        let node = test.node().await;
        let before = test.hashes() + node.hash().figures().done;
        let results = all(300, |i| {
            let visitor = if i % 2 == 0 { test.app() } else { test.app().at(&node) };
            async move {
                let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
                visitor.password(attempt.id, &format!("wrong guess number {i}")).await
            }
        })
        .await;
        assert_eq!(successes(&results), 0);
        let evaluated = test.hashes() + node.hash().figures().done - before;
        assert_eq!(evaluated, free as u64, "of three hundred");
        assert_eq!(
            test.visitor().try_sign_in(ADA, PASSWORD).await.refused(),
            Kind::Throttled,
            "the right one too"
        );
        test.clock.advance(3 * SECOND);
        test.sign_in(ADA, PASSWORD).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_at_once_by_the_right_password_do_not_throttle_one_another() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let results = all(12, |_| {
        let visitor = test.app();
        async move { visitor.try_sign_in(ADA, PASSWORD).await }
    })
    .await;
    assert_eq!(successes(&results), 12, "five tries are free, and none of these is a failure");
    // The textbook app's form is throttled in the same place.
    test.set(|s| {
        s.token_endpoint.enabled = true;
        s.token_endpoint.alg = "EdDSA".into();
    })
    .await;
    let results = all(12, |_| {
        let realm = test.realm.clone();
        async move {
            let caller = attempt::Caller::default();
            latchstring_core::oauth::password_grant::grant(&realm, &caller, ADA, secret(PASSWORD)).await
        }
    })
    .await;
    assert_eq!(successes(&results), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a108_two_hundred_parallel_guesses_burn_the_code() {
    let test = generous().await;
    test.set(|s| s.code.tries = 5).await;
    test.sign_up(ADA, PASSWORD).await.sign_out().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let code: u32 = visitor.code_to(ADA).await.parse().expect("digits");
    let results = all(200, |i| {
        let visitor = visitor.clone();
        let guess = format!("{:06}", (code + 1 + i as u32) % 1_000_000);
        async move { visitor.code(attempt.id, &guess).await }
    })
    .await;
    assert_eq!(successes(&results), 0);
    assert_eq!(
        visitor.code(attempt.id, &format!("{code:06}")).await.refused(),
        Kind::CodeWrong,
        "five tries, no more"
    );
}

#[tokio::test]
async fn attack_a108_ten_attempts_do_not_buy_ten_times_the_tries() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let mut looked_at = 0;
    for _ in 0..10 {
        let visitor = test.visitor();
        let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
        visitor.send(attempt.id).await.expect("sent");
        let code: u32 = visitor.code_to(ADA).await.parse().expect("digits");
        for i in 0..5 {
            match visitor.code(attempt.id, &format!("{:06}", (code + 1 + i) % 1_000_000)).await.refused() {
                Kind::CodeWrong => looked_at += 1,
                kind => assert_eq!(kind, Kind::RateLimited),
            }
        }
    }
    assert_eq!(looked_at, 10, "over all attempts for one address");
}

async fn refresh(realm: &Realm, text: &str) -> Result<String> {
    let (_, token) = family::refresh(realm, realm.mount(), text, MINUTE, &Source::default()).await?;
    Ok(token.text(&realm.ground().keys).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_pairs_of_refreshes_at_once_sign_nobody_out() {
    let test = generous().await;
    let node = test.node().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let mut holders = Vec::new();
    for _ in 0..8 {
        let app = test.app();
        app.sign_in(ADA, PASSWORD).await;
        holders.push(app);
    }
    let families: Vec<String> = all(8, |i| {
        let (one, two, mut token) =
            (test.realm.clone(), node.clone(), holders[i].tokens().refresh.to_string());
        async move {
            for n in 0..125 {
                let (a, b) = (token.clone(), token.clone());
                let pair = (
                    tokio::spawn({
                        let one = one.clone();
                        async move { refresh(&one, &a).await }
                    }),
                    tokio::spawn({
                        let two = two.clone();
                        async move { refresh(&two, &b).await }
                    }),
                );
                let (a, b) = (pair.0.await.expect("runs"), pair.1.await.expect("runs"));
                let (a, b) = (a.expect("one tab"), b.expect("the other tab"));
                assert_eq!(a, b, "pair {n}: both get the same successor");
                assert_ne!(a, token);
                token = a;
            }
            token
        }
    })
    .await;
    assert_eq!(families.len(), 8);
    for app in &holders {
        assert!(app.is_in().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a046_a_replayed_token_always_ends_family_and_session() {
    let test = generous().await;
    let node = test.node().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    for round in 0..10 {
        let app = test.app();
        app.sign_in(ADA, PASSWORD).await;
        let oldest = app.tokens().refresh.to_string();
        app.refresh().await.expect("rotates");
        app.refresh().await.expect("rotates");
        let newest = app.tokens().refresh.to_string();
        // The thief's replay and the owner's refreshes at once, in any order.
        let (one, two) = (test.realm.clone(), node.clone());
        let results = all(6, |i| {
            let (realm, token) =
                if i % 2 == 0 { (one.clone(), oldest.clone()) } else { (two.clone(), newest.clone()) };
            async move { (i % 2 == 0, refresh(&realm, &token).await) }
        })
        .await;
        for (replay, result) in results {
            assert!(!replay || result.is_err(), "round {round}: a replay was answered");
        }
        for realm in [&test.realm, &node] {
            assert!(refresh(realm, &newest).await.is_err(), "round {round}: the family lives on");
        }
        assert!(!app.is_in().await, "round {round}: the session lives on");
        assert!(app.refresh().await.is_err());
    }
    let audited = test.audited(test.id_of(ADA).await).await;
    assert!(audited.iter().any(|a| a == "refresh_token.reused"), "and it is in the trail");
}

#[tokio::test]
async fn attack_a162_a_token_that_a_restored_backup_has_forgotten_ends_the_family() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let keys = &test.realm.ground().keys;
    let token = family::Token::parse(keys, &app.tokens().refresh).expect("ours");
    let later = family::Token { counter: 7, ..token }.text(keys).to_string();
    assert_eq!(refresh(&test.realm, &later).await.refused(), Kind::RefreshReused);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert!(!app.is_in().await);
}

/// Fifty sign-ins with the old password wait for the password pool; meanwhile `change` happens. None may live.
async fn fifty_wait_while(change: impl AsyncFn(&TestRealm, UserId)) {
    let test = generous().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let user = test.id_of(ADA).await;
    // Dear enough to wait for: verification costs what the stored hash says.
    test.set(|s| {
        s.password.memory_kib = 19_456;
        s.password.passes = 2;
    })
    .await;
    test.sign_in(ADA, PASSWORD).await.sign_out().await;
    let mut ready = Vec::new();
    for i in 0..50 {
        let visitor = if i % 2 == 0 { test.visitor() } else { test.app() };
        let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
        ready.push((visitor, attempt.id));
    }
    let begun = test.hashes();
    let mut set = tokio::task::JoinSet::new();
    for (visitor, id) in ready.clone() {
        set.spawn(async move { visitor.password(id, PASSWORD).await.map(|_| ()) });
    }
    let asked = || test.hashes() - begun + test.realm.hash().figures().waiting as u64;
    while asked() < 50 {
        tokio::task::yield_now().await;
    }
    change(&test, user).await;
    assert!(test.realm.hash().figures().waiting > 0, "some were still waiting, or the test shows nothing");
    let results = set.join_all().await;
    let in_time = successes(&results);
    assert!(in_time < 50);
    assert_eq!(live_sessions(&test.realm, user).await, 0, "{in_time} were in time, and ended with the rest");
    for (visitor, _) in ready {
        assert!(!visitor.is_in().await);
    }
}

async fn import(test: &TestRealm, user: UserId, password: &str) {
    let mut scratch = latchstring_proto::password::Scratch::default();
    let params = latchstring_proto::password::Params { m_kib: 64, t: 1, p: 1 };
    let phc = latchstring_proto::password::argon2id(&params, password.as_bytes(), &[1; 16], &mut scratch)
        .expect("a hash");
    let new = users::NewSecret::Hash(phc.into());
    users::set_password(&test.realm, Actor::Operator, &Source::default(), user, new).await.expect("set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_sign_in_that_waited_survives_a_new_password() {
    fifty_wait_while(async |test, user| import(test, user, OTHER_PASSWORD).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_sign_in_that_waited_survives_a_ban() {
    fifty_wait_while(async |test, user| {
        users::ban(&test.realm, Actor::Operator, &Source::default(), user, None, None).await.expect("banned");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_sign_in_that_waited_survives_a_ban_that_was_lifted_again() {
    fifty_wait_while(async |test, user| {
        users::ban(&test.realm, Actor::Operator, &Source::default(), user, None, None).await.expect("banned");
        users::unban(&test.realm, Actor::Operator, &Source::default(), user).await.expect("lifted");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sign_ups_with_one_address_make_one_account() {
    let test = generous().await;
    let node = test.node().await;
    let mut ready = Vec::new();
    for i in 0..8 {
        let visitor = if i % 2 == 0 { test.visitor() } else { test.visitor().at(&node) };
        let attempt = visitor.begin(AttemptKind::SignUp, ADA).await;
        visitor.prove(attempt.id, ADA).await.expect("proven");
        ready.push((visitor, attempt.id));
    }
    let results = all(8, |i| {
        let (visitor, id) = ready[i].clone();
        async move { visitor.new_password(id, PASSWORD).await }
    })
    .await;
    assert_eq!(successes(&results), 1);
    for result in results {
        if let Err(error) = result {
            assert_eq!(error.kind(), Some(Kind::AttemptClosed));
        }
    }
    assert_eq!(live_sessions(&test.realm, test.id_of(ADA).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_and_one_address_go_to_one_of_many() {
    let test = generous().await;
    let mut ready: Vec<(Visitor, attempt::Attempt)> = Vec::new();
    for i in 0..6 {
        let visitor = test.sign_up(&format!("person{i}@northwind.example"), PASSWORD).await;
        let attempt = visitor.begin_within(AttemptKind::Verify, Some("wanted@northwind.example")).await;
        visitor.send(attempt.id).await.expect("sent");
        ready.push((visitor, attempt));
    }
    test.deliver().await;
    let mut codes: Vec<String> = test
        .mailbox
        .list()
        .into_iter()
        .filter(|m| m.to == "wanted@northwind.example")
        .map(|m| m.code.expect("a code"))
        .collect();
    codes.reverse();
    let results = all(6, |i| {
        let ((visitor, attempt), code) = (ready[i].clone(), codes[i].clone());
        async move { visitor.code(attempt.id, &code).await }
    })
    .await;
    assert_eq!(successes(&results), 1, "one address");
    let names = all(6, |i| {
        let visitor = ready[i].0.clone();
        async move { visitor.take_username("wanted").await }
    })
    .await;
    assert_eq!(successes(&names), 1, "one name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ring_is_made_once_by_many() {
    let test = TestRealm::new().await;
    let (one, two) = (test.realm.clone(), test.node().await);
    let purpose = key::Purpose::TokenEndpoint(Alg::Es256);
    let made = all(10, |i| {
        let realm = if i % 2 == 0 { one.clone() } else { two.clone() };
        async move { key::ensure(realm.db(), realm.ground(), realm.mount(), purpose).await.expect("ensured") }
    })
    .await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    let kids = all(10, |i| {
        let realm = if i % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let ring = realm.ring(purpose).await.expect("a ring");
            ring.keys.iter().map(|k| k.kid.clone()).collect::<Vec<_>>()
        }
    })
    .await;
    assert!(kids.iter().all(|k| k.len() == 1 && *k == kids[0]), "all nodes see one key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shared_limit_of_ten_lets_ten_of_sixty_four_through() {
    let test = TestRealm::new().await;
    let (one, two) = (test.realm.clone(), test.node().await);
    let rate = Rate { burst: 10, per_seconds: 3_600 };
    let key = limit::key(&test.realm.ground().keys, Rule::SendsByTarget, b"somebody");
    let taken = all(64, |i| {
        let realm = if i % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let now = realm.now();
            realm
                .db()
                .write(async move |tx| -> Result<_> { limit::store::take(tx, key, rate, now).await })
                .await
                .expect("a statement")
        }
    })
    .await;
    assert_eq!(taken.iter().filter(|t| t.is_ok()).count(), 10);
    for wait in taken.into_iter().filter_map(std::result::Result::err) {
        assert!((1..=361 * SECOND).contains(&wait), "{wait}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn settings_read_at_one_revision_are_changed_by_one() {
    let test = TestRealm::new().await;
    // As cheap as an operator may set it; a patch checks the whole.
    test.set(|s| (s.password.memory_kib, s.password.passes) = (7_168, 5)).await;
    let seen = test.realm.settings().0;
    let (one, two) = (test.realm.clone(), test.node().await);
    let results = all(10, |i| {
        let realm = if i % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let patch = serde_json::json!({ "name": format!("Northwind {i}") });
            settings::patch(&realm, Actor::Operator, &Source::default(), patch, Some(seen)).await
        }
    })
    .await;
    assert_eq!(successes(&results), 1);
    one.follow().await.expect("follows");
    two.follow().await.expect("follows");
    assert_eq!(*one.settings(), *two.settings());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_outs_everywhere_and_refreshes_at_once_leave_nothing_behind() {
    let test = generous().await;
    let node = test.node().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let user = test.id_of(ADA).await;
    for _ in 0..5 {
        let app = test.app();
        app.sign_in(ADA, PASSWORD).await;
        let token = app.tokens().refresh.to_string();
        let (one, two) = (test.realm.clone(), node.clone());
        let tokens = all(12, |i| {
            let (one, two, token, app) = (one.clone(), two.clone(), token.clone(), test.app());
            async move {
                match i % 3 {
                    0 => {
                        let (actor, which) = (Actor::Operator, session::Which::All);
                        account::end_sessions(&one, user, actor, &Source::default(), which)
                            .await
                            .expect("ended");
                        None
                    }
                    1 => refresh(&two, &token).await.ok().map(|token| (true, token)),
                    _ => {
                        let signed = app.try_sign_in(ADA, PASSWORD).await.ok();
                        signed.map(|_| (false, app.tokens().refresh.to_string()))
                    }
                }
            }
        })
        .await;
        // What was there before is over, refreshed or not. A sign-in that came after the last end lives, and whole.
        let (mut of_before, mut living) = (vec![token], 0);
        for (refreshed, token) in tokens.into_iter().flatten() {
            if refreshed {
                of_before.push(token);
            } else {
                living += usize::from(refresh(&two, &token).await.is_ok());
            }
        }
        for token in of_before {
            assert!(refresh(&two, &token).await.is_err(), "a token outlived the end of everything");
        }
        assert_eq!(
            live_sessions(&test.realm, user).await,
            living,
            "a session without its tokens, or they without it"
        );
        account::end_sessions(&test.realm, user, Actor::Operator, &Source::default(), session::Which::All)
            .await
            .expect("ended, for the next round");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upgrade_of_a_hash_never_undoes_a_change() {
    let test = generous().await;
    test.admin_user(ADA, true, None).await;
    let user = test.id_of(ADA).await;
    for round in 0..5 {
        import(&test, user, PASSWORD).await;
        test.set(move |s| s.password.memory_kib = 128 + round).await;
        let app = test.app();
        let attempt = app.begin(AttemptKind::SignIn, ADA).await;
        let signing = tokio::spawn(async move { app.password(attempt.id, PASSWORD).await.map(|_| ()) });
        import(&test, user, OTHER_PASSWORD).await;
        let _ = signing.await.expect("runs");
        let phc =
            test.realm.db().read(async |tx| credential::store::password(tx, user).await).await.expect("read");
        let checked = test.realm.hash().verify(secret(OTHER_PASSWORD), phc, test.realm.hash_params()).await;
        assert!(checked.expect("verified").matches, "the newer password stands");
    }
}
