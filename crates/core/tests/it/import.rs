//! Users from elsewhere, many at once: whole or not at all, each once, and no more than the limits.

use latchstring_core::{
    Kind, Result,
    admin::{
        export,
        import::{Address, BATCH, Fate, IDENTITIES, Incoming, Part, Run, Upstream, Why, take},
    },
    audit::{self, Actor},
    id::UserId,
    realm::Realm,
    testing::{PASSWORD, Refused, TestRealm},
    user::UserKind,
};
use serde_json::json;
use uuid::Uuid;

/// When everything was made there.
const THEN: i64 = 1_600_000_000_000_000;
/// `U*U`, from crypt_blowfish's tests.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// A change that makes a user, or a part of one, unfit.
type Spoil<'a> = &'a dyn Fn(&mut Incoming);

fn run(dry: bool) -> Run {
    Run::new(Actor::Operator, "elsewhere", dry)
}

fn user(n: u128) -> Incoming {
    Incoming {
        id: UserId(Uuid::from_u128(n)),
        kind: UserKind::Person,
        email: Some(Address {
            typed: format!("User{n}@Northwind.example"),
            confirmed_at: Some(THEN),
            created_at: THEN,
        }),
        confirmed_otherwise: false,
        secret: Some(BCRYPT.into()),
        meta_public: json!({}),
        meta_own: json!({}),
        banned: None,
        created_at: THEN,
        updated_at: THEN,
        signed_in_at: None,
        identities: Vec::new(),
        annotation: None,
    }
}

fn google(subject: &str) -> Upstream {
    Upstream {
        id: None,
        connection: "google".into(),
        subject: subject.into(),
        claims: json!({}),
        vouched: true,
        created_at: THEN,
        used_at: None,
    }
}

async fn fates(test: &TestRealm, users: Vec<Incoming>) -> Vec<Fate> {
    take(&test.realm, &run(false), users).await.expect("a batch")
}

async fn all(realm: &Realm) -> Vec<export::Outgoing> {
    export::page(realm, None, 1_000, "elsewhere").await.expect("a page")
}

#[tokio::test]
async fn what_is_out_of_bounds_is_left() {
    let test = TestRealm::new().await;
    let with = |change: Spoil<'_>| {
        let mut one = user(1);
        change(&mut one);
        one
    };
    let long = || json!({ "x": "y".repeat(17_000) });
    let refused: &[(Why, Spoil<'_>)] = &[
        (Why::IdInvalid, &|u| u.id = UserId(Uuid::nil())),
        (Why::IdInvalid, &|u| u.id = UserId(Uuid::max())),
        (Why::EmailInvalid, &|u| u.email.as_mut().expect("one").typed = "ada".into()),
        (Why::NoGuest, &|u| u.kind = UserKind::Guest),
        (Why::MetadataInvalid, &|u| u.meta_own = json!([1])),
        (Why::MetadataTooLarge, &|u| u.meta_own = long()),
        (Why::MetadataTooLarge, &|u| u.meta_public = long()),
        (Why::AnnotationTooLarge, &|u| u.annotation = Some(long())),
        (Why::TimeInvalid, &|u| u.created_at = i64::MAX),
        (Why::TimeInvalid, &|u| u.signed_in_at = Some(i64::MIN)),
        (Why::TimeInvalid, &|u| u.banned = Some(Some(i64::MAX))),
        (Why::TimeInvalid, &|u| u.email.as_mut().expect("one").confirmed_at = Some(i64::MAX)),
    ];
    let mut codes = Vec::new();
    for (why, change) in refused {
        assert_eq!(fates(&test, vec![with(change)]).await, [Fate::Not(*why)]);
        codes.push((why.code(), why.says()));
    }
    assert!(codes.iter().all(|(code, says)| !code.is_empty() && !says.is_empty()));
    assert!(all(&test.realm).await.is_empty());
    let many: Vec<Incoming> = (0..=BATCH as u128).map(|n| user(n + 1)).collect();
    assert_eq!(take(&test.realm, &run(false), many).await.refused(), Kind::InputInvalid);

    // These cost a part of the user only.
    let mut one = user(1);
    one.secret = Some("$1$md5".into());
    one.identities = (0..=IDENTITIES).map(|n| google(&n.to_string())).collect();
    one.identities[0].subject = String::new();
    one.identities[1].connection = "Google Inc.".into();
    one.identities[2].claims = long();
    let left = [
        (Part::Password, Why::HashUnusable),
        (Part::Identity(0), Why::IdentityInvalid),
        (Part::Identity(1), Why::IdentityInvalid),
        (Part::Identity(2), Why::IdentityInvalid),
        (Part::Identity(IDENTITIES), Why::TooManyIdentities),
    ];
    assert_eq!(fates(&test, vec![one]).await, [Fate::Taken(left.to_vec())]);
    let kept = &all(&test.realm).await[0];
    assert_eq!((kept.secret.is_none(), kept.identities.len()), (true, IDENTITIES - 3));
}

