//! The certificate that the nodes get by ACME: whose turn it is, when it is due, what failures cost.

use latchstring_core::{
    certificate::{self, Account, Got, Wanted},
    clock::{DAY, HOUR, MINUTE, SECOND},
    testing::TestRealm,
};
use uuid::Uuid;

fn wanted(hosts: &[&str]) -> Wanted {
    Wanted {
        directory: "https://acme.example/directory".into(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    }
}

fn got(test: &TestRealm, days: i64) -> Got {
    let now = test.realm.now();
    Got { chain: "a chain".into(), key: "a key".to_owned().into(), begins_at: now, ends_at: now + days * DAY }
}

#[tokio::test]
async fn one_node_gets_it_and_all_have_it() {
    let test = TestRealm::new().await;
    let other = test.node().await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let wanted = wanted(&["id.example"]);
    assert!(certificate::newer(&test.realm, -1).await.expect("read").is_none());
    let account = certificate::begin(&test.realm, &wanted, one).await.expect("asked");
    assert!(matches!(account, Some(Account(None))), "its turn, and no account yet");
    assert!(certificate::begin(&other, &wanted, two).await.expect("asked").is_none(), "another's turn");
    certificate::keep_account(&test.realm, &wanted.directory, b"an account").await.expect("kept");
    certificate::put_proof(&test.realm, "token-1", "id.example", "token-1.print").await.expect("kept");
    assert_eq!(certificate::proof(&other, "token-1").await.expect("read").as_deref(), Some("token-1.print"));
    for wrong in ["", "token-2", "token-1/", "../token-1", &"x".repeat(300), "token-1' OR '1'='1"] {
        assert_eq!(certificate::proof(&other, wrong).await.expect("read"), None, "{wrong}");
    }
    certificate::keep(&test.realm, &wanted, got(&test, 90), one).await.expect("kept");
    let kept = certificate::newer(&other, -1).await.expect("read").expect("there");
    assert_eq!((kept.chain.as_str(), kept.key.as_str(), kept.rev), ("a chain", "a key", 1));
    assert!(certificate::newer(&other, kept.rev).await.expect("read").is_none(), "nothing newer");
    assert_eq!(certificate::proof(&other, "token-1").await.expect("read"), None, "nothing is asked any more");

    // In the last third of its time, or for another host.
    assert!(!kept.is_due(&wanted, test.realm.now() + 59 * DAY));
    assert!(kept.is_due(&wanted, test.realm.now() + 60 * DAY));
    let more = self::wanted(&["id.example", "login.example"]);
    assert!(kept.is_due(&more, test.realm.now()));
    assert!(certificate::begin(&other, &wanted, two).await.expect("asked").is_none(), "it is there");
    let early = certificate::begin(&other, &more, two).await.expect("asked");
    assert!(early.is_none(), "nodes that differ do not order in turn");
    test.clock.advance(11 * MINUTE);
    let elsewhere = Wanted { directory: "https://other.example/directory".into(), ..wanted };
    assert!(kept.is_due(&elsewhere, test.realm.now()), "one for trying things is not kept");
    let account = certificate::begin(&other, &more, two).await.expect("asked").expect("its turn");
    assert_eq!(account.0.as_deref().map(Vec::as_slice), Some(&b"an account"[..]));
}

#[tokio::test]
async fn failures_wait_longer_each_time_and_another_authority_begins_anew() {
    let test = TestRealm::new().await;
    let holder = Uuid::from_u128(1);
    let wanted = wanted(&["id.example"]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let began = certificate::begin(&test.realm, &wanted, holder).await.expect("asked");
        assert!(began.is_some());
        let next = certificate::failed(&test.realm, holder).await.expect("noted");
        assert!(
            certificate::begin(&test.realm, &wanted, holder).await.expect("asked").is_none(),
            "too early"
        );
        // The clock of tests moves with each look.
        waits.push((next - test.realm.now() + SECOND / 2) / SECOND * SECOND);
        test.clock.advance(next - test.realm.now());
    }
    assert_eq!(waits[..4], [MINUTE, 4 * MINUTE, 16 * MINUTE, 64 * MINUTE]);
    assert_eq!(waits[7], 12 * HOUR, "and never longer");
    certificate::begin(&test.realm, &wanted, holder).await.expect("asked").expect("its turn");
    certificate::keep_account(&test.realm, &wanted.directory, b"an account").await.expect("kept");
    certificate::failed(&test.realm, holder).await.expect("noted");
    let other = Wanted { directory: "https://other.example/directory".into(), ..wanted };
    let account = certificate::begin(&test.realm, &other, holder).await.expect("asked").expect("at once");
    assert!(account.0.is_none(), "an account is at one authority");
}

#[tokio::test]
async fn a_node_that_died_over_an_order_is_followed_by_another() {
    let test = TestRealm::new().await;
    let wanted = wanted(&["id.example"]);
    certificate::begin(&test.realm, &wanted, Uuid::from_u128(1)).await.expect("asked").expect("its turn");
    test.clock.advance(11 * MINUTE);
    let next = certificate::begin(&test.realm, &wanted, Uuid::from_u128(2)).await.expect("asked");
    assert!(next.is_some());
}
