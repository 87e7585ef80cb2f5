//! What operators change of a user at once, erase, and page through by number.

use latchstring_core::{
    Error, Kind, Result, account,
    admin::users::{self, Ban, DEEPEST, Merge, NewSecret, NewUser, Numbered, Update},
    annotation,
    attempt::AttemptKind,
    audit::{Actor, Source},
    clock::{DAY, SECOND},
    id::UserId,
    identifier::Identifier,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, secret},
    user::{Full, ProfileChange, UserKind},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const ADA: &str = "ada@northwind.example";
const NEW: &str = "ada@new.example";

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

fn note(value: Value) -> annotation::Note {
    annotation::Note { kind: "vendor".into(), members: members(value) }
}

fn email(text: &str) -> Option<Identifier> {
    Some(Identifier::email(text).expect("an address"))
}

fn password(text: &str) -> Option<NewSecret> {
    Some(NewSecret::Password(secret(text)))
}

async fn update(test: &TestRealm, id: UserId, update: Update) -> Result<Full> {
    users::update(&test.realm, Actor::Operator, &Source::default(), id, update).await
}

async fn noted(test: &TestRealm, id: UserId) -> Option<Value> {
    let found = test.realm.db().read(async |tx| annotation::find(tx, id.0, "vendor").await).await;
    found.expect("annotations can be read")
}

/// All that is known of a user, for comparing.
async fn all_of(test: &TestRealm, id: UserId) -> String {
    let full = users::read(&test.realm, id).await.expect("there");
    format!("{full:?} {:?} {:?}", noted(test, id).await, test.audited(id).await)
}

#[tokio::test]
async fn several_things_change_together() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    let before = test.audited(id).await.len();
    let full = update(
        &test,
        id,
        Update {
            email: email(NEW),
            email_asserted: true,
            secret: password(OTHER_PASSWORD),
            merge: Merge {
                own: Some(members(json!({ "colour": "red" }))),
                public: Some(members(json!({ "plan": { "name": "pro" } }))),
            },
            note: Some(note(json!({ "role": "author" }))),
            ..Update::default()
        },
    )
    .await
    .expect("changed");
    let address = full.email().expect("an address");
    assert_eq!((address.typed.as_str(), address.proven_at), (NEW, None));
    assert!(address.asserted_at.is_some() && full.identifiers.len() == 1);
    assert_eq!(full.user.meta_public, json!({ "plan": { "name": "pro" } }));
    assert_eq!(noted(&test, id).await, Some(json!({ "role": "author" })));
    assert!(!ada.is_in().await, "a new password ends what there was");
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::CredentialsWrong);
    test.sign_in(NEW, OTHER_PASSWORD).await;
    let acts = test.audited(id).await;
    assert_eq!(acts[before..before + 3], ["email.changed", "password.set", "user.changed"]);

    // Member by member: null takes one away, and an object replaces the one that was there.
    let full = update(
        &test,
        id,
        Update {
            merge: Merge {
                own: Some(members(json!({ "colour": null, "size": 3 }))),
                public: Some(members(json!({ "plan": { "seats": 2 } }))),
            },
            note: Some(note(json!({ "role": null, "invited_at": 5 }))),
            ..Update::default()
        },
    )
    .await
    .expect("changed");
    assert_eq!(
        (full.user.meta_own, full.user.meta_public),
        (json!({ "size": 3 }), json!({ "plan": { "seats": 2 } }))
    );
    assert_eq!(noted(&test, id).await, Some(json!({ "invited_at": 5 })));
}