#[tokio::test]
async fn each_name_is_taken_once_within_a_batch_too() {
    let test = TestRealm::new().await;
    test.sign_up("user5@northwind.example", PASSWORD).await;
    let mut batch: Vec<Incoming> = (1..=5).map(user).collect();
    batch.push(user(1));
    batch[1].email.as_mut().expect("one").typed = "USER1@northwind.example".into();
    batch[2].identities.push(google("same"));
    batch[3].identities.push(google("same"));
    let expected = [
        Fate::Taken(vec![]),
        Fate::Not(Why::EmailTaken),
        Fate::Taken(vec![]),
        Fate::Taken(vec![(Part::Identity(0), Why::IdentityTaken)]),
        Fate::Not(Why::EmailTaken),
        Fate::Not(Why::IdTaken),
    ];
    assert_eq!(take(&test.realm, &run(true), batch.clone()).await.expect("looked"), expected);
    assert_eq!(fates(&test, batch.clone()).await, expected);
    // Once more: who was taken is here; the others are told the same.
    let again = fates(&test, batch).await;
    assert_eq!(again[0], Fate::Here);
    assert_eq!((&again[2], &again[3]), (&Fate::Here, &Fate::Here));
    assert_eq!(again[1], Fate::Not(Why::EmailTaken));
    let mut other = user(1);
    other.created_at += 1;
    assert_eq!(fates(&test, vec![other]).await, [Fate::Not(Why::IdTaken)]);
    let rows = audit::list(test.realm.db(), None, None, 100).await.expect("audit").0;
    assert_eq!(rows.iter().filter(|row| row.action == "users.imported").count(), 1, "nothing is no change");
}

#[tokio::test]
async fn ids_are_kept_where_they_are_free() {
    let test = TestRealm::new().await;
    let own = Uuid::from_u128(0xfeed);
    let with = |n: u128, subject: &str| {
        let mut one = user(n);
        one.identities.push(Upstream { id: Some(own), ..google(subject) });
        one
    };
    assert_eq!(fates(&test, vec![with(1, "a"), with(2, "b")]).await, vec![Fate::Taken(vec![]); 2]);
    assert_eq!(fates(&test, vec![with(3, "c")]).await, [Fate::Taken(vec![])]);
    let users = all(&test.realm).await;
    let ids: Vec<bool> = users.iter().map(|user| user.identities[0].id.0 == own).collect();
    assert_eq!(ids, [true, false, false]);
}

/// Two operators start the same import at once, on two nodes.
#[tokio::test]
async fn two_imports_at_once_take_everybody_once() {
    let test = TestRealm::new().await;
    let other = test.node().await;
    let batch = || -> Vec<Incoming> {
        let with = |n: u128| Incoming { identities: vec![google(&n.to_string())], ..user(n) };
        (1..=100).map(with).collect()
    };
    let run = run(false);
    let (a, b): (Result<Vec<Fate>>, Result<Vec<Fate>>) =
        tokio::join!(take(&test.realm, &run, batch()), take(&other, &run, batch()));
    let (a, b) = (a.expect("taken"), b.expect("taken"));
    for (a, b) in a.iter().zip(&b) {
        let taken = [a, b].iter().filter(|fate| matches!(fate, Fate::Taken(_))).count();
        let here = [a, b].iter().filter(|fate| ***fate == Fate::Here).count();
        assert_eq!((taken, here), (1, 1), "{a:?} {b:?}");
    }
    let users = all(&test.realm).await;
    assert!(users.len() == 100 && users.iter().all(|user| user.identities.len() == 1));
}

/// Somebody signs up with the address while the import runs: one of them has it.
#[tokio::test]
async fn a_sign_up_beside_an_import_is_no_fault() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let run = run(false);
    let (imported, ()) = tokio::join!(
        take(&test.realm, &run, (1..=50).map(user).collect()),
        visitor.sign_up("user50@northwind.example", PASSWORD)
    );
    let fates = imported.expect("a batch");
    assert!(fates[..49].iter().all(|fate| *fate == Fate::Taken(vec![])));
    assert!([Fate::Taken(vec![]), Fate::Not(Why::EmailTaken)].contains(&fates[49]));
    assert!(visitor.is_in().await);
}
