//! “This was not me”: what the link in a notice mends, what it leaves alone, and who wins over whom.

use latchstring_core::{
    Kind, Result,
    account::{
        self,
        not_me::{self, Address, Done},
    },
    attempt::AttemptKind,
    audit::{Actor, Source},
    clock::{DAY, HOUR, MINUTE, SECOND},
    id::UserId,
    notice::NOT_ME,
    realm::Realm,
    secret::{Hashed, Keyed},
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor},
    ticket,
};
use uuid::Uuid;

const ADA: &str = "ada@northwind.example";
const EVE: &str = "eve@evil.example";
const MAL: &str = "mal@evil.example";
const THIRD: &str = "carved oak under seven bridges";

async fn try_press(realm: &Realm, token: &str) -> Result<Done> {
    not_me::press(realm, &Source::default(), token).await
}

async fn press(test: &TestRealm, token: &str) -> Address {
    try_press(&test.realm, token).await.expect("usable").address
}

/// Makes `to` the account's address, as whoever holds a session and the mailbox does.
async fn change_email(test: &TestRealm, who: &Visitor, to: &str) {
    test.clock.advance(MINUTE);
    let attempt = who.begin_within(AttemptKind::Verify, Some(to)).await;
    who.prove(attempt.id, to).await.expect("proven");
    test.clock.advance(MINUTE);
}

/// Ada has an account, and a thief who knows her password has signed in to it.
async fn stolen(test: &TestRealm) -> (Visitor, Visitor, UserId) {
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.clock.advance(MINUTE);
    let thief = test.sign_in(ADA, PASSWORD).await;
    test.clock.advance(MINUTE);
    (ada, thief, test.id_of(ADA).await)
}

#[tokio::test]
async fn the_button_ends_everything_and_the_mailbox_leads_back() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let node = test.node().await;
    let token = ada.not_me_to(ADA).await;
    let looked = not_me::look(&test.realm, &Source::default(), &token).await.expect("usable");
    assert_eq!((looked.what.as_str(), looked.address.as_str(), looked.moved), ("new_device", ADA, false));
    assert!(thief.is_in().await, "looking changes nothing");
    assert_eq!(press(&test, &token).await, Address::Stays);
    node.follow().await.expect("followed");
    for visitor in [&ada, &thief, &app] {
        assert!(!visitor.is_in().await && !visitor.at(&node).is_in().await);
    }
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert_eq!(
        thief.try_sign_in(ADA, PASSWORD).await.refused(),
        Kind::CredentialsWrong,
        "the password is gone"
    );
    assert!(!test.find(ADA).await.expect("Ada").has_password);
    let back = test.visitor();
    back.recover(ADA, OTHER_PASSWORD).await;
    assert!(back.is_in().await);
    test.sign_in(ADA, OTHER_PASSWORD).await;
    assert!(test.audited(id).await.contains(&"user.not_me".to_owned()));
}

#[tokio::test]
async fn attack_a106_a_link_of_a_notice_is_used_once_and_for_a_week() {
    let test = TestRealm::new().await;
    let (ada, ..) = stolen(&test).await;
    let token = ada.not_me_to(ADA).await;
    press(&test, &token).await;
    assert_eq!(try_press(&test.realm, &token).await.refused(), Kind::LinkUnusable);
    let looked = not_me::look(&test.realm, &Source::default(), &token).await;
    assert_eq!(looked.refused(), Kind::LinkUnusable);
    ada.recover(ADA, OTHER_PASSWORD).await;
    test.clock.advance(HOUR);
    test.sign_in(ADA, OTHER_PASSWORD).await;
    let late = ada.not_me_to(ADA).await;
    assert_ne!(late, token);
    test.clock.advance(7 * DAY);
    assert_eq!(try_press(&test.realm, &late).await.refused(), Kind::LinkUnusable);
    for bad in ["", "x", &"A".repeat(64), &late[..63]] {
        assert_eq!(try_press(&test.realm, bad).await.refused(), Kind::LinkUnusable);
    }
    // A secret of another sort is none of these.
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::Recover, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let link = visitor.link_to(ADA).await;
    assert_eq!(try_press(&test.realm, &link).await.refused(), Kind::LinkUnusable);
}

