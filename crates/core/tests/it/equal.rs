//! Invariant 5, equal answers: whether an account exists shows neither in what is answered nor in what it costs.
//! Counted, not timed. (With apps, since a browser's cookie may or may not be answered from memory.)

use latchstring_core::{
    Kind, Refusal, account,
    admin::users,
    attempt::{AttemptKind, Sink, begin::Begin},
    audit::{Actor, Source},
    clock::{HOUR, SECOND},
    testing::{PASSWORD, TestRealm, Visitor, who},
};

const PEOPLE: [(&str, &str); 7] = [
    ("known", "known@northwind.example"),
    ("unknown", "unknown@northwind.example"),
    ("password-less", "bare@northwind.example"),
    ("banned", "banned@northwind.example"),
    ("unproven", "unproven@northwind.example"),
    ("locked", "locked@northwind.example"),
    ("leaving", "leaving@northwind.example"),
];

const NAMES: [(&str, &str); 3] =
    [("known", "known.name"), ("unknown", "unknown.name"), ("without address", "lonely")];

async fn town() -> TestRealm {
    let test = TestRealm::with(|s| {
        s.limits.sends_by_target.burst = 1_000;
        s.limits.sends_by_target_daily.burst = 1_000;
        s.limits.codes_by_identifier.burst = 1_000;
    })
    .await;
    for email in ["known@northwind.example", "banned@northwind.example", "locked@northwind.example"] {
        test.admin_user(email, true, Some(PASSWORD)).await;
    }
    test.admin_user("bare@northwind.example", true, None).await;
    test.admin_user("unproven@northwind.example", false, Some(PASSWORD)).await;
    let banned = test.id_of("banned@northwind.example").await;
    users::ban(&test.realm, Actor::Operator, &Source::default(), banned, None, None).await.expect("banned");
    test.sign_in("known@northwind.example", PASSWORD).await.take_username("known.name").await.expect("taken");
    let lonely = users::NewUser { username: Some(who("lonely")), ..users::NewUser::default() };
    users::create(&test.realm, Actor::Operator, &Source::default(), lonely).await.expect("made");
    let leaving = test.sign_up("leaving@northwind.example", PASSWORD).await.me().await.expect("in");
    let at = account::delete_mine(&test.realm, &leaving, &Source::default()).await.expect("begun");
    assert!(at.is_some());
    // The decoy hash is made once for each cost.
    let _ = test.app().try_sign_in("warm.up", "whatever it is").await;
    test
}

