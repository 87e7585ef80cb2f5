//! What the owner of an account is asked to look at.

use latchstring_core::{
    Result,
    account::{
        self,
        checkup::{self, Checkup},
    },
    admin::users::{self, NewSecret},
    attempt::{AttemptKind, Sink, begin::Begin},
    audit::{self, Actor, Entry, Source},
    clock::{DAY, MINUTE},
    testing::{OTHER_PASSWORD, PASSWORD, TestRealm, Visitor, secret},
};

const ADA: &str = "ada@northwind.example";

async fn look(test: &TestRealm, visitor: &Visitor) -> Checkup {
    let me = visitor.me().await.expect("in");
    let full = account::read(&test.realm, &me).await.expect("an account");
    checkup::look(&test.realm, &me, &full).await.expect("looked over")
}

async fn changes(test: &TestRealm, visitor: &Visitor) -> Vec<String> {
    look(test, visitor).await.changes.into_iter().map(|row| row.action).collect()
}

#[tokio::test]
async fn an_account_as_it_should_be_is_in_order() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let checkup = look(&test, &ada).await;
    assert!(checkup.is_in_order() && checkup.changes.is_empty(), "{checkup:?}");
}

#[tokio::test]
async fn guests_have_nothing_to_look_after() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let guest = test.visitor();
    guest
        .try_begin(Begin { guest: true, ..Begin::new(AttemptKind::SignUp, None, Sink::Cookie) })
        .await
        .expect("in");
    assert!(look(&test, &guest).await.is_in_order());
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let test = TestRealm::with(|s| s.password.required = false).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    assert!(look(&test, &ada).await.is_in_order(), "no password is asked for in this realm");
    test.set(|s| s.password.required = true).await;
    let checkup = look(&test, &ada).await;
    assert!(checkup.no_password && !checkup.unproven && !checkup.is_in_order());

    // A username and a password need no proven address to sign in by.
    let new = users::NewUser {
        email: Some(latchstring_core::testing::who("bob@northwind.example")),
        username: Some(latchstring_core::testing::who("bob")),
        secret: Some(NewSecret::Password(secret(PASSWORD))),
        ..users::NewUser::default()
    };
    users::create(&test.realm, Actor::Operator, &Source::default(), new).await.expect("made");
    let bob = test.sign_in("bob", PASSWORD).await;
    assert!(look(&test, &bob).await.unproven);
}

#[tokio::test]
async fn sessions_that_nobody_uses_are_counted() {
    let test = TestRealm::with(|s| {
        s.session.idle_seconds = 400 * 86_400;
        s.session.absolute_seconds = 400 * 86_400;
    })
    .await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.sign_in(ADA, PASSWORD).await;
    test.app().sign_in(ADA, PASSWORD).await;
    test.clock.advance(89 * DAY);
    assert_eq!(look(&test, &ada).await.unused, 0);
    test.clock.advance(2 * DAY);
    assert_eq!(look(&test, &ada).await.unused, 2, "and not the one that asks");
}

#[tokio::test]
async fn what_has_changed_lately_is_shown_newest_first() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let other = test.sign_up("bea@northwind.example", PASSWORD).await;
    test.sign_in(ADA, PASSWORD).await;
    ada.take_username("ada").await.expect("taken");
    let (me, caller) = (ada.me().await.expect("in"), ada.caller().await);
    account::change_password(&test.realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD))
        .await
        .expect("changed");
    test.clock.advance(4 * MINUTE);
    let attempt = ada.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
    ada.prove(attempt.id, "ada@new.example").await.expect("proven");
    let wanted = ["email.changed", "password.changed", "username.changed", "device.new"];
    assert_eq!(changes(&test, &ada).await, wanted);
    assert!(look(&test, &ada).await.is_in_order(), "news are nothing to mend");
    assert!(changes(&test, &other).await.is_empty(), "everybody’s own");
    for _ in 0..4 {
        test.sign_in("ada@new.example", OTHER_PASSWORD).await;
    }
    assert_eq!(
        changes(&test, &ada).await,
        ["device.new", "device.new"].into_iter().chain(wanted).take(5).collect::<Vec<_>>()
    );
    test.clock.advance(8 * DAY);
    assert!(changes(&test, &ada).await.is_empty(), "no news any more");
}

/// The check-up is for the owner who comes back after somebody else was in.
#[tokio::test]
async fn a_flood_of_small_changes_hides_no_great_one() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let thief = test.sign_in(ADA, PASSWORD).await;
    let (me, caller) = (thief.me().await.expect("in"), thief.caller().await);
    account::change_password(&test.realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD))
        .await
        .expect("changed");
    ada.sign_in(ADA, OTHER_PASSWORD).await;
    for n in 0..12 {
        ada.take_username(&format!("ada{n}")).await.expect("taken");
    }
    // Rows of every other kind, as an app makes them by signing in.
    let (ground, user) = (test.realm.ground().clone(), me.user.0);
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            for n in 0..6_000 {
                let action = if n % 2 == 0 { "session.began" } else { "profile.changed" };
                let entry = Entry::new(ground.audit_id(), ground.now(), action, Actor::User(user));
                audit::write(tx, entry.on("user", user)).await?;
            }
            Ok(())
        })
        .await
        .expect("written");
    let found = changes(&test, &ada).await;
    for action in ["device.new", "password.changed", "username.changed"] {
        assert!(found.iter().any(|a| a == action), "{action} is hidden: {found:?}");
    }
}

#[tokio::test]
async fn a_deletion_that_somebody_else_began_is_seen_by_whoever_keeps_the_account() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let thief = test.sign_in(ADA, PASSWORD).await.me().await.expect("in");
    account::delete_mine(&test.realm, &thief, &Source::default()).await.expect("begun");
    ada.sign_in(ADA, PASSWORD).await;
    let me = ada.me().await.expect("in");
    account::keep(&test.realm, &me, &ada.caller().await).await.expect("kept");
    let full = account::read(&test.realm, &me).await.expect("an account");
    let seen = checkup::look(&test.realm, &me, &full).await.expect("looked over").changes;
    let seen: Vec<_> =
        seen.iter().map(|row| row.action.as_str()).filter(|a| a.starts_with("user.")).collect();
    assert_eq!(seen, ["user.deletion_kept", "user.deletion_begun"]);
}