#[tokio::test]
async fn an_address_that_a_thief_changed_is_put_back() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    assert!(not_me::look(&test.realm, &Source::default(), &token).await.expect("usable").moved);
    // The thief is about to set a password of their own.
    let theirs = test.visitor();
    let attempt = theirs.begin(AttemptKind::Recover, EVE).await;
    theirs.prove(attempt.id, EVE).await.expect("their mailbox");
    assert_eq!(press(&test, &token).await, Address::PutBack);
    let refused = theirs.new_password(attempt.id, THIRD).await;
    assert_eq!(refused.refused(), Kind::AttemptClosed);
    assert!(!thief.is_in().await);
    assert_eq!(test.id_of(ADA).await, id);
    assert!(test.find(EVE).await.is_none());
    let account = test.find(ADA).await.expect("Ada");
    assert_eq!(account.identifiers.len(), 1);
    assert!(account.email().is_some_and(|e| e.is_primary && e.proven_at.is_some()));
    assert!(test.visitor().mail_to(EVE).await.subject.contains("was taken off"));
    ada.recover(ADA, OTHER_PASSWORD).await;
    let audited = test.audited(id).await;
    for action in ["email.changed", "email.put_back", "user.not_me", "password.reset"] {
        assert_eq!(audited.iter().filter(|a| *a == action).count(), 1, "{action}");
    }
    test.sign_up(EVE, THIRD).await;
    assert_ne!(test.id_of(EVE).await, id, "the address is free");
}

#[tokio::test]
async fn any_notice_that_went_to_the_old_address_puts_it_back() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    let of_the_sign_in = ada.not_me_to(ADA).await;
    change_email(&test, &thief, EVE).await;
    let of_the_change = ada.not_me_to(ADA).await;
    assert_eq!(press(&test, &of_the_sign_in).await, Address::PutBack);
    assert_eq!(test.id_of(ADA).await, id);
    assert_eq!(
        try_press(&test.realm, &of_the_change).await.refused(),
        Kind::LinkUnusable,
        "it has been mended"
    );
}

#[tokio::test]
async fn whoever_was_told_earlier_wins_over_whoever_was_told_later() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    change_email(&test, &thief, MAL).await;
    let (first, second) = (ada.not_me_to(ADA).await, ada.not_me_to(EVE).await);
    assert_eq!(press(&test, &first).await, Address::PutBack);
    assert_eq!(try_press(&test.realm, &second).await.refused(), Kind::LinkUnusable);
    assert_eq!(test.id_of(ADA).await, id);

    // The other way round the thief gains nothing that lasts.
    ada.recover(ADA, OTHER_PASSWORD).await;
    change_email(&test, &ada, EVE).await;
    change_email(&test, &ada, MAL).await;
    let (first, second) = (ada.not_me_to(ADA).await, ada.not_me_to(EVE).await);
    assert_eq!(press(&test, &second).await, Address::PutBack);
    assert_eq!(test.id_of(EVE).await, id);
    assert_eq!(press(&test, &first).await, Address::PutBack);
    assert_eq!(test.id_of(ADA).await, id);
}

/// The owner still has a session and puts the address back by it: the thief's mailbox gets no say over that.
#[tokio::test]
async fn an_owner_who_puts_the_address_back_gives_the_thief_no_link() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    thief.take_username("eve").await.expect("taken");
    let theirs = ada.not_me_to(EVE).await;
    ada.step_up(PASSWORD).await;
    change_email(&test, &ada, ADA).await;
    test.deliver().await;
    let notice = test.mailbox.newest_to(EVE).expect("told");
    assert!(notice.subject.contains("address") && notice.link.is_none(), "{}", notice.text);
    assert_eq!(try_press(&test.realm, &theirs).await.refused(), Kind::LinkUnusable);
    assert_eq!(test.id_of(ADA).await, id);
}

#[tokio::test]
async fn a_new_password_by_the_mailbox_settles_what_came_before() {
    let test = TestRealm::new().await;
    let (ada, ..) = stolen(&test).await;
    let old = ada.not_me_to(ADA).await;
    test.clock.advance(MINUTE);
    ada.recover(ADA, OTHER_PASSWORD).await;
    assert_eq!(try_press(&test.realm, &old).await.refused(), Kind::LinkUnusable);
    assert!(ada.is_in().await, "the new password and its session stay");
    // The reset itself may be somebody else's who reads the mail for a moment.
    let reset = ada.not_me_to(ADA).await;
    press(&test, &reset).await;
    assert!(!ada.is_in().await);
}

#[tokio::test]
async fn a_thief_who_resets_by_their_own_mailbox_settles_nothing_of_the_owners() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    test.visitor().recover(EVE, THIRD).await;
    assert_eq!(press(&test, &token).await, Address::PutBack);
    assert_eq!(test.id_of(ADA).await, id);
    assert_eq!(test.visitor().try_sign_in(ADA, THIRD).await.refused(), Kind::CredentialsWrong);
}

