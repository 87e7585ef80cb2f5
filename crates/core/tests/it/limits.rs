//! How often things may be tried and asked for, what a restart must not forget, and how a lock opens again.

use latchstring_core::{
    Kind, Result, account,
    attempt::AttemptKind,
    clock::{DAY, HOUR, MINUTE, SECOND},
    limit::{self, Rate, Rule},
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, secret},
};

const ADA: &str = "ada@northwind.example";

fn wait(result: Result<impl Sized>) -> (Kind, Option<u64>, Vec<String>) {
    match result.err() {
        Some(latchstring_core::Error::Refused(r)) => {
            (r.kind, r.detail.retry_after, r.detail.reasons.iter().map(ToString::to_string).collect())
        }
        _ => panic!("this must be refused"),
    }
}

#[tokio::test]
async fn wrong_passwords_wait_longer_and_longer_and_never_for_ever() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    for _ in 0..5 {
        assert_eq!(test.visitor().try_sign_in(ADA, "a wrong guess").await.refused(), Kind::CredentialsWrong);
    }
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let (kind, retry_after, _) = wait(test.visitor().try_sign_in(ADA, PASSWORD).await);
        assert_eq!((kind, retry_after), (Kind::Throttled, Some(seconds)));
        test.clock.advance(seconds as i64 * SECOND);
        assert_eq!(test.visitor().try_sign_in(ADA, "a wrong guess").await.refused(), Kind::CredentialsWrong);
    }
    test.clock.advance(900 * SECOND);
    test.sign_in(ADA, PASSWORD).await;
    // A success ends the row.
    for _ in 0..5 {
        assert_eq!(test.visitor().try_sign_in(ADA, "a wrong guess").await.refused(), Kind::CredentialsWrong);
    }
}

