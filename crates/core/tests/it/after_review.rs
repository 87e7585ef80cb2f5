//! What a review of the rules found, kept found.

use latchstring_core::{
    Kind, Result, account,
    admin::{keys, users},
    api_key,
    attempt::{AttemptKind, Sink, begin::Begin},
    audit::{self, Actor, Source},
    clock::MINUTE,
    ended,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, secret, who},
    token::check,
};

const ADA: &str = "ada@northwind.example";

async fn actions(test: &TestRealm, action: &str) -> i64 {
    let rows = audit::list(test.realm.db(), None, None, 1_000).await.expect("audit").0;
    rows.iter().filter(|row| row.action == action).map(|row| row.count).sum()
}

#[tokio::test]
async fn an_attempt_does_not_outlive_its_browser() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    visitor.begin(AttemptKind::SignIn, ADA).await;
    test.clock.advance(50 * MINUTE);
    let begin = Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie);
    let begun = visitor.try_begin(begin).await.expect("begun");
    let cookie = begun.cookie.expect("the cookie again, for longer");
    assert_eq!(cookie.expires_at, begun.outcome.attempt.expires_at);
    test.clock.advance(30 * MINUTE);
    visitor.load(begun.outcome.attempt.id).await.expect("still this browser's");
}

#[tokio::test]
async fn a_compromised_key_is_taken_back_at_once_and_not_the_one_that_signs() {
    let test = TestRealm::new().await;
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    let cookie = test.sign_in(ADA, PASSWORD).await;
    let node = test.node().await;
    let token = app.tokens().access.token.clone();
    check::access(&test.realm, &token).await.expect("good");
    check::access(&node, &token).await.expect("good");
    let source = Source { address: Some("192.0.2.1".parse().expect("an address")), ..Source::default() };
    let old = test.realm.native_ring().expect("a ring").keys[0].kid.clone();
    assert_eq!(
        keys::revoke(&test.realm, Actor::Operator, &source, None, &old).await.refused(),
        Kind::LastOne,
        "it signs"
    );
    keys::rotate(&test.realm, Actor::Operator, &source, None, "native", true).await.expect("rotated");
    check::access(&test.realm, &token).await.expect("a rotation alone lets it verify");
    keys::revoke(&test.realm, Actor::Operator, &source, None, &old).await.expect("revoked");
    node.follow().await.expect("follows");
    for realm in [&test.realm, &node] {
        let refused = check::access(realm, &token).await.err().and_then(|e| e.kind());
        assert_eq!(refused, Some(Kind::TokenUnusable));
    }
    assert!(cookie.is_in().await, "no key signs a cookie");
    app.refresh().await.expect("nor a refresh token");
    check::access(&test.realm, &app.tokens().access.token).await.expect("by the new key");
    let rows = audit::list(test.realm.db(), None, None, 100).await.expect("audit").0;
    let of = |action: &str| rows.iter().find(|r| r.action == action).expect("a row").clone();
    for action in ["key.rotated", "key.revoked"] {
        let row = of(action);
        assert_eq!((row.target_kind.as_deref(), row.address.as_deref()), (Some("key"), Some("192.0.2.1")));
        assert!(row.target_id.is_some());
    }
}

#[tokio::test]
async fn the_last_identifier_stays_and_a_username_is_spelled_anew() {
    let test = TestRealm::new().await;
    let new = users::NewUser {
        username: Some(who("ada")),
        secret: Some(users::NewSecret::Password(secret(PASSWORD))),
        ..users::NewUser::default()
    };
    users::create(&test.realm, Actor::Operator, &Source::default(), new).await.expect("made");
    let ada = test.sign_in("ada", PASSWORD).await;
    let me = ada.me().await.expect("in");
    let set =
        async |name: Option<&str>| account::set_username(&test.realm, &me, &Source::default(), name).await;
    assert_eq!(set(None).await.refused(), Kind::LastOne);
    let full = set(Some("Ada")).await.expect("spelled anew");
    assert_eq!(full.username().expect("a username").typed, "Ada");
    assert_eq!(actions(&test, "username.changed").await, 1);
    set(Some("Ada")).await.expect("the same");
    assert_eq!(actions(&test, "username.changed").await, 1, "nothing changed");
}

#[tokio::test]
async fn an_owner_is_told_of_a_password_that_an_operator_set() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.deliver().await;
    let before = test.mailbox.list().len();
    let id = ada.me().await.expect("in").user;
    let new = users::NewSecret::Password(secret(OTHER_PASSWORD));
    users::set_password(&test.realm, Actor::Operator, &Source::default(), id, new).await.expect("set");
    test.deliver().await;
    assert_eq!(test.mailbox.list().len(), before + 1);
}

#[tokio::test]
async fn an_old_session_does_not_delete_its_account() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let me = ada.me().await.expect("in");
    test.clock.advance(24 * 60 * MINUTE);
    let source = Source::default();
    assert_eq!(account::delete_mine(&test.realm, &me, &source).await.refused(), Kind::ReauthRequired);
}

#[tokio::test]
async fn refusals_of_a_known_api_key_are_counted_in_the_trail() {
    let test = TestRealm::new().await;
    let source = Source::default();
    let list = vec!["users:read".to_owned()];
    let (key, text) =
        api_key::create(&test.realm, Actor::Operator, &source, "k", list, None).await.expect("made");
    for _ in 0..3 {
        let refused = api_key::must(&test.realm, &key, &source, "users:write").await;
        assert_eq!(refused.refused(), Kind::PermissionMissing);
    }
    api_key::revoke(&test.realm, Actor::Operator, &source, key.id).await.expect("revoked");
    assert_eq!(api_key::check_text(&test.realm, &source, &text).await.refused(), Kind::ApiKeyUnusable);
    assert_eq!(actions(&test, "api_key.refused").await, 4);
    let rows = audit::list(test.realm.db(), Some(key.id.0), None, 100).await.expect("audit").0;
    assert_eq!(rows.iter().filter(|r| r.action == "api_key.refused").count(), 1, "one row a minute");
}

#[tokio::test]
async fn readers_of_the_feed_ask_the_database_together_and_miss_nothing() {
    let test = TestRealm::new().await;
    let (db, feed) = (test.realm.db(), test.realm.feed());
    let start = ended::position(db).await.expect("read");
    assert!(feed.after(db, start).await.expect("read").is_empty());
    let before = db.statements();
    for _ in 0..200 {
        feed.after(db, start).await.expect("read");
    }
    assert!(db.statements() - before < 50, "not one for each");
    test.sign_up(ADA, PASSWORD).await.sign_out().await;
    ended::publish(db).await.expect("published");
    let mut seen: Vec<ended::Published> = Vec::new();
    for _ in 0..100 {
        seen = feed.after(db, start).await.expect("read");
        if !seen.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(seen, ended::after(db, start, 100).await.expect("read"));
    let behind: Result<Vec<_>> = feed.after(db, start - 1).await;
    assert_eq!(behind.expect("read"), ended::after(db, start - 1, 1_000).await.expect("read"));
}
