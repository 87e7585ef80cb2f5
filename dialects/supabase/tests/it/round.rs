//! Out and in again: the same people. And what a project's own tables could not take is told.

use crate::sample::{Row, dump, email_identity, export, id, identity, import, user};
use latchstring_core::{
    admin::users,
    audit::{Actor, Source},
    testing::{PASSWORD, TestRealm},
    user::ProfileChange,
};
use serde_json::json;

fn everybody() -> (Vec<Row>, Vec<Row>) {
    let nobody = [("email", "\0"), ("encrypted_password", "\0"), ("email_confirmed_at", "\0")];
    let with = |more: &[(&'static str, &'static str)]| [&nobody[..], more].concat();
    let users = vec![
        user(1, &[("raw_user_meta_data", "{\"a\": \"tab\\t, line\\n, \\\\ and \\u00e9\"}")]),
        user(
            2,
            &[
                ("email_confirmed_at", "\0"),
                ("role", "editor"),
                ("invited_at", "2024-01-01 00:00:00.000001+00"),
            ],
        ),
        user(3, &[("encrypted_password", "\0"), ("last_sign_in_at", "\0")]),
        user(4, &with(&[("phone", "4915112345678"), ("phone_confirmed_at", "2024-01-01 00:00:00+00")])),
        user(5, &with(&[("is_anonymous", "t")])),
        user(6, &[("banned_until", "2031-02-03 04:05:06.000007+00")]),
        user(7, &[("banned_until", "infinity")]),
        user(8, &[("encrypted_password", "\0")]),
        user(9, &[]),
        user(
            10,
            &[(
                "encrypted_password",
                "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            )],
        ),
    ];
    let identities = vec![
        email_identity(1),
        identity(1, "google", "g1", &[]),
        email_identity(2),
        // Came by google only, and has no identity of the address.
        identity(3, "google", "g3", &[]),
        identity(4, "phone", &id(4), &[]),
        email_identity(6),
        email_identity(7),
        // By a mailed code first and google later.
        email_identity(8),
        identity(8, "google", "g8", &[("last_sign_in_at", "\0")]),
        // Came by google, set a password later.
        identity(9, "google", "g9", &[("identity_data", "{\"sub\": \"g9\", \"n\": [\"\\\\\"]}")]),
        email_identity(10),
    ];
    (users, identities)
}

#[tokio::test]
async fn out_and_in_again_gives_the_same() {
    let (users, identities) = everybody();
    let first = TestRealm::new().await;
    let done = import(&first, dump(&users, &identities)).await;
    assert_eq!((done.summary.users, done.summary.not_taken), (10, 0), "{:?}", done.left);
    let (out, told) = export(&first).await;
    assert_eq!((told.users, told.identities), (10, 11));
    assert!(told.left.is_empty(), "{told:?}");
    // Identities, derived ones among them, as they were.
    for identity in &identities {
        let of = |column: &str| identity.iter().find(|(name, _)| *name == column).expect("there").1.clone();
        let line = out.lines().find(|line| {
            line.starts_with(&format!("{}\t{}\t", of("provider_id"), of("user_id")))
                && line.contains(&format!("\t{}\t", of("provider")))
        });
        let line = line.unwrap_or_else(|| panic!("{identity:?} is missing in\n{out}"));
        if !matches!(of("provider").as_str(), "email" | "phone") {
            assert!(line.ends_with(&of("id")), "{line}");
        }
    }
    for (user, part) in [
        (1, "\"providers\":[\"email\",\"google\"]"),
        (3, "\"provider\":\"google\",\"providers\":[\"google\"]"),
        (9, "\"providers\":[\"google\"]"),
    ] {
        let line =
            out.lines().find(|line| line.contains(&format!("\t{}\tauthenticated", id(user)))).expect("there");
        assert!(line.contains(part), "{line}");
    }
    let second = TestRealm::new().await;
    let back = import(&second, out.clone()).await;
    assert_eq!(
        (back.summary.users, back.summary.identities, back.summary.passwords, back.summary.not_taken),
        (done.summary.users, done.summary.identities, done.summary.passwords, 0)
    );
    let (again, _) = export(&second).await;
    assert_eq!(again, out);
    assert_eq!(export(&first).await.0, out, "an export changes nothing");
}

/// Accounts that were made here have what Supabase does not know.
#[tokio::test]
async fn what_can_not_be_written_is_told() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("Ada@Northwind.example", PASSWORD).await;
    visitor.take_username("ada").await.expect("a username");
    let ada = test.id_of("ada").await;
    let change = ProfileChange {
        name: Some(Some("Ada".into())),
        meta_private: Some(json!({ "vip": true })),
        ..ProfileChange::default()
    };
    users::change(&test.realm, Actor::Operator, &Source::default(), ada, change, None)
        .await
        .expect("changed");
    let pbkdf2 = users::NewSecret::Hash(
        "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk".into(),
    );
    let grace = test.admin_user("grace@northwind.example", true, None).await.user.id;
    users::set_password(&test.realm, Actor::Operator, &Source::default(), grace, pbkdf2).await.expect("set");
    let nul = test.admin_user("nul@northwind.example", true, None).await.user.id;
    let change = ProfileChange { meta_own: Some(json!({ "a": ["\0"] })), ..ProfileChange::default() };
    users::change(&test.realm, Actor::Operator, &Source::default(), nul, change, None)
        .await
        .expect("changed");
    let (out, told) = export(&test).await;
    assert_eq!(told.users, 2);
    let left: Vec<(&str, u64)> = told.left.iter().map(|(what, count)| (*what, *count)).collect();
    assert_eq!(
        left,
        [("password", 1), ("private_metadata", 1), ("profile", 1), ("user", 1), ("username", 1)]
    );
    for (what, _) in left {
        assert!(!latchstring_supabase::export::says(what).contains("something else"));
    }
    assert!(out.contains("\tada@northwind.example\t$argon2id$") && !out.contains("pbkdf2"), "{out}");
    assert!(!out.contains("vip") && !out.contains("nul@"));

    // The rest comes back, and Ada signs in elsewhere.
    let other = TestRealm::new().await;
    assert_eq!(import(&other, out).await.summary.users, 2);
    other.sign_in("ada@northwind.example", PASSWORD).await;
}

#[tokio::test]
async fn nobody_is_nothing() {
    let test = TestRealm::new().await;
    let (out, told) = export(&test).await;
    assert_eq!(told.users, 0);
    assert!(!out.contains("COPY"));
}