/// A hundred wrong passwords in a row, over days.
async fn close(test: &TestRealm) {
    test.set(|s| s.limits.failures_until_closed = 10).await;
    for _ in 0..10 {
        assert_eq!(test.visitor().try_sign_in(ADA, "a wrong guess").await.refused(), Kind::CredentialsWrong);
        test.clock.advance(HOUR);
    }
    let (kind, retry_after, reasons) = wait(test.visitor().try_sign_in(ADA, PASSWORD).await);
    assert_eq!(
        (kind, retry_after, reasons.as_slice()),
        (Kind::Throttled, None, ["password_closed".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_closed_password_opens_by_a_mailed_code() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    close(&test).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.prove(attempt.id, ADA).await.expect("another proof");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn a_closed_password_opens_by_a_reset() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    close(&test).await;
    test.visitor().recover(ADA, OTHER_PASSWORD).await;
    test.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn strangers_do_not_lock_the_owner_out_of_a_browser_that_is_known() {
    let test = TestRealm::new().await;
    let owner = test.sign_up(ADA, PASSWORD).await;
    owner.sign_out().await;
    for _ in 0..20 {
        let _ = test.visitor().try_sign_in(ADA, "a wrong guess").await;
    }
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::Throttled);
    owner.sign_in(ADA, PASSWORD).await;
    // And that browser has no more free tries than any.
    owner.sign_out().await;
    for _ in 0..5 {
        let _ = owner.try_sign_in(ADA, "a wrong guess").await;
    }
    assert_eq!(owner.try_sign_in(ADA, PASSWORD).await.refused(), Kind::Throttled);
}

#[tokio::test]
async fn the_password_asked_for_within_a_session_is_throttled_too() {
    let test = TestRealm::new().await;
    let thief = test.sign_up(ADA, PASSWORD).await;
    let me = thief.me().await.expect("in");
    let mut evaluated = 0;
    for n in 0..20 {
        let before = test.hashes();
        let caller = thief.caller().await;
        let guess = secret(&format!("wrong guess {n}"));
        let _ =
            account::change_password(&test.realm, &me, &caller, Some(guess), secret(OTHER_PASSWORD)).await;
        let attempt = thief.begin_within(AttemptKind::StepUp, None).await;
        let _ = thief.password(attempt.id, "a wrong guess").await;
        evaluated += test.hashes() - before;
    }
    assert_eq!(evaluated, 5, "a thief in the session gets no more guesses than one outside");
}

#[tokio::test]
async fn a_restart_does_not_forget_what_nodes_count_together() {
    let test = TestRealm::with(|s| s.limits.attempts_by_address.burst = 2).await;
    let visitor = test.visitor();
    for _ in 0..3 {
        let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
        visitor.send(attempt.id).await.expect("sent");
    }
    for _ in 0..6 {
        let _ = test.visitor().try_sign_in("known.name", "a wrong guess").await;
    }
    let node = test.node().await;
    let again = visitor.at(&node);
    let attempt = again.begin(AttemptKind::SignIn, ADA).await;
    let (kind, retry_after, reasons) = wait(again.send(attempt.id).await);
    assert_eq!(
        (kind, retry_after, reasons),
        (Kind::RateLimited, Some(60), vec!["sends_by_target".to_owned()])
    );
    assert_eq!(again.try_sign_in("known.name", "a wrong guess").await.refused(), Kind::Throttled);

    // What one process counts for itself starts anew, by design: it keeps floods off this process.
    for realm in [&test.realm, &node] {
        let here = test.visitor().at(realm).from("192.0.2.7");
        here.begin(AttemptKind::SignIn, ADA).await;
        here.begin(AttemptKind::SignIn, ADA).await;
        let begin = latchstring_core::attempt::begin::Begin::new(
            AttemptKind::SignIn,
            Some(latchstring_core::testing::who(ADA)),
            latchstring_core::attempt::Sink::Cookie,
        );
        assert_eq!(here.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::RateLimited));
    }
}

#[tokio::test]
async fn every_rule_counts_by_address_in_buckets_and_says_when_to_come_again() {
    let test = TestRealm::new().await;
    for &rule in Rule::ALL {
        let rate = test.realm.settings().1.rule(rule);
        for value in ["a", "b"] {
            for _ in 0..rate.burst {
                test.realm.limit(rule, value.as_bytes()).await.expect("within the burst");
            }
            let (kind, retry_after, reasons) = wait(test.realm.limit(rule, value.as_bytes()).await);
            assert_eq!((kind, reasons), (Kind::RateLimited, vec![rule.name().to_owned()]));
            let retry_after = retry_after.expect("a time") as i64;
            assert!((1..=rate.per_seconds).contains(&retry_after), "{}: {retry_after}", rule.name());
            test.clock.advance(retry_after * SECOND);
            test.realm.limit(rule, value.as_bytes()).await.expect("it kept its word");
        }
    }
    // One household is one IPv6 /64, not 2^64 callers.
    for n in 0..10 {
        let guest = test.visitor().from(&format!("2001:db8:1:2:{n}::1"));
        let attempt = guest.begin(AttemptKind::SignUp, &format!("person{n}@northwind.example")).await;
        assert_eq!(attempt.kind, AttemptKind::SignUp);
    }
    let begin = latchstring_core::attempt::begin::Begin::new(
        AttemptKind::SignUp,
        Some(latchstring_core::testing::who("person10@northwind.example")),
        latchstring_core::attempt::Sink::Cookie,
    );
    let household = test.visitor().from("2001:db8:1:2:ffff::1");
    assert_eq!(
        household.try_begin(begin.clone()).await.err().and_then(|e| e.kind()),
        Some(Kind::RateLimited)
    );
    test.visitor().from("2001:db8:1:3::1").try_begin(begin).await.expect("the neighbours");
}

#[tokio::test]
async fn a_mailbox_gets_at_most_so_many_mails_a_day() {
    let test = TestRealm::new().await;
    let mut sent = 0;
    for _ in 0..60 {
        let visitor = test.visitor();
        let attempt = visitor.begin(AttemptKind::Recover, ADA).await;
        sent += i32::from(visitor.send(attempt.id).await.is_ok());
        test.clock.advance(4 * MINUTE);
    }
    // Twenty at once, and evenly twenty more in a day; four hours are a sixth of it.
    assert!((20..=24).contains(&sent), "{sent}");
    test.clock.advance(DAY);
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::Recover, ADA).await;
    visitor.send(attempt.id).await.expect("the next day");
}

#[tokio::test]
async fn the_limit_in_memory_and_the_one_that_nodes_share_decide_alike() {
    let test = TestRealm::new().await;
    let memory = limit::Limiter::default();
    let rate = |burst, per_seconds| Rate { burst, per_seconds };
    let (few, many) = (rate(3, 3), rate(100, 3_600));
    // (rate, seconds since the start): bursts, waits, a clock that was set back, a limit that was lowered.
    let steps: Vec<(Rate, i64)> = [0, 0, 0, 0, 1, 1, 2, 9, 9, 9, 9]
        .map(|at| (few, at))
        .into_iter()
        .chain([(few, 100_000), (few, 10), (few, 10), (few, 11), (few, 12), (few, 13)])
        .chain([(many, 20); 60])
        .chain([(few, 20), (few, 21), (few, 22)])
        .collect();
    let mut passed = Vec::new();
    for (n, (rate, seconds)) in steps.into_iter().enumerate() {
        let now = test.realm.now() / DAY * DAY + seconds * SECOND;
        let shared = test
            .realm
            .db()
            .write(async move |tx| -> Result<_> { limit::store::take(tx, [7; 32], rate, now).await })
            .await
            .expect("a statement");
        assert_eq!(shared, memory.take([7; 32], rate, now), "step {n}");
        passed.push(shared.is_ok());
    }
    // Nobody is locked out until the time that was stored comes.
    assert_eq!(passed[12..17], [false, false, true, true, true], "after the clock was set back");
    assert_eq!(passed[passed.len() - 3..], [false, true, true], "after the limit was lowered");
}