#[tokio::test]
async fn a_refusal_of_one_thing_leaves_all_as_it_was() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.sign_up("grace@northwind.example", PASSWORD).await;
    let id = test.id_of(ADA).await;
    let before = all_of(&test, id).await;
    let ban = || Some(Ban::Until { until: None, reason: None });
    let big = json!({ "x": "y".repeat(20_000) });
    let whole = || Update {
        email: email(NEW),
        email_asserted: true,
        secret: password(OTHER_PASSWORD),
        merge: Merge { own: Some(members(json!({ "a": 1 }))), public: None },
        ban: ban(),
        note: Some(note(json!({ "role": "x" }))),
        ..Update::default()
    };
    for (update_of, kind) in [
        (Update { email: email("grace@northwind.example"), ..whole() }, Kind::IdentifierTaken),
        (Update { secret: password("short"), ..whole() }, Kind::PasswordWeak),
        (
            Update { secret: Some(NewSecret::Hash("nonsense".to_owned().into())), ..whole() },
            Kind::HashUnusable,
        ),
        (
            Update { merge: Merge { own: None, public: Some(members(big.clone())) }, ..whole() },
            Kind::InputInvalid,
        ),
        (Update { note: Some(note(big)), ..whole() }, Kind::InputInvalid),
        (Update { seen: Some(0), ..whole() }, Kind::RevChanged),
        (Update { ban: Some(Ban::Until { until: Some(1), reason: None }), ..whole() }, Kind::InputInvalid),
    ] {
        assert_eq!(update(&test, id, update_of).await.refused(), kind);
        assert_eq!(all_of(&test, id).await, before, "{kind:?}");
    }
    assert!(ada.is_in().await);
    let nobody = UserId(Uuid::from_u128(1));
    assert_eq!(update(&test, nobody, whole()).await.refused(), Kind::NotFound);
}

#[tokio::test]
async fn another_address_ends_no_session_but_voids_what_was_sent_before() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    let recovering = test.visitor();
    let attempt = recovering.begin(AttemptKind::Recover, ADA).await;
    recovering.send(attempt.id).await.expect("sent");
    let code = recovering.code_to(ADA).await;
    update(&test, id, Update { email: email(NEW), email_asserted: true, ..Update::default() })
        .await
        .expect("changed");
    assert!(ada.is_in().await);
    assert_eq!(recovering.code(attempt.id, &code).await.refused(), Kind::CodeWrong);
    // The operator's word is told, and not undone by a link.
    test.deliver().await;
    let mail = test.mailbox.newest_to(ADA).expect("a mail");
    assert!(mail.link.is_none() && mail.text.contains("new.example"), "{}", mail.text);
}

#[tokio::test]
async fn attack_a056_who_proves_an_address_that_nobody_vouched_for_inherits_nothing() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    update(&test, id, Update { email: email(NEW), ..Update::default() }).await.expect("changed");
    let full = users::read(&test.realm, id).await.expect("there");
    assert!(!full.email().expect("an address").is_good());
    test.deliver().await;
    assert!(test.mailbox.newest_to(ADA).expect("a mail").link.is_some(), "the owner can take it back");
    let other = test.visitor();
    let attempt = other.begin(AttemptKind::SignIn, NEW).await;
    other.prove(attempt.id, NEW).await.expect("proven");
    assert!(other.is_in().await && !ada.is_in().await);
    assert_eq!(test.visitor().try_sign_in(NEW, PASSWORD).await.refused(), Kind::CredentialsWrong);
}

#[tokio::test]
async fn a_link_from_before_does_not_undo_an_operators_word() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    users::set_password(
        &test.realm,
        Actor::Operator,
        &Source::default(),
        id,
        password(OTHER_PASSWORD).expect("one"),
    )
    .await
    .expect("set");
    let link = ada.not_me_to(ADA).await;
    update(&test, id, Update { email: email(NEW), email_asserted: true, ..Update::default() })
        .await
        .expect("changed");
    let pressed = account::not_me::press(&test.realm, &Source::default(), &link).await.map(|_| ());
    assert_eq!(pressed.refused(), Kind::LinkUnusable);
}

#[tokio::test]
async fn an_operator_vouches_for_the_address_that_is_there() {
    let test = TestRealm::new().await;
    let full = test.admin_user(ADA, false, Some(PASSWORD)).await;
    let vouch = || Update { email_asserted: true, ..Update::default() };
    let full = update(&test, full.user.id, vouch()).await.expect("vouched");
    assert!(full.email().expect("an address").is_good());
    let acts = test.audited(full.user.id).await;
    assert_eq!(acts, ["user.created", "email.asserted"]);
    test.sign_in(ADA, PASSWORD).await;
    // Once it is known, saying it again says nothing; and the spelling may change.
    let full = update(&test, full.user.id, Update { email: email("Ada@Northwind.example"), ..vouch() })
        .await
        .expect("spelt");
    assert_eq!(full.email().expect("an address").typed, "Ada@Northwind.example");
    assert_eq!(test.audited(full.user.id).await.last().map(String::as_str), Some("user.changed"));
}