#[tokio::test]
async fn an_address_that_another_account_has_by_now_stays_there() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    let anew = test.sign_up(ADA, OTHER_PASSWORD).await;
    let second = test.id_of(ADA).await;
    assert_ne!(second, id);
    assert_eq!(press(&test, &token).await, Address::Taken);
    assert!(!thief.is_in().await, "what can be ended is ended");
    assert!(anew.is_in().await, "and nothing of the other account");
    assert_eq!((test.id_of(ADA).await, test.id_of(EVE).await), (second, id));
    assert!(test.find(ADA).await.expect("Ada").has_password);
    assert!(!test.find(EVE).await.expect("Eve").has_password);
}

#[tokio::test]
async fn a_claim_without_proof_does_not_keep_the_address_from_its_owner() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    let squatter = test.admin_user(ADA, false, Some(THIRD)).await.user.id;
    assert_eq!(press(&test, &token).await, Address::PutBack);
    assert_eq!(test.id_of(ADA).await, id);
    assert!(test.audited(squatter).await.contains(&"email.lost".to_owned()));
}

#[tokio::test]
async fn an_account_that_a_thief_deleted_is_kept() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let me = thief.me().await.expect("in");
    account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("a time");
    assert_eq!(press(&test, &ada.not_me_to(ADA).await).await, Address::PutBack);
    let account = test.find(ADA).await.expect("Ada");
    assert_eq!((account.user.id, account.user.delete_after), (id, None));
    ada.recover(ADA, OTHER_PASSWORD).await;
    assert!(ada.completed().tasks.is_empty());
}

#[tokio::test]
async fn links_go_with_the_account() {
    let test = TestRealm::new().await;
    let (ada, _, id) = stolen(&test).await;
    let token = ada.not_me_to(ADA).await;
    account::delete(&test.realm, id, Actor::Operator, &Source::default()).await.expect("deleted");
    assert_eq!(try_press(&test.realm, &token).await.refused(), Kind::LinkUnusable);
    let anew = test.sign_up(ADA, OTHER_PASSWORD).await;
    assert_eq!(try_press(&test.realm, &token).await.refused(), Kind::LinkUnusable);
    assert!(anew.is_in().await);
}

#[tokio::test]
async fn a_link_is_about_its_own_account_alone() {
    let test = TestRealm::new().await;
    let (ada, ..) = stolen(&test).await;
    let eve = test.sign_up(EVE, PASSWORD).await;
    test.sign_in(EVE, PASSWORD).await;
    press(&test, &eve.not_me_to(EVE).await).await;
    assert!(ada.is_in().await && !eve.is_in().await);
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_link_by_thirty_at_once_is_used_once() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let (token, node) = (ada.not_me_to(ADA).await, test.node().await);
    let mut set = tokio::task::JoinSet::new();
    for n in 0..30 {
        let (realm, token) = (if n % 2 == 0 { test.realm.clone() } else { node.clone() }, token.clone());
        set.spawn(async move { try_press(&realm, &token).await });
    }
    let results = set.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(result.refused(), Kind::LinkUnusable);
    }
    assert_eq!(test.id_of(ADA).await, id);
    assert_eq!(test.audited(id).await.iter().filter(|a| *a == "user.not_me").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_press_while_the_account_is_deleted_is_before_or_after() {
    for _ in 0..6 {
        let test = TestRealm::new().await;
        let (ada, _, id) = stolen(&test).await;
        let (token, node) = (ada.not_me_to(ADA).await, test.node().await);
        let pressing = tokio::spawn(async move { try_press(&node, &token).await });
        account::delete(&test.realm, id, Actor::Operator, &Source::default()).await.expect("deleted");
        let pressed = pressing.await.expect("ended");
        assert!(pressed.is_ok() || pressed.refused() == Kind::LinkUnusable);
        assert!(test.find(ADA).await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_that_wait_while_the_button_is_pressed_do_not_live() {
    let test = TestRealm::with(|s| s.limits.free_failures = 100).await;
    let (ada, _, id) = stolen(&test).await;
    let token = ada.not_me_to(ADA).await;
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let visitor = test.app();
        set.spawn(async move { visitor.try_sign_in(ADA, PASSWORD).await.map(drop) });
    }
    press(&test, &token).await;
    for result in set.join_all().await {
        assert!(result.is_ok() || result.refused() == Kind::CredentialsWrong);
    }
    let left = account::sessions(&test.realm, id).await.expect("sessions");
    assert!(left.is_empty(), "{} live", left.len());
}

/// Deletes the account and keeps it again, as whoever has the password can all day.
async fn delete_and_keep(test: &TestRealm, who: &str, password: &str) {
    test.clock.advance(MINUTE);
    let thief = test.sign_in(who, password).await;
    let me = thief.me().await.expect("in");
    account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("a time");
    test.clock.advance(MINUTE);
    let back = test.sign_in(who, password).await;
    let me = back.me().await.expect("in");
    account::keep(&test.realm, &me, &back.caller().await).await.expect("kept");
}

#[tokio::test]
async fn deleting_and_keeping_in_turn_floods_no_mailbox() {
    let test = TestRealm::new().await;
    stolen(&test).await;
    for _ in 0..8 {
        delete_and_keep(&test, ADA, PASSWORD).await;
    }
    test.deliver().await;
    let to_ada = test.mailbox.list().into_iter().filter(|mail| mail.to == ADA);
    let told =
        to_ada.filter(|mail| mail.subject.contains("deleted") || mail.subject.contains("kept")).count();
    assert_eq!(told, 10, "five a day of each");
}

/// Also where the thief's mailbox has got more links than anybody would read.
#[tokio::test]
async fn a_thief_with_thousands_of_links_loses_to_the_earlier_one() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    let now = test.realm.now();
    let random = test.realm.ground().random();
    let links: Vec<Keyed> = (0..2_500).map(|n| Keyed::new(Uuid::from_u128(n), random)).collect();
    let hashes: Vec<Hashed> = links.iter().map(Keyed::hashed).collect();
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            let body = serde_json::json!({ "what": "deletion_kept", "typed": EVE, "normal": EVE });
            for hash in &hashes {
                let new = ticket::New {
                    hash: *hash,
                    purpose: NOT_ME,
                    user: Some(id),
                    about: Some(EVE),
                    body: &body,
                    expires_at: now + DAY,
                };
                ticket::put(tx, new, now).await?;
            }
            Ok(())
        })
        .await
        .expect("stored");
    assert_eq!(press(&test, &token).await, Address::PutBack);
    for link in [&links[0], &links[1_200], &links[2_499]] {
        assert_eq!(try_press(&test.realm, &link.text()).await.refused(), Kind::LinkUnusable);
    }
    ada.recover(ADA, OTHER_PASSWORD).await;
    assert_eq!(test.id_of(ADA).await, id);
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_gives_the_thief_no_earlier_link() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let first = ada.not_me_to(ADA).await;
    // The next request reaches a node that is two seconds behind the one that changed the address.
    test.clock.advance(-(MINUTE + 2 * SECOND));
    thief.take_username("eve").await.expect("taken");
    let second = ada.not_me_to(EVE).await;
    test.clock.advance(2 * MINUTE);
    assert_eq!(press(&test, &first).await, Address::PutBack);
    assert_eq!(try_press(&test.realm, &second).await.refused(), Kind::LinkUnusable);
    assert_eq!(test.id_of(ADA).await, id);
}