/// Lets six wrong passwords in a row come for `who`: the next is too early.
async fn lock(test: &TestRealm, who: &str) {
    for _ in 0..6 {
        let _ = test.app().try_sign_in(who, "a wrong password").await;
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Cost {
    answer: Option<Refusal>,
    hashes: u64,
    statements: u64,
}

async fn cost<T>(test: &TestRealm, work: impl Future<Output = latchstring_core::Result<T>>) -> Cost {
    let before = (test.hashes(), test.statements());
    let answer = match work.await {
        Ok(_) => None,
        Err(latchstring_core::Error::Refused(refusal)) => Some(refusal),
        Err(latchstring_core::Error::Fault(fault)) => panic!("{fault:?}"),
    };
    Cost { answer, hashes: test.hashes() - before.0, statements: test.statements() - before.1 }
}

fn assert_equal(what: &str, costs: &[(&str, Cost)]) {
    for (name, cost) in costs {
        assert_eq!(*cost, costs[0].1, "{what}: {name} is told from {}", costs[0].0);
    }
}

#[tokio::test]
async fn attack_a113_a_wrong_password_costs_the_same_for_everybody() {
    let test = town().await;
    lock(&test, "locked@northwind.example").await;
    test.clock.advance(HOUR);
    let mut costs = Vec::new();
    for (name, email) in PEOPLE {
        let visitor = test.app();
        let attempt = visitor.begin(AttemptKind::SignIn, email).await;
        costs.push((name, cost(&test, visitor.password(attempt.id, "a wrong password")).await));
    }
    assert_eq!(costs[0].1.hashes, 1);
    assert_eq!(costs[0].1.answer.as_ref().map(|r| r.kind), Some(Kind::CredentialsWrong));
    assert_equal("a wrong password", &costs);
    let mut costs = Vec::new();
    for (name, username) in NAMES {
        let visitor = test.app();
        let attempt = visitor.begin(AttemptKind::SignIn, username).await;
        costs.push((name, cost(&test, visitor.password(attempt.id, "a wrong password")).await));
    }
    assert_equal("a wrong password for a username", &costs);
}

#[tokio::test]
async fn attack_a113_a_lock_looks_the_same_whether_there_is_somebody_to_lock_out() {
    let test = town().await;
    let mut costs = Vec::new();
    for (name, email) in PEOPLE {
        lock(&test, email).await;
        let visitor = test.app();
        let attempt = visitor.begin(AttemptKind::SignIn, email).await;
        costs.push((name, cost(&test, visitor.password(attempt.id, "a wrong password")).await));
        test.clock.advance(SECOND);
    }
    assert_eq!(costs[0].1.answer.as_ref().map(|r| r.kind), Some(Kind::Throttled));
    assert_eq!(costs[0].1.hashes, 0, "a refused try is not evaluated");
    assert_equal("a locked account", &costs);
}

#[tokio::test]
async fn attack_a113_sending_a_code_costs_the_same_for_everybody() {
    let test = town().await;
    for kind in [AttemptKind::SignIn, AttemptKind::SignUp, AttemptKind::Recover] {
        let mut costs = Vec::new();
        for (name, email) in PEOPLE {
            let visitor = test.app();
            let attempt = visitor.begin(kind, email).await;
            costs.push((name, cost(&test, visitor.send(attempt.id)).await));
        }
        assert_eq!(costs[0].1.answer, None);
        assert_equal(kind.word(), &costs);
    }
    let mut costs = Vec::new();
    for (name, username) in NAMES {
        let visitor = test.app();
        let attempt = visitor.begin(AttemptKind::SignIn, username).await;
        costs.push((name, cost(&test, visitor.send(attempt.id)).await));
    }
    assert_equal("the code of a username", &costs);
}

#[tokio::test]
async fn attack_a113_a_wrong_code_and_a_beginning_cost_the_same_for_everybody() {
    let test = town().await;
    for kind in [AttemptKind::SignIn, AttemptKind::SignUp, AttemptKind::Recover] {
        let (mut begins, mut codes, mut offers) = (Vec::new(), Vec::new(), Vec::new());
        for (name, email) in PEOPLE {
            let visitor = test.app();
            let begin = Begin::new(kind, Some(who(email)), Sink::Tokens);
            begins.push((name, cost(&test, Box::pin(visitor.try_begin(begin))).await));
            let attempt = visitor.begin(kind, email).await;
            offers.push(attempt.offers(true));
            visitor.send(attempt.id).await.expect("sent");
            codes.push((name, cost(&test, visitor.code(attempt.id, "000000")).await));
        }
        assert_equal("a beginning", &begins);
        assert_equal("a wrong code", &codes);
        assert!(offers.iter().all(|o| *o == offers[0]), "what is offered tells nothing");
    }
}

#[tokio::test]
async fn sends_are_limited_the_same_for_known_and_unknown_addresses() {
    let test = TestRealm::new().await;
    test.admin_user("known@northwind.example", true, Some(PASSWORD)).await;
    let mut answers = Vec::new();
    for email in ["known@northwind.example", "unknown@northwind.example"] {
        let mut sent = Vec::new();
        for n in 0..8 {
            // A fresh attempt and another kind each time buy nothing: the target is counted.
            let kind = [AttemptKind::SignIn, AttemptKind::Recover, AttemptKind::SignUp][n % 3];
            let visitor: Visitor = test.app();
            let attempt = visitor.begin(kind, email).await;
            sent.push(visitor.send(attempt.id).await.err().and_then(|e| e.kind()));
        }
        test.clock.advance(60 * SECOND);
        let visitor = test.app();
        let attempt = visitor.begin(AttemptKind::SignIn, email).await;
        sent.push(visitor.send(attempt.id).await.err().and_then(|e| e.kind()));
        answers.push(sent);
        test.deliver().await;
        let got = test.mailbox.list().iter().filter(|m| m.to == email).count();
        assert_eq!(got, 4, "{email}: three at once, one a minute later");
    }
    assert_eq!(answers[0], answers[1]);
    let mut wanted = vec![None; 3];
    wanted.extend([Some(Kind::RateLimited); 5]);
    wanted.push(None);
    assert_eq!(answers[0], wanted);
}

#[tokio::test]
async fn attack_a117_failures_of_one_account_are_counted_together_however_it_is_spelled() {
    let test = town().await;
    let spellings = ["known@northwind.example", "KNOWN@Northwind.example", "known.name", "Known.NAME"];
    for n in 0..5 {
        let _ = test.app().try_sign_in(spellings[n % 4], "a wrong password").await;
    }
    // Five are free, over all spellings. The sixth guess is right, and is not evaluated whatever it is spelled as; nor
    // does it say why, or it would tell that these spellings belong together.
    for spelling in spellings {
        let refused = test.app().try_sign_in(spelling, PASSWORD).await.err().and_then(|e| e.kind());
        assert_eq!(refused, Some(Kind::CredentialsWrong), "{spelling}");
    }
    test.clock.advance(HOUR);
    test.sign_in("Known.NAME", PASSWORD).await;
}