#[tokio::test]
async fn attack_a165_a_guest_becomes_a_person_by_a_word_that_counts_alone() {
    let test = TestRealm::with(|s| s.guests = true).await;
    let guest = test.visitor();
    guest.be_guest().await.expect("a guest");
    let id = guest.me().await.expect("in").user;
    for refused in [
        Update { email: email(ADA), ..Update::default() },
        Update { secret: password(PASSWORD), ..Update::default() },
        Update { secret: password(PASSWORD), email_asserted: true, ..Update::default() },
    ] {
        assert_eq!(update(&test, id, refused).await.refused(), Kind::NotForGuests);
    }
    let to_ada = Update { email: email(ADA), email_asserted: true, ..Update::default() };
    let full = update(&test, id, to_ada).await.expect("a person");
    assert_eq!(full.user.kind, UserKind::Person);
    assert!(!guest.is_in().await, "whoever else held the guest had proven nothing");
}

#[tokio::test]
async fn a_ban_ends_all_at_once_and_is_lifted() {
    let test = TestRealm::new().await;
    let (ada, node) = (test.sign_up(ADA, PASSWORD).await, test.node().await);
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    let until = Some(test.realm.now() + DAY);
    let ban = Update { ban: Some(Ban::Until { until, reason: None }), ..Update::default() };
    let full = update(&test, id, ban).await.expect("banned");
    assert!(full.user.is_banned(test.realm.now()));
    node.follow().await.expect("followed");
    assert!(!ada.is_in().await && !ada.at(&node).is_in().await);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::UserBanned);
    update(&test, id, Update { ban: Some(Ban::Lift), ..Update::default() }).await.expect("lifted");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn of_an_erased_user_nothing_stays_but_the_id() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    ada.take_username("ada").await.expect("taken");
    let id = test.id_of(ADA).await;
    let profile = ProfileChange { name: Some(Some("Ada Lovelace".into())), ..ProfileChange::default() };
    update(&test, id, Update { profile, note: Some(note(json!({ "role": "x" }))), ..Update::default() })
        .await
        .expect("changed");
    let made = users::read(&test.realm, id).await.expect("there").user.created_at;
    test.clock.advance(SECOND);
    let gone = Some(note(json!({ "deleted_at": 7 })));
    let full =
        users::erase(&test.realm, Actor::Operator, &Source::default(), id, gone).await.expect("erased");
    assert_eq!((full.user.id, full.user.created_at, &full.user.name), (id, made, &None));
    assert!(full.identifiers.is_empty() && !full.has_password && full.user.is_banned(test.realm.now()));
    assert_eq!(noted(&test, id).await, Some(json!({ "deleted_at": 7 })));
    assert!(!ada.is_in().await);
    assert_eq!(test.visitor().try_sign_in("ada", PASSWORD).await.refused(), Kind::CredentialsWrong);
    assert_eq!(test.audited(id).await.last().map(String::as_str), Some("user.erased"));
    // The address is free, and the id is not.
    test.sign_up(ADA, PASSWORD).await;
    assert_ne!(test.id_of(ADA).await, id);
    let again = NewUser { id: Some(id), email: email(NEW), ..NewUser::default() };
    let refused = users::create(&test.realm, Actor::Operator, &Source::default(), again).await;
    assert_eq!(refused.refused(), Kind::Exists);
}

#[tokio::test]
async fn who_is_made_with_the_id_of_a_deleted_user_inherits_no_note() {
    let test = TestRealm::new().await;
    let id = test.admin_user(ADA, true, None).await.user.id;
    update(&test, id, Update { note: Some(note(json!({ "role": "x" }))), ..Update::default() })
        .await
        .expect("noted");
    account::delete(&test.realm, id, Actor::Operator, &Source::default()).await.expect("deleted");
    assert_eq!(noted(&test, id).await, None);
    let ban = Some(Ban::Until { until: None, reason: None });
    let again = NewUser {
        id: Some(id),
        email: email(NEW),
        ban,
        note: Some(note(json!({ "role": "y", "nothing": null }))),
        ..NewUser::default()
    };
    let full = users::create(&test.realm, Actor::Operator, &Source::default(), again).await.expect("made");
    assert!(full.user.is_banned(test.realm.now()));
    assert_eq!(noted(&test, id).await, Some(json!({ "role": "y" })));
}