#[tokio::test]
async fn links_are_good_for_as_long_as_the_account_can_be_kept() {
    let test = TestRealm::with(|settings| settings.account.deletion_grace_seconds = 30 * 86_400).await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    let me = thief.me().await.expect("in");
    account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("a time");
    test.clock.advance(29 * DAY);
    assert_eq!(press(&test, &token).await, Address::PutBack);
    assert_eq!(test.find(ADA).await.expect("Ada").user.delete_after, None);
    assert_eq!(test.id_of(ADA).await, id);
}

#[tokio::test]
async fn a_deletion_that_a_link_takes_back_is_told_to_both_addresses() {
    let test = TestRealm::new().await;
    let (ada, thief, id) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    let me = thief.me().await.expect("in");
    account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("a time");
    press(&test, &token).await;
    test.deliver().await;
    for to in [ADA, EVE] {
        let kept =
            test.mailbox.list().into_iter().filter(|mail| mail.to == to && mail.subject.contains("kept"));
        assert_eq!(kept.count(), 1, "{to}");
    }
    assert!(test.audited(id).await.contains(&"user.deletion_kept".to_owned()));
}

/// Where the address is another account's by now nothing is put back, and a deletion goes on. Whoever is signed out by
/// it is told.
#[tokio::test]
async fn where_the_address_is_taken_a_deletion_goes_on() {
    let test = TestRealm::new().await;
    let (ada, thief, _) = stolen(&test).await;
    change_email(&test, &thief, EVE).await;
    let token = ada.not_me_to(ADA).await;
    test.sign_up(ADA, OTHER_PASSWORD).await;
    let me = thief.me().await.expect("in");
    let until =
        account::delete_mine(&test.realm, &me, &Source::default()).await.expect("begun").expect("a time");
    assert_eq!(press(&test, &token).await, Address::Taken);
    assert_eq!(test.find(EVE).await.expect("Eve").user.delete_after, Some(until));
    test.deliver().await;
    assert!(test.mailbox.newest_to(EVE).expect("told").subject.contains("signed out"));
}