#[tokio::test]
async fn pages_by_number_hold_everybody_once() {
    let test = TestRealm::new().await;
    let mut made = Vec::new();
    for n in 0..7 {
        // Ids from elsewhere are in no order.
        let new = NewUser {
            id: Some(UserId(Uuid::from_u128(1_000 - (n * 37) % 101))),
            email: email(&format!("user{n}@{}.example", if n % 2 == 0 { "even" } else { "odd" })),
            note: (n == 3).then(|| note(json!({ "n": 3 }))),
            ..NewUser::default()
        };
        let full = users::create(&test.realm, Actor::Operator, &Source::default(), new).await.expect("made");
        made.push(full.user.id);
        // Some of the same microsecond.
        if n % 3 == 0 {
            test.clock.advance(1);
        }
    }
    let read = async |ask: Numbered| users::numbered(&test.realm, ask).await;
    for oldest_first in [true, false] {
        let mut found = Vec::new();
        for page in 1..=4 {
            let ask = Numbered {
                page,
                per_page: 3,
                oldest_first,
                note: Some("vendor".into()),
                ..Numbered::default()
            };
            let page = read(ask).await.expect("a page");
            assert_eq!(page.total, 7);
            found.extend(
                page.users.into_iter().map(|(full, note)| (full.user.created_at, full.user.id, note)),
            );
        }
        assert_eq!(found.len(), 7);
        assert!(found.is_sorted_by(|a, b| ((a.0, a.1) < (b.0, b.1)) == oldest_first));
        for (_, id, note) in found {
            assert_eq!(note.is_some(), id == made[3]);
        }
    }
    let part = async |part: &str| {
        let ask = Numbered { page: 1, per_page: 5, part: Some(part.into()), ..Numbered::default() };
        let page = read(ask).await.expect("a page");
        (page.users.len(), page.total)
    };
    for (text, expect) in [
        ("odd", (3, 3)),
        ("ODD.exam", (3, 3)),
        ("user", (5, 7)),
        ("@even", (4, 4)),
        ("%", (0, 0)),
        ("_", (0, 0)),
        ("!", (0, 0)),
        ("' OR 1=1", (0, 0)),
        (" ", (5, 7)),
    ] {
        assert_eq!(part(text).await, expect, "{text}");
    }
    let kind = async |ask: Numbered| match read(ask).await {
        Ok(page) => page.users.len().to_string(),
        Err(Error::Refused(refusal)) => refusal.kind.code().to_owned(),
        Err(fault) => panic!("{fault:?}"),
    };
    let at = |page, per_page| Numbered { page, per_page, ..Numbered::default() };
    assert_eq!(kind(at(9, 50)).await, "0", "after the last");
    assert_eq!(kind(at(0, 0)).await, "1");
    assert_eq!(kind(at(1, i64::MAX)).await, "7");
    assert_eq!(kind(at(i64::MAX, i64::MAX)).await, "invalid_input");
    assert_eq!(kind(at(DEEPEST, 2)).await, "invalid_input");
    for bad in ["x".repeat(255), "a\nb".into()] {
        assert_eq!(kind(Numbered { part: Some(bad), ..at(1, 1) }).await, "invalid_input");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_from_many_at_once_all_stay() {
    let test = TestRealm::new().await;
    let id = test.admin_user(ADA, true, None).await.user.id;
    let node = test.node().await;
    let mut set = tokio::task::JoinSet::new();
    for n in 0..20 {
        let realm = if n % 2 == 0 { test.realm.clone() } else { node.clone() };
        set.spawn(async move {
            let one = || members(json!({ format!("m{n}"): n }));
            let change = Update {
                merge: Merge { own: Some(one()), public: Some(one()) },
                note: Some(annotation::Note { kind: "vendor".into(), members: one() }),
                ..Update::default()
            };
            users::update(&realm, Actor::Operator, &Source::default(), id, change).await.expect("changed");
        });
    }
    set.join_all().await;
    let full = users::read(&test.realm, id).await.expect("there");
    let note = noted(&test, id).await.expect("a note");
    for bag in [full.user.meta_own, full.user.meta_public, note] {
        assert_eq!(bag.as_object().map(Map::len), Some(20), "{bag}");
    }
}
